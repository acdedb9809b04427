"""Results of tasks as running text whose every word still knows where it stands."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TypeVar

from app.chat.event_driver import Entry
from app.chat.evidence.quantities import Day, Number, days, numbers
from tasks.result import SourceLine

Q = TypeVar("Q", Number, Day)

COLUMN_GAP = 1.0
"""Heights of a line: figures that are wider apart are not groups of one number."""
_TOKEN = re.compile(r"[^\W_]+")
_BREAK = "\x1f"
"""Between two texts that do not continue each other; no token holds it."""

_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "8": "b", "2": "z", "ı": "l"})


class Quantities(list[Q]):
    """Numbers or days, in the order of their text."""

    def that_read(self, readings: Iterable[object]) -> list[Q]:
        """Those that may mean one of `readings`, in order."""
        found = {one.start: one for reading in readings for one in self._by_reading.get(reading, ())}
        return [found[start] for start in sorted(found)]

    @cached_property
    def _by_reading(self) -> dict[object, list[Q]]:
        index: dict[object, list[Q]] = {}
        for one in self:
            for reading in one.readings:
                index.setdefault(reading, []).append(one)
        return index


class Passage:
    """Consecutive lines of one result. Words are counted through from 0."""

    def __init__(self, entry: int, name: str, lines: Sequence[SourceLine]) -> None:
        self.entry = entry
        """Index in the precontext."""
        self.name = name
        self.lines = lines
        self.words = [word for line in lines for word in line.words]
        self.labels: dict[str, list[tuple[int, float]]] = {}
        """Words that may name a field, by the field's word; filled as fields ask."""
        self._line_starts = list(accumulate((len(line.words) for line in lines), initial=0))

    def line_at(self, word: int) -> int:
        return bisect_right(self._line_starts, word) - 1

    def line_words(self, line: int) -> range:
        return range(self._line_starts[line], self._line_starts[line + 1])

    @cached_property
    def text(self) -> str:
        """Words joined by spaces, by tabs across a wide gap; lines by line breaks."""
        return "\n".join([_row(line) for line in self.lines])

    @cached_property
    def _text_starts(self) -> list[int]:
        return list(accumulate((len(word) + 1 for word in self.words), initial=0))

    def words_between(self, start: int, end: int) -> tuple[int, ...]:
        """The words of which characters `start` to `end` of `text` are a part."""
        return tuple(range(bisect_right(self._text_starts, start) - 1, bisect_right(self._text_starts, end - 1)))

    @cached_property
    def numbers(self) -> Quantities[Number]:
        return Quantities(numbers(self.text))

    @cached_property
    def days(self) -> Quantities[Day]:
        return Quantities(days(self.text))

    @cached_property
    def number_at(self) -> dict[int, Number]:
        """The first number that a word is a part of."""
        return self._by_word(self.numbers)

    @cached_property
    def day_at(self) -> dict[int, Day]:
        return self._by_word(self.days)

    def _by_word(self, found: Sequence[Q]) -> dict[int, Q]:
        return {word: one for one in reversed(found) for word in self.words_between(one.start, one.end)}

    @cached_property
    def tokens(self) -> "Tokens":
        return Tokens(self)

    @cached_property
    def vocabulary(self) -> dict[str, list[int]]:
        """Words by their folded letters and figures."""
        found: dict[str, list[int]] = {}
        for token, word in zip(self.tokens.texts, self.tokens.words, strict=True):
            found.setdefault(token, []).append(word)
        return found


def _row(line: SourceLine) -> str:
    if len(line.bounds) < 2:
        return " ".join(line.words)
    text = line.words[0]
    for word, bounds, before in zip(line.words[1:], line.bounds[1:], line.bounds, strict=False):
        gap = bounds["top_left"]["x"] - before["top_right"]["x"]
        height = bounds["bottom_left"]["y"] - bounds["top_left"]["y"]
        text += ("\t" if gap > COLUMN_GAP * height else " ") + word
    return text


class Tokens:
    """The letters and figures of a passage in one string, case folded, with nothing between them."""

    def __init__(self, passage: Passage) -> None:
        self.texts: list[str] = []
        self.words: list[int] = []
        """The word that each token is a part of."""
        number = 0
        for line in passage.lines:
            for word in line.words:
                parts = [word.casefold()] if word.isascii() and word.isalnum() else fold(word)
                self.texts += parts
                self.words += [number] * len(parts)
                number += 1
            if not line.continues:
                self.texts.append(_BREAK)
                self.words.append(number - 1)
        self.stream = "".join(self.texts)
        self.starts = list(accumulate(map(len, self.texts), initial=0))
        self._edges = frozenset(self.starts)

    @cached_property
    def look_alike(self) -> str:
        """The stream with characters that OCR takes for each other made one; as long as the stream."""
        return look_alike(self.stream)

    def occurrences(self, needle: str, stream: str, limit: int) -> Iterator[tuple[int, int]]:
        """Start and end of `needle` where it covers whole tokens; the first `limit`."""
        at = stream.find(needle)
        while at >= 0 and limit:
            if at in self._edges and at + len(needle) in self._edges:
                yield at, at + len(needle)
                limit -= 1
            at = stream.find(needle, at + 1)

    def nearest_edge(self, position: int) -> int:
        index = bisect_right(self.starts, position)
        before = self.starts[index - 1]
        after = self.starts[min(index, len(self.starts) - 1)]
        return before if position - before <= after - position else after

    def words_between(self, start: int, end: int) -> tuple[int, ...]:
        """The words of which characters `start` to `end` of the stream are a part."""
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        return tuple(range(self.words[first], self.words[last] + 1))


def fold(text: str) -> list[str]:
    """Its runs of letters and figures, without differences of case, width or ligature."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _TOKEN.findall(text.casefold())


def look_alike(text: str) -> str:
    return text.translate(_LOOK_ALIKE)


def passages_of(entries: Sequence[Entry]) -> list[Passage]:
    """All that they say; those that failed say nothing."""
    return [
        Passage(index, entry.name, lines)
        for index, entry in enumerate(entries)
        for lines in entry.result.passages()
        if lines
    ]
