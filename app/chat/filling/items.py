"""Lists of objects: the rows of a table, the items of a receipt, one object for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.chat.filling.extractor import Scored, Wanted, values_of
from app.chat.filling.spans import Span
from app.chat.schema.structured import Path

MOST_ITEMS = 1_000
DOUBTFUL = -2.0
"""A cell that is missing from an item is taken from its lines where its logit is above this: 12 %."""
SAME_ROW = 0.5
"""The part of the lower of two cells that must be beside the other."""
FAR = 3.0
"""Heights of a line: what is further below begins another item."""


@dataclass(frozen=True, slots=True)
class _Cell:
    row: int
    """The field's index among those that were asked for."""
    odds: float
    """The logit that it is one, against none."""
    span: Span
    value: Any
    page: int
    top: float
    bottom: float


@dataclass(slots=True)
class _Item:
    page: int
    top: float
    bottom: float
    cells: dict[int, _Cell] = field(default_factory=dict)

    def add(self, cell: _Cell) -> None:
        self.cells.setdefault(cell.row, cell)
        self.top, self.bottom = min(self.top, cell.top), max(self.bottom, cell.bottom)


def items_of(scored: Scored, at: Path) -> list[dict[str, Any]]:
    """The objects of the list at `at`, in the order in which they stand. Synchronous."""
    columns = [row for row, one in enumerate(scored.fields) if one.in_list and one.path[:-1] == at]
    cells = [cell for row in columns for cell in _cells(scored, row, 0.0)]
    cells.sort(key=lambda cell: (cell.page, cell.top + cell.bottom, cell.span.words[0]))
    items: list[_Item] = []
    for line in _lines(cells):
        last = items[-1] if items else None
        height = max(cell.bottom - cell.top for cell in line)
        if (
            last is None
            or last.page != line[0].page
            or len(last.cells) == len(columns)
            or any(cell.row in last.cells for cell in line)
            or min(cell.top for cell in line) - last.bottom > FAR * height
        ):
            last = _Item(line[0].page, line[0].top, line[0].bottom)
            items.append(last)
        for cell in line:
            last.add(cell)
    most = max((len(item.cells) for item in items), default=0)
    kept = [item for item in items if 2 * len(item.cells) > most][:MOST_ITEMS]
    doubtful = {row: _cells(scored, row, DOUBTFUL) for row in columns} if kept else {}
    found = [_value(scored, item, columns, doubtful) for item in kept]
    return [value for value in found if value is not None]


def _cells(scored: Scored, row: int, least: float) -> list[_Cell]:
    """The places that are a value of the field, none of which is part of another."""
    wanted = scored.fields[row]
    odds = scored.logits[row, :-1] - scored.logits[row, -1]
    taken: set[tuple[int, int]] = set()
    found: list[_Cell] = []
    for at in np.argsort(-odds, kind="stable"):
        if odds[at] <= least or len(found) == MOST_ITEMS:
            break
        span = scored.reading.spans[at]
        words = {(id(span.passage), word) for word in span.words}
        if not taken.isdisjoint(words):
            continue
        value = next(filter(wanted.fits, values_of(span, wanted.schema, scored.days_first)), None)
        if value is None:
            continue
        taken |= words
        page, top, bottom = _place(scored, span)
        found.append(_Cell(row, float(odds[at]), span, value, page, top, bottom))
    return found


def _place(scored: Scored, span: Span) -> tuple[int, float, float]:
    """Its passage, top and bottom; lines without boxes are a unit high."""
    page = next(number for number, passage in enumerate(scored.reading.passages) if passage is span.passage)
    box = scored.reading.segments[span.first].box
    if box is None:
        line = span.passage.line_at(span.words[0])
        return page, float(line), line + 1.0
    last = scored.reading.segments[span.last].box or box
    return page, float(box[1]), float(last[3])


def _lines(cells: Sequence[_Cell]) -> list[list[_Cell]]:
    lines: list[list[_Cell]] = []
    for cell in cells:
        if lines and _is_beside(cell, lines[-1][0]):
            lines[-1].append(cell)
        else:
            lines.append([cell])
    return lines


def _is_beside(one: _Cell, other: _Cell) -> bool:
    common = min(one.bottom, other.bottom) - max(one.top, other.top)
    return one.page == other.page and common > SAME_ROW * min(one.bottom - one.top, other.bottom - other.top)


def _value(
    scored: Scored, item: _Item, columns: Sequence[int], doubtful: Mapping[int, Sequence[_Cell]]
) -> dict[str, Any] | None:
    """None where a value is missing that has to be there."""
    value: dict[str, Any] = {}
    for row in columns:
        wanted = scored.fields[row]
        cell = item.cells.get(row) or next(
            (
                cell
                for cell in doubtful[row]
                if cell.page == item.page and item.top <= (cell.top + cell.bottom) / 2 <= item.bottom
            ),
            None,
        )
        if cell is not None:
            value[str(wanted.path[-1])] = cell.value
        elif not wanted.may_be_left_out:
            if not (nothing := _nothing(wanted)):
                return None
            value[str(wanted.path[-1])] = nothing[0]
    return value


def _nothing(wanted: Wanted) -> tuple[Any, ...]:
    return next(((value,) for value in (None, "") if wanted.fits(value)), ())
