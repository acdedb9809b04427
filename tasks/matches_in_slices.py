"""Searches long texts with regular expressions in slices of work."""

import re
from collections.abc import Iterator
from typing import Final

SEARCHED_AT_ONCE: Final = 2_000
"""One slice of work looks for the matches that begin within so many next characters."""
REACH: Final = 1_000
"""A search looks at so many further characters. If a match ends near the last of them, it is searched for again with
more characters."""
NEAR_END: Final = 100
"""Number of characters after a match that may decide where it ends."""


def matches_in_slices(
    form: re.Pattern[str],
    text: str,
    position: int = 0,
    end: int | None = None,
    *,
    at_once: int = SEARCHED_AT_ONCE,
    reach: int = REACH,
) -> Iterator[re.Match[str] | None]:
    """Yield the matches of `form` in `text[position:end]` as `finditer` does, and None between two slices of work.

    Matches must not be empty. The first `reach` characters of a match must suffice to recognise it.
    """
    end = len(text) if end is None else end
    while position < end:
        stop = position + at_once
        found = form.search(text, position, min(stop + reach, end))
        if found is None or found.start() >= stop:
            position = stop
            yield None
            continue
        seen = stop + reach
        while found.end() + NEAR_END > seen and seen < end:
            seen += seen - position
            found = form.match(text, found.start(), min(seen, end)) or found
            yield None
        yield found
        position = found.end()
