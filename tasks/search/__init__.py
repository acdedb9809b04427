"""Searches the web: `providers` implements the search engines, and `fall_over` tries them in order."""
