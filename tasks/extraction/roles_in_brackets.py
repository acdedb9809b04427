"""Uses roles in brackets after names: `Gordon Speight (treasurer), Amy Chaudhry (secretary)`.

The words before a name are its label nearly everywhere, but a role in brackets belongs to the name before it.
"""

import re
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold

IN_BRACKETS: Final = 6.0
"""Bonus on the logit of a name whose role in brackets is the field's name, and penalty on the name after this role."""
_MOST_WORDS: Final = 4
"""A role in brackets has at most this many words."""
_MOST_CHARS: Final = 100
_ROLE_AFTER = re.compile(r"\s*\((?P<role>[^()\d]{3,40})\)")
_ROLE_BEFORE = re.compile(
    r"(?:[^\W\d_]|(?<=[^\W\d_])\.) \((?P<role>[^()\d]{3,40})\)(?:[,;]|\s(?:and|und|et|y|e|en|i|och|og|&))\s*$"
)
_NAME = re.compile(r"(?:[^\W\d_a-zà-ÿ][\w.'’-]*)(?: [^\W\d_][\w.'’-]*){0,5}")

_Role = tuple[str, ...]


class RolesInBrackets:
    """The roles in brackets after all names. They have to be read (`read`) before a field is compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._own: dict[_Role, list[int]] = {}
        """Indices of the names with a role after them, by this role."""
        self._of_others: dict[_Role, list[int]] = {}
        """Indices of the names after another name with this role."""

    def read(self) -> Slices[None]:
        for index, span in enumerate(self._candidates.spans):
            if index % SPANS_AT_ONCE == 0:
                yield
            if span.number is not None or span.day is not None or len(span.text) > _MOST_CHARS:
                continue
            if not _NAME.fullmatch(span.text):
                continue
            before, after = _texts_around(span)
            if found := _ROLE_AFTER.match(after):
                self._own.setdefault(tuple(fold(found["role"])), []).append(index)
            if found := _ROLE_BEFORE.search(before):
                self._of_others.setdefault(tuple(fold(found["role"])), []).append(index)

    def prefer(self, logits: Matrix, field: FieldText) -> None:
        """Prefer the names whose role in brackets is the name of a field, and avoid those after another's role."""
        if field.is_number or not self._own:
            return
        for role, places in self._own.items():
            if _names(role, field):
                logits[places] += IN_BRACKETS
                logits[self._of_others.get(role, [])] -= IN_BRACKETS


def _names(role: _Role, field: FieldText) -> bool:
    return role in field.names.own or (bool(field.concepts) and concepts_of(role) == field.concepts)


def _texts_around(span: CandidateSpan) -> tuple[str, str]:
    words, first, last = span.passage.words, span.words[0], span.words[-1]
    line = span.passage.line_words(span.passage.line_at(first))
    before = " ".join(words[max(line.start, first - _MOST_WORDS - 2) : first])
    return before[-_MOST_CHARS:], " ".join(words[last + 1 : min(line.stop, last + 1 + _MOST_WORDS)])[:_MOST_CHARS]
