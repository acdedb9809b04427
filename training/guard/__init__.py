"""Trains and measures the head of the embedded text guard. `python -m training.guard.train --help`."""
