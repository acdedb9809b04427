"""Training of the speech engine's model of English, from the encoder states of Whisper tiny.en."""
