"""Passages in which the values of an answer are searched for."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TypeVar

from tasks.extraction.folding import look_alike
from tasks.extraction.passages import Passage, Tokens, texts_of
from tasks.notation.dates import Day
from tasks.notation.numbers import Number
from tasks.precontext import Entry

Q = TypeVar("Q", Number, Day)

MAX_TRACED = 1_000_000
"""Evidence is searched for in this many characters at the beginning of a passage."""


class TracedPassage(Passage):
    """A passage with indexes of its tokens, numbers and days, as each value of an answer is looked up in them."""

    @cached_property
    def stream(self) -> "TokenStream":
        return TokenStream(self.tokens)

    def numbers_read_as(self, readings: Iterable[object]) -> list[Number]:
        """Return the numbers that may mean one of `readings`, in order."""
        return _with_readings(self._numbers_by_reading, readings)

    def days_read_as(self, readings: Iterable[object]) -> list[Day]:
        """Return the days that may mean one of `readings`, in order."""
        return _with_readings(self._days_by_reading, readings)

    @cached_property
    def _numbers_by_reading(self) -> dict[object, list[Number]]:
        return _by_reading(self.numbers)

    @cached_property
    def _days_by_reading(self) -> dict[object, list[Day]]:
        return _by_reading(self.days)


def _by_reading(quantities: Sequence[Q]) -> dict[object, list[Q]]:
    index: dict[object, list[Q]] = {}
    for one in quantities:
        for reading in one.all_readings if isinstance(one, Number) else one.readings:
            index.setdefault(reading, []).append(one)
    return index


def _with_readings(index: dict[object, list[Q]], readings: Iterable[object]) -> list[Q]:
    found = {one.start: one for reading in readings for one in index.get(reading, ())}
    return [found[start] for start in sorted(found)]


class TokenStream:
    """The letters and digits of a passage as one case-folded string without spaces and signs."""

    def __init__(self, tokens: Tokens) -> None:
        self.text = "".join(tokens.texts)
        self._words = tokens.words
        self._starts = list(accumulate(map(len, tokens.texts), initial=0))
        self._edges = frozenset(self._starts)

    @cached_property
    def look_alike(self) -> str:
        """The stream in which all characters that OCR confuses with each other are the same character. The length stays
        the same."""
        return look_alike(self.text)

    def occurrences(self, needle: str, stream: str, limit: int) -> Iterator[tuple[int, int]]:
        """Yield the start and end of the first `limit` occurrences of `needle` that cover whole tokens."""
        position = stream.find(needle)
        while position >= 0 and limit:
            if position in self._edges and position + len(needle) in self._edges:
                yield position, position + len(needle)
                limit -= 1
            position = stream.find(needle, position + 1)

    def nearest_edge(self, position: int) -> int:
        index = bisect_right(self._starts, position)
        edge_before = self._starts[index - 1]
        edge_after = self._starts[min(index, len(self._starts) - 1)]
        return edge_before if position - edge_before <= edge_after - position else edge_after

    def words_between(self, start: int, end: int) -> tuple[int, ...]:
        """Return the indices of the words that contain the characters `start` to `end` of the stream."""
        first, last = bisect_right(self._starts, start) - 1, bisect_right(self._starts, end - 1) - 1
        return tuple(range(self._words[first], self._words[last] + 1))


def passages_to_trace(entries: Sequence[Entry]) -> list[TracedPassage]:
    """Return the parts of all passages in which evidence is searched for: their first MAX_TRACED characters."""
    return [passage for index, entry in enumerate(entries) for passage in passages_of(entry, index)]


def passages_of(entry: Entry, index: int) -> list[TracedPassage]:
    """Return the parts of the passages of one entry in which evidence is searched for."""
    return [TracedPassage(index, entry.name, lines) for lines in texts_of(entry, MAX_TRACED)]
