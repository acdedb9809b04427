"""Measurements of accuracy and speed, each a program of its own. They are not part of the test suite."""
