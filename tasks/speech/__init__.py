"""Recordings to words and speakers: `listening` streams one through `cutter` and an engine, `speakers` and `turns` tell
who speaks when, and `phrases` makes subtitles."""
