"""Scores how well a slot of records suits a field of a list: by its label, its kind, its texts and its place."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from tasks.extraction.column_values import UNREADABLE, values_of_column
from tasks.extraction.likeness import likeness_by_words
from tasks.extraction.records.list_fields import FieldOfList, ListToFill
from tasks.extraction.records.month_forms import in_month_form
from tasks.extraction.records.slots import SINGLE_KINDS, TEXT_KINDS, Slot, SlotTexts
from tasks.extraction.records.templates import RecordTemplate

LEAST_FIT: Final = 0.6
"""A slot may fill a field only if at least this share of its texts are values of the field."""
SAME_UNIT: Final = 1.5
"""Likeness of a slot whose figures have the unit in the field's name, on the scale of the likeness of a label."""
REST_PENALTY: Final = 0.3
"""The weight of a slot's kind is lowered by this if the slot has the rest of each record and the field may not be
long."""
LONG_TEXT: Final = 60
"""The texts of a slot are long if they have more characters than this per record."""


class MatchWeights(NamedTuple):
    """Weights of the features of a slot and a field, in the score of their match."""

    bias: float = -2.5
    """Constant part of every score."""
    label: float = 1.25
    """Likeness of the slot's label and the field's names, or `SAME_UNIT`."""
    kind: float = 2.0
    """Weight of the slot's kind for the field (`kind_weights`)."""
    readable: float = 1.0
    """Share of the slot's texts that are values of the field."""
    role: float = 1.0
    """The slot's kind is not a text and suits the field, and the field has a role such as `departure`."""
    foreign_label: float = -0.6
    """The slot has a label that does not match the field."""
    label_of_other: float = -1.5
    """The slot's label does not match the field, but it matches another field of the list."""
    look: float = 1.0
    """Agreement of the field with the look of the texts, which may be that of names of organisations or places."""
    order: float = 0.8
    """Nearness of the slot's place among the slots to the field's place among the fields."""
    coverage: float = 1.0
    """Share of the records that have the slot."""
    unique: float = 0.7
    """The slot is the only usual slot of its kind, and the field is the only field that this kind suits well."""
    title: float = 0.8
    """The slot is the first text of a record, and the field is the list's first field for a text."""
    constant: float = -1.0
    """All records have the same text in the slot, although the field may have many values."""
    joined: float = -0.3
    """The slot joins several pieces of each record."""
    long: float = -0.5
    """The slot's texts are long."""


WEIGHTS: Final = MatchWeights()

_ORGANISATIONS: Final = frozenset(
    (
        *("employer", "company", "school", "seller", "buyer", "bank", "insurer", "issuer", "hotel", "carrier"),
        *("manufacturer", "publisher", "authority", "organizer"),
    )
)
"""Concepts of fields whose values are organisations."""
_PLACES: Final = frozenset(
    ("city", "place_name", "country", "state", "birth_place", "departure_place", "arrival_place", "issue_place")
)
"""Concepts of fields whose values are places."""
_SIGNS_BEFORE_PLACES: Final = frozenset(("comma", "open", "at", "bar"))


class Pairing(NamedTuple):
    """A field and a slot that may fill it."""

    field: int
    """Index of the field in the list."""
    slot: int
    """Index of the slot in the template."""


class Match(NamedTuple):
    """The score of a slot for a field, with the values that the slot would give the field."""

    values: Sequence[Any]
    """The value of each record: None for a record without a text, UNREADABLE for a text without a value."""
    claim: float
    """Part of the score for the slot's label and kind, and for the meaning of its texts."""
    place_score: float
    """Part of the score for the slot's place and coverage, and for the length and the variety of its texts."""

    @property
    def score(self) -> float:
        return WEIGHTS.bias + self.claim + self.place_score


class _ReadColumn(NamedTuple):
    """The texts of a slot as the values of a field."""

    texts: SlotTexts
    values: Sequence[Any]
    readable: float
    """Share of the texts that are values of the field."""


class SlotMatcher:
    """Scores the slots of records for the fields of a list."""

    def __init__(self, template: RecordTemplate, wanted: ListToFill, *, is_rough: bool) -> None:
        """`is_rough` means that no text is read. Each text then counts as a value, and the look of the texts adds
        nothing to the score."""
        self._template = template
        self._wanted = wanted
        self._is_rough = is_rough
        self._likenesses = [wanted.label_likenesses(slot.label) for slot in template.slots]

    def match(self, pairing: Pairing) -> Match | None:
        """Return the match of a field and a slot; None if the slot cannot fill the field."""
        field, slot = self._wanted.fields[pairing.field], self._template.slots[pairing.slot]
        likeness = self._likeness(pairing, field, slot)
        kind_weight = field.kind_weights.get(slot.kind, 0.0)
        if likeness < 1 and (kind_weight <= 0 or slot.unit):
            return None
        if slot.is_rest_of_record and not field.may_be_long:
            kind_weight -= REST_PENALTY
        if field.is_free_text and slot.kind in SINGLE_KINDS and kind_weight < 0.3 and likeness < 1:
            return None
        column = self._column(field, slot)
        if column is None:
            return None
        claim = WEIGHTS.label * likeness + WEIGHTS.kind * kind_weight + WEIGHTS.readable * column.readable
        if kind_weight >= 0.7 and field.roles and slot.kind not in TEXT_KINDS:
            claim += WEIGHTS.role
        if slot.label and likeness < 0.6:
            claim += WEIGHTS.foreign_label
            if max(self._likenesses[pairing.slot]) >= 1:
                claim += WEIGHTS.label_of_other
        if not self._is_rough:
            claim += WEIGHTS.look * _look(field, slot)
        return Match(column.values, claim, self._place_score(pairing, field, slot, column.texts))

    def _likeness(self, pairing: Pairing, field: FieldOfList, slot: Slot) -> float:
        """Return how well the label of a slot, or the unit of its figures, matches a field."""
        if slot.unit:
            return SAME_UNIT if slot.unit in field.units else 0.0
        return self._likenesses[pairing.slot][pairing.field]

    def _column(self, field: FieldOfList, slot: Slot) -> _ReadColumn | None:
        """Return the texts of a slot as values of a field; None if too few of them are values."""
        if self._is_rough:
            return None if slot.texts.is_empty else _ReadColumn(slot.texts, slot.texts_or_none, readable=1.0)
        texts = texts_for(field, slot)
        values = read_values(field, texts, self._template)
        if field.is_boolean:
            # A record without the text may have the value False, so empty texts count, too.
            values = _presence(field, texts.by_record, values)
            texts = SlotTexts(["yes"] * len(values))
        present = [value for value, is_missing in zip(values, texts.is_missing, strict=True) if not is_missing]
        readable = (len(present) - present.count(UNREADABLE)) / len(present) if present else 0.0
        return _ReadColumn(texts, values, readable) if readable >= LEAST_FIT else None

    def _place_score(self, pairing: Pairing, field: FieldOfList, slot: Slot, texts: SlotTexts) -> float:
        """Return the `place_score` of a match. `texts` are the slot's texts in the form that the field demands."""
        outline, record_count = self._template.outline, len(self._template.run.records)
        place_of_field = (pairing.field + 0.5) / len(self._wanted.fields)
        distance = abs(place_of_field - outline.place_of(slot))
        score = WEIGHTS.order * (1 - distance) + WEIGHTS.coverage * slot.coverage
        is_single = slot.kind in SINGLE_KINDS and outline.slot_counts[slot.kind] == 1
        if is_single and self._wanted.field_counts[slot.kind] == 1:
            score += WEIGHTS.unique
        if slot.kind == "text" and slot.order == outline.first_text and pairing.field == self._wanted.title_field:
            score += WEIGHTS.title
        if record_count > 2 and not field.has_few_values and texts.is_constant:
            score += WEIGHTS.constant
        if slot.is_joined:
            score += WEIGHTS.joined
        if texts.chars > LONG_TEXT * record_count:
            score += WEIGHTS.long
        return score


def texts_for(field: FieldOfList, slot: Slot) -> SlotTexts:
    """Return the texts of a slot in the form that a field demands: lists keep their lines, and months have the form
    that the field's description states."""
    if field.is_list:
        return slot.texts
    form = field.month_form
    if form is None:
        return slot.texts_in_one_line
    return SlotTexts([in_month_form(text, form) or text for text in slot.texts_in_one_line.by_record])


def read_values(field: FieldOfList, texts: SlotTexts, template: RecordTemplate) -> Sequence[Any]:
    """Return the value of each text for a field: None for an empty text, UNREADABLE for a text
    without a value."""
    return values_of_column(
        texts.by_record, field.wanted, comma_likely=template.is_comma_decimal, known_days=template.days
    )


def _presence(field: FieldOfList, texts: Sequence[str], values: Sequence[Any]) -> Sequence[Any]:
    """Return the values of a boolean field. If all texts are equal and name the field, the records with this text have
    the value True, and the other records False."""
    distinct_texts = {text for text in texts if text}
    if len(distinct_texts) == 1 and likeness_by_words(field.wanted.names, *distinct_texts) >= 1:
        return [bool(text) for text in texts]
    return values


def _look(field: FieldOfList, slot: Slot) -> float:
    """Return how well the texts of a slot look like values of a field, from -1 to 1: like organisations, like places
    or, for any other field, not like organisations."""
    if not slot.kind.startswith("text"):
        return 0.0
    concepts = field.wanted.names.concepts
    if concepts & _ORGANISATIONS or "organisation" in field.roles:
        return slot.share_of_organisations
    if concepts & _PLACES or "place" in field.roles:
        likelihood_after_sign = 0.7 if slot.sign in _SIGNS_BEFORE_PLACES else 0.2
        return likelihood_after_sign * slot.share_of_names - slot.share_of_organisations
    return -0.5 * slot.share_of_organisations
