"""Defines how well a reader sees a text of a file."""

from enum import IntEnum


class Sight(IntEnum):
    """A degree of how well a reader sees a text, from best to worst."""

    SEEN = 0
    UNSURE = 1
    """A text that may not be seen, or may look otherwise."""
    FAINT = 2
    """The text takes part in the page, but cannot be told from what is behind it."""
    UNSEEN = 3
