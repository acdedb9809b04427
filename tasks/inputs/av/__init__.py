"""Sound and video through FFmpeg: opening `containers`, decoding their `tracks`, and the recordings and frames made of
them."""

SAMPLE_RATE = 16_000
"""Sample rate in Hz of decoded sound, whatever the file's is: speech models expect it."""
