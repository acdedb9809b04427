"""Searching the web: `providers` knows each search engine, `fall_over` asks the next one where one fails."""
