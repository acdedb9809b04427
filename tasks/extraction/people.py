"""Keeps the data of one person out of the fields of another: `Date of birth` in the part of a form about a child is not
the `father_birth_date`.

The label of such a value has all words of the field's name except one, so the likeness of the label would speak for the
value. The person is named by the value's label, by a heading above, or by a label that has a name as its value
(`Father: Tom Hart`) and begins a part of the page.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.candidates import LABEL, SPANS_AT_ONCE, Candidates, CandidateSpan, LineSegment
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, folded_words
from tasks.extraction.opposites import OPPOSITE, Side, Sides, SidesInWords
from tasks.extraction.second_choices import avoid_if_answered

IN_OTHER_PART: Final = 12.0
"""Penalty on the logit of a place in a part of the page about somebody other than the field's person."""
MAX_WORDS: Final = 8
"""A heading or a label has at most this many words. Longer lines are sentences."""
MAX_LINES_ABOVE: Final = 12
"""The heading of a column is at most this many lines above a value."""
MAX_LINES_OF_TITLE: Final = 3
"""The title of a page, which may name the person that it is about, has at most this many lines."""
_MAX_CHARS: Final = 80
_NOT_IN_HEADING = re.compile(r"\d{3}|[.!?;]$|@")
_OF_A_FIRM = re.compile(
    r"(?:&|\+|\b(?:and|et|und|e|y|i|en|och|og)) ?(?:sons?|daughters?|fils|filles?|söhne|sohn|töchter|tochter|figl[ioe]"
    r"|figlia|hijos?|hijas?|filhos?|filhas?|zonen|zoon|dochters?|synowie|syn|söner|sønner|søn)\b",
    re.IGNORECASE,
)
"""Pattern of the end of a firm's name, `Miller & Sons`, which is about nobody's children."""
_PEOPLE = "people"

_TABLE = tomllib.loads(Path(__file__).with_name("people.toml").read_text("utf-8"))
_IN_FIELDS = SidesInWords({_PEOPLE: _TABLE[_PEOPLE], "others": _TABLE["others"]})
_ON_PAGES = SidesInWords(
    {
        _PEOPLE: {
            name: ", ".join((text, _TABLE["on_pages"].get(name, text))) for name, text in _TABLE[_PEOPLE].items()
        },
        "others": _TABLE["others"],
    }
)
_DATA: Final = frozenset(" ".join(_TABLE["data"]["concepts"].split()).split(", "))
_SUBJECTS: Final = frozenset(Side(_PEOPLE, name) for name in ("child", "bride", "groom"))
"""Persons that a form is often about."""
_NOBODY: Final[Sides] = frozenset()
_NONE = Side("others", "none")


class _Part(NamedTuple):
    """The people whom a segment mentions, and the people whom it is about."""

    mentioned: Sides
    """The people that the segment's label names or, without a label, its words."""
    about: Sides
    """The people that the part of the page around the segment is about."""


class People:
    """The people that labels and headings name, for all candidates. They have to be read (`read`) before a field is
    compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._parts: list[_Part] = []
        self._labels: list[Sides] = []
        """The people that the label of each span names."""
        self._named: list[Sides] = []
        """The people that the label of each span names or, if it names nobody, the span's part of the page."""
        self._subjects: Sides = _SUBJECTS
        """The people that the page may be about: those in _SUBJECTS, and those whom its title or its first label
        names."""

    def read(self) -> Slices[None]:
        segments = self._candidates.segments
        yield from self._read_parts()
        has_people = any(part.mentioned for part in self._parts)
        for index, span in enumerate(self._candidates.spans):
            if index % SPANS_AT_ONCE == 0:
                yield
            label = self._label_of(span, segments) if has_people else _NOBODY
            named = label or (self._around(span, segments) if has_people else _NOBODY)
            self._labels.append(label)
            self._named.append(named)

    def _read_parts(self) -> Slices[None]:
        heading: Sides = _NOBODY
        person: Sides = _NOBODY
        before: Sides = _NOBODY
        """The people that the label in the line before names, if the label has a value."""
        last: LineSegment | None = None
        has_first_value = False
        for index, segment in enumerate(self._candidates.segments):
            if index % SPANS_AT_ONCE == 0:
                yield
            if last is None or last.passage is not segment.passage:
                heading = person = before = _NOBODY
            label = LABEL.match(segment.text)
            has_value = label is not None and bool(segment.text[label.end() :].strip())
            sides = _sides_on_page(label[0] if label and has_value else segment.text)
            labelled = _NOBODY
            if has_value:
                labelled = _people(sides)
                if labelled:
                    # Labels of persons in consecutive lines (Father: …, Mother: …) are data about another person, so
                    # the lines below are not about the last person named.
                    person = _NOBODY if before else labelled
            elif sides and _is_heading(segment) and not (last and _asks_for_relationship(last.text)):
                heading, person = _people(sides), _NOBODY
            if index < MAX_LINES_OF_TITLE and not has_first_value:
                self._subjects |= _people(sides)
            has_first_value |= has_value
            before, last = labelled, segment
            self._parts.append(_Part(_people(sides), person or heading))

    def _label_of(self, span: CandidateSpan, segments: Sequence[LineSegment]) -> Sides:
        left = segments[span.first].left
        texts = (span.label if span.has_colon else "", _label_within(span), segments[left].text if left >= 0 else "")
        return next(filter(None, (_people(_sides_on_page(text)) for text in texts)), _NOBODY)

    def _around(self, span: CandidateSpan, segments: Sequence[LineSegment]) -> Sides:
        """Return the people named by the role of a span's party. Without a party, they are named by the span's label
        together with its sentence, the heading of its column, or its part of the page."""
        if span.party is not None:
            return _people(_ON_PAGES.of(span.party.role))
        index = span.first
        before = _people(_sides_on_page(span.label))
        if len(segments[index].words) > MAX_WORDS:
            mentioned = self._parts[index].mentioned | (self._parts[index - 1].mentioned if index else _NOBODY)
            return before | mentioned or self._parts[index].about
        above = segments[index].above if segments[index].box else -1
        for _ in range(MAX_LINES_ABOVE):
            if above < 0:
                break
            if (mentioned := self._parts[above].mentioned) and _is_heading(segments[above]):
                return before | mentioned
            above = segments[above].above
        return before | self._parts[index].about

    def avoid(self, logits: Matrix, field: FieldText) -> frozenset[int]:
        """Lower the logits of places that are about somebody other than the person whom a field names. Return the
        indices of the places that nothing connects with this person."""
        wanted = wanted_people(field)
        if not wanted:
            return self._avoid_others(logits, field)
        is_other = wanted <= {Side("others", "main")}
        is_named = [not named.isdisjoint(wanted) for named in self._named]
        has_named = any(is_named)
        for index, (label, named) in enumerate(zip(self._labels, self._named, strict=True)):
            if is_named[index]:
                continue
            if label and not is_other:
                logits[index] -= OPPOSITE
            elif named or (has_named and not is_other and self._is_on_form(index)):
                logits[index] -= IN_OTHER_PART
        return frozenset(
            index for index, own in enumerate(is_named) if not own and (self._named[index] or not is_other)
        )

    def _avoid_others(self, logits: Matrix, field: FieldText) -> frozenset[int]:
        """Prefer places that name nobody, or a person that the page is about, for a field that names nobody. Return the
        indices of the other places."""
        if field.names.around:
            # The object around the field may name a person in words that the table lacks.
            return frozenset()
        sides = self._named if field.concepts and field.concepts <= _DATA else self._labels
        others = frozenset(index for index, named in enumerate(sides) if named and named.isdisjoint(self._subjects))
        avoid_if_answered(logits, others)
        return others

    def _is_on_form(self, index: int) -> bool:
        """True if a place is neither in a sentence nor in a line that was made from a sentence."""
        span = self._candidates.spans[index]
        return not span.passage.codes and len(self._candidates.segments[span.first].words) <= MAX_WORDS


def wanted_people(field: FieldText) -> Sides:
    """Return the people whom the name of a field, or of the object around it, names."""
    own = frozenset(side for name in field.names.own for side in _IN_FIELDS.of(name))
    sides = own if _people(own) else own | _IN_FIELDS.of(field.names.around)
    return _people(sides) or sides - {_NONE}


def _people(sides: Sides) -> Sides:
    return frozenset(side for side in sides if side.group == _PEOPLE)


def _sides_on_page(text: str) -> Sides:
    return _ON_PAGES.of(folded_words(_OF_A_FIRM.sub("", text))) if 0 < len(text) <= 4 * _MAX_CHARS else _NOBODY


def _is_heading(segment: LineSegment) -> bool:
    text = segment.text
    return len(segment.words) <= MAX_WORDS and len(text) <= _MAX_CHARS and not _NOT_IN_HEADING.search(text)


def _asks_for_relationship(text: str) -> bool:
    return len(text) <= _MAX_CHARS and "relationship" in concepts_of(tuple(fold(text)))


def _label_within(span: CandidateSpan) -> str:
    label = LABEL.match(span.text)
    return label[0] if label else ""
