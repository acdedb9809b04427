"""Engines that transcribe speech. `transcriber` is their interface, `whisper` the engine behind it. `voice_activity`
distinguishes speech from silence."""
