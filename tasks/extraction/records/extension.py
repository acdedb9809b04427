"""Extends the slots of text fields by neighbouring pieces that no other field takes, such as `Mill Road` by the `7`
after it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.line_pieces import Piece, PiecedLine
from tasks.extraction.records.joined_pieces import join_pieces
from tasks.extraction.records.list_fields import FieldOfList
from tasks.extraction.records.runs import Run
from tasks.extraction.records.slots import TEXT_KINDS, PiecePlace, Slot, SlotCell

_EXTENDED_KINDS: Final = TEXT_KINDS | {"number", "code", "measure"}
"""Kinds of slots that may be the middle of a longer text."""
_SEPARATE_KINDS: Final = frozenset(("period", "date", "email", "uri", "phone", "money", "times", "score"))
"""Kinds of pieces that are never part of a longer text."""


def extend_slots(run: Run, fields: Sequence[FieldOfList], slots: Mapping[int, Slot]) -> Slices[dict[int, Slot]]:
    """Return the slot of each field, by the field's index. The slots of fields for free text are extended."""
    pieces_by_record = zip(*(slot.pieces for slot in slots.values()), strict=True)
    taken: list[set[PiecePlace]] = [set().union(*places) for places in pieces_by_record]
    extended = dict(slots)
    for index, slot in slots.items():
        yield
        if not fields[index].is_free_text or not _may_be_extended(slot, slots.values()):
            continue
        cells: list[SlotCell | None] = []
        for record, taken_in_record, cell in zip(run.records, taken, slot.cells, strict=True):
            longer = _extended_cell(record, cell, taken_in_record, is_text=slot.kind == "text") if cell else None
            cells.append(longer or cell)
            if longer:
                taken_in_record |= longer.pieces
        if cells != slot.cells:
            extended[index] = replace(slot, cells=cells)
    return extended


def _may_be_extended(slot: Slot, slots: Collection[Slot]) -> bool:
    """True if the pieces of a slot may be a part of a longer text. Pieces that are not texts may not be if another slot
    has the same pieces as a text."""
    if slot.kind not in _EXTENDED_KINDS or slot.is_rest_of_record:
        return False
    return slot.kind == "text" or not any(
        "text" in other.kind and other.pieces == slot.pieces for other in slots if other is not slot
    )


def _extended_cell(
    record: Sequence[PiecedLine], cell: SlotCell, taken: Collection[PiecePlace], *, is_text: bool
) -> SlotCell | None:
    """Return a cell with the pieces after it and, if the slot has texts, the pieces before it; None if no piece can be
    joined."""
    places = sorted(cell.pieces)
    line_number = places[0].line
    first, last = places[0].piece, places[-1].piece
    pieces = record[line_number].pieces
    while (
        last + 1 < len(pieces)
        and _continues(pieces[last], pieces[last + 1], is_text=is_text)
        and PiecePlace(line_number, last + 1) not in taken
    ):
        last += 1
    while (
        is_text
        and first > 0
        and _precedes(pieces[first - 1], pieces[first])
        and PiecePlace(line_number, first - 1) not in taken
    ):
        first -= 1
    if last - first + 1 == len(places):
        return None
    return join_pieces(record[line_number], line_number, range(first, last + 1))


def _continues(before: Piece, piece: Piece, *, is_text: bool) -> bool:
    """True if a piece continues the text before it: after a space or, if the slot has texts, after a
    comma."""
    is_joined = piece.sign == "" or (is_text and piece.sign == "comma")
    is_part = piece.kind not in _SEPARATE_KINDS and piece.in_brackets == before.in_brackets
    return is_joined and is_part and not piece.label


def _precedes(before: Piece, piece: Piece) -> bool:
    """True if a piece is the beginning of the text after it."""
    is_part = before.kind not in _SEPARATE_KINDS and piece.in_brackets == before.in_brackets
    return is_part and not (piece.sign or piece.label or before.label)
