"""Learns the places of fields from examples: documents of the same kind, each with the right answer for it.

Each value of the answer is searched for in its document. The surroundings of the value (label, words and signs around
it, lines above and below, notation, position on the page) are compared with the surroundings of each candidate in the
new document. In tables, the headers of an example's values become names of their fields. Nothing else of an example is
used, so no value of an example can reach an answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from tasks.extraction.boxes import box_of
from tasks.extraction.candidates import KINDS, Candidates
from tasks.extraction.features import Matrix
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.probability import FieldScores
from tasks.extraction.table_readings import HeadedTable
from tasks.extraction.values import key_of, values_in_span
from tasks.notation.cells import number
from tasks.precontext import Entry
from tasks.result import Box
from tasks.schema.paths import JsonPath

Numbers = NDArray[np.int32]

MAX_EXAMPLES = 8
"""At most this many examples are used. If there are more, only the last ones are used."""
MAX_PLACES = 4
"""At most this many places on an example are learned for one value, the most likely first."""
UNLIKELIER = 4.0
"""A place of a value on an example is learned only if its logit is at most this much below that of the most likely
place."""
MISREAD = 85
"""A text may be a misreading of a value if their likeness by rapidfuzz, from 0 to 100, is at least this."""
SHORTEST_MISREAD = 5
"""Only a value of at least this many characters may have been misread, because a shorter value is similar to too many
texts."""
FOUND_AGAIN = 0.5
"""A field counts as found in the same place as on the example if the likeness of both places, from 0 to 1, is at least
this."""
LESS_ALIKE = 0.2
"""A place counts as that of the example only if its likeness is at most this much below that of the best place."""
MUCH_ALIKE = 0.75
"""If two documents have few words in common, two places with different labels count as alike only if their likeness is
at least this."""
SAME_PLACE_BONUS = 24.0
"""The logit of a candidate in the same place as on the examples rises by this number times the likeness of the
places."""
SAME_SENDER_SHARE = 0.35
"""Two documents count as from the same sender if at least this share of the words of the shorter document is in the
other document. Otherwise, only the same label, or surroundings with a likeness of MUCH_ALIKE, identify a place."""
LEAST_TAUGHT = 0.6
"""The header of a column in an example's table counts as a name of the field if the column contains at least this share
of the example's values for the field."""
_LABEL, _LINE, _NO_TEXT, _FORM, _KIND, _TOP, _LEFT = 3.0, 1.5, 1.0, 1.0, 1.0, 1.5, 1.0
"""Weights of the features that two places may share: the label, the line above or below, the lack of such a text, the
form, the kind, the height on the page and the distance from its left edge."""
_FORMS = ("", "9", "a", "x", "9a", "9x", "ax", "9ax")
"""Combinations of the kinds of words in a text: `9` for digits, `a` for letters, and `x` for letters with digits."""
_VARIABLE = "*"
"""Text with no words that both documents contain."""
_LEAST_DISTANCE = 0.06
"""Two positions are near each other if their distance is smaller than this, as a share of the page."""


class Example(NamedTuple):
    entries: Sequence[Entry]
    """Texts that were read from an example's input."""
    answer: Any
    """Answer that somebody gave for the input."""


class Surroundings(NamedTuple):
    """Surroundings of each candidate of a document: indices of texts, and positions as shares of the page."""

    texts: Sequence[tuple[str, ...]]
    """Words of each distinct text. The first text is empty."""
    labels: Numbers
    above: Numbers
    below: Numbers
    kinds: Numbers
    forms: Numbers
    places: Matrix
    """Array of candidates × (left, top); not a number if the text has no positions."""
    words: frozenset[str]
    """Words of the document that contain no digits."""

    @classmethod
    def of(cls, candidates: Candidates) -> Self:
        numbers: dict[tuple[str, ...], int] = {(): 0}

        def numbered(texts: Iterable[tuple[str, ...]]) -> Numbers:
            return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int32)

        segments, spans = candidates.segments, candidates.spans
        lines = [tuple(fold(segment.text)) for segment in segments]
        above = numbered(lines[index] if (index := segments[span.first].above) >= 0 else () for span in spans)
        below = numbered(lines[index] if (index := segments[span.last].below) >= 0 else () for span in spans)
        labels = numbered(tuple(fold(one.get("own") or one.get("left") or "")) for one in candidates.labels_beside)
        return cls(
            texts=[*numbers],
            labels=labels,
            above=above,
            below=below,
            kinds=np.array([KINDS.index(span.kind) for span in spans], np.int32),
            forms=np.array([_FORMS.index(_form(span.text)) for span in spans], np.int32),
            places=np.array([*_places(candidates)], np.float32).reshape(-1, 2),
            words=constant_words(candidates),
        )


def constant_words(candidates: Candidates) -> frozenset[str]:
    """Return the words of a document that contain no digits. Other documents of the same sender may have these words,
    too."""
    words = (word for segment in candidates.segments for word in fold(segment.text))
    return frozenset(word for word in words if not any(map(str.isdigit, word)))


class Lesson(NamedTuple):
    """The places of fields on one example."""

    surroundings: Surroundings
    places: Mapping[JsonPath, Sequence[int]]
    """Indices of the candidates that have the value of each field, by path."""


class _Comparison:
    """Compares the surroundings of a document's candidates with those of an example's candidates."""

    def __init__(self, here: Surroundings, there: Surroundings) -> None:
        self.here, self.there = here, there
        common = here.words & there.words
        self.is_alike = len(common) >= SAME_SENDER_SHARE * max(1, min(len(here.words), len(there.words)))
        numbers: dict[str, int] = {}
        self.ours, self.theirs = (
            np.array([numbers.setdefault(_shared(text, common), len(numbers)) for text in one.texts], np.int32)
            for one in (here, there)
        )
        """Numbers of the texts. Two texts have the same number if they are equal in the words that both documents
        contain."""
        self._without_words = [numbers.get(text) for text in ("", _VARIABLE)]

    def likeness(self, places: Sequence[int]) -> Matrix:
        """Return the likeness of each candidate's place to the most similar of the example's `places`, 0 to 1."""
        likest: Matrix = np.max([self._like(at) for at in places], axis=0)
        return likest

    def _like(self, index: int) -> Matrix:
        here, there = self.here, self.there
        label, is_labelled = self._same(here.labels, there.labels[index])
        above, is_below_words = self._same(here.above, there.above[index])
        below, is_above_words = self._same(here.below, there.below[index])
        parts = [
            (_LABEL if is_labelled else 0.0, label),
            (_LINE if is_below_words else _NO_TEXT, above),
            (_LINE if is_above_words else _NO_TEXT, below),
            (_KIND, here.kinds == there.kinds[index]),
            (_FORM, here.forms == there.forms[index]),
        ]
        if not np.isnan(there.places[index]).any():
            nearness = np.nan_to_num(np.clip(1 - np.abs(here.places - there.places[index]) / _LEAST_DISTANCE, 0, 1))
            parts += [(_LEFT, nearness[:, 0]), (_TOP, nearness[:, 1])]
        found: Matrix = np.sum([weight * one for weight, one in parts], axis=0) / sum(weight for weight, _ in parts)
        if not self.is_alike:
            found[~(label & is_labelled) & (found < MUCH_ALIKE)] = 0
        return found

    def _same(self, texts: Numbers, text: int) -> tuple[NDArray[np.bool_], bool]:
        """Return a mask of the `texts` of the new document that equal `text` of the example. The second result is True
        if the example's text has words that both documents contain: only such words are compared."""
        their_key = self.theirs[text]
        return (self.ours == their_key)[texts], their_key not in self._without_words


def learn(scored: FieldScores, answer: Any) -> Lesson:
    """Return the places of an answer's values on an example. `scored` has the scores of the example's candidates."""
    texts: list[str] = []
    places_by_key: dict[Any, list[int]] = {}
    for index, span in enumerate(scored.candidates.spans):
        texts.append(" ".join(fold(span.text)))
        for key in set(map(key_of, values_in_span(span, scored.candidates.has_days_first))):
            places_by_key.setdefault(key, []).append(index)
    places: dict[JsonPath, list[int]] = {}
    for row, one in enumerate(scored.fields):
        value = None if one.in_list else _value_at(answer, one.path)
        if value is None or isinstance(value, bool | list | dict):
            continue
        found = [*places_by_key.get(key_of(value), ())]
        if not found and isinstance(value, str) and len(value) >= SHORTEST_MISREAD:
            similar_texts = process.extract(
                " ".join(fold(value)), texts, scorer=fuzz.ratio, score_cutoff=MISREAD, limit=MAX_PLACES
            )
            best = max((score for _, score, _ in similar_texts), default=0.0)
            found = [index for _, score, index in similar_texts if score == best]
        found.sort(key=lambda index: -scored.logits[row, index])
        likeliest = [index for index in found if scored.logits[row, index] >= scored.logits[row, found[0]] - UNLIKELIER]
        places[one.path] = likeliest[:MAX_PLACES]
    return Lesson(Surroundings.of(scored.candidates), places)


def prefer_examples(
    logits: Matrix, fields: Sequence[WantedField], candidates: Candidates, lessons: Sequence[Lesson]
) -> dict[int, frozenset[int]]:
    """Raise the logits of the candidates that are in the same places as the fields on the examples, and return these
    candidates by row."""
    found: dict[int, frozenset[int]] = {}
    if not lessons or not candidates.spans:
        return found
    here = Surroundings.of(candidates)
    compared = [_Comparison(here, lesson.surroundings) for lesson in lessons]
    for row, one in enumerate(fields):
        votes = []
        for comparison, lesson in zip(compared, lessons, strict=True):
            if places := lesson.places.get(one.path):
                votes.append(comparison.likeness(places))
        if not votes:
            continue
        likeness: Matrix = np.mean(votes, axis=0)
        likeliest = np.flatnonzero(likeness >= max(FOUND_AGAIN, likeness.max() - LESS_ALIKE))
        logits[row, likeliest] += SAME_PLACE_BONUS * likeness[likeliest]
        found[row] = frozenset(likeliest.tolist())
    return found


def taught_names(field: WantedField, tables: Sequence[HeadedTable], answer: Any) -> Names:
    """Return the names of a field in a list, including the header of the column that contains its values in an
    example."""
    rows = _value_at(answer, field.path[:-1])
    values = [row.get(field.path[-1]) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    wanted = {key_of(value) for value in values if value is not None and not isinstance(value, bool)}
    best, header = 0.0, ""
    for table in tables if wanted else ():
        for column, text in enumerate(table.header):
            cells = [row[column].text for row in table.table.rows[table.end :]]
            comma = table.table.comma_likely
            have = {key for cell in cells if cell for key in (key_of(cell), number(cell, comma=comma))}
            if text and (share := len(wanted & have) / len(wanted)) > max(best, LEAST_TAUGHT - 0.01):
                best, header = share, text
    words = tuple(fold(header))
    return Names((*field.names.own, words), field.names.around) if words else field.names


def _value_at(answer: Any, path: JsonPath) -> Any:
    for step in path:
        answer = answer.get(step) if isinstance(answer, dict) else None
    return answer


def _places(candidates: Candidates) -> Iterator[tuple[float, float]]:
    pages: dict[int, Box] = {}
    for segment in candidates.segments:
        if segment.box is not None:
            left, top, right, bottom = pages.get(id(segment.passage), segment.box)
            box = segment.box
            pages[id(segment.passage)] = min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3])
    for span in candidates.spans:
        place, page = box_of(span.passage, span.words), pages.get(id(span.passage))
        if place is None or page is None:
            yield np.nan, np.nan
        else:
            yield (place[0] - page[0]) / max(1, page[2] - page[0]), (place[1] - page[1]) / max(1, page[3] - page[1])


def _shared(text: tuple[str, ...], common: frozenset[str]) -> str:
    """Return the signs of a text and those of its words that both documents contain, because the other words are
    values. Return _VARIABLE if nothing of the text is left."""
    return " ".join(word for word in text if word in common or not word[:1].isalnum()) or (_VARIABLE if text else "")


def _form(text: str) -> str:
    """Return the kinds of words in a text, in the order of `_FORMS`: `5 May 2026` → `9a`, `Room B12` → `ax`."""
    words = text.split()
    found = {"a" if not any(map(str.isdigit, one)) else "x" if any(map(str.isalpha, one)) else "9" for one in words}
    return "".join(form for form in "9ax" if form in found)
