"""Training of the weights that are part of this package."""
