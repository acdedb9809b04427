"""Sound and video through FFmpeg: `containers`, their `tracks`, and what the server makes of both."""
