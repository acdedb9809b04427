"""Assigns slots to the fields of a list, so that no piece of a record fills two fields."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.records.matches import Match, Pairing
from tasks.extraction.records.slots import PiecePlace, Slot
from tasks.extraction.records.templates import RecordTemplate

LEAST_SCORE: Final = -1.0
"""Least score of a slot that may fill a field."""
LARGEST_CLASH: Final = 0.25
"""A slot may fill a field only if other fields have its pieces in at most this share of the slot's records."""
EQUAL: Final = 0.3
"""Two fields may exchange their slots only if this lowers the sum of their claims (`Match.claim`) by at most this."""


def assign_slots(matches: Mapping[Pairing, Match], template: RecordTemplate) -> Slices[list[Pairing]]:
    """Choose a slot for each field, the matches with the best scores first, and return the pairings by field."""
    chosen: dict[int, int] = {}
    slots, taken = template.slots, _TakenPieces(len(template.run.records))
    for pairing in sorted(matches, key=lambda pairing: (-matches[pairing].score, pairing)):
        slot = slots[pairing.slot]
        if pairing.field in chosen or matches[pairing].score < LEAST_SCORE:
            continue
        yield
        if taken.count_clashes(slot) <= LARGEST_CLASH * slot.count_of_cells:
            chosen[pairing.field] = pairing.slot
            taken.take(slot)
    _put_in_order(chosen, matches, slots)
    return [Pairing(field, slot) for field, slot in sorted(chosen.items())]


class _TakenPieces:
    """The pieces of records that fill fields."""

    def __init__(self, record_count: int) -> None:
        self._parts: list[dict[PiecePlace, set[str]]] = [{} for _ in range(record_count)]
        """Names of the parts that are taken of each piece, by record; the name of a whole piece is empty."""

    def count_clashes(self, slot: Slot) -> int:
        """Return the number of records in which the pieces of a slot, or the slot's parts of these pieces, are
        taken."""
        part = _part_of(slot)
        return sum(
            any(_is_taken(part, parts[place]) for place in places if place in parts)
            for parts, places in zip(self._parts, slot.pieces, strict=True)
        )

    def take(self, slot: Slot) -> None:
        for parts, places in zip(self._parts, slot.pieces, strict=True):
            for place in places:
                parts.setdefault(place, set()).add(_part_of(slot))


def _is_taken(part: str, taken_parts: Collection[str]) -> bool:
    """True if a part of a piece is taken. The whole piece, whose name is empty, counts as taken if any of its parts
    is."""
    return part == "" or part in taken_parts or "" in taken_parts


def _part_of(slot: Slot) -> str:
    """Return the name of the part of a piece that a slot has; empty for whole pieces."""
    return "figure" if slot.kind == "figure" else slot.kind.partition(".")[2]


def _put_in_order(chosen: dict[int, int], matches: Mapping[Pairing, Match], slots: Sequence[Slot]) -> None:
    """Exchange the slots of two fields if this puts slots of one kind in the order of the fields, and lowers the claims
    by at most EQUAL. `chosen` has the index of each field's slot."""
    for first in sorted(chosen):
        for second in sorted(chosen):
            first_slot, second_slot = slots[chosen[first]], slots[chosen[second]]
            if first >= second or first_slot.kind != second_slot.kind or first_slot.order <= second_slot.order:
                continue
            current = [Pairing(first, chosen[first]), Pairing(second, chosen[second])]
            exchanged = [Pairing(first, chosen[second]), Pairing(second, chosen[first])]
            if not all(pairing in matches for pairing in exchanged):
                continue
            least_claim = sum(matches[pairing].claim for pairing in current) - EQUAL
            if sum(matches[pairing].claim for pairing in exchanged) >= least_claim:
                chosen[first], chosen[second] = chosen[second], chosen[first]
