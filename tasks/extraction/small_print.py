"""Finds values on forms and cards whose labels are in smaller print above or below them: `Nom / Surname`, a name in
large print, or `1 Wages, tips` in the corner of a cell.

The network sees only words, whereas the size of the print distinguishes labels from values. A label may be in two
languages, contain the number of its cell, or name two values (`Place and date of issue`).
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np

from tasks.extraction.candidates import Candidates, CandidateSpan, LineSegment
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import TYPES, FieldText, Matrix
from tasks.extraction.folding import fold
from tasks.extraction.own_words import likeness_of_label

MAX_LABEL_WIDTH: Final = 0.83
"""The letters of a label are at most this wide, as a multiple of the width of the letters of its value."""
MAX_RATIO_OF_SAME_PRINT: Final = 1.35
"""Two lines have the same print if the widths of their letters differ by at most this factor."""
MAX_GAP: Final = 1.8
"""A label is at most this far above or below its value, in heights of the value."""
MAX_INDENT: Final = 2.0
"""The left ends of a label and its value are at most this far apart, in heights of the value. A value may also begin
anywhere within the width of its label."""
LEAST_LABELS: Final = 3
"""A page counts as a form or a card only if it has at least this many labels in small print."""
LEAST_SHARE_OF_LABELS: Final = 0.2
"""On a form, at least this share of the lines are labels in small print. Articles have small print, too, but less of
it."""
MAX_UNANSWERED_WIDTH: Final = 1.1
"""A line without a value counts as a label if its letters are at most this wide, as a multiple of the median width of
the other labels' letters."""
LEAST_UNANSWERED: Final = 5
"""A label without a value has at least this many characters. Shorter texts in small print may be anything."""
MAX_WORDS: Final = 12
"""A label has at most this many words."""
MAX_LINES: Final = 4
"""A value below its label has at most this many lines."""
WHOLE_VALUE_BONUS: Final = 7.0
"""Bonus on the logit of the whole value of a label that names the field, times the agreement of the label."""
PART_BONUS: Final = 2.0
"""Bonus on the logit of a candidate that is only a part of the value, times the agreement of the label."""
LABEL_PENALTY: Final = 6.0
"""Penalty on the logit of a candidate with a word of a label."""
JOINT_LABEL_FACTOR: Final = 0.7
"""Factor on the agreement of a label that names two things, for the text of both values together. The factor makes the
two separate values likelier."""
LEAST_AGREEMENT: Final = 0.6
"""A label names a field if their agreement is at least this."""
LEAST_AGREEMENT_OF_EMPTY_CELL: Final = 0.8
"""An empty cell shows that nothing answers the field if its label agrees with the field by at least this."""
CERTAIN = 8.0
"""If a place has a logit that is higher by this than that of nothing, an empty cell does not decide."""
EMPTY_CELL_PROBABILITY: Final = 0.95
"""Probability that nothing answers a field whose cell is empty."""

_LANGUAGES = re.compile(r"(?<!\s)(?:\s*+[/·|•]\s*|\s++[-–—]\s+)")
"""Pattern of the sign between two languages of a label."""
_ELEMENTS = re.compile(r"(?<!\s)(?:\s*+,\s*|\s++(?:and|und|et|y|e|en|och|og|i|&)\s+)", re.IGNORECASE)
"""Pattern of the comma or word between the names of two things in a label."""
_NUMBER = re.compile(r"(?:[0-9]{1,2}[a-z]?|[a-z])[.):]?(?=\s)\s*|[0-9]{1,2}[a-z]?[.):]?(?=[^\W\d_])", re.IGNORECASE)
"""Pattern of the number of a cell before its label."""
_BRACKETS = re.compile(r"\([^()]{0,40}\)")
_KINDS = {"day": ("date", "iso"), "time": ("time",), "email": ("email",), "uri": ("uri",)}
WHOLE = ("line", "part", "piece", "block", "day")


@dataclass(frozen=True, slots=True)
class SmallPrintValue:
    """A value, and the texts of the label in small print that names it. Without words, it is an empty cell."""

    labels: tuple[str, ...]
    words: tuple[int, ...]
    is_of_two: bool = False
    """True if the label names two things whose separate values are known, too."""


class SmallPrint:
    """The labels in small print of all passages, with their values."""

    def __init__(self, candidates: Candidates) -> None:
        self._spans = candidates.spans
        self._values: dict[int, list[SmallPrintValue]] = {}
        """The values of each passage, by its identity."""
        self._label_words: dict[int, set[int]] = {}
        for passage in candidates.passages:
            if passage.codes or passage.grid:
                continue
            own = {index: one for index, one in enumerate(candidates.segments) if one.passage is passage and one.box}
            labelled = _labelled(own)
            if len(labelled) >= max(LEAST_LABELS, LEAST_SHARE_OF_LABELS * len(own)):
                self._values[id(passage)] = list(_values_of(labelled, own))
                small = [*labelled, *_unanswered(labelled, own)]
                self._label_words[id(passage)] = {word for index in small for word in own[index].words}
                self._values[id(passage)] += [
                    SmallPrintValue(tuple(_texts_of(own[index].text)), ()) for index in small if index not in labelled
                ]
        self._is_label = np.array([self._is_in_label(span) for span in self._spans], np.float32)

    def _is_in_label(self, span: CandidateSpan) -> bool:
        words = self._label_words.get(id(span.passage))
        return words is not None and not words.isdisjoint(span.words)

    def prefer(self, logits: Matrix, field: FieldText) -> bool:
        """Raise the logits of the values whose labels name the field, and lower the logits of labels.

        If the label that agrees best with the field has no value, probably nothing answers the field. Return True if a
        label certainly names the field.
        """
        if not self._values:
            return False
        logits[:-1] -= LABEL_PENALTY * self._is_label
        named: dict[int, list[tuple[float, SmallPrintValue]]] = {}
        best, nothing = 0.0, 0.0
        for passage, values in self._values.items():
            for value in values:
                agreement = max((_agreement(label, field) for label in value.labels), default=0.0)
                if value.is_of_two:
                    agreement *= JOINT_LABEL_FACTOR
                if agreement >= LEAST_AGREEMENT and value.words:
                    named.setdefault(passage, []).append((agreement, value))
                    best = max(best, agreement)
                elif not value.words:
                    nothing = max(nothing, agreement)
        is_answered = logits[:-1].max() > logits[-1] + CERTAIN
        if nothing >= LEAST_AGREEMENT_OF_EMPTY_CELL and nothing > best and not is_answered:
            logits[-1] = np.logaddexp.reduce(logits[:-1]) + np.log(
                EMPTY_CELL_PROBABILITY / (1 - EMPTY_CELL_PROBABILITY)
            )
            return True
        forms = _forms_of(field)
        for index, span in enumerate(self._spans):
            logits[index] += max(
                (
                    agreement * (WHOLE_VALUE_BONUS if span.kind in forms or _is_whole(span, value) else PART_BONUS)
                    for agreement, value in named.get(id(span.passage), ())
                    if set(value.words).issuperset(span.words)
                ),
                default=0.0,
            )
        return best >= LEAST_AGREEMENT_OF_EMPTY_CELL


def _forms_of(field: FieldText) -> tuple[str, ...]:
    """Return the kinds of candidates that are whole values of the field, whatever is printed beside them."""
    if field.is_number:
        return ("number",)
    return tuple(kind for kind, types in _KINDS.items() if any(field.types[TYPES.index(one)] for one in types))


def _is_whole(span: CandidateSpan, value: SmallPrintValue) -> bool:
    return len(span.words) == len(value.words) and span.kind in WHOLE


def _labelled(own: dict[int, LineSegment]) -> dict[int, int]:
    """Return the labels in small print, each with the first line of its value. Labels and lines are given by the
    indices of their segments.

    On one page, all labels are above their values, or all are below them.
    """
    above: dict[int, int] = {}
    below: dict[int, int] = {}
    nearer = 0
    for index, segment in own.items():
        if not _may_be_label(segment):
            continue
        down, up = (_gap(segment, own[one]) if one in own else None for one in (segment.below, segment.above))
        if down is not None:
            above[index] = segment.below
        if up is not None:
            below[index] = segment.above
        if down is not None and up is not None:
            nearer += 1 if down < up else -1
    # If the labels are above their values, each column begins with a label; if the labels are below, each column ends
    # with a label.
    ends = (
        len(above.keys() - below.keys())
        - len({index for index in below.keys() - above.keys() if not _goes_on(own, below[index])})
        + len(set(above.values()) - set(below.values()))
        - len({index for index in set(below.values()) - set(above.values()) if not _goes_on(own, index)})
    )
    if (ends or nearer) < 0:
        return below
    # If a label has two lines, only the lower line is directly above the value. The upper line gets the same value.
    for index, segment in own.items():
        under = segment.below
        if index not in above and under in above and _may_be_label(segment) and _is_stacked(segment, own[under]):
            above[index] = above[under]
    return above


def _goes_on(own: dict[int, LineSegment], index: int) -> bool:
    """True if a segment continues the text above it."""
    above = own.get(own[index].above)
    return above is not None and _is_stacked(above, own[index])


def _may_be_label(segment: LineSegment) -> bool:
    letters = sum(map(str.isalpha, segment.text))
    return len(segment.words) <= MAX_WORDS and letters >= max(2, len(segment.text) // 2)


def _width(segment: LineSegment) -> float:
    """Return the mean width of a character, which distinguishes print sizes even on a rotated page."""
    assert segment.box is not None
    return (segment.box[2] - segment.box[0]) / max(1, len(segment.text))


def _gap(label: LineSegment, value: LineSegment) -> float | None:
    """Return the distance between a label and a value in larger print, in heights of the value, or None if they do not
    belong together."""
    assert label.box is not None
    assert value.box is not None
    gap = max(label.box[1], value.box[1]) - min(label.box[3], value.box[3])
    height = max(1, value.height)
    starts = value.box[0] - label.box[0]
    is_aligned = -MAX_INDENT * height <= starts <= max(MAX_INDENT * height, label.box[2] - label.box[0])
    is_small = _width(label) <= MAX_LABEL_WIDTH * _width(value)
    return gap / height if is_aligned and is_small and gap <= MAX_GAP * height else None


def _is_stacked(upper: LineSegment, lower: LineSegment) -> bool:
    assert upper.box is not None
    assert lower.box is not None
    height = max(1, min(upper.height, lower.height))
    is_near = abs(upper.box[0] - lower.box[0]) <= height and lower.box[1] - upper.box[3] <= 0.8 * height
    return is_near and _is_same_print(upper, lower)


def _is_same_print(first: LineSegment, second: LineSegment) -> bool:
    return 1 / MAX_RATIO_OF_SAME_PRINT <= _width(first) / max(1.0, _width(second)) <= MAX_RATIO_OF_SAME_PRINT


def _unanswered(labelled: dict[int, int], own: dict[int, LineSegment]) -> Iterator[int]:
    """Yield the segments that are printed as small as labels and have no value."""
    usual = median([_width(own[index]) for index in labelled])
    values = set(labelled.values())
    for index, segment in own.items():
        if index in labelled or index in values or not _may_be_label(segment) or len(segment.text) < LEAST_UNANSWERED:
            continue
        if _width(segment) <= MAX_UNANSWERED_WIDTH * usual and not any(map(str.isdigit, segment.text[2:])):
            yield index


def _values_of(labelled: dict[int, int], own: dict[int, LineSegment]) -> Iterator[SmallPrintValue]:
    words_by_value: dict[int, list[str]] = {}
    for label, value in labelled.items():
        words_by_value.setdefault(value, []).append(own[label].text)
    is_below = all(own[label].above == value for label, value in labelled.items())
    found: list[SmallPrintValue] = []
    for value, labels in words_by_value.items():
        lines = _lines_of(value, labelled, words_by_value, own, most=1 if is_below else MAX_LINES)
        found += _elements_of([text for label in labels for text in _texts_of(label)], lines)
    concepts = {concepts_of(tuple(fold(label))) for one in found for label in one.labels}
    for one in found:
        yield replace(one, labels=(*one.labels, *_other_names(one.labels, concepts)))


def _other_names(labels: Sequence[str], others: Collection[frozenset[str]]) -> Iterator[str]:
    """Yield the meaning of a label "Name" if another label on the page is for one part of a name. If the page has a
    label for the last name, "Name" means the first name, and vice versa."""
    if any(concepts_of(tuple(fold(label))) == {"name"} for label in labels):
        has_last, has_first = {"last_name"} in others, {"first_name"} in others
        if has_last != has_first:
            yield "first name" if has_last else "last name"


def _lines_of(
    value: int, labelled: dict[int, int], values: dict[int, list[str]], own: dict[int, LineSegment], most: int
) -> list[LineSegment]:
    """Return the lines of a value, at most `most`. The value ends above the next label or value, and where the print or
    the distance changes."""
    found = [own[value]]
    while len(found) < most:
        below, last = found[-1].below, found[-1]
        nxt = own.get(below)
        if nxt is None or below in labelled or below in values or nxt.box is None or last.box is None:
            break
        is_next = nxt.box[1] - last.box[3] <= last.height and abs(nxt.box[0] - last.box[0]) <= last.height
        if not is_next or not _is_same_print(nxt, last):
            break
        found.append(nxt)
    return found


def _texts_of(label: str) -> Iterator[str]:
    """Yield a label in each of its languages, without the number of its cell."""
    for text in dict.fromkeys((_BRACKETS.sub(" ", label), label)):
        bare = _NUMBER.sub("", text, count=1) if _NUMBER.match(text) else text
        parts = [part for part in _LANGUAGES.split(bare) if part.strip()]
        yield from parts
        if len(parts) > 1:
            yield bare


def _elements_of(texts: Sequence[str], lines: Sequence[LineSegment]) -> Iterator[SmallPrintValue]:
    """Yield the values of a label. If the label names two things, and the text can be divided between them, yield three
    values: one for each thing, and one for both."""
    parts = [elements for text in texts if len(elements := _named_together(text)) == 2]
    first, second = _in_two([elements[1] for elements in parts], lines) if parts else ((), ())
    if first and second:
        yield SmallPrintValue(tuple(elements[0] for elements in parts), first)
        yield SmallPrintValue(tuple(elements[1] for elements in parts), second)
    words = tuple(word for line in lines for word in line.words)
    yield SmallPrintValue(tuple(texts), words, is_of_two=bool(first and second))


def _named_together(text: str) -> list[str]:
    """Return the things that a label names: `Place and date of issue` names the place of issue and the date of
    issue."""
    parts = [part for part in _ELEMENTS.split(text) if part.strip()]
    if len(parts) == 2 and len(parts[0].split()) == 1 and len(parts[1].split()) > 2:
        parts[0] = f"{parts[0]} {parts[1].split(maxsplit=1)[1]}"
    return parts


def _in_two(seconds: Sequence[str], lines: Sequence[LineSegment]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the words of two values that one label names. The values are two lines, a date and a text in one line, or
    the texts before and after the only comma. Both are empty if the text cannot be divided."""
    if len(lines) == 2:
        return lines[0].words, lines[1].words
    line = lines[0]
    days = [word for word in line.words if word in line.passage.day_at]
    rest = tuple(word for word in line.words if word not in days)
    if len(lines) == 1 and days and rest and all(after == before + 1 for before, after in pairwise(rest)):
        is_second = any(any(_is_day(name) for name in concepts_of(tuple(fold(text)))) for text in seconds)
        return (rest, tuple(days)) if is_second or days[0] > rest[0] else (tuple(days), rest)
    commas = [index for index, word in enumerate(line.words) if line.passage.words[word].endswith(",")]
    if len(lines) == 1 and len(commas) == 1 and commas[0] + 1 < len(line.words):
        return line.words[: commas[0] + 1], line.words[commas[0] + 1 :]
    return (), ()


def _is_day(name: str) -> bool:
    return name == "birth" or name.endswith(("date", "expiry"))


def _agreement(label: str, field: FieldText) -> float:
    """Return how well a label names the field, from 0 to 1."""
    words = tuple(fold(label))
    if not words:
        return 0.0
    if words in field.names.own:
        return 1.0
    if field.concepts and concepts_of(words) == field.concepts:
        return 0.95
    return likeness_of_label(label, field)
