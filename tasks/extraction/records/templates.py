"""Groups the pieces of a run's records into slots.

A piece may be in several slots: in one for the piece alone, in one for each of its parts (`piece_parts`), and in those
that join it to its neighbours (`joined_pieces`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.column_values import has_decimal_commas
from tasks.extraction.folding import folded_words
from tasks.extraction.line_pieces import Piece, PiecedLine, is_now
from tasks.extraction.records.joined_pieces import join_pieces, joined_texts
from tasks.extraction.records.line_keys import LineKey, SlotKey, keys_of_lines, keys_of_pieces, kind_of_piece
from tasks.extraction.records.piece_parts import parts_of, unit_text
from tasks.extraction.records.record_labels import (
    IS_LABEL,
    PieceOfRun,
    constant_labels,
    label_by_header,
    with_telling_labels_as_texts,
)
from tasks.extraction.records.runs import Run
from tasks.extraction.records.slots import NUMBER_OF_MARK, NUMBER_OF_SECTION, PiecePlace, Slot, SlotCell
from tasks.extraction.units import unit_of

MAX_SLOTS: Final = 60
CELLS_AT_ONCE: Final = 200
"""At most this many cells of records are put into slots in one step."""
LEAST_COVERAGE: Final = 0.2
"""Slots that a smaller share of the records have are left out, except in a run of fewer than `FEW_RECORDS` records."""
FEW_RECORDS: Final = 4
USUAL: Final = 0.5
"""Least coverage of a slot that a record usually has."""
LINE_ORDER: Final = 30
"""The index of a piece in its line is divided by this number, which is larger than the number of pieces of any line."""
SECTION_ORDER: Final = -1.0
"""Order of the slot with the heading above each record, which comes before all lines."""


@dataclass
class RecordTemplate:
    """The slots of a run's records."""

    run: Run
    slots: Sequence[Slot]
    """The slots, sorted by the number of records that have them, the largest number first."""
    regularity: float
    """Mean coverage of the slots with whole single pieces, each weighted by its coverage: 1 if all records have all of
    them."""
    days: Sequence[date]
    """Days that the passage mentions. A date without a year gets the year that brings it nearest to one of them."""
    comma_likely: bool = False
    """True if commas are the decimal signs of the passage's other numbers."""

    @property
    def size(self) -> int:
        """Number of slots times records."""
        return len(self.slots) * len(self.run.records)

    @cached_property
    def is_comma_decimal(self) -> bool:
        """True if a comma is the decimal sign in the numbers of the records."""
        figures = [slot for slot in self.slots if slot.kind in ("money", "decimal", "number")]
        return has_decimal_commas([slot.texts.by_record for slot in figures], likely=self.comma_likely)

    @cached_property
    def outline(self) -> "RecordOutline":
        return RecordOutline(self.slots)


class RecordOutline:
    """The order and the kinds of the slots that a record usually has."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        usual = [slot for slot in slots if slot.coverage >= USUAL]
        orders = sorted({slot.order for slot in usual})
        self._places = {order: (rank + 0.5) / len(orders) for rank, order in enumerate(orders)}
        self._middle = 0.5 if orders else 0.0
        self.slot_counts = Counter(slot.kind for slot in usual)
        """Number of slots of each kind."""
        self.first_text = min((slot.order for slot in usual if slot.kind == "text"), default=-1.0)
        """Order of the first text of a record; -1 if it has none."""

    def place_of(self, slot: Slot) -> float:
        """Return the place of a slot in its record, from 0 (first) to 1 (last). A slot that few records have counts as
        one in the middle."""
        return self._places.get(slot.order, self._middle)


def template_of(run: Run, days: Sequence[date], *, comma_likely: bool = False) -> Slices[RecordTemplate]:
    """Return the slots of the records of a run. `days` are the days that the passage mentions; `comma_likely` states
    whether commas are the decimal signs of its other numbers."""
    run = with_telling_labels_as_texts(run)
    yield
    slots = yield from _slots(run)
    yield from label_by_header(run, slots)
    slots_of_pieces = [slot for slot in slots if not slot.is_joined and "." not in slot.kind]
    weights = [len(run.records) * slot.coverage for slot in slots_of_pieces]
    weighted_sum = sum(weight * slot.coverage for weight, slot in zip(weights, slots_of_pieces, strict=True))
    slots.sort(key=lambda slot: (-slot.coverage, slot.order))
    return RecordTemplate(run, slots[:MAX_SLOTS], weighted_sum / max(1.0, sum(weights)), days, comma_likely)


class PlacedCell(NamedTuple):
    """A cell of one record, with the properties of the slot to which it belongs."""

    key: SlotKey
    """Key that the cells of one slot have in common."""
    cell: SlotCell
    kind: str
    order: float
    label: str = ""
    sign: str = ""
    unit: str = ""
    is_joined: bool = False
    is_rest_of_record: bool = False


def _slots(run: Run) -> Slices[list[Slot]]:
    """Return the slots that enough records have. If a record has several cells with the key of a slot, the first one
    fills the slot."""
    record_count = len(run.records)
    slots: dict[SlotKey, Slot] = {}
    line_keys: list[list[LineKey]] = []
    for record in run.records:
        yield
        line_keys.append(keys_of_lines(record))
    labels = yield from constant_labels(run, line_keys)
    for index, (record_number, placed) in enumerate(_placed_cells(run, line_keys, labels)):
        if index % CELLS_AT_ONCE == 0:
            yield
        slot = slots.get(placed.key)
        if slot is None:
            slot = slots[placed.key] = Slot(
                placed.kind,
                cells=[None] * record_count,
                label=placed.label,
                order=placed.order,
                sign=placed.sign,
                unit=placed.unit,
                is_joined=placed.is_joined,
                is_rest_of_record=placed.is_rest_of_record,
            )
        if slot.cells[record_number] is None:
            slot.cells[record_number] = placed.cell
            slot.label = slot.label or placed.label
    return [slot for slot in slots.values() if slot.coverage >= LEAST_COVERAGE or record_count < FEW_RECORDS]


def _placed_cells(
    run: Run, line_keys: Sequence[Sequence[LineKey]], labels: Mapping[PieceOfRun, str]
) -> Iterator[tuple[int, PlacedCell]]:
    """Yield the cells of all records, each with the number of its record. `labels` are the labels from constant texts
    (`constant_labels`)."""
    for record_number, (record, keys) in enumerate(zip(run.records, line_keys, strict=True)):
        counts_of_units: Counter[str] = Counter()
        for line_number, (line, key) in enumerate(zip(record, keys, strict=True)):
            labels_of_line = [
                piece.label or labels.get(PieceOfRun(record_number, line_number, index), "")
                for index, piece in enumerate(line.pieces)
            ]
            keyed = _KeyedLine(line_number, line, key, labels_of_line)
            for placed in _cells_of_line(keyed, counts_of_units):
                yield record_number, placed
        if rest := _rest_of_record(record):
            yield record_number, rest
    for record_number, section in enumerate(run.sections):
        if section is not None:
            yield record_number, _section_cell(section)


class _KeyedLine(NamedTuple):
    """A line of a record, with its key and the labels of its pieces."""

    number: int
    """Number of the line in its record, from 0."""
    line: PiecedLine
    key: LineKey
    labels: Sequence[str]
    """The label of each piece; empty for a piece without a label, and `IS_LABEL` for a piece that is a label."""

    def order_of(self, index: int) -> float:
        """Return the order of a piece among the pieces of its record."""
        return self.number + index / LINE_ORDER

    def beginning_of_key(self, label: str) -> LineKey:
        """Return the beginning of the key of a piece. The key includes the line only if the piece has no label, because
        a labelled piece may be in any line."""
        return ("labelled",) if label else (self.key,)


def _cells_of_line(keyed: _KeyedLine, counts_of_units: Counter[str]) -> Iterator[PlacedCell]:
    """Yield the cells of a line. `counts_of_units` has the number of figures with each unit in the record so far."""
    yield from _mark_cells(keyed)
    indices = [index for index, label in enumerate(keyed.labels) if label != IS_LABEL]
    piece_keys = keys_of_pieces(keyed.key, keyed.line)
    counts_of_figures: Counter[str] = Counter()
    for index in indices:
        piece, label = keyed.line.pieces[index], keyed.labels[index]
        kind = kind_of_piece(piece)
        whole = PlacedCell(
            key=("labelled", kind, *folded_words(label)) if label else piece_keys[index],
            cell=SlotCell(_text_of(piece), piece.words, frozenset((PiecePlace(keyed.number, index),))),
            kind=kind,
            order=keyed.order_of(index),
            label=label,
            sign=piece.sign,
        )
        yield whole
        for part, text in parts_of(piece.kind, piece.text):
            cell = whole.cell._replace(text=text)
            if part != "figure":
                yield PlacedCell((*whole.key, part), cell, f"{kind}.{part}", whole.order, label)
                continue
            counts_of_figures[label] += 1
            figure_key = (*keyed.beginning_of_key(label), "figure", *folded_words(label), counts_of_figures[label])
            yield PlacedCell(figure_key, cell, "figure", whole.order, label)
            unit = unit_of(unit_text(piece.text)) if piece.kind == "measure" else ""
            if unit:
                counts_of_units[unit] += 1
                unit_key = ("unit", unit, counts_of_units[unit])
                yield PlacedCell(unit_key, cell, "figure", whole.order, unit=unit)
    yield from _joined_cells(keyed, indices)


def _mark_cells(keyed: _KeyedLine) -> Iterator[PlacedCell]:
    """Yield the box to tick or the number at the beginning of a line; nothing for a bullet."""
    mark = keyed.line.mark
    if "[" in mark:
        kind, text = "box", "no" if mark.endswith(("[ ]", "[]")) else "yes"
    elif any(map(str.isalnum, mark)):
        kind, text = "mark", mark.strip("().§# ")
    else:
        return
    place = PiecePlace(keyed.number, NUMBER_OF_MARK)
    cell = SlotCell(text, (keyed.line.words[0].at,), frozenset((place,)))
    yield PlacedCell((keyed.key, kind), cell, kind, keyed.number)


def _text_of(piece: Piece) -> str:
    """Return the text of a piece; empty for a word such as `today`, which says that a period has not ended."""
    return "" if piece.kind == "moment" and is_now(piece.text) else piece.text


def _joined_cells(keyed: _KeyedLine, indices: Sequence[int]) -> Iterator[PlacedCell]:
    """Yield the texts of neighbouring pieces. `indices` are the indices of the pieces that are not labels."""
    counts: Counter[tuple[str, str]] = Counter()
    for name, group in joined_texts(keyed.line.pieces, indices):
        label = keyed.labels[group[0]]
        counts[name, label] += 1
        yield PlacedCell(
            key=(*keyed.beginning_of_key(label), name, *folded_words(label), counts[name, label]),
            cell=join_pieces(keyed.line, keyed.number, group),
            kind="text",
            order=keyed.order_of(group[0]),
            label=label,
            is_joined=True,
        )


def _rest_of_record(record: Sequence[PiecedLine]) -> PlacedCell | None:
    """Return the lines of a record after the first one as one text; None if no other line has pieces."""
    lines = [line for line in record[1:] if line.pieces]
    if not lines:
        return None
    text = "\n".join(line.text[len(line.mark) :].strip().replace("\t", " ") for line in lines)
    words = tuple(word.at for line in lines for word in line.words)
    pieces = frozenset(
        PiecePlace(line_number, index)
        for line_number, line in enumerate(record)
        if line_number > 0
        for index in range(len(line.pieces))
    )
    return PlacedCell(
        ("rest of record",), SlotCell(text, words, pieces), "text", 1.0, is_joined=True, is_rest_of_record=True
    )


def _section_cell(section: PiecedLine) -> PlacedCell:
    """Return the heading above a record as a cell."""
    words = tuple(word.at for word in section.words)
    cell = SlotCell(section.text.replace("\t", " "), words, frozenset((PiecePlace(NUMBER_OF_SECTION, 0),)))
    return PlacedCell(("section",), cell, "section", SECTION_ORDER)
