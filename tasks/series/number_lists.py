"""Lists of numbers within words: `12, 14.5; 16`, and `12,5 14,0` with decimal commas.

One regular expression for a whole list would look through a megabyte in one call, and no other thread runs meanwhile.
So numbers are looked for one at a time, and where there are none, piece by piece.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

_PIECE = 16 * 1024
"""Characters that are looked through in one call."""
_BEGINNING = re.compile(r"(?<![\w.,])(?=[-+−]?\.?\d)")
_REACH = 3
"""Characters behind a beginning that tell it."""
_POINTS = r"[-+−]?(?:\d+(?:\.\d+)*|\.\d+)(?:[eE][-+]?\d{1,3})?%?"
_COMMAS = r"[-+−]?\d+,\d+"


@dataclass(frozen=True, slots=True)
class _Notation:
    number: "re.Pattern[str]"
    next: "re.Pattern[str]"
    """A number, and what separates it from the one before."""


def _notation(number: str, gap: str) -> _Notation:
    return _Notation(re.compile(rf"{number}(?!\w)"), re.compile(rf"(?:{gap})({number})(?!\w)"))


_NOTATIONS = (_notation(_COMMAS, r"\s*;\s*|\s+"), _notation(_POINTS, r"\s*[;,|]\s*|\s+"))


@dataclass(frozen=True, slots=True)
class NumberList:
    """Two numbers or more that nothing but separators stands between."""

    start: int
    end: int
    notation: _Notation

    def numbers(self, text: str) -> list[str]:
        """As they are written in `text`, in which the list was found."""
        found = self.notation.number.match(text, self.start)
        assert found is not None
        return [found[0], *(one[1] for one in _following(text, found.end(), self.notation))]


def longest_list(text: str) -> NumberList | None:
    """The list that takes most characters; decimal commas where both would do."""
    found = chain.from_iterable(_lists(text, notation) for notation in _NOTATIONS)
    return max(found, key=lambda one: one.end - one.start, default=None)


def _lists(text: str, notation: _Notation) -> Iterator[NumberList]:
    end = 0
    for start in _beginnings(text):
        first = notation.number.match(text, start) if start >= end else None
        if first is None:
            continue
        last = first.end()
        for one in _following(text, first.end(), notation):
            last = one.end()
        if last > first.end():
            yield NumberList(start, last, notation)
            end = last


def _beginnings(text: str) -> Iterator[int]:
    """Where numbers begin that are no part of a word or of another number."""
    for piece in range(0, len(text), _PIECE):
        for found in _BEGINNING.finditer(text, piece, piece + _PIECE + _REACH):
            if found.start() < piece + _PIECE:
                yield found.start()


def _following(text: str, at: int, notation: _Notation) -> "Iterator[re.Match[str]]":
    while (found := notation.next.match(text, at)) is not None:
        yield found
        at = found.end()
