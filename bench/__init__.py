"""Measurements, each a program of its own. Not part of the test suite."""
