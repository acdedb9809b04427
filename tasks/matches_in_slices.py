"""Searches long texts with regular expressions in slices of work."""

import re
from collections.abc import Iterator
from typing import Final

SEARCHED_AT_ONCE: Final = 2_000
"""One slice of work looks for the matches that begin within the next SEARCHED_AT_ONCE characters."""
REACH: Final = 1_000
"""A search looks at this many further characters. If a match ends near the last of them, it is searched for again with
more characters."""
NEAR_END: Final = 100
"""Number of characters after a match that may decide where it ends."""


def matches_in_slices(form: re.Pattern[str], text: str) -> Iterator[re.Match[str] | None]:
    """Yield the matches of `form` in `text` as `finditer` does, and None between two slices of work.

    Matches must not be empty. The first REACH characters of a match must suffice to recognise it.
    """
    position = 0
    while position < len(text):
        stop = position + SEARCHED_AT_ONCE
        found = form.search(text, position, stop + REACH)
        if found is None or found.start() >= stop:
            position = stop
            yield None
            continue
        end = stop + REACH
        while found.end() + NEAR_END > end and end < len(text):
            end += end - position
            found = form.match(text, found.start(), end) or found
            yield None
        yield found
        position = found.end()
