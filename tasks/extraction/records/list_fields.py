"""Describes the fields of a list for the comparison with the slots of records (the pieces at the same place of all
records, see `slots`): which kinds of pieces, labels and units suit each field."""

import tomllib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import folded_words, without_accents
from tasks.extraction.likeness import likeness_by_words
from tasks.extraction.names import Names
from tasks.extraction.records.month_forms import MonthForm, month_form
from tasks.extraction.records.runs import Run
from tasks.extraction.records.slots import SINGLE_KINDS, TEXT_KINDS
from tasks.extraction.records.topics import heading_likeness
from tasks.extraction.units import units_named

NUMBERS: Final = frozenset(("number", "integer"))
SUITABLE: Final = 0.6
"""Least weight of a kind of slot that suits a field well."""
NAMED: Final = 0.6
"""Least likeness of a heading that may name the list."""
MAX_LIKENESS: Final = 2.0
"""Largest likeness of a label or heading. A higher likeness counts as this."""
SAME_ROLE: Final = 1.2
"""Likeness of a label that names a role of the field."""
MAX_WORDS_OF_ROLE: Final = 3
"""Largest number of words of a label that names a role."""
FARTHER: Final = 0.7
"""Factor on the likeness of a heading if another heading is nearer to the records."""

_ROLES: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    Path(__file__).with_name("fields.toml").read_text("utf-8")
)
"""Properties of each role that a field may have in a record, such as `departure`: the words that name it (`names`) and
the kinds of slots that suit it (`pieces`, or `counts` for a number)."""
_ROLES_BY_WORD: Final[dict[str, list[str]]] = defaultdict(list)
for _role, _row in _ROLES.items():
    for _name in _row["names"].split():
        _ROLES_BY_WORD[_name].append(_role)

_KINDS_OF_CONCEPTS: Final[Mapping[str, tuple[str, ...]]] = {
    "amount": ("money", "decimal", "number", "figure"),
    "count": ("number", "figure", "measure", "mark"),
    "date": ("date", "day", "moment", "period.first", "period"),
    "time": ("time", "times.first", "times.last", "times"),
    "number": ("code", "number", "phone", "moment"),
    "text": ("text", "text()", "code", "section"),
}
"""Kinds of slots that suit a concept, by the concept's kind, the likeliest first."""
_KIND_OF_CONCEPT: Final = {
    "email": "email",
    "website": "uri",
    "telephone": "phone",
    "mobile": "phone",
    "fax": "phone",
}
"""Kind of slot of each concept that has its own kind."""
_PROSE: Final = frozenset(("description", "notes"))
"""Concepts of fields that may take several lines of a record."""


@dataclass(frozen=True, slots=True)
class FieldOfList:
    """A field of a list's objects, with what its schema and its names demand of a slot."""

    wanted: WantedField
    kind_weights: Mapping[str, float]
    """Suitability of each kind of slot for the field, from 0 to 1. A kind that is missing does not suit the field."""
    roles: frozenset[str]
    """Roles that the field's names name, such as `departure`."""
    units: frozenset[str]
    """Units that the field's numbers may have; empty if its names state none."""
    month_form: MonthForm | None
    """Form of months that the field's description demands; None if it demands none."""
    is_list: bool
    is_boolean: bool
    is_string: bool
    """True if only texts, and possibly null, are allowed."""
    has_few_values: bool
    """True if the schema states the possible values."""
    is_free_text: bool
    """True if the field is for texts, and the schema states neither their format nor the possible values."""
    is_required: bool
    """True if the schema does not allow null."""
    may_be_long: bool
    """True if several lines of a record may fill the field."""

    @classmethod
    def of(cls, wanted: WantedField) -> "FieldOfList":
        types = types_of(wanted.schema)
        roles = _roles_of(wanted.names.own)
        units = frozenset().union(*map(units_named, wanted.names.own)) if types & NUMBERS else frozenset()
        is_list, is_boolean, is_string = "array" in types, "boolean" in types, types == {"string"}
        has_few_values = "enum" in wanted.schema or is_boolean
        return cls(
            wanted,
            kind_weights=_kind_weights(wanted, roles),
            roles=frozenset(roles),
            units=units,
            month_form=month_form(wanted),
            is_list=is_list,
            is_boolean=is_boolean,
            is_string=is_string,
            has_few_values=has_few_values,
            is_free_text=is_string and not has_few_values and "format" not in wanted.schema,
            is_required=not wanted.fits(None),
            may_be_long=is_list or not wanted.names.concepts.isdisjoint(_PROSE),
        )

    def label_likeness(self, label: str) -> float:
        """Return how well a label matches the field, by its words, its concepts, and the roles that its words name."""
        words = folded_words(label)
        likeness = min(likeness_by_words(self.wanted.names, label), MAX_LIKENESS)
        if likeness < 1 and 0 < len(words) <= MAX_WORDS_OF_ROLE and self.roles.intersection(_roles_of((words,))):
            return SAME_ROLE
        return likeness


@lru_cache(maxsize=1024)
def _roles_of(names: tuple[tuple[str, ...], ...]) -> Sequence[str]:
    """Return the roles that the words of the names stand for, each word alone or all words of one name written
    together."""
    words = [without_accents(word) for name in names for word in (*name, "".join(name))]
    return tuple(dict.fromkeys(role for word in words for role in _ROLES_BY_WORD.get(word, ())))


class _KindWeights(dict[str, float]):
    """Weights of kinds of slots for a field, from 0 to 1."""

    def raise_to(self, first: float, kinds: Sequence[str], step: float = 0.12) -> None:
        """Raise the weight of each kind to at least a minimum. The minimum is `first` for the first kind, and `step`
        lower for each further kind."""
        for rank, kind in enumerate(kinds):
            self[kind] = max(self.get(kind, 0.0), first - step * rank)


def _kind_weights(wanted: WantedField, roles: Sequence[str]) -> Mapping[str, float]:
    """Return the weights of kinds of slots for a field, by its roles, its schema and its concepts."""
    types, form = types_of(wanted.schema), wanted.schema.get("format")
    weights = _KindWeights()
    is_number = bool(types & NUMBERS)
    for role in roles:
        row = _ROLES[role]
        kinds = row.get("counts" if is_number and "counts" in row else "pieces", "")
        weights.raise_to(0.9, kinds.split())
    if form == "date" or wants_iso(wanted.schema):
        weights.raise_to(1.0, _KINDS_OF_CONCEPTS["date"])
    elif form == "time":
        weights.raise_to(1.0, _KINDS_OF_CONCEPTS["time"])
    elif form in ("email", "uri"):
        weights.raise_to(1.0, (form,))
    elif "array" in types:
        weights.raise_to(0.8, ("text",))
    elif is_number:
        _weigh_kinds_of_number(weights, wanted)
    elif "enum" in wanted.schema or "boolean" in types:
        kinds_of_choice = ("box", "text", "text()", "code", "money.unit", "measure.unit", "number", "measure")
        weights.raise_to(0.7, kinds_of_choice, step=0.05)
    else:
        _weigh_kinds_of_text(weights, wanted.names.concepts)
    return weights


def _weigh_kinds_of_number(weights: _KindWeights, wanted: WantedField) -> None:
    """Add the weights of kinds for a field with numbers."""
    kind_of_concept = next((CONCEPTS[concept].kind for concept in sorted(wanted.names.concepts)), "")
    if kind_of_concept in ("amount", "count"):
        weights.raise_to(0.95, _KINDS_OF_CONCEPTS[kind_of_concept])
    weights.raise_to(0.6, ("number", "money", "decimal", "figure"), step=0.03)
    weights.raise_to(0.3, ("mark", "score", "moment", "measure", "time"), step=0.0)
    if any(map(units_named, wanted.names.own)):
        weights.raise_to(0.95, ("figure", "number"))
    for kind in (*TEXT_KINDS, "code"):
        weights.pop(kind, None)


def _weigh_kinds_of_text(weights: _KindWeights, concepts: Collection[str]) -> None:
    """Add the weights of kinds for a field with texts."""
    for concept in sorted(concepts):
        if concept in _KIND_OF_CONCEPT:
            weights.raise_to(0.95, (_KIND_OF_CONCEPT[concept],))
        else:
            weights.raise_to(0.95, _KINDS_OF_CONCEPTS[CONCEPTS[concept].kind])
    has_other_kind = any(weight >= 0.8 and not kind.startswith(("text", "code")) for kind, weight in weights.items())
    if not has_other_kind:
        weights.raise_to(0.8, ("text", "text()"), step=0.1)
    elif not concepts:
        weights.raise_to(0.6, ("text",))
    weights.raise_to(0.35, ("text", "text()", "code", "measure", "number"), step=0.05)


class ListToFill:
    """A list of objects that may be filled from records."""

    def __init__(self, fields: Sequence[FieldOfList], names: Names, names_of_others: Sequence[Names]) -> None:
        """`names` are the names of the list, and `names_of_others` the names of the schema's other lists."""
        self.fields = fields
        self.names = names
        self._names_of_others = names_of_others
        self.field_counts = {
            kind: sum(field.kind_weights.get(kind, 0) >= SUITABLE for field in self.fields) for kind in SINGLE_KINDS
        }
        """Number of the list's fields that each kind of slot suits well. Only the kinds of which a record seldom has
        two are counted."""
        self.title_field = next(
            (
                index
                for index, field in enumerate(self.fields)
                if field.is_string and field.kind_weights.get("text", 0) >= 0.7
            ),
            -1,
        )
        """Index of the first field with a text, which the first text of a record often fills; -1 if there is none."""
        self._likenesses: dict[str, Sequence[float]] = {"": [0.0] * len(self.fields)}

    def label_likenesses(self, label: str) -> Sequence[float]:
        """Return how well a label matches each field. The answers are kept, because many runs have the same labels."""
        if label not in self._likenesses:
            self._likenesses[label] = [field.label_likeness(label) for field in self.fields]
        return self._likenesses[label]

    def heading_likeness(self, run: Run) -> float:
        """Return how well the headings above a run name the list, from 0 to 1; -1 if they name another list."""
        nearest, farther = run.headings[:1], run.headings[1:]
        likeness = _best_likeness([self.names], nearest)
        likeness_to_others = _best_likeness(self._names_of_others, nearest)
        if likeness_to_others >= 1 and likeness < likeness_to_others:
            return -1.0
        if likeness >= NAMED:
            return min(likeness, MAX_LIKENESS) / 2
        likeness_of_farther = _best_likeness([self.names], farther)
        if likeness_of_farther >= NAMED:
            return FARTHER * min(likeness_of_farther, MAX_LIKENESS) / 2
        return 0.0


def _best_likeness(lists: Sequence[Names], headings: Sequence[str]) -> float:
    """Return how well any heading names any of the lists."""
    return max((heading_likeness(names, heading) for names in lists for heading in headings), default=0.0)
