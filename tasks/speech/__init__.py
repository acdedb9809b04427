"""Turning recordings into words with speakers. `listening` streams one through `cutter` and an engine, `speakers` and
`turns` determine who speaks when, and `phrases` groups words for subtitles."""
