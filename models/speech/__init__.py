"""Engines that transcribe speech: `transcriber` is their interface, and `whisper` is the engine. `voice_activity`
distinguishes speech from silence."""
