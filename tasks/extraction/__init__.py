"""Fields of a schema found in what was read, how probable each is, and the evidence for each field of an answer."""
