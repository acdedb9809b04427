"""Engines that tell speakers apart: `voices` is the seam, `resemblyzer` and `pyannote` are the engines behind it."""
