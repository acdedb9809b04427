"""Finds values in the cells of tables with several rows, where nothing tells which row a single field asks for: `hours`
beside rows of 8.0, 8.5 and 4.0 hours.

The header above such a cell agrees with the field's name, and the first row is the nearest one below it. The cell
answers the field only if something tells its row: words of the field's name or description, the only value of its
column, the sum of the column, or the newest of running totals.
"""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from math import fsum
from pathlib import Path
from typing import Any, Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.candidates import LABEL, SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import concepts_of, concepts_of_field
from tasks.extraction.features import LARGEST_AMOUNT, FieldText, Matrix
from tasks.extraction.folding import fold, folded_words, without_accents
from tasks.extraction.opposites import SidesInWords
from tasks.extraction.passages import Passage
from tasks.extraction.values import number_of
from tasks.extraction.words_on_page import MAX_ROWS, WordOnPage, place_words, rows_of, segments_of_row, text_of
from tasks.notation.cells import looks_numeric

SUM: Final = 4.0
"""Bonus on the logit of the sum of a column, or of another cell that a field asks for, if the column's header names the
field."""
PART: Final = 8.0
"""Penalty on the logit of the other cells of this column. It exceeds what the header above the first row adds."""
ROWS_AT_ONCE: Final = 50
"""One slice of the work divides this many rows into cells."""
PAIRS_AT_ONCE: Final = 500
"""One slice of the work compares this many cells with headers."""
_MOST_COLUMNS: Final = 40
"""A header has at most this many cells."""
_MOST_WITHOUT_FIGURES: Final = 2
"""The first row with figures is at most this many rows below the row that follows a header."""
_LONGEST_HEADER, _LONGEST_CELL = 40, 80
"""A header has at most this many characters, and so has a text that tells a row."""
_WIDEST_GAP: Final = 3.0
"""The gap between two rows of a table is at most this many times the height of a line."""
_LEAST_FIGURES: Final = 0.75
"""A column is one of figures if at least this share of its cells contains a figure."""
_FEWEST_TERMS: Final = 3
"""A column without a word for a total has a sum only if it has at least this many other numbers. With fewer, the sum
may be a coincidence."""
_ERROR: Final = 0.006
"""The error of a sum is smaller than this."""
_STEM: Final = 5
"""Words with this many letters in common at the beginning count as forms of one word."""
_SHORTEST_WORD: Final = 3
_RULE: Final = "|:- \t"
"""The characters of the line below the header of a Markdown table."""
_BAR: Final = "|"
_MARKS: Final = frozenset("%‰▲▼△▽↑↓")
"""Signs of a share or of a change."""
_ASKED = SidesInWords(
    {
        name: {name: words["asked"]}
        for name, words in tomllib.loads(Path(__file__).with_name("several_rows.toml").read_text("utf-8")).items()
    }
)

Keys = frozenset[str]
"""The stems and the concepts of a text's words."""


class _RowPiece(NamedTuple):
    """The words of one cell of a row. The place of a cell between bars is its number in the row."""

    words: Sequence[int]
    text: str
    left: float
    right: float


@dataclass(slots=True)
class _ColumnCell:
    row: int
    text: str
    spans: list[int] = field(default_factory=list)
    """Indices of the candidates within the cell."""
    number: float | None = None


@dataclass
class _TableColumn:
    header: str
    cells: list[_ColumnCell] = field(default_factory=list)
    rows: Sequence[Keys] = ()
    """The keys of each row of the table."""
    newest: int | None = None
    """Row with the newest of several running totals; None if the column has no running totals."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        return folded_words(self.header)

    @cached_property
    def sum(self) -> _ColumnCell | None:
        """The last cell if it has the sum of the cells above it."""
        *terms, last = self.cells
        numbers = [cell.number for cell in terms if cell.number is not None]
        if last.number is None or len(numbers) < len(terms) or len(numbers) < 2 or not last.number:
            return None
        is_named = "total" in self.rows[last.row]
        is_sum = abs(fsum(numbers) - last.number) < _ERROR
        return last if is_sum and (is_named or len(numbers) >= _FEWEST_TERMS) else None


class SeveralRows:
    """The tables of all passages. They have to be read (`read`) before `settle`."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._columns: list[_TableColumn] = []

    def read(self) -> Slices[None]:
        cells: dict[tuple[int, int], _ColumnCell] = {}
        for passage in self._candidates.passages:
            if passage.codes:
                continue
            yield from place_words(passage)
            rows: list[list[_RowPiece]] = []
            for index, row in enumerate(rows_of(passage)[:MAX_ROWS]):
                if index % ROWS_AT_ONCE == 0:
                    yield
                rows.append(_pieces(passage, row))
            boxes = [(row[0].box[1], row[0].box[3]) for row in rows_of(passage)[:MAX_ROWS]]
            yield from self._find_tables(passage, rows, boxes, cells)
        if not self._columns:
            return
        for index, span in enumerate(self._candidates.spans):
            if index % SPANS_AT_ONCE == 0:
                yield
            places = {id(found): found for word in span.words if (found := cells.get((id(span.passage), word)))}
            if span.has_colon or len(places) != 1 or (id(span.passage), span.words[-1]) not in cells:
                continue
            [cell] = places.values()
            cell.spans.append(index)
            if cell.number is None and span.kind == "number":
                cell.number = _amount(span)
        self._columns = [column for column in self._columns if any(cell.spans for cell in column.cells)]
        tables: dict[int, list[_TableColumn]] = {}
        for column in self._columns:
            tables.setdefault(id(column.rows), []).append(column)
        for columns in tables.values():
            yield from _find_running_totals(columns)

    def settle(self, logits: Matrix, wanted: FieldText) -> frozenset[int]:
        """Prefer the sum of a column that a field asks for. Return the places in cells of which nothing tells that
        the field asks for their row."""
        if not self._columns:
            return frozenset()
        names = [word for name in wanted.names.own for word in name]
        groups = {side.group for name in wanted.names.own for side in _ASKED.of(name)}
        own = _keys(names) | wanted.concepts | concepts_of_field(tuple(names))
        around = [*names, *wanted.names.around]
        if any(map(str.isdigit, around)):
            # A figure in a name may tell the row: `item_2_price`, `vat_19_amount`.
            return frozenset()
        about_row = own | _keys(fold(wanted.full)) | _keys(around) | {word for word in around if len(word) == 1}
        unsettled: set[int] = set()
        for column in self._columns:
            if _keys_of_text(column.header).isdisjoint(own) and column.words not in wanted.names.own:
                continue
            if rows := _rows_in_words(column, about_row):
                if _tell_together(column, rows, names):
                    logits[[index for cell in column.cells if cell.row in rows for index in cell.spans]] += SUM
                unsettled.update(index for cell in column.cells if cell.row not in rows for index in cell.spans)
                continue
            is_rate = "rate" in groups or any(side.group == "rate" for side in _ASKED.of(column.words))
            chosen = _by_position(column, groups) or (column.sum if wanted.is_number and not is_rate else None)
            rest = [index for cell in column.cells if cell is not chosen for index in cell.spans]
            if chosen is not None and chosen.spans and rest:
                # What the header says about the cell right below it holds for this cell as well.
                logits[chosen.spans] += SUM + max(0.0, logits[rest].max() - logits[chosen.spans].max())
                logits[rest] -= PART
                unsettled.update(rest)
            else:
                unsettled.update(index for cell in _rivals(column.cells) for index in cell.spans)
        return frozenset(unsettled)

    def _find_tables(
        self,
        passage: Passage,
        rows: Sequence[Sequence[_RowPiece]],
        boxes: Sequence[tuple[int, int]],
        cells: dict[tuple[int, int], _ColumnCell],
    ) -> Slices[None]:
        top = 0
        while top < len(rows):
            yield
            end = top + 1
            if _is_header(rows[top]) and not _continues_header(rows[top], *rows[top + 1 : top + 2]):
                end = yield from _end_of_table(rows, boxes, top)
                columns = yield from _columns_of(rows[top], rows[top + 1 : end])
                for column, places in columns:
                    self._columns.append(column)
                    for cell, words in zip(column.cells, places, strict=True):
                        cells.update({(id(passage), word): cell for word in words})
                end = end if columns else top + 1
            top = end


def _pieces(passage: Passage, row: Sequence[WordOnPage]) -> list[_RowPiece]:
    if passage.words[row[0].at] != _BAR:
        segments = list(segments_of_row(row))
        return [
            _RowPiece([word.at for word in one], text_of(passage, one), one[0].box[0], one[-1].box[2])
            for one in segments
        ]
    found: list[list[WordOnPage]] = []
    for word in row:
        if passage.words[word.at] == _BAR:
            found.append([])
        else:
            found[-1].append(word)
    return [
        _RowPiece([word.at for word in one], text_of(passage, one), number, number + 1)
        for number, one in enumerate(found)
        if one
    ]


def _is_header(row: Sequence[_RowPiece]) -> bool:
    return 1 < len(row) <= _MOST_COLUMNS and not any(
        len(one.text) > _LONGEST_HEADER or one.text.endswith((":", "：")) or _has_figure(one.text) for one in row
    )


def _has_figure(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_rule(row: Sequence[_RowPiece]) -> bool:
    return all("-" in one.text and not one.text.strip(_RULE) for one in row)


def _continues_header(row: Sequence[_RowPiece], below: Sequence[_RowPiece] = ()) -> bool:
    """True if the header of a table is the row below a row: above it are titles."""
    return len(below) >= len(row) and _is_header(below) and not _is_rule(below)


def _end_of_table(rows: Sequence[Sequence[_RowPiece]], boxes: Sequence[tuple[int, int]], top: int) -> Slices[int]:
    """Return the row after the last one of a table whose header is the row `top`."""
    has_figures = False
    for index in range(top + 1, len(rows)):
        if index % ROWS_AT_ONCE == 0:
            yield
        (above, bottom), (begin, _) = boxes[index - 1], boxes[index]
        is_near = begin - bottom <= _WIDEST_GAP * max(1, bottom - above)
        label = LABEL.match(rows[index][0].text) if rows[index] else None
        is_labelled = label is not None and rows[index][0].text[label.end() :].strip()
        has_figures = has_figures or any(_has_figure(one.text) for one in rows[index])
        # Below the first values, a row without figures is the header of other values.
        is_other = _is_header(rows[index]) if has_figures else index - top > _MOST_WITHOUT_FIGURES
        if not is_near or len(rows[index]) < 2 or is_labelled or is_other:
            return index
    return len(rows)


def _columns_of(
    header: Sequence[_RowPiece], body: Sequence[Sequence[_RowPiece]]
) -> Slices[list[tuple[_TableColumn, list[Sequence[int]]]]]:
    """Return the columns of a table with the words of their cells; none if the rows are not those of a table, because
    no column has figures."""
    body = [row for row in body if not _is_rule(row)]
    if len(body) < 2:
        return []
    row_keys: list[Keys] = []
    columns = [_TableColumn(name.text, rows=row_keys) for name in header]
    words: list[list[Sequence[int]]] = [[] for _ in header]
    pause = 0
    for index, row in enumerate(body):
        pause += len(row) * len(header)
        if pause > PAIRS_AT_ONCE:
            yield
            pause = 0
        row_keys.append(_keys_of_row(row))
        for piece in row:
            overlap, at = max((_overlap(piece, name), -at) for at, name in enumerate(header))
            column = columns[-at]
            if overlap > 0 and (not column.cells or column.cells[-1].row < index):
                column.cells.append(_ColumnCell(index, piece.text))
                words[-at].append(piece.words)
    found = [(column, own) for column, own in zip(columns, words, strict=True) if len(column.cells) > 1]
    return found if any(_is_of_figures(column.cells) for column, _ in found) else []


def _overlap(first: _RowPiece, second: _RowPiece) -> float:
    return min(first.right, second.right) - max(first.left, second.left)


def _is_of_figures(cells: Sequence[_ColumnCell]) -> bool:
    return sum(_has_figure(cell.text) for cell in cells) >= _LEAST_FIGURES * len(cells)


def _keys_of_row(row: Iterable[_RowPiece]) -> Keys:
    """Return the keys of the texts of a row, without its figures."""
    texts = [one.text for one in row if len(one.text) <= _LONGEST_CELL and not looks_numeric(one.text)]
    letters = {word for text in texts for word in folded_words(text) if len(word) == 1}
    return frozenset(key for text in texts for key in _keys_of_text(text)) | letters


@lru_cache(maxsize=4096)
def _keys_of_text(text: str) -> Keys:
    words = folded_words(text)
    return _keys(words) | concepts_of(words)


def _keys(words: Iterable[str]) -> Keys:
    return frozenset(_keys_of_words(words))


def _keys_of_words(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if len(word) >= _SHORTEST_WORD and not word.isdigit():
            # A concept has the same key in all languages. A mark keeps it apart from the stems.
            yield "~" + without_accents(word)[:_STEM]
            yield from concepts_of((word,))


def _by_position(column: _TableColumn, groups: Collection[str]) -> _ColumnCell | None:
    """Return the cell in the first or the last row of a column if a field asks for it, or the newest one of running
    totals."""
    if "first" in groups and "last" not in groups:
        return column.cells[0]
    if column.newest is not None:
        return next(cell for cell in column.cells if cell.row == column.newest)
    return column.cells[-1] if "last" in groups else None


def _rows_in_words(column: _TableColumn, about_row: Keys) -> set[int]:
    """Return the rows that share more words with the name and description of a field than any row with another value
    does."""
    shared = [len(column.rows[cell.row] & about_row) for cell in column.cells]
    most = max(shared)
    best = [cell for cell, count in zip(column.cells, shared, strict=True) if count == most]
    if most > min(shared) and len({_value_of(cell) for cell in best}) == 1:
        return {cell.row for cell in best}
    return set()


def _tell_together(column: _TableColumn, rows: Collection[int], names: Sequence[str]) -> bool:
    """True if the header of a column and the words of rows together have all words of a field's name, and neither has
    all of them: the row `Buildings` and the header `Excess` for `buildings_excess`."""
    header = _keys_of_text(column.header)
    row = frozenset().union(*(column.rows[one] for one in rows))
    keys = [own for name in names if (own := _keys((name,)))]
    in_header = [not own.isdisjoint(header) for own in keys]
    in_row = [not own.isdisjoint(row) for own in keys]
    return all(map(any, zip(in_header, in_row, strict=True))) and not all(in_header) and not all(in_row)


def _rivals(cells: Sequence[_ColumnCell]) -> list[_ColumnCell]:
    """Return the cells beside which the column has another value of the same form. A percentage below an amount has a
    different form, because it says how much the amount has changed."""
    values: dict[Any, set[Any]] = {}
    for cell in cells:
        values.setdefault(_form_of(cell), set()).add(_value_of(cell))
    return [cell for cell in cells if len(values[_form_of(cell)]) > 1]


def _form_of(cell: _ColumnCell) -> tuple[bool, Keys]:
    return _has_figure(cell.text), _MARKS.intersection(cell.text)


def _value_of(cell: _ColumnCell) -> Any:
    return cell.number if cell.number is not None else "".join(fold(cell.text))


def _amount(span: CandidateSpan) -> float | None:
    number = number_of(span)
    return float(number) if number is not None and abs(number) <= LARGEST_AMOUNT else None


def _find_running_totals(columns: Sequence[_TableColumn]) -> Slices[None]:
    """Mark the columns in which each number is the sum of the number before it and another number of its row. Some
    papers have the newest row first."""
    numbers = [{cell.row: cell.number for cell in column.cells if cell.number is not None} for column in columns]
    for column, own in zip(columns, numbers, strict=True):
        yield
        rows = sorted(own)
        if len(rows) < _FEWEST_TERMS or len(rows) < len(column.cells):
            continue
        for changes in numbers:
            if changes is not own and _runs(own, changes, rows):
                column.newest = rows[-1]
            elif changes is not own and _runs(own, changes, rows[::-1]):
                column.newest = rows[0]


def _runs(totals: Mapping[int, float], changes: Mapping[int, float], rows: Sequence[int]) -> bool:
    return all(
        new in changes and changes[new] and abs(abs(totals[new] - totals[old]) - abs(changes[new])) < _ERROR
        for old, new in pairwise(rows)
    )
