"""Recognises tables by the places of words and rulings: cells with rows, columns and spans.

Pictures and PDFs are treated alike. Rulings that cross form a grid, whose cells contain the words between them. Without
sufficient rulings, vertical strips of white space separate columns (`columns`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Ruling, TextLine
from tasks.layout.cells import CellDraft, PlacedWord, Table, TableDraft, levels_of, placed_words
from tasks.layout.columns import find_unruled_tables
from tasks.layout.rulings import TOUCH, Stroke, levels, skew_of, skew_of_rulings, strokes_of

MAX_TABLES = 50
"""At most this many tables are returned for one page."""
MAX_COMPARED = 1_000_000
"""On one page, at most this many pairs of a word and a grid are compared. Each word is compared with all grids at its
height."""
MAX_CELLS = 5000
"""A grid of rulings with more cells than this is taken for a drawing. Tables without rulings have separate limits
(`columns`)."""
_COLUMN_DISTANCE = 0.7
"""A table continues on the next page only if each column has about the same place on both pages: its two middles differ
by less than this share of half its width. If the widths differ, the smaller one counts."""
_MAX_ROUNDS = 20
"""Merged cells are completed to rectangles in at most this many rounds. A grid that needs more is not read as a table.
The cells of a form take two or three rounds."""
_LINES_OF_CELL = 8
"""If one cell has most of the words of a grid, and more lines than this, the grid is a frame around the page."""
_RULED_SHARE = 0.5
"""A cell has a side where rulings cover at least this share of it. Otherwise it is merged with the cell beside it."""


def tables_on(lines: Sequence[TextLine], rulings: Sequence[Ruling]) -> list[Table]:
    """Return the tables of a page with these `lines`, which are the rows of the page in reading order."""
    angle, height = skew_of(lines)
    angle = skew_of_rulings(rulings, angle, height)
    pieces = placed_words(lines, angle)
    across, down = strokes_of(rulings, angle, height)
    found: list[TableDraft] = []
    taken: set[int] = set()
    grids = sorted(grids_of(across, down, height), key=lambda grid: (grid.ys[0], grid.xs[0]))
    levels = sorted((piece.middle, index) for index, piece in enumerate(pieces)) if grids else []
    compared = 0
    for grid in grids[: 4 * MAX_TABLES]:
        level = levels[bisect_left(levels, (grid.ys[0],)) : bisect_right(levels, (grid.ys[-1], len(pieces)))]
        compared += len(level)
        if compared > MAX_COMPARED:
            break
        level_pieces = [pieces[index] for index in sorted(index for _, index in level)]
        table = _table_in_grid(grid, [piece for piece in level_pieces if id(piece) not in taken], height)
        if table is not None:
            found.append(table)
            taken.update(id(piece) for cell in table.cells for piece in cell.pieces)
    rest = [piece for piece in pieces if id(piece) not in taken] if taken else pieces
    found += find_unruled_tables(rest, across, height)
    found.sort(key=lambda table: min(piece.line for cell in table.cells for piece in cell.pieces))
    return [table.to_table(angle) for table in found[:MAX_TABLES]]


def join(pages: Sequence[Sequence[Table]], numbers: Sequence[int], lengths: Sequence[int]) -> None:
    """Join tables across pages. `numbers` are the pages' numbers, `lengths` their numbers of lines. If a table
    continues at the top of the next page with the same columns, its rows are appended to the first table, and the
    second table is only marked `continued`."""
    first: Table | None = None
    last: Table | None = None
    """`last` is the last table of the previous page, and `first` the table that it continues, or else `last` itself.
    `first` is None if no table may continue."""
    on = before = 0
    for tables, number, length in zip(pages, numbers, lengths, strict=True):
        if tables and first and last and number == before + 1 and _continues(last, tables[0]):
            _append(first, tables[0], on + 1)
            on, last = on + 1, tables[0]
        else:
            first = None
        if tables and (first is None or len(tables) > 1):
            on, first, last = 0, tables[-1], tables[-1]
        # One line may follow the table on its page, such as a page number.
        if first is None or last is None or max(last.lines) < length - 2:
            first = None
        before = number


def _continues(above: Table, below: Table) -> bool:
    if min(below.lines) > 1 or above.columns != below.columns:
        return False
    one, other = (list(pairwise(table.edges)) for table in (above, below))
    return all(
        abs(left + right - start - end) < _COLUMN_DISTANCE * (min(right - left, end - start))
        for (left, right), (start, end) in zip(one, other, strict=True)
    )


def _append(table: Table, more: Table, pages_on: int) -> None:
    """Append the rows of `more`, a table `pages_on` pages later, to `table`. A repeated header is left out."""
    head, repeated = ([cell.text for cell in one.cells if cell.row == 0] for one in (table, more))
    left_out = int(head == repeated and all(cell.row_span == 1 for cell in more.cells if cell.row == 0))
    table.cells += [
        replace(cell, row=cell.row + table.rows - left_out, pages_on=pages_on)
        for cell in more.cells
        if cell.row >= left_out
    ]
    table.rows += more.rows - left_out
    more.continued = True


@dataclass(frozen=True, slots=True)
class RulingGrid:
    """A grid of rulings that meet: the edges of its columns and rows, and the cells that are merged."""

    xs: Sequence[float]
    """Edges of the columns from left to right, one more than there are columns."""
    ys: Sequence[float]
    owner: dict[tuple[int, int], tuple[int, int]]
    """The first cell (row, column) of the rectangle of merged cells that contains each cell."""

    def at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the first cell of the rectangle that contains a point."""
        row, column = bisect_right(self.ys, y) - 1, bisect_right(self.xs, x) - 1
        return self.owner.get((row, column))


def grids_of(across: Sequence[Stroke], down: Sequence[Stroke], height: float) -> list[RulingGrid]:
    """Return the grids that the rulings form. Outer sides may be open."""
    if not across or not down:
        return []
    slack = TOUCH * height
    level, left, right = np.array([(one.level, one.start, one.end) for one in across]).T[:, :, None]
    place, top, bottom = np.array([(one.level, one.start, one.end) for one in down]).T[:, None, :]
    meet = (left - slack <= place) & (place <= right + slack) & (top - slack <= level) & (level <= bottom + slack)
    rows, columns = np.nonzero(meet)
    number = len(across) + len(down)
    _, labels = _connected_groups(rows, columns + len(across), number)
    grids = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label).tolist()
        one = [across[place] for place in members if place < len(across)]
        other = [down[place - len(across)] for place in members if place >= len(across)]
        if one and other and (grid := _build_grid(one, other, height)) is not None:
            grids.append(grid)
    return grids


def _build_grid(across: Sequence[Stroke], down: Sequence[Stroke], height: float) -> RulingGrid | None:
    ys, xs = _grid_edges(across, down, height), _grid_edges(down, across, height)
    if len(xs) < 2 or len(ys) < 2 or (len(xs) - 1) * (len(ys) - 1) > MAX_CELLS:
        return None
    ruled_beside, below = _ruled_sides(down, xs, ys), _ruled_sides(across, ys, xs).T
    owner = _merge_to_rectangles(ruled_beside, below)
    return RulingGrid(xs, ys, owner) if owner else None


def _grid_edges(strokes: Sequence[Stroke], crossing: Sequence[Stroke], height: float) -> list[float]:
    """Return the levels of `strokes`. If the crossing strokes extend beyond the outermost level, that is an open side,
    and their ends count as a further level."""
    places = [level for level, _ in levels(strokes, height)]
    starts, ends = sorted(one.start for one in crossing), sorted(one.end for one in crossing)
    # The median is used, because at an open side most strokes extend equally far. A single stroke that extends further
    # belongs to something else.
    start, end = starts[len(starts) // 2], ends[len(ends) // 2]
    if start < places[0] - height:
        places.insert(0, start)
    if end > places[-1] + height:
        places.append(end)
    return places


def _ruled_sides(strokes: Sequence[Stroke], places: Sequence[float], steps: Sequence[float]) -> NDArray[np.bool_]:
    """Return a mask of parts × places. A part lies between two successive `steps`. The mask is True where rulings cover
    at least the share _RULED_SHARE of the part."""
    covered = np.zeros((len(steps) - 1, len(places)))
    starts, ends = np.array(steps[:-1]), np.array(steps[1:])
    middles = [(one + other) / 2 for one, other in pairwise(places)]
    for stroke in strokes:
        shared = np.minimum(ends, stroke.end) - np.maximum(starts, stroke.start)
        covered[:, bisect_right(middles, stroke.level)] += shared.clip(min=0)
    ruled: NDArray[np.bool_] = covered >= _RULED_SHARE * (ends - starts)[:, None]
    return ruled


def _merge_to_rectangles(
    is_ruled_beside: NDArray[np.bool_], below: NDArray[np.bool_]
) -> dict[tuple[int, int], tuple[int, int]] | None:
    """Merge cells without a side between them into rectangles. `is_ruled_beside[row, edge]` and `below[edge, column]`
    are the existing sides. Return None if that takes more than _MAX_ROUNDS rounds."""
    rows, columns = is_ruled_beside.shape[0], below.shape[1]
    number = np.arange(rows * columns).reshape(rows, columns)
    right = ~is_ruled_beside[:, 1:-1]
    down = ~below[1:-1, :]
    one = np.concatenate([number[:, :-1][right], number[:-1, :][down]])
    other = np.concatenate([number[:, 1:][right], number[1:, :][down]])
    for _ in range(_MAX_ROUNDS):
        count, labels = _connected_groups(one, other, rows * columns)
        grid = labels.reshape(rows, columns)
        row, column = np.divmod(np.arange(rows * columns), columns)
        top, left = np.full(count, rows), np.full(count, columns)
        bottom, far = np.zeros(count, np.intp), np.zeros(count, np.intp)
        np.minimum.at(top, labels, row)
        np.minimum.at(left, labels, column)
        np.maximum.at(bottom, labels, row)
        np.maximum.at(far, labels, column)
        area = (bottom - top + 1) * (far - left + 1)
        odd = np.flatnonzero(area != np.bincount(labels, minlength=count))
        if not len(odd):
            return {(y, x): (int(top[grid[y, x]]), int(left[grid[y, x]])) for y in range(rows) for x in range(columns)}
        # A shape that is not a rectangle is extended to one, together with all cells that the rectangle then covers.
        for label in odd:
            inside = number[top[label] : bottom[label] + 1, left[label] : far[label] + 1].ravel()
            one = np.concatenate([one, inside[:-1]])
            other = np.concatenate([other, inside[1:]])
    return None


def _connected_groups(starts: NDArray[np.intp], ends: NDArray[np.intp], number: int) -> tuple[int, NDArray[np.intp]]:
    """Return the number of groups of connected nodes, and the group of each node. `starts` and `ends` have the two ends
    of each connection."""
    # SciPy has such a function, but importing it takes a second of processor time.
    first = np.arange(number)
    while True:
        lower, higher = np.minimum(first[starts], first[ends]), np.maximum(first[starts], first[ends])
        if (lower == higher).all():
            break
        np.minimum.at(first, higher, lower)
        while (first[first] != first).any():
            first = first[first]
    nodes, labels = np.unique(first, return_inverse=True)
    return len(nodes), labels.reshape(-1)


def _table_in_grid(grid: RulingGrid, pieces: Sequence[PlacedWord], height: float) -> TableDraft | None:
    """Build the table of `grid` with the words in it; None if it is a frame or a drawing."""
    places: dict[tuple[int, int], CellDraft] = {}
    for (row, column), first in grid.owner.items():
        place = places.setdefault(first, CellDraft(*first))
        place.row_span = max(place.row_span, row - first[0] + 1)
        place.col_span = max(place.col_span, column - first[1] + 1)
    for piece in pieces:
        inside = grid.at(piece.centre, piece.middle)
        if inside is not None:
            places[inside].pieces.append(piece)
    if _is_frame(places.values(), len(pieces)):
        return None
    ruled = TableDraft(grid.xs, grid.ys, list(places.values()))
    table = _split_ruled_rows(ruled, height)
    filled = [place for place in table.cells if place.pieces]
    rows, columns = {place.row for place in filled}, {place.column for place in filled}
    if len(rows) < 2 or len(columns) < 2 or 5 * len(filled) < len(table.cells):
        return None
    return table


def _is_frame(cells: Iterable[CellDraft], words: int) -> bool:
    """True if one cell has most of the words of a grid, in many lines. The rulings of such a grid are the edges of a
    sheet, with the whole page inside."""
    largest = max((cell.pieces for cell in cells), key=len)
    return 2 * len(largest) > words and len(levels_of(largest)) > _LINES_OF_CELL


def _split_ruled_rows(table: TableDraft, height: float) -> TableDraft:
    """Split the tall rows of a table that has at most three rulings between its rows, if the lines of its cells are
    level with each other."""
    ys: list[float] = [table.ys[0]]
    starts: list[int] = []
    """Index of the first new row for each ruled row."""
    parts: dict[int, list[float]] = {}
    for row, (top, bottom) in enumerate(pairwise(table.ys)):
        starts.append(len(ys) - 1)
        inside = [place for place in table.cells if place.row == row and place.row_span == 1]
        cuts = _row_cuts(inside, len(table.xs) - 1) if len(table.ys) <= 5 and bottom - top > 3 * height else []
        parts[row] = cuts
        ys += [*cuts, bottom]
    if not any(parts.values()):
        return table
    starts.append(len(ys) - 1)
    cells = []
    for place in table.cells:
        cuts = parts[place.row] if place.row_span == 1 else []
        if not cuts:
            last = place.row + place.row_span
            cells.append(replace(place, row=starts[place.row], row_span=starts[last] - starts[place.row]))
            continue
        for part in range(len(cuts) + 1):
            inside_part = [piece for piece in place.pieces if bisect_right(cuts, piece.middle) == part]
            cells.append(replace(place, row=starts[place.row] + part, pieces=inside_part))
    return TableDraft(table.xs, ys, cells)


def _row_cuts(row: Sequence[CellDraft], columns: int) -> list[float]:
    """Return the levels at which a ruled row is cut into rows of text; empty if it is one row."""
    if len(row) < 2 or any(place.col_span > 1 for place in row):
        return []
    lines = levels_of(piece for place in row for piece in place.pieces)
    column_of = {id(piece): place.column for place in row for piece in place.pieces}
    shared = [line for line in lines if 2 * len({column_of[id(piece)] for piece in line}) > columns]
    if len(shared) < 3 or 3 * len(shared) < 2 * len(lines):
        return []
    return _levels_between(shared)


def _levels_between(lines: Sequence[Sequence[PlacedWord]]) -> list[float]:
    """Return the levels halfway between successive lines, each of which begins a row."""
    tops = [min(piece.top for piece in line) for line in lines]
    bottoms = [max(piece.bottom for piece in line) for line in lines]
    return [(bottom + top) / 2 for bottom, top in zip(bottoms, tops[1:], strict=False)]
