"""Which elements of a screen a request means, and how its answer is put together."""
