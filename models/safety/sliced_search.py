"""Searches long texts in slices.

`re` holds the interpreter while it searches, which takes most of a second for one of the slower patterns and a megabyte
of text. A search in slices looks at a window of the text at a time, and finds what one search of the whole text finds.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from models.fair_executor import Slices

T = TypeVar("T")

WINDOW = 16 * 1024
"""Number of characters that are searched at once."""
MARGIN = 128
"""A match of a pattern that is searched for in slices has at most this many characters, including those after the match
that the pattern looks at."""


def find_each(
    pattern: re.Pattern[str],
    text: str,
    start: int,
    end: int,
    recognise: Callable[[re.Match[str]], T | None],
) -> Slices[list[T]]:
    """Return what `recognise` makes of each match of `pattern` in `text[start:end]`, leaving out None. There is a slice
    for each window and each match."""
    recognised: list[T] = []
    while start < end:
        stop = start + WINDOW
        for found in pattern.finditer(text, start, min(stop + MARGIN, end)):
            if found.start() >= stop:
                break
            start = found.end()
            if (one := recognise(found)) is not None:
                recognised.append(one)
            yield
        start = max(start, stop)
        if start < end:
            yield
    return recognised


def is_found(pattern: re.Pattern[str], text: str, start: int, end: int) -> Slices[bool]:
    """Return True if `pattern` is found in `text[start:end]`. A match at the end of a window may be one that the
    following characters would rule out."""
    while start < end:
        if pattern.search(text, start, min(start + WINDOW + MARGIN, end)):
            return True
        start += WINDOW
        if start < end:
            yield
    return False


def find_runs(beginning: re.Pattern[str], rest: re.Pattern[str], text: str) -> Slices[list[tuple[int, int]]]:
    """Return the start and the end of each run in `text`: a match of `beginning`, of at most MARGIN characters, and as
    many matches of `rest` as follow it directly. A match of `rest` may be of any length, but must consist of short
    pieces, each of which matches by itself."""
    runs: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        stop = start + WINDOW
        found = beginning.search(text, start, stop + MARGIN)
        if found is None or found.start() >= stop:
            start = stop
        else:
            start = found.end()
            while more := rest.match(text, start, start + WINDOW):
                start = more.end()
                yield
            runs.append((found.start(), start))
        yield
    return runs
