"""Writes the tables of an extraction job into a file. The file's ending decides between a workbook, CSV, JSON Lines,
Parquet and a SQLite database.

Texts from papers (the documents of the job) are written so that no program takes them for formulas. A file is replaced
as a whole, so that it never contains half a table.
"""

import csv
import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from app.extract.state import Row
from app.extract.tables import AnswerTable, FieldCell, is_iso_date, tables_of
from tasks.inputs.text.xml_characters import without_forbidden

Rows = Callable[[], Iterable[Row]]
"""Function that returns the papers with their answers. Each call begins again with the first paper."""

LEAST_GREEN, LEAST_YELLOW = 0.9, 0.7
"""A cell is green if its probability is at least LEAST_GREEN, yellow if it is at least LEAST_YELLOW, and otherwise
red."""
_FILLS = {LEAST_GREEN: "FFE3F4E6", LEAST_YELLOW: "FFFFF3CD", 0.0: "FFFBDDDD"}
_REVIEWED = "FFD9E4FB"
"""Colour of a cell that a person accepted or corrected: blue."""
_MAX_CHARS = 32_767
"""A cell of a workbook holds at most this many characters."""
_MAX_ROWS = 1_048_576
"""A sheet of a workbook holds at most this many rows."""
_PROBABILITIES = "probabilities"
_PROBABILITY_HEADS = ("paper", "field", "probability", "page", "text")
_PARQUET = ".parquet"
_ROWS_OF_A_GROUP = 10_000
"""Number of rows in a row group of a Parquet file. The rows of a group are in memory together."""
_EXACT = 1 << 53
"""Every whole number up to this one can be stored exactly as a floating-point number."""
_FORMULA = re.compile(
    r"""\A(?=[\t\r]) |
    (?:\A | (?<=[;,\t\r\n]))
    (?= [^\S\t\r\n]*+ (?: [=@＝＠－] | [+＋-] (?!(?:[\d.()/+-]|[^\S\t\r\n])*+(?:[;,\t\r\n]|\Z)) ))""",
    re.VERBOSE,
)
"""Pattern of the places in a text of a CSV file where a spreadsheet would see a formula: at the beginning of the text,
and after a separator at which the spreadsheet may split the text. Telephone numbers and amounts do not match."""


class CannotWrite(Exception):
    """Raised if a table cannot be written into a file of this ending. The message says what to do."""


class TooManyRows(Exception):
    """Raised if a sheet would need more rows than it can have. The message names another kind of file."""


def check(path: Path) -> None:
    """Raise CannotWrite if `write` cannot write a file of this ending."""
    ending = path.suffix.lower()
    if ending not in WRITERS:
        raise CannotWrite(f"{path} should end in one of {', '.join(WRITERS)}")
    if ending == _PARQUET and find_spec("pyarrow") is None:
        raise CannotWrite(f"{path} needs the package pyarrow: run `openfaze install parquet`, or write .csv or .sqlite")


def write(path: Path, schema: Mapping[str, Any], rows: Rows) -> list[Path]:
    """Write the tables of `rows`, and return the files. Raises OSError, TooManyRows and CannotWrite, and leaves the
    earlier file as it was."""
    try:
        return WRITERS[path.suffix.lower()](path, tables_of(schema), rows)
    except (ValueError, sqlite3.Error) as error:
        # Workbooks, Parquet files and databases have limits of their own, such as the number of columns.
        raise CannotWrite(f"{path} cannot be written ({error}): write .jsonl instead, which has no limits") from error


def _write_workbook(path: Path, tables: Sequence[AnswerTable], rows: Rows) -> list[Path]:
    """Write a workbook with a sheet for each table and a hidden sheet of the probabilities. The colour of a cell shows
    its probability."""
    book = Workbook(write_only=True)
    with _replace_file(path) as own:
        try:
            _fill_book(book, path, tables, rows)
        finally:
            # The workbook is saved even after an error, because only saving deletes the temporary files of the sheets.
            book.save(own)
    return [path]


def _fill_book(book: Workbook, path: Path, tables: Sequence[AnswerTable], rows: Rows) -> None:
    fills = {least: PatternFill("solid", fgColor=colour) for least, colour in _FILLS.items()}
    *names, probabilities = _sheet_names([*(table.name for table in tables), _PROBABILITIES])
    for table, name in zip(tables, names, strict=True):
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "B2"
        for number, head in enumerate(table.heads, 1):
            sheet.column_dimensions[get_column_letter(number)].width = 36 if number == 1 else max(12, len(head) + 2)
        sheet.append([_plain_cell(sheet, head, bold=True) for head in table.heads])
        count = 1
        for row in rows():
            for cells in table.rows(row):
                count += 1
                if count > _MAX_ROWS:
                    raise TooManyRows(f"a sheet has at most {_MAX_ROWS:,} rows: write .sqlite, .csv or .jsonl instead")
                written = [_colour_cell(sheet, cell, fills) for cell in cells]
                written[0].hyperlink = _link_target(row.link, path)
                written[0].style = "Hyperlink"
                sheet.append(written)
    hidden = book.create_sheet(probabilities)
    hidden.sheet_state = "hidden"
    hidden.append([_plain_cell(hidden, head, bold=True) for head in _PROBABILITY_HEADS])
    for values in _probabilities(rows):
        hidden.append([_plain_cell(hidden, one) for one in values])


def _sheet_names(names: Sequence[str]) -> list[str]:
    """Return a valid name for each sheet: unique, at most 31 characters, and without the characters that workbooks
    forbid."""
    cut = [re.sub(r"[\[\]:*?/\\]", "_", without_forbidden(name))[:31] for name in names]
    # The number after a name takes up to four characters.
    return _distinct([name[:27] if cut.count(name) > 1 else name for name in cut])


def _plain_cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    if isinstance(value, str):
        value = without_forbidden(value)[:_MAX_CHARS]
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        # Otherwise, "=1+1" would be a formula, and "#N/A" an error.
        cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _colour_cell(sheet: Any, cell: FieldCell, fills: Mapping[float, PatternFill]) -> Any:
    made = _plain_cell(sheet, cell.value)
    probability = 0.0 if cell.is_unsupported else cell.probability
    if cell.is_reviewed:
        made.fill = PatternFill("solid", fgColor=_REVIEWED)
    elif probability is not None and cell.value is not None:
        made.fill = next(fill for least, fill in fills.items() if probability >= least)
    return made


def _link_target(link: str, table: Path) -> str:
    """Return a link to a paper. A URL is returned unchanged. A path is made relative to the table's folder, so that the
    table and the papers can be moved together."""
    if link.startswith(("http://", "https://")):
        return without_forbidden(link)
    # The name of a folder may be bytes that are not UTF-8.
    return quote(os.fsencode(os.path.relpath(link, table.resolve().parent).replace(os.sep, "/")))


def _sibling_paths(path: Path, names: Iterable[str]) -> list[Path]:
    """Return the paths of further files next to `path`, one for each table in `names`."""
    parts = _distinct([re.sub(r"[^\w.-]", "_", name) for name in names], "_")
    return [path.with_suffix(f".{part}{path.suffix}") for part in parts]


def _write_csv(path: Path, tables: Sequence[AnswerTable], rows: Rows) -> list[Path]:
    """Write one file for each table. The table of papers is written to `path`. The table of a list is written next to
    it, with the list's name before the suffix."""
    files = [path, *_sibling_paths(path, [table.name for table in tables if table.is_list])]
    for table, file in zip(tables, files, strict=True):
        # The mark that `utf-8-sig` writes at the beginning tells Excel that the file is UTF-8.
        with _replace_file(file) as own, own.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            writer.writerow(table.heads)
            for row in rows():
                writer.writerows([_escape_formula(cell.value) for cell in cells] for cells in table.rows(row))
    return files


def _escape_formula(value: Any) -> Any:
    return _FORMULA.sub("'", value) if isinstance(value, str) else value


def _write_parquet(path: Path, tables: Sequence[AnswerTable], rows: Rows) -> list[Path]:
    """Write one file for each table, named as in `_write_csv`, and one file with the probabilities. Columns have the
    types of the schema."""
    lists = [table.name for table in tables if table.is_list]
    *files, probabilities = [path, *_sibling_paths(path, [*lists, _PROBABILITIES])]
    for table, file in zip(tables, files, strict=True):

        def values(table: AnswerTable = table) -> Iterator[list[Any]]:
            return ([cell.value for cell in cells] for row in rows() for cells in table.rows(row))

        _write_columns(file, table.heads, table.head_types, values)
    _write_columns(probabilities, _PROBABILITY_HEADS, (str, str, float, int, str), lambda: _probabilities(rows))
    return [*files, probabilities]


def _write_columns(
    file: Path, heads: Sequence[str], types: Sequence[type], rows: Callable[[], Iterator[Sequence[Any]]]
) -> None:
    """Write a Parquet file. If a value does not fit the type of its column, the whole column is written as text."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    types = list(types)
    for row in rows():
        types = [kind if _fits(kind, value) else str for kind, value in zip(types, row, strict=True)]
    arrow = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
    arrow[date] = pyarrow.date32()
    schema = pyarrow.schema([(head, arrow[kind]) for head, kind in zip(_distinct(heads), types, strict=True)])
    with _replace_file(file) as own, ParquetWriter(own, schema) as writer:
        for batch in _batched(rows(), _ROWS_OF_A_GROUP):
            columns = zip(*batch, strict=True)
            arrays = [
                pyarrow.array([_convert(kind, value) for value in column], arrow[kind])
                for kind, column in zip(types, columns, strict=True)
            ]
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))


def _batched(rows: Iterator[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    while batch := [*islice(rows, size)]:
        yield batch


def _fits(kind: type, value: Any) -> bool:
    """True if a column of the type `kind` can store `value` without changing it."""
    if value is None or kind is str:
        return True
    if kind is date:
        return is_iso_date(value)
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is int:
        return isinstance(value, int) and -(1 << 63) <= value < 1 << 63
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= _EXACT)


def _convert(kind: type, value: Any) -> Any:
    if value is None:
        return None
    if kind is date:
        return date.fromisoformat(value)
    if kind is str:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return kind(value)


def _write_lines(path: Path, _: Sequence[AnswerTable], rows: Rows) -> list[Path]:
    """Write one JSON object for each paper: its name, the whole answer with its evidence and warnings, and any
    error."""
    with _replace_file(path) as own, own.open("w", encoding="utf-8") as out:
        for row in rows():
            line: dict[str, Any] = {"paper": row.name}
            if row.result is not None:
                line |= {name: value for name in row.result.__slots__ if (value := getattr(row.result, name))}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return [path]


def _write_database(path: Path, tables: Sequence[AnswerTable], rows: Rows) -> list[Path]:
    """Write a database with a table for each of `tables`, and a table `probabilities` with a row for each field
    that has evidence."""
    with _replace_file(path) as own:
        own.unlink(missing_ok=True)
        db = sqlite3.connect(own)
        try:
            *names, probabilities = _distinct([*(table.name for table in tables), _PROBABILITIES])
            for table, name in zip(tables, names, strict=True):
                _create(db, name, table.heads)
                _fill(db, name, (cells for row in rows() for cells in _row_values(table.rows(row))))
            _create(db, probabilities, _PROBABILITY_HEADS)
            _fill(db, probabilities, _probabilities(rows))
            db.commit()
        finally:
            db.close()
    return [path]


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _create(db: sqlite3.Connection, name: str, heads: Sequence[str]) -> None:
    db.execute(f"CREATE TABLE {_quote(name)} ({', '.join(map(_quote, _distinct(heads)))})")


def _distinct(heads: Sequence[str], gap: str = " ") -> list[str]:
    """Return `heads`, with a number after `gap` added to each repeated name.

    Names that differ only in case count as repeated, because workbooks, databases and some file systems take them for
    the same.
    """
    made: list[str] = []
    for head in heads:
        name, number = head, 2
        while name.lower() in (one.lower() for one in made):
            name = f"{head}{gap}{number}"
            number += 1
        made.append(name)
    return made


def _fill(db: sqlite3.Connection, name: str, rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        db.execute(f"INSERT INTO {_quote(name)} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608


def _row_values(rows: Iterable[Sequence[FieldCell]]) -> Iterator[list[Any]]:
    for cells in rows:
        # A whole number that does not fit in SQLite's signed 64 bits is stored as text.
        yield [
            str(one.value) if isinstance(one.value, int) and abs(one.value) >= 1 << 63 else one.value for one in cells
        ]


def _probabilities(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for row in rows():
        for pointer, found in row.result.evidence.items() if row.result else ():
            yield row.name, pointer, found.get("probability"), found.get("page"), found.get("text")


@contextmanager
def _replace_file(path: Path) -> Iterator[Path]:
    """Yield a new file that replaces `path` at the end of the block."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.resolve().parent)
    os.close(handle)
    own = Path(name)
    try:
        yield own
        # The file gets the permissions that a newly created file would have under the user's umask.
        mask = os.umask(0)
        os.umask(mask)
        own.chmod(0o666 & ~mask)
        own.replace(path)
    finally:
        own.unlink(missing_ok=True)


WRITERS: Mapping[str, Callable[[Path, Sequence[AnswerTable], Rows], list[Path]]] = {
    ".xlsx": _write_workbook,
    ".csv": _write_csv,
    ".tsv": _write_csv,
    ".jsonl": _write_lines,
    _PARQUET: _write_parquet,
    ".sqlite": _write_database,
    ".db": _write_database,
}
