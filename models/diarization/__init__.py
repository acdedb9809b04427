"""Engines that distinguish speakers: `voices` is their interface, and `resemblyzer` and `pyannote` are the engines."""
