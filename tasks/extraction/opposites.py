"""Finds values whose labels say the opposite of what a field asks for, or name another kind of the same thing: `Max.
flow temperature: 75` for `min_flow_temperature`, `Ship date: 12 May` for `received_date`.

The other words of such a label agree with the field's name. Without this module, the label would therefore speak for
the value.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from models.fair_executor import Slices
from tasks.extraction.candidates import SIGNS_AROUND, SPANS_AT_ONCE, Candidates, CandidateSpan, LineSegment
from tasks.extraction.features import TYPES, FieldText, Matrix
from tasks.extraction.folding import fold, folded_words, without_accents

OPPOSITE = 25.0
"""Penalty on the logit of a place whose label says the opposite. The penalty exceeds what other rules may add."""
_MAX_CHARS = 80
"""A label has at most this many characters."""
_LONGEST_HEADER = 40
"""A header has at most this many characters."""
_LONGEST_CODE = 24
"""Only texts with at most this many characters are compared as codes."""
NAMED = 4.0
"""Bonus on the logit of a place whose label names the way of a journey that the field asks for."""
RIVAL = 8.0
"""A place whose label names the field's side is a rival if its logit is lower than the highest one by less than
this."""
_WAYS = "ways"
_KINDS = ("day", "number", "time")
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")
_ANY_LETTERS = "~"
_SHARED = "@"
DAYS = "days"
"""The group of the table whose sides are the kinds of days, such as those of birth and of issue."""
_DATES = [TYPES.index("date"), TYPES.index("iso")]
_DATE_WORD = re.compile(r"dates?|fecha|data|dato|\w{3,}(?:datum|dato)|datum|day|\w{3,}tag", re.IGNORECASE)
"""Pattern of a word in the name of a field that asks for a day."""
_OWN_LABEL = re.compile(r"[^\d:：]*[^\W\d_][^\d:：]*(?=[\d:：])")
"""Pattern of a label at the beginning of a text that also contains the label's value."""


class Side(NamedTuple):
    """One of several meanings that exclude each other."""

    group: str
    """The name of the group of meanings: `extremes`."""
    name: str


Sides = frozenset[Side]


class SidesInWords:
    """Finds the sides that words name, among the groups in a table."""

    def __init__(self, table: Mapping[str, Mapping[str, str]], shared: Mapping[str, str] | None = None) -> None:
        """Read a table of groups, each with the phrases of its sides. A phrase `@NAME` stands for the phrases that
        `shared` has under this name."""
        self._phrases: dict[tuple[str, ...], Sides] = {}
        self._beginnings: dict[str, Sides] = {}
        for group, sides in table.items():
            for name, text in sides.items():
                for phrase in _phrases_of(text, shared or {}):
                    own = frozenset((Side(group, name),))
                    if phrase.endswith(_ANY_LETTERS):
                        start = phrase.rstrip(_ANY_LETTERS)
                        self._beginnings[start] = self._beginnings.get(start, frozenset()) | own
                    else:
                        words = tuple(phrase.split())
                        self._phrases[words] = self._phrases.get(words, frozenset()) | own
        self._longest_phrase = max(map(len, self._phrases))
        lengths = [*map(len, self._beginnings)]
        self._lengths = range(max(lengths), min(lengths) - 1, -1)

    def of(self, words: Sequence[str]) -> Sides:
        """Return the sides that folded words name. Of two phrases at the same word, the longer one counts:
        `non-current` is not `current`."""
        plain = tuple(map(without_accents, words))
        found: set[Side] = set()
        start = 0
        while start < len(plain):
            sides, size = self._sides_at(plain, start)
            found |= sides
            start += size
        return frozenset(found)

    def _sides_at(self, words: Sequence[str], start: int) -> tuple[Sides, int]:
        """Return the sides that the words beginning at `start` name, and the number of these words."""
        for size in range(min(self._longest_phrase, len(words) - start), 0, -1):
            if sides := self._phrases.get(tuple(words[start : start + size])):
                return sides, size
        word = words[start]
        known = (self._beginnings.get(word[:size]) for size in self._lengths if size <= len(word))
        return next(filter(None, known), frozenset()), 1


def _phrases_of(text: str, shared: Mapping[str, str]) -> Iterator[str]:
    for phrase in without_accents(" ".join(text.split())).split(", "):
        if phrase.startswith(_SHARED):
            yield from _phrases_of(shared[phrase.removeprefix(_SHARED)], shared)
        else:
            yield phrase


_TABLE = tomllib.loads(Path(__file__).with_name("opposites.toml").read_text("utf-8"))
_SIDES = SidesInWords({group: sides for group, sides in _TABLE.items() if group != "shared"}, _TABLE["shared"])


class Opposites:
    """The sides of opposites that the labels of all candidates name. They have to be read (`read`) before a field is
    compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._places: dict[Sides, list[int]] = {}
        """Indices of the spans whose label names these sides."""
        self._alike: dict[str, list[int]] = {}
        """Indices of the spans with a value of one form."""

    def read(self) -> Slices[None]:
        headers = yield from _headers_of_cells(self._candidates.segments)
        for index, (span, labels) in enumerate(
            zip(self._candidates.spans, self._candidates.labels_beside, strict=True)
        ):
            if index % SPANS_AT_ONCE == 0:
                yield
            label = span.label or _label_within(span) or _without_figures(labels.get("left") or labels.get("above"))
            sides = sides_of(folded_words(label)) if len(label) <= _MAX_CHARS else frozenset()
            if header := headers.get(span.first) if span.first == span.last and not span.has_colon else None:
                groups = {side.group for side in sides}
                sides |= {side for side in sides_of(folded_words(header)) if side.group not in groups}
            if sides:
                self._places.setdefault(sides, []).append(index)
            if form := _form_of(span):
                self._alike.setdefault(form, []).append(index)

    def avoid(self, logits: Matrix, field: FieldText) -> frozenset[int]:
        """Lower the logits of places whose labels name the opposite of what the field asks for, unless the labels name
        both sides. Return the doubtful places: their labels name no side, although the label of a value of the same
        form names the field's."""
        wanted = wanted_sides(field)
        named: list[int] = []
        own: list[int] = []
        for sides, places in self._places.items() if wanted else ():
            if is_opposite(sides, wanted):
                logits[places] -= OPPOSITE
            elif common := {side for side in sides & wanted if side.group != DAYS}:
                own += places
                named += places if any(side.group == _WAYS for side in common) else ()
        if not own:
            return frozenset()
        logits[named] += NAMED
        best = int(logits[:-1].argmax())
        alike = set(self._alike.get(_form_of(self._candidates.spans[best]), ()))
        is_rivalled = best not in own and any(logits[one] > logits[best] - RIVAL for one in alike.intersection(own))
        return frozenset(alike.difference(own)) if is_rivalled else frozenset()


def _form_of(span: CandidateSpan) -> str:
    """Return the form of a value: its kind, or the pattern of the letters and digits of a code; empty for words."""
    if span.kind in _KINDS:
        return span.kind
    code = span.text.strip(SIGNS_AROUND)
    return _LETTER.sub("a", _DIGIT.sub("0", code)) if len(code) <= _LONGEST_CODE and _DIGIT.search(code) else ""


def _headers_of_cells(segments: Sequence[LineSegment]) -> Slices[dict[int, str]]:
    """Return the header of each cell with figures, by the index of its segment. A row below a header has as many cells,
    or one less than the header or the row has words at its beginning. Cells belong to headers by their order, because
    headers are often above the wrong column or shifted."""
    rows: list[list[int]] = []
    row_of: dict[int, int] = {}
    for index, segment in enumerate(segments):
        if index % SPANS_AT_ONCE == 0:
            yield
        own = row_of.get(segment.left, len(rows))
        if own == len(rows):
            rows.append([])
        rows[own].append(index)
        row_of[index] = own
    found: dict[int, str] = {}
    header: list[str] = []
    for number, row in enumerate(rows):
        if number % SPANS_AT_ONCE == 0:
            yield
        texts = [segments[index].text for index in row]
        cells = [index for index, text in zip(row, texts, strict=True) if any(map(str.isdigit, text))]
        if 2 * len(cells) < len(row):
            is_header = all(
                len(text) <= _LONGEST_HEADER and not text.endswith((":", "：")) and any(map(str.isalpha, text))
                for text in texts
            )
            header = texts if len(row) > 1 and is_header else []
        elif header and cells == row[len(row) - len(cells) :]:
            of_cells = header if len(cells) == len(header) else header[1:] if len(row) == len(header) else []
            found.update(zip(cells, of_cells, strict=False) if len(of_cells) == len(cells) else ())
    return found


def _label_within(span: CandidateSpan) -> str:
    found = _OWN_LABEL.match(span.text[: _MAX_CHARS + 1])
    return found[0] if found else ""


def _without_figures(text: str | None) -> str:
    """Return the text beside a value, or an empty text if it has figures and is another value: `Order 4711`."""
    return "" if text is None or any(map(str.isdigit, text)) else text


def wanted_sides(field: FieldText) -> Sides:
    """Return the sides that the names of a field name. The name of the object around the field counts for groups that
    the field's names lack, and the description for groups that have a side by these names. `min_or_max` names both
    sides of a group, so neither is the opposite.

    The sides of days count only for fields that ask for a day. `order_number` is not such a field."""
    own = frozenset(side for name in field.names.own for side in sides_of(name))
    own_groups = {side.group for side in own}
    sides = own | {side for side in sides_of(field.names.around) if side.group not in own_groups}
    if not asks_for_day(field):
        sides = frozenset(side for side in sides if side.group != DAYS)
    groups = {side.group for side in sides}
    return sides | {side for side in sides_of(tuple(fold(field.full))) if side.group in groups}


def is_opposite(sides: Sides, wanted: Sides) -> bool:
    """True if a label names only unwanted `sides` of a group that has a wanted side."""
    wanted_groups = {side.group for side in wanted}
    return any(
        wanted.isdisjoint(side for side in sides if side.group == group)
        for group in {side.group for side in sides} & wanted_groups
    )


def asks_for_day(field: FieldText) -> bool:
    """True if a field's type or name asks for a day."""
    return any(field.types[index] for index in _DATES) or any(
        _DATE_WORD.fullmatch(without_accents(word)) for name in field.names.own for word in name
    )


@lru_cache(maxsize=4096)
def sides_of(words: tuple[str, ...]) -> Sides:
    """Return the sides in the table of opposites that folded words name."""
    return _SIDES.of(words)
