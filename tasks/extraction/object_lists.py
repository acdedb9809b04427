"""Reads lists of objects: each row of a table, or each item of a receipt, becomes an object.

The cells of a field are printed below each other, look alike, and belong to no other field. Therefore, the module first
finds columns of possible cells. Each field then gets the column whose cells the network scores highest for the field,
and each row with cells becomes an item.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any, Literal, NamedTuple

import numpy as np

from tasks.extraction.best_pairs import best_pairs
from tasks.extraction.boxes import box_of
from tasks.extraction.candidates import CandidateSpan, LineSegment
from tasks.extraction.features import Matrix
from tasks.extraction.fields import WantedField
from tasks.extraction.probability import CellOfItem, FieldScores, ItemFeatures, with_agreement, worth_of
from tasks.extraction.values import ValueForm
from tasks.schema.paths import JsonPath

MAX_ITEMS = 1_000
MAX_PLACES = 1_500
"""At most this many possible cells are examined, the most likely first."""
LEAST_OUTSIDE_LOGIT = 0.0
"""Logit that a cell outside its field's column must exceed."""
POSSIBLE = -6.0
"""Logit that a cell in its field's column must exceed: a probability of 0.2 %."""
CERTAIN = 5.0
"""When fields are matched with columns and when a list is calibrated, a logit above this counts as this. The same
number is the bonus on the logit of a cell in its field's column."""
FILLED = 3.0
"""Bonus of each row in which a column has a possible cell, when fields are matched with columns."""
OUTSIDE_PENALTY = 2.0
"""Penalty on the logit of a cell outside its field's column."""
CENT = 0.005
FEWEST_ADDED = 2
"""A line counts as a sum only if it is the sum of at least this many amounts above it. Fewer may agree by
coincidence."""
LEAST_ITEM_LOGIT = -3.0
"""Mean logit that the cells of an item must exceed."""
LEAST_ROW_OVERLAP = 0.5
"""Two lines in the same row overlap by more than this share of the smaller line's height."""
MAX_ROW_DISTANCE = 3.0
"""Two rows of an item are at most this far apart, in heights of a line."""
MAX_EDGE_DISTANCE = 0.7
"""The left or the right edge of a cell is less than this distance from that of its column, in heights of the cell."""
TELLING = 9
"""Number of possible cells, the most likely ones, that determine the edges of a column."""
LONG_LIST_ITEMS = 5
"""A list with more items than this is as certain as a list with this many."""

PrintedText = tuple[int, str, str]
"""The index of an entry, the pointer of a line in it, and a text in this line."""
_Kind = Literal["text", "day", "figures"]


class _PossibleCell(NamedTuple):
    """A span that may be a cell. Without boxes, a line is a unit high and a word a unit wide."""

    span: int
    """Index of the span."""
    page: int
    row: int
    """Index of the row among the rows of all pages."""
    left: float
    top: float
    right: float
    bottom: float
    kind: _Kind


class _Column:
    """A column of possible cells. The most likely cells, which are added first, determine its edges."""

    def __init__(self, place: _PossibleCell) -> None:
        self.places = [place]
        self._left, self._right = place.left, place.right

    def add(self, place: _PossibleCell) -> None:
        self.places.append(place)
        if len(places := self.places) <= TELLING:
            self._left = median(one.left for one in places)
            self._right = median(one.right for one in places)

    def has(self, place: _PossibleCell) -> bool:
        """True if a place of the same page and kind belongs to the column."""
        tolerance = MAX_EDGE_DISTANCE * (place.bottom - place.top)
        return abs(place.left - self._left) < tolerance or abs(place.right - self._right) < tolerance


class _Cell(NamedTuple):
    row: int
    """Index of the field among the wanted fields."""
    odds: float
    """Logit that the span is the field's value, minus the logit that no span is its value."""
    value: Any
    place: _PossibleCell


@dataclass(frozen=True, slots=True)
class ObjectList:
    """The objects of a list in the order of the page, and the cell of each copied value, by path."""

    rows: list[dict[str, Any]]
    cells: Mapping[JsonPath, CellOfItem]

    def worth(self) -> float:
        return worth_of(self.cells.values())

    def compared_with(self, others: Collection[Sequence[Mapping[str, Any]]]) -> "ObjectList":
        """Return the list with how it agrees with `others`, its rows by other ways to fill it."""
        return ObjectList(self.rows, with_agreement(self.cells, self.rows, others))

    def without_places(self, scored: FieldScores, used: Collection[PrintedText]) -> "ObjectList":
        """Return the list without the objects that have more than half of their cells in `used`."""
        taken: dict[int, list[bool]] = {}
        for (*_, item, _), cell in self.cells.items():
            taken.setdefault(int(item), []).append(printed_text(scored, cell) in used)
        kept = [item for item in range(len(self.rows)) if 2 * sum(taken.get(item, ())) <= len(taken.get(item, ()))]
        if len(kept) == len(self.rows):
            return self
        numbers = {old: new for new, old in enumerate(kept)}
        cells = {
            (*list_path, numbers[int(item)], name): cell
            for (*list_path, item, name), cell in self.cells.items()
            if item in numbers
        }
        return ObjectList([self.rows[item] for item in kept], cells)


def printed_text(scored: FieldScores, cell: CellOfItem) -> PrintedText:
    """Return the place and the text of an object's cell."""
    span = scored.candidates.spans[cell.span]
    line = span.passage.lines[span.passage.line_at(span.words[0])]
    text = " ".join([span.passage.words[word] for word in span.words])
    return span.passage.entry, line.pointer, text


def read_object_list(scored: FieldScores, list_path: JsonPath) -> ObjectList:
    """Return the objects of the list at `list_path`."""
    rows = [row for row, one in enumerate(scored.fields) if one.in_list and one.path[:-1] == list_path]
    odds = scored.logits[rows, :-1] - scored.logits[rows, -1:]
    places = list(_possible_cells(scored, odds.max(axis=0, initial=POSSIBLE)))
    chosen = _choose_cells(scored, rows, odds, places)
    items = list(_group_into_items(chosen, len(rows)))
    largest = max(map(len, items), default=0)
    kept = [
        item
        for item in items
        if 2 * len(item) > largest and sum(cell.odds for cell in item.values()) > LEAST_ITEM_LOGIT * len(item)
    ]
    kept = kept[: _first_sum(kept)]
    values_with_items = [
        (value, item) for item in kept[:MAX_ITEMS] if (value := _object_of(scored, item, rows)) is not None
    ]
    items = [item for _, item in values_with_items]
    cells = {
        (*list_path, number, scored.fields[row].path[-1]): CellOfItem(cell.place.span, features)
        for (number, row, cell), features in zip(_cells_of(items), _features_of(items, len(rows)), strict=True)
    }
    return ObjectList([value for value, _ in values_with_items], cells)


def _first_sum(items: Sequence[Mapping[int, _Cell]]) -> int:
    """Return the index of the first item that has an amount which is the sum of the amounts above it, or the number of
    items if no item is a sum. The list ends before the sum."""
    sums = {row: 0.0 for item in items for row, cell in item.items() if isinstance(cell.value, float)}
    for index, item in enumerate(items):
        sums = {row: above for row, above in sums.items() if row in item}
        if index >= FEWEST_ADDED and any(abs(item[row].value - above) < CENT for row, above in sums.items()):
            return index
        sums = {row: above + item[row].value for row, above in sums.items()}
    return len(items)


def _cells_of(items: Sequence[Mapping[int, _Cell]]) -> Iterator[tuple[int, int, _Cell]]:
    return ((index, row, cell) for index, item in enumerate(items) for row, cell in item.items())


def _features_of(items: Sequence[Mapping[int, _Cell]], fields: int) -> Iterator[ItemFeatures]:
    """Yield the input of the calibration for each cell of a list."""
    cells = [*_cells_of(items)]
    cells_by_field: dict[int, list[_Cell]] = {}
    for _, row, cell in cells:
        cells_by_field.setdefault(row, []).append(cell)
    edges = {
        row: (median(cell.place.left for cell in own), median(cell.place.right for cell in own))
        for row, own in cells_by_field.items()
    }
    likely = {row: sum(_chance(cell.odds) for cell in own) / len(own) for row, own in cells_by_field.items()}
    mean = sum(_chance(cell.odds) for *_, cell in cells) / max(1, len(cells))
    filled = len(cells) / max(1, len(items) * fields)
    for item, row, cell in cells:
        left, right = edges[row]
        tolerance = MAX_EDGE_DISTANCE * (cell.place.bottom - cell.place.top)
        is_aligned = abs(cell.place.left - left) < tolerance or abs(cell.place.right - right) < tolerance
        yield ItemFeatures(
            odds=min(max(cell.odds, -CERTAIN), CERTAIN),
            mean=mean,
            likely=likely[row],
            filled=filled,
            column=len(cells_by_field[row]) / len(items),
            item=len(items[item]) / fields,
            aligned=float(is_aligned and len(items) > 1),
            length=min(len(items), LONG_LIST_ITEMS) / LONG_LIST_ITEMS,
        )


def _chance(odds: float) -> float:
    return float(1 / (1 + np.exp(-odds)))


def _possible_cells(scored: FieldScores, best: Matrix) -> Iterator[_PossibleCell]:
    """Yield the most likely spans that lie within a single row, the most likely first."""
    candidates = scored.candidates
    pages = {id(passage): page for page, passage in enumerate(candidates.passages)}
    rows = _rows_of(candidates.segments, pages)
    for index in np.argsort(-best, kind="stable")[:MAX_PLACES]:
        span = candidates.spans[index]
        row = rows[span.first]
        if best[index] <= POSSIBLE:
            return
        if rows[span.last] != row:
            continue
        box = box_of(span.passage, span.words)
        if box is None:
            first = span.passage.line_words(span.passage.line_at(span.words[0])).start
            box = (span.words[0] - first, row, span.words[-1] + 1 - first, row + 1)
        left, top, right, bottom = map(float, box)
        yield _PossibleCell(
            int(index),
            page=pages[id(span.passage)],
            row=row,
            left=left,
            top=top,
            right=right,
            bottom=bottom,
            kind=_kind_of(span),
        )


def _rows_of(segments: Sequence[LineSegment], pages: Mapping[int, int]) -> list[int]:
    """Return the index of each segment's row. A segment without a box is a separate row."""
    boxes = [segment.box or (0, index, 0, index + 1) for index, segment in enumerate(segments)]
    middles = [box[1] + box[3] for box in boxes]
    order = sorted(range(len(segments)), key=lambda index: (pages[id(segments[index].passage)], middles[index]))
    rows, row, first = [0] * len(segments), -1, -1
    for index in order:
        if (
            first < 0
            or segments[first].passage is not segments[index].passage
            or not _is_beside(boxes[first], boxes[index])
        ):
            row, first = row + 1, index
        rows[index] = row
    return rows


def _is_beside(first: Sequence[float], second: Sequence[float]) -> bool:
    common = min(first[3], second[3]) - max(first[1], second[1])
    return common > LEAST_ROW_OVERLAP * min(first[3] - first[1], second[3] - second[1])


def _kind_of(span: CandidateSpan) -> _Kind:
    if span.kind == "day":
        return "day"
    letters = sum(map(str.isalpha, span.text))
    return "text" if 2 * letters > len(span.text) else "figures"


def _choose_cells(
    scored: FieldScores, rows: Sequence[int], odds: Matrix, places: Sequence[_PossibleCell]
) -> list[_Cell]:
    """Return the most likely cells, in the order on the page. No word is in two cells, and no field has two cells in a
    row."""
    columns = _find_columns(places)
    column_of = {place.span: number for number, column in enumerate(columns) for place in column.places}
    column_by_field = _assign_columns(odds, columns)
    options = []
    for place in places:
        for number in range(len(rows)):
            own = column_by_field.get((number, place.page))
            logit = float(odds[number, place.span])
            if column_of[place.span] == own:
                options += [(logit + CERTAIN, number, place)] if logit > POSSIBLE else []
            elif logit - OUTSIDE_PENALTY * (own is not None) > LEAST_OUTSIDE_LOGIT:
                options.append((logit - OUTSIDE_PENALTY * (own is not None), number, place))
    forms = [ValueForm.of(one.schema, one.names) for one in (scored.fields[row] for row in rows)]
    taken: set[tuple[int, int]] = set()
    found: dict[tuple[int, int], _Cell] = {}
    for _, number, place in sorted(options, key=lambda option: -option[0]):
        span, wanted = scored.candidates.spans[place.span], scored.fields[rows[number]]
        words = {(place.page, word) for word in span.words}
        if (number, place.row) in found or not taken.isdisjoint(words):
            continue
        value = next(filter(wanted.fits, forms[number].values_of(span, scored.candidates.has_days_first)), None)
        if value is not None:
            taken |= words
            found[number, place.row] = _Cell(rows[number], float(odds[number, place.span]), value, place)
    return sorted(found.values(), key=lambda cell: (cell.place.row, cell.place.left))


def _find_columns(places: Iterable[_PossibleCell]) -> list[_Column]:
    found: dict[tuple[int, _Kind], list[_Column]] = {}
    for place in places:
        columns = found.setdefault((place.page, place.kind), [])
        column = next((column for column in columns if column.has(place)), None)
        if column is None:
            columns.append(_Column(place))
        else:
            column.add(place)
    return [column for columns in found.values() for column in columns]


def _assign_columns(odds: Matrix, columns: Sequence[_Column]) -> dict[tuple[int, int], int]:
    """Assign different columns to the fields on each page, so that the total weight is largest."""
    found = {}
    for page in {column.places[0].page for column in columns}:
        own = [number for number, column in enumerate(columns) if column.places[0].page == page]
        worth = np.zeros((len(odds), len(own)), np.float32)
        for index, number in enumerate(own):
            rows = groupby(sorted(columns[number].places, key=lambda place: place.row), lambda one: one.row)
            for _, row in rows:
                spans = [place.span for place in row]
                worth[:, index] += np.clip(odds[:, spans].max(axis=1), -CERTAIN, CERTAIN) + FILLED
        for field, index in best_pairs(worth):
            if worth[field, index] > 0:
                found[field, page] = own[index]
    return found


def _group_into_items(cells: Sequence[_Cell], size: int) -> Iterator[dict[int, _Cell]]:
    """Group rows of cells into items, each with its cells by field.

    A row begins another item if the item already has one of the row's fields, or if the row is far below the item.
    """
    item: dict[int, _Cell] = {}
    for _, row in groupby(cells, lambda cell: cell.place.row):
        own = {cell.row: cell for cell in row}
        last = max(item.values(), key=lambda cell: cell.place.bottom).place if item else None
        place = next(iter(own.values())).place
        height = max(cell.place.bottom - cell.place.top for cell in own.values())
        is_far = last is not None and (place.page != last.page or place.top - last.bottom > MAX_ROW_DISTANCE * height)
        if item and (is_far or len(item) == size or not item.keys().isdisjoint(own)):
            yield item
            item = {}
        item |= own
    if item:
        yield item


def _object_of(scored: FieldScores, item: Mapping[int, _Cell], rows: Sequence[int]) -> dict[str, Any] | None:
    """Return the object of an item, or None if a required value is missing."""
    value: dict[str, Any] = {}
    for row in rows:
        wanted = scored.fields[row]
        if row in item:
            value[str(wanted.path[-1])] = item[row].value
        elif not wanted.may_be_left_out:
            if not (empty_value := _empty_value(wanted)):
                return None
            value[str(wanted.path[-1])] = empty_value[0]
    return value


def _empty_value(wanted: WantedField) -> tuple[Any, ...]:
    return next(((value,) for value in (None, "") if wanted.fits(value)), ())
