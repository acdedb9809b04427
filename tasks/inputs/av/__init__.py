"""Sound and video through FFmpeg: opening `containers`, decoding their `tracks`, and the recordings and frames made of
them."""
