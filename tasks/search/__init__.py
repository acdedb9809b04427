"""Searches the web: `providers` implements the search engines, and `failover` tries them in order."""
