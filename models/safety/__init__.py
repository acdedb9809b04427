"""Guards of texts (`text`, and models that `dialect` knows how to ask) and of pictures (`images`), all behind `guard`;
and `personal_data`, which is found by rules."""
