"""Turns the results of tasks into running text, and keeps the place of every word in its result."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate, groupby
from typing import TypeVar
from weakref import finalize

from tasks.extraction.data_documents import texts_and_data
from tasks.extraction.folding import fold, look_alike
from tasks.extraction.printed_codes import lines_of_codes
from tasks.notation.dates import Day, find_days, find_lone_days
from tasks.notation.numbers import Number, find_numbers
from tasks.precontext import Entry
from tasks.result import Box, SourceLine

Q = TypeVar("Q", Number, Day)

COLUMN_GAP = 1.0
"""Two groups of digits are not one number if the gap between them is wider than this, in heights of a line."""
LETTER, HEIGHT, PITCH = 16, 20, 26
"""Assumed width and height of a letter, and distance of the lines, in a text without bounds.

With these sizes, two spaces are a wide gap.
"""
TAB = 2
"""Number of spaces between the widest cell of a column and the next column, in lines with tabs."""
_WORD = re.compile(r"\S+")
_BLANKS, _WIDE_GAP = re.compile(r"\s+"), re.compile(r"\s{2,}|\t")
_READ = ("ocr", "stt", "scraper")
"""Names in `precontext` of the tasks that read a text."""
MAX_CHARS = 200_000
"""Fields and lists are searched for in this many characters at the beginning of a passage."""
MAX_LINES = 100_000
"""At most this many lines are made of a text, because each line takes 300 bytes. MAX_CHARS characters may have this
many lines."""
MAX_LINE_WORDS = 1_000
"""A line with more words than this is cut into several."""
MAX_WORDS_BEFORE = 6
"""At most this many words before a value are searched for a word that denies it."""
_BREAK = "\x1f"
"""Separator of two texts that do not continue each other. No token contains it."""
_searched: "dict[int, dict[int, list[Passage]]]" = {}
"""The passages in which fields are searched for, by the id and then by the index of their entry. Only the passages of
entries in use are kept."""


class Passage:
    """Consecutive lines of one result. The words of all lines are numbered consecutively."""

    def __init__(self, entry: int, name: str, lines: Sequence[SourceLine]) -> None:
        self.entry = entry
        """Index of the result's entry in the precontext."""
        self.name = name
        self.lines = lines
        self.words = [word for line in lines for word in line.words]
        self.labels: dict[str, list[tuple[int, float]]] = {}
        """Indices and weights of the words that may mean a word of a field's name, by that word. Filled on demand."""
        self.boxes: dict[int, Box | None] = {}
        """Boxes of words that may name fields, by the index of the word. Filled on demand."""
        self.long_words: dict[int, frozenset[int]] = {}
        """Indices of the words of a line that have more than two letters and nothing else, by the index of the line.
        Filled on demand."""
        self._line_starts = list(accumulate((len(line.words) for line in lines), initial=0))

    @property
    def is_data(self) -> bool:
        """True if the lines are the values of data, of which the tables and the labels are known."""
        return bool(self.lines) and "path" in self.lines[-1].place

    def line_at(self, word: int) -> int:
        return bisect_right(self._line_starts, word) - 1

    def line_words(self, line: int) -> range:
        return range(self._line_starts[line], self._line_starts[line + 1])

    def text_before(self, word: int) -> str:
        """Return the last words before `word` in its line."""
        first = max(self.line_words(self.line_at(word)).start, word - MAX_WORDS_BEFORE)
        return " ".join(self.words[first:word])

    @cached_property
    def text(self) -> str:
        """The lines of the passage; words are joined by spaces, or by tabs across a wide gap."""
        return "\n".join(map(_row, self.lines))

    @cached_property
    def _text_starts(self) -> list[int]:
        return [*accumulate((len(word) + 1 for line in self.lines for word in line.words), initial=0)]

    def words_between(self, start: int, end: int) -> tuple[int, ...]:
        """Return the indices of the words that contain the characters `start` to `end` of `text`."""
        return tuple(range(bisect_right(self._text_starts, start) - 1, bisect_right(self._text_starts, end - 1)))

    @cached_property
    def grid(self) -> Sequence[Box]:
        """The box that each word would have if all letters had the same width. People align texts with spaces and tabs,
        so such boxes are useful.

        The grid is empty if any line of the passage has bounds.
        """
        if any(line.bounds or "bounds" in line.place for line in self.lines):
            return ()
        found: list[Box] = []
        top, previous = 0, None
        for line, columns in zip(self.lines, _columns([line.written for line in self.lines]), strict=True):
            is_below = previous is not None and previous.pointer == line.pointer and previous.row < line.row
            top += PITCH * (line.row - previous.row if previous is not None and is_below else 1)
            for word, column in zip(line.words, columns, strict=False):
                found.append((LETTER * column, top, LETTER * (column + len(word)), top + HEIGHT))
            previous = line
        return found if len(found) == len(self.words) else ()

    @cached_property
    def numbers(self) -> list[Number]:
        """The numbers in `text`, in order."""
        return [*find_numbers(self.text)]

    @cached_property
    def days(self) -> list[Day]:
        """The days in `text`, in order."""
        known = [*find_days(self.text)]
        lone = find_lone_days(self.text, known)
        return sorted([*known, *lone], key=lambda day: day.start)

    @cached_property
    def number_at(self) -> dict[int, Number]:
        """The first number that contains a word, by the index of the word."""
        return self._by_word(self.numbers)

    @cached_property
    def day_at(self) -> dict[int, Day]:
        return self._by_word(self.days)

    def _by_word(self, found: Sequence[Q]) -> dict[int, Q]:
        return {word: one for one in reversed(found) for word in self.words_between(one.start, one.end)}

    @cached_property
    def tokens(self) -> "Tokens":
        texts: list[str] = []
        words: list[int] = []
        word_index = 0
        for line in self.lines:
            for word in line.words:
                parts = [word.casefold()] if word.isascii() and word.isalnum() else fold(word)
                texts += parts
                words += [word_index] * len(parts)
                word_index += 1
            if not line.continues:
                texts.append(_BREAK)
                words.append(word_index - 1)
        return Tokens(texts, words)

    @cached_property
    def vocabulary(self) -> dict[str, list[int]]:
        """Indices of the words with each token (folded letters and figures), by token."""
        found: dict[str, list[int]] = {}
        for token, word in zip(self.tokens.texts, self.tokens.words, strict=True):
            found.setdefault(token, []).append(word)
        return found

    @cached_property
    def token_forms(self) -> dict[str, str]:
        """The `look_alike` form of each token in the vocabulary, which is compared with every label."""
        return {token: look_alike(token) for token in self.vocabulary}


def _columns(lines: Sequence[str]) -> Iterator[Sequence[int]]:
    """Yield, for each line, the columns in which its words begin.

    In consecutive lines with tabs, all cells of a column get the width of the widest one.
    """
    for has_tabs, run in groupby(lines, key=lambda line: "\t" in line):
        if not has_tabs:
            yield from ([word.start() for word in _WORD.finditer(line)] for line in run)
            continue
        rows = [line.split("\t") for line in run]
        widths = [0] * max(map(len, rows))
        for row in rows:
            for index, cell in enumerate(row):
                widths[index] = max(widths[index], len(cell) + TAB)
        starts = list(accumulate(widths, initial=0))
        for row in rows:
            yield [
                start + word.start() for start, cell in zip(starts, row, strict=False) for word in _WORD.finditer(cell)
            ]


def _row(line: SourceLine) -> str:
    if len(line.bounds) < 2:
        if _WIDE_GAP.search(line.written) is None:
            return " ".join(line.words)
        return _BLANKS.sub(lambda gap: "\t" if _WIDE_GAP.fullmatch(gap[0]) else " ", line.written.strip())
    text = line.words[0]
    for index, word in enumerate(line.words[1:], 1):
        if line.boxes:
            (_, _, previous_right, _), (left, top, _, bottom) = line.boxes[index - 1], line.boxes[index]
            gap, height = left - previous_right, bottom - top
        else:
            bounds = line.bounds[index]
            gap = bounds["top_left"]["x"] - line.bounds[index - 1]["top_right"]["x"]
            height = bounds["bottom_left"]["y"] - bounds["top_left"]["y"]
        text += ("\t" if gap > COLUMN_GAP * height else " ") + word
    return text


class Tokens:
    """The letters and digits of a passage in case-folded tokens without spaces and signs."""

    def __init__(self, texts: Sequence[str], words: Sequence[int]) -> None:
        self.texts = texts
        self.words = words
        """Index of the word that contains each token."""


def head_of(lines: Iterable[SourceLine], max_chars: int = MAX_CHARS, max_lines: int = MAX_LINES) -> list[SourceLine]:
    """Return the lines of the first `max_chars` characters, and no more than `max_lines`. The last line is cut at a
    word. No further lines are taken from `lines`."""
    found: list[SourceLine] = []
    chars = 0
    for line in lines:
        end = chars + sum(map(len, line.words)) + len(line.words)
        if end > max_chars:
            ends = list(accumulate((len(word) + 1 for word in line.words), initial=chars))
            words = bisect_right(ends, max_chars) - 1
            return [*found, _part_of(line, 0, words, line.written[: ends[words] - chars])] if words else found
        found.append(line)
        if len(found) == max_lines:
            break
        chars = end
    return found


def in_short_lines(lines: Sequence[SourceLine]) -> list[SourceLine]:
    """Return the lines. Each line of more than MAX_LINE_WORDS words is cut into several."""
    found: list[SourceLine] = []
    for line in lines:
        if len(line.words) <= MAX_LINE_WORDS:
            found.append(line)
            continue
        places = [word.span() for word in _WORD.finditer(line.written)]
        is_known = len(places) == len(line.words)
        start = 0
        while start < len(line.words):
            end = _end_of_part(line, start)
            written = line.written[places[start][0] : places[end - 1][1]] if is_known else ""
            found.append(_part_of(line, start, end, written))
            start = end
    return found


def _end_of_part(line: SourceLine, start: int) -> int:
    """Return the index at which a part of a long line ends. If more than MAX_LINE_WORDS words are left, the part has at
    most this many words. It ends with the last sentence that ends in the second half of these words, or else after all
    of them."""
    end = min(len(line.words), start + MAX_LINE_WORDS)
    ends = range(end, start + MAX_LINE_WORDS // 2, -1) if end < len(line.words) else ()
    return next((index for index in ends if line.words[index - 1].endswith((".", ";", "!", "?"))), end)


def _part_of(line: SourceLine, start: int, end: int, written: str) -> SourceLine:
    """Return the words from `start` to `end` of a line as a separate line."""
    return replace(
        line,
        words=line.words[start:end],
        bounds=line.bounds[start:end],
        boxes=line.boxes[start:end],
        confidences=line.confidences[start:end],
        written=written,
    )


def passages_to_search(entries: Sequence[Entry]) -> list[Passage]:
    """Return the parts of all passages in which fields and lists are searched for: their first MAX_CHARS characters.

    The passages of an entry are kept while the entry is in use, because every search of a request needs them. If an
    entry has a different index among `entries`, its passages are made again.
    """
    found: list[Passage] = []
    for index, entry in enumerate(entries):
        found += _kept(entry, index)
    return found


def passages_of_entry(entry: Entry) -> list[Passage]:
    """Return the passages of an entry in which fields and lists are searched for. The `entry` of these passages is any
    index under which they were kept, or 0."""
    return _kept(entry, next(iter(_searched.get(id(entry), ())), 0))


def _kept(entry: Entry, index: int) -> list[Passage]:
    if id(entry) not in _searched:
        _searched[id(entry)] = {}
        finalize(entry, _searched.pop, id(entry), None)
    kept = _searched[id(entry)]
    if index not in kept:
        kept[index] = [Passage(index, entry.name, in_short_lines(lines)) for lines in texts_of(entry, MAX_CHARS)]
    return kept[index]


def texts_of(entry: Entry, max_chars: int) -> Iterator[list[SourceLine]]:
    """Yield the lines of the first `max_chars` characters of each text of an entry, and then the contents of the
    barcodes and two-dimensional codes on its pages, if there are any."""
    for source_lines, _ in texts_and_data(entry):
        if lines := head_of(source_lines, max_chars):
            yield lines
    if printed := lines_of_codes(list(entry.result.codes())):
        yield printed


def read_of(entries: Sequence[Entry], document: Entry | None) -> list[Entry]:
    """Return the texts that specialists read or, if there are none, the `document` that the request contains as
    text."""
    return list(filter(is_text, entries)) or ([document] if document else [])


def is_text(entry: Entry) -> bool:
    """True if an entry is a text that a specialist read."""
    return entry.name in _READ and entry.error is None
