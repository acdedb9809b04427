"""How the weights that are part of this package were made."""
