"""Reads sound and video with FFmpeg: opens `containers`, decodes their `tracks`, and makes recordings and frames from
them."""

SAMPLE_RATE = 16_000
"""Sample rate of decoded sound, in Hz, which speech models expect. Sound of any other rate is resampled."""
