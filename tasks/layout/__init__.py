"""Turns detected lines, in any order, into the lines and tables of a page in reading order."""
