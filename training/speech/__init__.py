"""The part of the speech engine that was trained here: how English sounds to Whisper tiny.en."""
