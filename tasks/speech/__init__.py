"""Turns recordings into words with speakers. `listening` streams a recording through `cutter` and an engine, `speakers`
and `turns` determine who speaks when, and `phrases` groups words for subtitles."""
