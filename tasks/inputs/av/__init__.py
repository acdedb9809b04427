"""Reads sound and video with FFmpeg: opens `containers`, decodes their `tracks`, and makes recordings and frames of
these."""

SAMPLE_RATE = 16_000
"""Sample rate of decoded sound, in Hz, whatever the rate of the file. Speech models expect it."""
