"""Guards of texts (`text`) and of pictures (`images`), both behind `guard`, and `personal_data`, which rules find."""
