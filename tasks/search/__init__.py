"""Searching the web: `providers` implements the search engines, `fall_over` tries them in order."""
