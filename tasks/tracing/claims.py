"""Determines whether the label beside a match names the match's field or something else.

A receipt prints `10.00` beside "Cash": the number is right for a field `cash` and wrong for a field `tax`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tasks.extraction.concepts import CONCEPTS, WORDS_OF_ADDRESSES, Kind, is_common_token, may_be_same
from tasks.extraction.folding import fold
from tasks.extraction.labelled_values import Label, LabelLayout, LabelledValue, layout_of
from tasks.extraction.names import Names
from tasks.extraction.passages import Passage
from tasks.notation.currencies import find_currencies
from tasks.notation.dates import parse_day
from tasks.notation.numbers import parse_number
from tasks.tracing.matching import ValueMatch

OWN_AFFINITY = 0.5
"""The words around a match count as its field's own label, even if they name no known concept, if their affinity is at
least this."""
_FRACTION = re.compile(r"\d[.,]\d|%")
_CLOCK = re.compile(r"\d[:.]\d\d")


@dataclass(frozen=True, slots=True)
class LabelClaim:
    """The statement of a label about a match: that the match is the field's value, or that it is not."""

    label: Label
    text: str = ""
    """The label as written in the source."""
    is_final: bool = False
    """True if the claim holds even if the field's label is also beside another value."""


@dataclass(frozen=True)
class AnsweredField:
    """A field of an answer: its value, and the names by which it is compared with labels."""

    value: Any
    """The field's value; an empty text if the value is not known yet."""
    names: Names
    in_list: bool = False
    """True if the field is in a list. Its labels may then be beside other items."""

    @cached_property
    def concepts(self) -> frozenset[str]:
        return self.names.concepts

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        if self.concepts:
            return frozenset(CONCEPTS[name].kind for name in self.concepts)
        if not isinstance(self.value, str):
            return frozenset({"amount", "count"})
        if not self.value:
            return frozenset({"number", "text"})
        if parse_day(self.value):
            return frozenset({"date"})
        return frozenset({"number" if parse_number(self.value) else "text"})

    @property
    def is_labelled(self) -> bool:
        """True if values of the field's kind always have a label. This holds for amounts, numbers and times; names and
        dates may have none."""
        return bool(self.concepts) and self.kinds <= {"amount", "count", "number", "time"}

    @property
    def is_quantity(self) -> bool:
        return bool(self.concepts) and self.kinds <= {"amount", "count"}


class LabelClaims:
    """Finds what labels say about matches. The labels of a passage are read when they are first needed."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._layouts: dict[int, LabelLayout] = {}

    def of(self, match: ValueMatch, answered: AnsweredField, affinity_of_names: float) -> LabelClaim:
        """Return the claim of the label beside `match`: `own`, `other` or `none`.

        `affinity_of_names` is the affinity of the match to the field's names.
        """
        passage = match.passage
        layout = self.layout(passage)
        pair = next((layout.pair_of[word] for word in match.words if word in layout.pair_of), None)
        # In a list, a text without a colon before a number may be the item's name instead of a label.
        if pair is not None and not pair.has_colon and (answered.in_list or answered.kinds <= {"text"}):
            pair = None
        is_near = affinity_of_names >= OWN_AFFINITY
        if not answered.concepts:
            return LabelClaim("own", pair.label if pair else "") if is_near else LabelClaim("none")
        if pair is not None and not pair.concepts:
            pair = None
        near_label = pair or layout.heading_of(passage, match.words)
        if near_label is not None:
            is_first = pair is None or _is_first(passage, pair, match)
            if not near_label.concepts.isdisjoint(answered.concepts):
                return LabelClaim("own" if is_first else "none", near_label.label, is_final=True)
            if is_first and not may_be_same(near_label.concepts, answered.concepts):
                return LabelClaim("other", near_label.label)
        if not is_near and answered.is_quantity and (street := _line_word(match)):
            return LabelClaim("other", street)
        return LabelClaim("none")

    def beside_another_value(self, answered: AnsweredField) -> LabelClaim | None:
        """Return the claim `elsewhere` if the field's label is beside another value of the field's kind, else None."""
        if answered.in_list:
            return None
        found = next(self.own_pairs(answered), None)
        return None if found is None else LabelClaim("elsewhere", found[1].label)

    def own_pairs(self, answered: AnsweredField) -> Iterator[tuple[Passage, LabelledValue]]:
        """Find the labels that name the field and have a value of its kind beside them, each with its passage."""
        for passage in self._passages if answered.names.own else ():
            for pair in _labels_naming(self.layout(passage), answered):
                if _is_of_kind(passage, pair, answered):
                    yield passage, pair

    def layout(self, passage: Passage) -> LabelLayout:
        if id(passage) not in self._layouts:
            self._layouts[id(passage)] = layout_of(passage)
        return self._layouts[id(passage)]


def _labels_naming(layout: LabelLayout, answered: AnsweredField) -> Sequence[LabelledValue]:
    """Find the labels with the field's concepts, or with all words of its key and at most one more word."""
    if answered.concepts:
        return layout.of_concepts.get(answered.concepts, ())
    key = answered.names.own[0]
    if not key or any(map(is_common_token, key)):
        return ()
    rarest = min((layout.of_word.get(word, ()) for word in key), key=len)
    return [pair for pair in rarest if set(key) <= set(label := fold(pair.label)) and len(label) <= len(key) + 1]


def _is_first(passage: Passage, pair: LabelledValue, match: ValueMatch) -> bool:
    """True if `match` contains the first word of the label's value, or a word with the same text.

    If the match has figures, words without figures before the first number do not count (`Payment: Cash 10.00`).
    """
    words = [passage.words[word] for word in match.words]
    values = [passage.words[word] for word in pair.values]
    if any(map(_has_figure, words)):
        values = list(filter(_has_figure, values)) or values
    return values[0] in words


def _has_figure(text: str) -> bool:
    return any(map(str.isdigit, text))


def _line_word(match: ValueMatch) -> str:
    """Return a word of the line of an unlabelled number which shows that the number is part of an address. The word is
    empty if no word shows this."""
    text = " ".join([match.passage.words[word] for word in match.words])
    if _FRACTION.search(text) or any(find_currencies(text)):
        return ""
    line = match.passage.lines[match.passage.line_at(match.words[0])]
    return next((word for word in line.words if not WORDS_OF_ADDRESSES.isdisjoint(fold(word))), "")


def _is_of_kind(passage: Passage, pair: LabelledValue, answered: AnsweredField) -> bool:
    kinds, text = answered.kinds, passage.words[pair.values[0]]
    return bool(
        (not kinds.isdisjoint({"amount", "count"}) and pair.values[0] in passage.number_at)
        or ("date" in kinds and not passage.day_at.keys().isdisjoint(pair.values))
        or ("time" in kinds and _CLOCK.search(text))
        or ("number" in kinds and _has_figure(text))
        or ("text" in kinds and pair.has_colon and any(map(str.isalpha, text)))
    )
