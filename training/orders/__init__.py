"""Fits the tagger of parts, and holds its labelled orders."""
