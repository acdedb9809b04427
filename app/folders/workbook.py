"""Writes the tables of a job as the sheets of a workbook, for people: coloured, filtered, and with dates as dates."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from app.folders.certainty import LEAST_LIKELY, LEAST_SURE
from app.folders.failures import Failed
from app.folders.papers import is_address
from app.folders.schemas import moment_of
from app.folders.state import Row
from app.folders.tables import PAPER, AnswerTable, FieldCell, distinct

Rows = Callable[[], Iterable[Row]]
"""Function that returns the papers with their answers. Each call begins again with the first paper."""

_FILLS = {
    least: PatternFill("solid", fgColor=colour)
    for least, colour in ((LEAST_SURE, "FFE3F4E6"), (LEAST_LIKELY, "FFFFF3CD"), (0.0, "FFFBDDDD"))
}
"""Colours of cells by their least probability: green if sure, yellow if likely, and otherwise red."""
_REVIEWED = PatternFill("solid", fgColor="FFD9E4FB")
"""Colour of a cell that a person accepted or corrected: blue."""
MAX_CHARS = 32_767
"""A cell of a workbook holds at most this many characters."""
_MAX_ROWS = 1_048_576
"""A sheet of a workbook holds at most this many rows."""
_NARROWEST, _WIDEST = 10, 60
"""Least and largest width of a column, in characters."""
_ROWS_MEASURED = 1000
"""The first rows of a sheet decide how wide its columns are."""
_FIRST_DAY = datetime(1900, 3, 1)
"""Spreadsheets disagree about earlier days, which stay texts."""
_WARNINGS = "warnings"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Pattern of the characters that XML forbids, and so workbooks."""

_Line = tuple[str | None, Sequence[FieldCell]]
"""A row of a sheet: where its first cell leads to, or None, and its cells."""


def fill_book(
    file: Path,
    folder: Path,
    tables: Sequence[AnswerTable],
    rows: Rows,
    hidden: tuple[str, Sequence[str], Callable[[Rows], Iterable[Sequence[Any]]]],
) -> None:
    """Write the workbook `file`: a sheet for each table, one of the warnings, and a hidden one, whose name, heads
    and lines are given. The links to papers are relative to `folder`."""
    book = Workbook(write_only=True)
    *names, warnings, hidden_name = _sheet_names([*(table.name for table in tables), _WARNINGS, hidden[0]])
    try:
        for table, name in zip(tables, names, strict=True):
            lines = partial(_lines_of, table, rows, folder)
            _fill_sheet(book.create_sheet(name), table.heads, table.head_types, lines)
        _fill_sheet(book.create_sheet(warnings), (PAPER, "warning"), (str, str), partial(_plain, _warnings, rows))
        sheet = book.create_sheet(hidden_name)
        sheet.sheet_state = "hidden"
        _fill_sheet(sheet, hidden[1], [str] * len(hidden[1]), partial(_plain, hidden[2], rows))
    finally:
        # The workbook is saved even after an error, because only saving deletes the temporary files of the sheets.
        book.save(file)


def _lines_of(table: AnswerTable, rows: Rows, folder: Path) -> Iterator[_Line]:
    for row in rows():
        target = _link_target(row.link, folder)
        for cells in table.rows(row):
            yield target, cells


def _warnings(rows: Rows) -> Iterator[tuple[str, str]]:
    for row in rows():
        for warning in row.result.warnings if row.result else ():
            yield row.name, warning


def _plain(lines: Callable[[Rows], Iterable[Sequence[Any]]], rows: Rows) -> Iterator[_Line]:
    return ((None, [FieldCell(value) for value in line]) for line in lines(rows))


def _fill_sheet(sheet: Any, heads: Sequence[str], types: Sequence[type], lines: Callable[[], Iterator[_Line]]) -> None:
    sheet.freeze_panes = "B2"
    # A sheet is written from its beginning to its end, and the widths of its columns come first.
    measured = [heads, *([cell.value for cell in cells] for _, cells in islice(lines(), _ROWS_MEASURED))]
    for number, column in enumerate(zip(*measured, strict=True), 1):
        longest = max(len(line) for value in column for line in (str(value or "").splitlines() or [""]))
        width = min(max(longest + 2, _NARROWEST), _WIDEST)
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.append([_head(sheet, head) for head in heads])
    count = 1
    for target, cells in lines():
        count += 1
        if count > _MAX_ROWS:
            raise Failed(f"a sheet has at most {_MAX_ROWS:,} rows: write .sqlite, .csv or .jsonl instead")
        written = [_colour_cell(sheet, cell, kind) for cell, kind in zip(cells, types, strict=True)]
        if target is not None:
            written[0].hyperlink = target
            written[0].style = "Hyperlink"
        sheet.append(written)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(heads))}{count}"


def _sheet_names(names: Sequence[str]) -> list[str]:
    """Return a valid name for each sheet: unique, at most 31 characters, and without the characters that workbooks
    forbid."""
    cut = [re.sub(r"[\[\]:*?/\\]", "_", _FORBIDDEN.sub("", name))[:31] for name in names]
    # The number after a name takes up to four characters.
    return distinct([name[:27] if cut.count(name) > 1 else name for name in cut])


def _head(sheet: Any, head: str) -> Any:
    cell = _cell(sheet, head)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: Any, kind: type = str) -> Any:
    """Return a cell with `value`. A text is a day or a moment if `kind` is, and can be one."""
    moment = moment_of(value, kind)
    # A cell cannot hold a time zone.
    if moment is not None and moment.tzinfo is None and moment >= _FIRST_DAY:
        cell = WriteOnlyCell(sheet, value=moment)
        cell.number_format = "yyyy-mm-dd" if kind is date else "yyyy-mm-dd hh:mm:ss"
        return cell
    if isinstance(value, str):
        value = _FORBIDDEN.sub("", value)[:MAX_CHARS]
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        # Otherwise, "=1+1" would be a formula, and "#N/A" an error.
        cell.data_type = "s"
    return cell


def _colour_cell(sheet: Any, cell: FieldCell, kind: type) -> Any:
    made = _cell(sheet, cell.value, kind)
    if cell.is_reviewed:
        made.fill = _REVIEWED
    elif cell.probability is not None and cell.value is not None:
        made.fill = next(fill for least, fill in _FILLS.items() if cell.probability >= least)
    return made


def _link_target(link: str, folder: Path) -> str:
    """Return a link to a paper. A URL is returned unchanged. A path is made relative to the table's folder, so that the
    table and the papers can be moved together."""
    if is_address(link):
        return _FORBIDDEN.sub("", link)
    # The name of a folder may be bytes that are not UTF-8.
    return quote(os.fsencode(os.path.relpath(link, folder).replace(os.sep, "/")))
