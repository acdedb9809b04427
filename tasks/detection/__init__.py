"""Interprets requests for objects, and searches pictures for them."""
