"""Sound and video through FFmpeg: containers, tracks decoded block by block, and frames by their times."""
