"""Engines that write speech down: `transcriber` is the seam, `whisper` the engine behind it. `voice_activity` tells
speech from silence."""
