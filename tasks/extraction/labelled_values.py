"""Finds the labels of a page and the values beside them: `Cash 10.00`, `Cashier : MANIS`, a column under its
heading."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tasks.extraction.affinity import REACH
from tasks.extraction.boxes import box_of
from tasks.extraction.concepts import CONCEPTS, PHRASES, concepts_of
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.notation.currencies import is_currency
from tasks.result import Box

Label = Literal["own", "none", "other", "elsewhere"]
"""Relation of labels to a match.

`own`: words beside the match name its field; `none`: no label is beside the match; `other`: words beside the match name
another field; `elsewhere`: the label of the match's field is beside another value.
"""

GAP = 1.5
"""A gap wider than this, in heights of the line, separates a label from its value or from another label."""
ROWS_ABOVE = 8
"""A line is compared with at most this many rows above it."""
LEAST_ROW_OVERLAP = 0.5
"""Two lines belong to one row if they overlap vertically by more than this share of the smaller line's height."""
MAX_HEADINGS = 100
"""At most this many headings of a row are examined."""
LONGEST_HEADING = 3
"""A heading has at most this many words."""
LONGEST_LABEL = 6
"""A label without a colon has at most this many words. A longer text is a sentence."""
_MAX_KEPT = 2 * LONGEST_LABEL
"""At most this many words before a colon are examined."""

_HEAD = re.compile(r"(?:\D*|[^\W\d_]{2}.*)")
"""Pattern of the text before a colon, if the colon does not belong to a time of day."""
_PERCENT = re.compile(r"[^\W\d_]*[.(@]*\d+(?:[.,]\d+)?%[):]*")
"""Pattern of a percentage, which is part of a label: `6%`, `GST@6%`."""


@dataclass(frozen=True, slots=True)
class LabelledValue:
    label: str
    """The label as written on the page."""
    concepts: frozenset[str]
    """Concepts that the label names."""
    values: tuple[int, ...]
    """Indices of the words beside the label, in order. The last words may belong to something else."""
    has_colon: bool
    """True if a colon ends the label. The value may then consist of words, and not only of digits."""


@dataclass(frozen=True, slots=True)
class Heading:
    label: str
    concepts: frozenset[str]
    box: Box


@dataclass(frozen=True, slots=True)
class LabelLayout:
    """The labels of a passage and the values beside them."""

    pair_of: dict[int, LabelledValue]
    """The labelled value that contains each word, by the index of the word."""
    of_concepts: dict[frozenset[str], list[LabelledValue]]
    of_word: dict[str, list[LabelledValue]]
    """The labelled values whose label ends with a colon, by each folded word of the label."""
    headings: tuple[Heading, ...]
    """Headings, sorted by their lower edges. Headings with the same lower edge are in the reverse order of the page."""

    def heading_of(self, passage: Passage, words: Sequence[int]) -> Heading | None:
        """Return the nearest heading above `words`, or None if there is no heading within REACH."""
        box = box_of(passage, words)
        if box is None:
            return None
        height = max(1, box[3] - box[1])
        index = bisect_right(self.headings, box[1] + height / 2, key=lambda heading: heading.box[3])
        while index and box[1] - self.headings[index - 1].box[3] < REACH * height:
            index -= 1
            heading = self.headings[index]
            if min(box[2], heading.box[2]) - max(box[0], heading.box[0]) > 0:
                return heading
        return None


def layout_of(passage: Passage) -> LabelLayout:
    """Find the labels of a passage and the values beside them, in time linear in the passage's length."""
    pairs: list[LabelledValue] = []
    headings: list[Heading] = []
    for row in _rows(passage):
        reader = _RowReader(passage)
        found = [*reader.read(row)]
        pairs += found
        if not found and len(row) > 1 and not reader.has_figures and not reader.has_colons:
            headings += _headings(passage, row)
    by_value: dict[int, LabelledValue] = {}
    for pair in reversed(pairs):
        by_value.update(dict.fromkeys(pair.values, pair))
    by_concepts: dict[frozenset[str], list[LabelledValue]] = {}
    by_word: dict[str, list[LabelledValue]] = {}
    for pair in pairs:
        by_concepts.setdefault(pair.concepts, []).append(pair)
        for word in dict.fromkeys(fold(pair.label)) if pair.has_colon else ():
            by_word.setdefault(word, []).append(pair)
    headings.reverse()
    headings.sort(key=lambda heading: heading.box[3])
    return LabelLayout(by_value, by_concepts, by_word, tuple(headings))


def _headings(passage: Passage, row: Sequence[Sequence[int]]) -> Iterator[Heading]:
    for segment in row[:MAX_HEADINGS]:
        if len(segment) > LONGEST_HEADING:
            continue
        label = " ".join([passage.words[word] for word in segment])
        box = box_of(passage, segment)
        if box is not None and len(concepts := concepts_of(_tokens(label))) == 1:
            yield Heading(label, concepts, box)


def _rows(passage: Passage) -> Iterator[list[list[int]]]:
    """Yield the words of each row from left to right. Rows are split at wide gaps and where a line begins."""
    boxes = [box_of(passage, passage.line_words(line)) for line in range(len(passage.lines))]
    for line, box in enumerate(boxes):
        if box is None:
            yield [list(passage.line_words(line))]
    placed = sorted((box[1] + box[3], line, box) for line, box in enumerate(boxes) if box is not None)
    rows: list[list[tuple[Box, int]]] = []
    for _, line, box in placed:
        nearby_rows = [(_beside(row, box), row) for row in rows[-ROWS_ABOVE:]]
        share, nearest = max(nearby_rows, key=lambda found: found[0], default=(0.0, None))
        if nearest is not None and share > LEAST_ROW_OVERLAP:
            nearest.append((box, line))
        else:
            rows.append([(box, line)])
    for row in rows:
        yield [segment for _, line in sorted(row) for segment in segments_of(passage, line)]


def _beside(row: Sequence[tuple[Box, int]], box: Box) -> float:
    """Return the vertical overlap of `box` and the nearest line of the row, as a share of the smaller height. Only the
    nearest line counts, because rows slant on a skewed page."""
    nearest, _ = min(row, key=lambda placed: max(box[0] - placed[0][2], placed[0][0] - box[2]))
    return (min(nearest[3], box[3]) - max(nearest[1], box[1])) / max(1, min(nearest[3] - nearest[1], box[3] - box[1]))


def segments_of(passage: Passage, line: int) -> Iterator[list[int]]:
    """Yield the words of a line, split at wide gaps."""
    segment: list[int] = []
    previous: Box | None = None
    for word in passage.line_words(line):
        box = box_of(passage, [word])
        if segment and box and previous and box[0] - previous[2] > GAP * (box[3] - box[1]):
            yield segment
            segment = []
        segment.append(word)
        previous = box
    if segment:
        yield segment


@dataclass
class _RowReader:
    """Reads one row from left to right."""

    passage: Passage
    has_figures: bool = False
    has_colons: bool = False
    _carried: list[str] = field(default_factory=list)
    """Words of the label from earlier segments."""
    _label: list[str] = field(default_factory=list)
    _values: list[int] = field(default_factory=list)
    _texts: int = 0
    """Number of values with letters, counted as values are taken and dropped, because there may be thousands."""
    _has_colon: bool = False

    def read(self, row: Sequence[Sequence[int]]) -> Iterator[LabelledValue]:
        """Yield the labelled values of a row."""
        for segment in row:
            yield from self._begin_segment()
            for word in segment:
                yield from self._word(word, self.passage.words[word])
        yield from self._end()

    def _begin_segment(self) -> Iterator[LabelledValue]:
        if self._has_colon and self._texts:
            yield from self._end()
        elif not self._values and not self._has_colon:
            self._carried, self._label = [*self._carried, *self._label][-_MAX_KEPT:], []

    def _word(self, word: int, text: str) -> Iterator[LabelledValue]:
        head, colon, tail = text.partition(":") if "：" not in text else text.partition("：")
        has_figures = any(character.isdigit() for character in text)
        self.has_figures |= has_figures
        self.has_colons |= bool(colon)
        if colon and not tail.startswith("//") and _HEAD.fullmatch(head):
            if any(character.isalpha() for character in head) or self._label or self._carried:
                yield from self._colon(head)
                if any(character.isalnum() for character in tail):
                    self._take(word)
        elif not any(character.isalnum() for character in text):
            if text.startswith("%") and self._values:
                self._drop()
        elif self._has_colon and not self._begins_label(text):
            self._take(word)
        elif has_figures and not _PERCENT.fullmatch(text):
            if self._label or self._carried:
                self._take(word)
        elif not is_currency(text):
            if self._values:
                yield from self._end()
            self._label.append(text)

    def _colon(self, head: str) -> Iterator[LabelledValue]:
        """End a label with the text before a colon (`head`), which may be empty."""
        words = [head] if fold(head) else []
        if self._values:
            # In `Name: John Smith Tel: 12`, only a known name shows how many of the words before the second colon
            # belong to the label.
            while self._values and len(words) < LONGEST_LABEL and self._goes_with(self._values[-1], words):
                words.insert(0, self._drop())
            yield from self._end()
        elif self._has_colon:
            self._carried, self._label = [], []
        self._label += words
        self._has_colon = True

    def _end(self) -> Iterator[LabelledValue]:
        if self._values and (self._has_colon or len(self._carried) + len(self._label) <= LONGEST_LABEL):
            whole = " ".join([*self._carried, *self._label][-_MAX_KEPT:])
            own = " ".join(self._label[-_MAX_KEPT:])
            label = own if concepts_of(_tokens(own)) else whole
            concepts = concepts_of(_tokens(label))
            # A label without a colon that names several concepts is a row of column headings.
            one = len(concepts) == 1 or all(CONCEPTS[name].weak for name in concepts)
            known = concepts if self._has_colon or one else frozenset()
            yield LabelledValue(label, known, tuple(self._values), self._has_colon)
        self._carried, self._label, self._values, self._has_colon, self._texts = [], [], [], False, 0

    def _goes_with(self, word: int, words: Sequence[str]) -> bool:
        text = self.passage.words[word]
        return is_currency(text) or tuple(fold(" ".join([text, *words]))) in PHRASES

    def _begins_label(self, text: str) -> bool:
        """True if `text` begins a new label after a value of nothing but digits, like `TOTAL` in `ITEM: 5 TOTAL
        25.85`."""
        return bool(self._values) and not self._texts and tuple(fold(text)) in PHRASES

    def _take(self, word: int) -> None:
        """Take a word as one of the label's values."""
        self._values.append(word)
        self._texts += self._is_text(word)

    def _drop(self) -> str:
        """Remove the last of the label's values, which turned out not to be a value, and return its text."""
        word = self._values.pop()
        self._texts -= self._is_text(word)
        return self.passage.words[word]

    def _is_text(self, word: int) -> bool:
        text = self.passage.words[word]
        return any(character.isalpha() for character in text) and not is_currency(text)


def _tokens(label: str) -> tuple[str, ...]:
    return tuple(token for token in fold(label) if not is_currency(token))
