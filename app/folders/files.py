"""Writes the tables of an extraction job into a file. The file's ending decides between a workbook, CSV, JSON Lines
and a SQLite database.

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
from pathlib import Path
from typing import Any

from app.folders.answers import name_of
from app.folders.failures import Failed
from app.folders.reviews import PaperResult
from app.folders.tables import AnswerTable, distinct, tables_of
from app.folders.workbook import Rows, fill_book

_PROBABILITIES = "probabilities"
_PROBABILITY_HEADS = ("paper", "field", "probability", "page", "text")
_FORMULA = re.compile(
    r"""\A(?=[\t\r]) |
    (?:\A | (?<=[;,\t\r\n]))
    (?= [^\S\t\r\n]*+ (?: [=@＝＠－] | [+＋-] (?!(?:[\d.()/+-]|[^\S\t\r\n])*+(?:[;,\t\r\n]|\Z)) ))""",
    re.VERBOSE,
)
"""Pattern of the places in a text of a CSV file where a spreadsheet would see a formula: at the beginning of the text,
and after a separator at which the spreadsheet may split the text. Telephone numbers and amounts do not match."""


def check(path: Path) -> None:
    """Raise Failed if `write` cannot write a file of this ending."""
    if path.suffix.lower() not in WRITERS:
        raise Failed(f"{path} should end in one of {', '.join(WRITERS)}")


def write(path: Path, schema: Mapping[str, Any], rows: Rows) -> list[Path]:
    """Write the tables of `rows`, and return the files. Raises OSError and Failed, and leaves the
    earlier file as it was."""
    try:
        return WRITERS[path.suffix.lower()](path, tables_of(schema), rows)
    except (ValueError, sqlite3.Error) as error:
        # Workbooks and databases have limits of their own, such as the number of columns.
        raise Failed(f"{path} cannot be written ({error}): write .jsonl instead, which has no limits") from error


def _write_workbook(path: Path, tables: Sequence[AnswerTable], rows: Rows) -> list[Path]:
    """Write a workbook with a sheet for each table, one of the warnings, and a hidden one of the probabilities."""
    with _replace_file(path) as own:
        fill_book(own, path.resolve().parent, tables, rows, (_PROBABILITIES, _PROBABILITY_HEADS, _probabilities))
    return [path]


def _sibling_paths(path: Path, names: Iterable[str]) -> list[Path]:
    """Return the paths of further files next to `path`, one for each table in `names`."""
    parts = distinct([re.sub(r"[^\w.-]", "_", name) for name in names], "_")
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
                for values in ([cell.value for cell in cells] for cells in table.rows(row)):
                    writer.writerow([_FORMULA.sub("'", one) if isinstance(one, str) else one for one in values])
    return files


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
            *names, probabilities = distinct([*(table.name for table in tables), _PROBABILITIES])
            for table, name in zip(tables, names, strict=True):
                values = ([cell.value for cell in cells] for row in rows() for cells in table.rows(row))
                _fill(db, name, table.heads, values)
            _fill(db, probabilities, _PROBABILITY_HEADS, _probabilities(rows))
            db.commit()
        finally:
            db.close()
    return [path]


def _fill(db: sqlite3.Connection, name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    quoted = ['"' + one.replace('"', '""') + '"' for one in (name, *distinct(heads))]
    db.execute(f"CREATE TABLE {quoted[0]} ({', '.join(quoted[1:])})")
    # A whole number that does not fit in SQLite's signed 64 bits is stored as text.
    lines = ([str(one) if isinstance(one, int) and abs(one) >= 1 << 63 else one for one in row] for row in rows)
    db.executemany(f"INSERT INTO {quoted[0]} VALUES ({', '.join('?' * len(heads))})", lines)  # noqa: S608


def _probabilities(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for row in rows():
        result = row.result or PaperResult()
        for pointer, found in result.evidence.items():
            name = name_of(pointer, result.answer)
            yield row.name, name, found.get("probability"), found.get("page"), found.get("text")


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
    ".sqlite": _write_database,
    ".db": _write_database,
}
