"""Weights: the files that engines need, and where they come from."""
