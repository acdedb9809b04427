"""Notations of numbers, dates and currencies in documents, tables and requests."""
