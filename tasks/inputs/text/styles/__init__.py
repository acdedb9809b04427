"""Computes how a browser shows the text of an HTML page, from the style sheets within it."""
