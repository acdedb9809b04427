"""Synthetic documents for training, validating and testing the extraction of fields."""
