"""Splitting texts into sentences for translation, and putting the translations together."""
