"""Splits texts into sentences for translation, and combines their translations."""
