"""Finds tables without rulings, whose columns are separated by strips of white space that run down through the rows."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from tasks.layout.cells import CellDraft, PlacedWord, TableDraft
from tasks.layout.rulings import Stroke

MAX_COLUMNS = 100
"""A line with more separate texts than this is not a row of a table, because the time for a line grows with the square
of their number."""
MAX_ROWS = 1000
"""A table without rulings is continued over at most this many lines. Further lines begin another table."""
_GAP, _WIDE_GAP = 0.7, 1.1
"""White space separates cells if it is at least this wide, in line heights. The first number is for columns with many
rows, the second for columns with few."""
_MANY_ROWS = 4
"""White space of the smaller width separates columns if they have at least this many rows."""
_CROSSED_SHARE = 0.15
"""At most this share of the rows with several cells, or one row if that is more, may cross the white space between two
columns. If the rows are fewer than _MANY_ROWS, none may."""
_ROW_DISTANCE = 3.5
"""Successive rows of one table are less than this far apart, in line heights, from middle to middle."""
_LINE_DISTANCE = 1.3
"""A line with a single cell ends a table if it is further than this below the line above it, in row pitches."""
_TELLING_ROWS = 24
"""The first rows of a table, up to this number, determine its columns. Later rows only have to fit these columns."""
_CELL_PITCH = 0.8
"""Successive lines of one cell are at most this far apart, as a share of the usual distance between rows."""
_PROSE_WORDS = 9
"""Two or three columns are running text if the cells of each column have more words than this on average."""


@dataclass(slots=True)
class _Row:
    """A line of words that may be a row of a table."""

    line: int
    pieces: list[PlacedWord]
    leaders: list[PlacedWord]
    """Dot leaders among the words."""
    runs: list[list[PlacedWord]]
    """Words of the line, separated at wide gaps."""
    top: float = field(init=False)
    bottom: float = field(init=False)
    middle: float = field(init=False)

    def __post_init__(self) -> None:
        self.top = min(piece.top for piece in self.pieces)
        self.bottom = max(piece.bottom for piece in self.pieces)
        self.middle = median(piece.middle for piece in self.pieces)

    @property
    def begin(self) -> float:
        return self.runs[0][0].left

    @property
    def end(self) -> float:
        return self.runs[-1][-1].right


def _is_leader(piece: PlacedWord) -> bool:
    return len(piece.word.text) > 2 and not piece.word.text.strip(".·…_-")


def _group_rows(pieces: Iterable[PlacedWord], height: float) -> list[_Row]:
    lines: dict[int, list[PlacedWord]] = {}
    for piece in pieces:
        lines.setdefault(piece.line, []).append(piece)
    rows = []
    for line, members in lines.items():
        members.sort(key=lambda piece: piece.left)
        kept = [piece for piece in members if not _is_leader(piece)] or members
        leaders = [piece for piece in members if _is_leader(piece)] if len(kept) < len(members) else []
        rows.append(_Row(line, kept, leaders, _split_runs(kept, height, _GAP)))
    return rows


def _split_runs(pieces: Sequence[PlacedWord], height: float, gap: float) -> list[list[PlacedWord]]:
    runs: list[list[PlacedWord]] = []
    for piece in pieces:
        if runs and piece.left - runs[-1][-1].right < gap * height:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    # A bullet belongs to the text that follows it.
    if len(runs) > 1 and len(runs[0]) == 1 and _is_mark(runs[0][0].word.text):
        runs[:2] = [runs[0] + runs[1]]
    return runs


def _is_mark(text: str) -> bool:
    return not any(map(str.isalnum, text)) or (len(text) <= 4 and text[-1] in ".)" and text[:-1].isalnum())


def find_unruled_tables(pieces: Sequence[PlacedWord], across: Sequence[Stroke], height: float) -> list[TableDraft]:
    """Return the tables among lines outside ruled grids. Horizontal rulings may separate their rows."""
    found: list[TableDraft] = []
    block: list[_Row] = []
    rows = _group_rows(pieces, height)
    for row in [*rows, None]:
        may_be_in_table = row is not None and len(row.runs) <= MAX_COLUMNS
        is_near = row is not None and (not block or 0 < row.middle - block[-1].middle < _ROW_DISTANCE * height)
        if row is not None and may_be_in_table and is_near:
            block.append(row)
            continue
        found += _tables_in_block(block, across, height)
        block = [row] if row is not None and may_be_in_table else []
    return found


def _tables_in_block(block: Sequence[_Row], across: Sequence[Stroke], height: float) -> list[TableDraft]:
    """Return the tables in a block of closely spaced lines. A table continues as long as its lines have columns in
    common."""
    found: list[TableDraft] = []
    start = 0
    while start < len(block):
        if len(block[start].runs) < 2:
            start += 1
            continue
        rows, last = [block[start]], start
        strips = _find_strips(rows, height)
        for index in range(start + 1, min(len(block), start + MAX_ROWS)):
            row = block[index]
            # Two successive lines with a single cell end the table. One such line may be inside it.
            if index - last > 2:
                break
            if len(row.runs) == 1:
                # Text far below the line above it, or across most of the strips, does not belong to the table.
                if len(rows) > 1 and row.middle - block[index - 1].middle > _LINE_DISTANCE * (
                    rows[1].middle - rows[0].middle
                ):
                    break
                if 2 * sum(row.begin < left and right < row.end for left, right in strips) > len(strips) > 1:
                    break
                continue
            if not _fits(row, strips, height):
                break
            if len(rows) < _TELLING_ROWS:
                common = _find_strips([*rows, row], height)
                # A line that would make more than a third of the strips disappear belongs to another table.
                if len(rows) >= _MANY_ROWS and 3 * len(common) < 2 * len(strips):
                    break
                strips = common
            rows.append(row)
            last = index
        strips = _find_strips(rows, height)
        first = _first_row(block, start, strips, across, height) if strips and last > start else start
        table = _table_of(block[first : last + 1], rows, strips, across, height)
        if table is not None:
            found.append(table)
        # Many fitting lines that are not a table are skipped together, because trying each line as the first of a table
        # would take long.
        start = last + 1 if table is not None or len(rows) > _MANY_ROWS else start + 1
    return found


_Strip = tuple[float, float]
"""Left and right end of the white space between two columns."""


def _find_strips(rows: Sequence[_Row], height: float) -> list[_Strip]:
    """Return the strips of white space that no more than the permitted share of `rows` cross (`_CROSSED_SHARE`), from
    left to right."""
    least = (_GAP if len(rows) >= _MANY_ROWS else _WIDE_GAP) * height
    may_cross = max(1, int(_CROSSED_SHARE * len(rows))) if len(rows) >= _MANY_ROWS else 0
    steps: list[tuple[float, int]] = []
    for row in rows:
        for piece in row.pieces:
            steps += (piece.left, 1), (piece.right, -1)
    steps.sort()
    left, right = steps[0][0], max(steps)[0]
    strips: list[_Strip] = []
    begin, depth = left, 0
    for x, step in steps:
        earlier_depth, depth = depth, depth + step
        if earlier_depth > may_cross >= depth:
            begin = x
        elif earlier_depth <= may_cross < depth and x - begin >= least and begin > left and x < right:
            strips.append((begin, x))
    # A cell within a strip, with enough white space on both sides, is a column by itself and divides the strip.
    for row in rows if may_cross else ():
        for run in row.runs:
            start, end = run[0].left, run[-1].right
            index = bisect_right(strips, start, key=lambda strip: strip[0] + least) - 1
            if index >= 0 and end + least <= strips[index][1]:
                strips[index : index + 1] = [(strips[index][0], start), (end, strips[index][1])]
    return strips


def _fits(row: _Row, strips: Sequence[_Strip], height: float) -> bool:
    """True if at least half of `strips` are white in `row`, and at least one strip lies between two cells of the
    row."""
    gaps = [(one[-1].right, other[0].left) for one, other in pairwise(row.runs)]
    begins, ends = [begin for begin, _ in gaps], [end for _, end in gaps]
    between = [
        any(
            _overlap(strip, gap) >= _GAP * height
            for gap in gaps[bisect_right(ends, strip[0]) : bisect_left(begins, strip[1])]
        )
        for strip in strips
    ]
    white = sum(
        inner or right <= row.begin or left >= row.end for inner, (left, right) in zip(between, strips, strict=True)
    )
    return any(between) and 2 * white >= len(strips)


def _overlap(first: _Strip, second: _Strip) -> float:
    return min(first[1], second[1]) - max(first[0], second[0])


def _first_row(
    block: Sequence[_Row], start: int, strips: Sequence[_Strip], across: Sequence[Stroke], height: float
) -> int:
    """Return the index of the table's first line: `start`, or that of a line up to two lines above. A line above
    belongs to the table if it is a heading of columns, or if it is below the table's top rule."""
    left, right = strips[0][0], strips[-1][1]
    pitch = max(2.2 * height, 1.3 * (block[start + 1].middle - block[start].middle))
    for index in range(start - 1, max(-1, start - 3), -1):
        row = block[index]
        if block[index + 1].middle - row.middle > pitch or len(row.runs) > 1:
            return index + 1
        is_ruled = any(
            one.start <= left and one.end >= right and row.top - 1.2 * height < one.level < row.middle for one in across
        )
        if not is_ruled and not (row.begin > left and row.end - row.begin < right - left):
            return index + 1
        if not is_ruled and not any(row.begin < one and other < row.end for one, other in strips):
            return index + 1
        start = index
    return start


def _table_of(
    lines: Sequence[_Row], full: Sequence[_Row], strips: Sequence[_Strip], across: Sequence[Stroke], height: float
) -> TableDraft | None:
    """Build the table of `lines`. `full` are the lines with several cells. Return None if the lines do not form a
    table."""
    columns = len(strips) + 1
    if columns < 2 or len(full) < (3 if columns == 2 else 2):
        return None
    cells = [_split_cells(line, strips, height) for line in lines]
    ys, starts = _row_edges(lines, cells, columns, across, strips, height)
    places: dict[tuple[int, int], CellDraft] = {}
    for row, own in zip(starts, cells, strict=True):
        for first, last, pieces in own:
            place = places.setdefault((row, first), CellDraft(row, first))
            place.col_span = max(place.col_span, last - first + 1)
            place.pieces += pieces
    taken = {(row, column + step) for (row, column), one in places.items() for step in range(1, one.col_span)}
    for clash in taken & places.keys():
        # A cell into which a cell on its left extends is merged with that cell.
        row, column = clash
        previous_column = next(first for first in range(column - 1, -1, -1) if (row, first) in places)
        places[row, previous_column].pieces += places.pop(clash).pieces
    filled = list(places.values())
    words = Counter[int]()
    for place in filled:
        words[place.column] += len(place.pieces)
    rows = len(ys) - 1
    number = rows * columns
    often = Counter(place.column for place in filled if place.col_span == 1)
    if rows < 2 or 5 * sum(place.col_span for place in filled) < 2 * number:
        return None
    if any(often[column] == 0 for column in range(columns)):
        return None
    if columns <= 3 and all(words[column] > _PROSE_WORDS * often[column] for column in range(columns)):
        return None
    first_column = [place.pieces for place in filled if place.column == 0]
    if columns == 2 and all(len(pieces) == 1 and _is_mark(pieces[0].word.text) for pieces in first_column):
        return None
    empty = [
        CellDraft(row, column)
        for row in range(rows)
        for column in range(columns)
        if (row, column) not in places and (row, column) not in taken
    ]
    left = min(row.begin for row in lines)
    right = max(max(piece.right for piece in row.pieces) for row in lines)
    xs = [left, *((one + other) / 2 for one, other in strips), right]
    return TableDraft(xs, ys, [*filled, *empty], [piece for row in lines for piece in row.leaders])


def _split_cells(row: _Row, strips: Sequence[_Strip], height: float) -> list[tuple[int, int, list[PlacedWord]]]:
    """Return the first column, the last column and the words of each cell of a line, from left to right."""
    parts: list[list[PlacedWord]] = [[row.pieces[0]]]
    starts, ends = [left for left, _ in strips], [right for _, right in strips]
    for one, other in pairwise(row.pieces):
        gap = other.left - one.right
        strips_between = strips[bisect_right(ends, one.right) : bisect_left(starts, other.left)]
        white = max(
            ((min(end, other.left) - max(begin, one.right)) / (end - begin) for begin, end in strips_between), default=0
        )
        if white >= 0.5 or gap >= _WIDE_GAP * height:
            parts.append([])
        parts[-1].append(other)
    slack = 0.2 * height
    cells: list[tuple[int, int, list[PlacedWord]]] = []
    for part in parts:
        left, right = part[0].left, part[-1].right
        first, last = bisect_right(ends, left + slack), bisect_right(ends, right - slack)
        # A cell that begins in the white space before a column and reaches into the column belongs to that column.
        if first < len(starts) and left >= starts[first] - slack and right > ends[first]:
            first += 1
        last = max(first, last)
        if cells and first <= cells[-1][1]:
            cells[-1] = cells[-1][0], max(last, cells[-1][1]), cells[-1][2] + part
        else:
            cells.append((first, last, part))
    return cells


def _row_edges(
    lines: Sequence[_Row],
    cells: Sequence[Sequence[tuple[int, int, list[PlacedWord]]]],
    columns: int,
    across: Sequence[Stroke],
    strips: Sequence[_Strip],
    height: float,
) -> tuple[list[float], list[int]]:
    """Return the edges of the rows, and the index of the row to which each of `lines` belongs. Some lines continue the
    row above."""
    begins = _ruled_rows(lines, cells, columns, across, strips) or _spaced_rows(lines, cells)
    rows, starts = -1, []
    for one in begins:
        rows += one
        starts.append(rows)
    tops = [row.top for row, one in zip(lines, begins, strict=True) if one]
    bottoms = [tops[0]] * (rows + 1)
    for row, place in zip(lines, starts, strict=True):
        bottoms[place] = max(bottoms[place], row.bottom)
    margin = 0.2 * height
    inner = [(bottom + top) / 2 for bottom, top in zip(bottoms, tops[1:], strict=False)]
    return [tops[0] - margin, *inner, bottoms[-1] + margin], starts


def _ruled_rows(
    lines: Sequence[_Row],
    cells: Sequence[Sequence[tuple[int, int, list[PlacedWord]]]],
    columns: int,
    across: Sequence[Stroke],
    strips: Sequence[_Strip],
) -> list[bool] | None:
    """Return, for each line, True if it begins a row, judged by rulings; None if there are too few rulings for that, or
    if they only separate groups of rows."""
    top, bottom = lines[0].middle, lines[-1].middle
    left, right = strips[0][0], strips[-1][1]
    levels = sorted(one.level for one in across if top < one.level < bottom and one.start <= left and one.end >= right)
    bands = [bisect_right(levels, row.middle) for row in lines]
    if len(levels) < 2 or 4 * len(set(bands)) < len(lines):
        return None
    sizes = Counter(bands)
    filled = Counter[int]()
    for band, own in zip(bands, cells, strict=True):
        filled[band] += sum(last - first + 1 for first, last, _ in own)
    # Rulings between groups of rows do not separate rows.
    if any(sizes[band] > 1 and 5 * filled[band] > 4 * columns * sizes[band] for band in sizes):
        return None
    return [index == 0 or band != bands[index - 1] for index, band in enumerate(bands)]


def _spaced_rows(lines: Sequence[_Row], cells: Sequence[Sequence[tuple[int, int, list[PlacedWord]]]]) -> list[bool]:
    """Return, for each line, True if it begins a row, judged by white space. Otherwise, the line continues the row of
    the line closely above it. Such a line has fewer cells than the line above, or no cell in the first column, and each
    of its cells lies in one column and has a cell above it."""
    pitches = [other.middle - one.middle for one, other in pairwise(lines)]
    usual = median([pitch for pitch, own in zip(pitches, cells[1:], strict=True) if len(own) > 1] or [0.0])
    begins = [True]
    for pitch, above, own in zip(pitches, cells, cells[1:], strict=False):
        has_room = {column for first, last, _ in above for column in range(first, last + 1)}
        goes_on = (
            (own[0][0] > 0 or len(own) < len(above))
            and pitch <= _CELL_PITCH * usual
            and all(first in has_room and first == last for first, last, _ in own)
        )
        begins.append(not goes_on)
    return begins
