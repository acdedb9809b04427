"""Engines that distinguish speakers. `voices` is their interface, `resemblyzer` and `pyannote` are the engines behind
it."""
