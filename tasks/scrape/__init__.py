"""Turns web pages into text and records. `page_file` reads a fetched page, `browser` renders one that needs its
scripts, and the other modules find the main part and the data."""
