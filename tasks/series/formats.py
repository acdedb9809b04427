"""Finds tables in text: CSV with any delimiter, TSV, Markdown tables, and JSON."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tasks.notation.cells import is_missing, looks_numeric, moment, since_1970, year_in
from tasks.series.columns import MAX_OTHERS, compact_date
from tasks.series.grid import SeriesTable, cell_of, check_size, table_of

_LEAST_ELEMENTS = 2
"""A list is a column only if it has at least this many elements."""
_MAX_DEPTH = 4
"""Objects are searched for a table to at most this depth, the outermost having depth 0: `{"data": {"rows": […]}}`."""
_DELIMITERS = ("\t", ";", ",", "|")
_SAMPLE = 50
"""Number of lines that decide on the delimiter."""
_RULE = re.compile(r"[\s|:+=-]+")
"""The line under the header of a Markdown table."""
_DATE_THEN_NUMBER = (
    # The quantifiers are possessive, because backtracking would be useless: the text after the spaces or signs never
    # begins with one of them.
    re.compile(r"(.{4,30}?)(?:\s*+[:=→]\s*+|\s++[–-]\s++|\s++)((?=\S*?\d)\S++)"),
    re.compile(r"(.{4,40}\S)\s++(\S++)"),
)
_DECIMAL = re.compile(r"([-+]?(?:\d{1,3}(?:\.\d{3})+|\d{1,15})),\d+\s*[€$£%]?")
_LEAST_DATES = 5
"""Dates in a row may be column names if there are at least this many."""
_LONGEST_LINE = 80
"""A line with a date and a number has at most this many characters."""


def json_table(text: str, most_cells: int) -> SeriesTable | None:
    """Return the first table in a JSON text, or None if the text is not JSON or has no table. Raises TooManyCells."""
    try:
        return value_table(_parse_json(text), most_cells)
    except (ValueError, RecursionError):
        return None


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError:
        return [json.loads(line, parse_constant=lambda _: None) for line in text.splitlines() if line.strip()]


def value_table(value: object, most_cells: int, depth: int = 0) -> SeriesTable | None:
    """Return the table in a parsed JSON value, or None if there is none. Raises TooManyCells."""
    if isinstance(value, list):
        return _table_of_list(value, most_cells)
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return None
    lists = {str(name): column for name, column in value.items() if isinstance(column, list)}
    plain = {name: column for name, column in lists.items() if not _is_nested(column)}
    if plain and max(map(len, plain.values())) >= _LEAST_ELEMENTS:
        return _table_of_columns(plain, most_cells)
    if len(value) > _LEAST_ELEMENTS and not _is_nested(value.values()):
        # An object such as `{"2024-01": 12, "2024-02": 15}` is a table of two columns.
        return table_of([[str(name), cell_of(cell)] for name, cell in value.items()], ("", "value"), most_cells)
    single = len(value) == 1 and all(isinstance(inner, dict) and _are_numbers(inner) for inner in value.values())
    if single or (len(value) > 1 and all(isinstance(inner, dict) for inner in value.values())):
        keyed = _table_of_mappings(value, most_cells)
        if keyed is not None:
            return keyed
    return next(filter(None, (value_table(inner, most_cells, depth + 1) for inner in value.values())), None)


def _is_nested(cells: Iterable[Any]) -> bool:
    return any(isinstance(cell, list | dict) for cell in cells)


def _are_numbers(value: Mapping[str, Any]) -> bool:
    return len(value) >= _LEAST_ELEMENTS and all(isinstance(cell, int | float | None) for cell in value.values())


def _table_of_list(rows: Sequence[Any], most_cells: int) -> SeriesTable | None:
    objects = [row for row in rows if isinstance(row, dict)]
    if objects:
        names = list(dict.fromkeys(str(name) for row in objects for name in row))
        check_size(len(objects), len(names), most_cells)
        return table_of([[cell_of(row.get(name)) for name in names] for row in objects], names, most_cells)
    if rows and all(isinstance(row, list) for row in rows):
        head = rows[0] if rows[0] and all(isinstance(cell, str) for cell in rows[0]) and len(rows) > 1 else None
        if head is not None and all(isinstance(cell, str) for cell in rows[1]):
            head = None
        cells = [[cell_of(cell) for cell in row] for row in (rows[1:] if head else rows)]
        return table_of(cells, head or (), most_cells)
    return table_of([[cell_of(cell)] for cell in rows], (), most_cells) if len(rows) >= _LEAST_ELEMENTS else None


def _table_of_columns(lists: Mapping[str, Sequence[Any]], most_cells: int) -> SeriesTable:
    """Build a table from those lists that have the most frequent length. The others are not columns."""
    lengths = Counter(map(len, lists.values()))
    length = max(lengths, key=lambda one: (lengths[one], one))
    columns = {name: column for name, column in lists.items() if len(column) == length}
    check_size(length, len(columns), most_cells)
    rows = [[cell_of(column[index]) for column in columns.values()] for index in range(length)]
    return table_of(rows, list(columns), most_cells)


def _table_of_mappings(value: Mapping[str, Mapping[str, Any]], most_cells: int) -> SeriesTable | None:
    """Build a table from pandas' default form, `{"sales": {"2024-01": 12}}`, in either orientation."""
    inner = list(value.values())
    if any(isinstance(cell, list | dict) for row in inner for cell in row.values()):
        return None
    keys = list(dict.fromkeys(str(key) for row in inner for key in row))
    check_size(len(keys), len(inner), most_cells)
    if len(keys) >= len(inner):
        rows = [[key, *(cell_of(row.get(key)) for row in inner)] for key in keys]
        return table_of(rows, ("", *map(str, value)), most_cells)
    rows = [[str(name), *(cell_of(row.get(key)) for key in keys)] for name, row in value.items()]
    return table_of(rows, ("", *keys), most_cells)


def delimited_table(text: str, most_cells: int) -> SeriesTable | None:
    """Return the table in a delimited text, or None. A line counts as a title or a note, and is left out, if its number
    of cells is neither the most frequent one nor one more than that. Raises TooManyCells."""
    lines = [
        line for line in text.removeprefix("\ufeff").splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        return None
    try:
        delimiter = _find_delimiter(lines[:_SAMPLE])
        rows = list(_split_rows(lines, delimiter))
    except csv.Error:  # a quote that never ends
        return None
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    start = next(
        index for index, row in enumerate(rows) if len(row) == width or (len(row) == width + 1 and is_head(row))
    )
    rows = [row for row in rows[start:] if any(map(str.strip, row))]
    names: Sequence[str] = rows.pop(0) if is_head(rows[0]) else ()
    rows = [row for row in rows if len(row) in (width, width + 1) or width == 1]
    return table_of(rows, names, most_cells, comma_likely=delimiter == ";")


def is_head(row: Sequence[str]) -> bool:
    """True if `row` is a header: it has words and no numbers or dates, or many columns, nearly all of
    which are dates."""
    words = [cell for cell in row if not is_missing(cell)]
    if is_head_of_dates(row):
        return True
    return bool(words) and not any(looks_numeric(cell) or moment(cell) for cell in words)


def is_head_of_dates(row: Sequence[str]) -> bool:
    """True if `row` is the header of a table whose columns are dates."""
    # Other cells stand at the ends, so the middle one tells most other rows at little cost.
    if len(row) <= _LEAST_DATES or looks_numeric(row[0]) or moment(row[len(row) // 2]) is None:
        return False
    return sum(moment(cell) is not None for cell in row[1:]) >= max(_LEAST_DATES, len(row) - MAX_OTHERS)


def date_and_number(line: str) -> list[str] | None:
    """Split a line such as `Jan 2024: 12` or `2024-01-01 12` into its two cells; return None for any other line."""
    text = line.strip().lstrip("-*•").strip()
    if len(text) > _LONGEST_LINE:
        return None
    for found in filter(None, (form.fullmatch(text) for form in _DATE_THEN_NUMBER)):
        if moment(found[1].rstrip(":=,;")) and looks_numeric(found[2]):
            return [found[1].rstrip(":=,;"), found[2]]
    return None


def _find_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that splits at least half of the lines into the same number of cells, at least two. Return a
    pipe if the first line begins with one. Return "" if there is no delimiter, or if the commas are decimal signs."""

    def agreement(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(cells) for cells in _split_rows(lines, delimiter))
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        return (count, width) if width > 1 else (0, 0)

    best = max(_DELIMITERS, key=agreement)
    if lines[0].lstrip().startswith("|"):
        return "|"
    # Titles contain no delimiter, so only half of the lines have to agree. Lines such as `1,5` are decimals and not a
    # table.
    if 2 * agreement(best)[0] < len(lines):
        return ""
    return "" if best == "," and _are_decimals(lines) else best


def _are_decimals(lines: Sequence[str]) -> bool:
    """True if commas are decimal signs, as in lines like `12,5`. They are not if the numbers before the commas count
    rows, as in `1,12` and `2,14`, or are dates."""
    numbers = lines[1:] if "," not in lines[0] else lines
    found = [_DECIMAL.fullmatch(line.strip()) for line in numbers]
    if not all(found):
        return False
    return not _label_rows([float(one[1].replace(".", "")) for one in found if one])


def _label_rows(numbers: Sequence[float]) -> bool:
    """True if numbers count rows from 0 or 1, or are years at equal distances, days like 20240131, or seconds."""
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    count_rows = steps == {1.0} and numbers[0] in (0, 1)
    are_years = len(steps) == 1 and min(steps) > 0 and all(map(year_in, numbers))
    return count_rows or are_years or all(map(compact_date, numbers)) or all(map(since_1970, numbers))


def _split_rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    if delimiter == "|":
        for line in lines:
            if not _RULE.fullmatch(line):
                yield [cell.strip() for cell in line.strip().strip("|").split("|")]
    elif delimiter:
        yield from csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    else:
        for line in lines:
            yield date_and_number(line) or [line.strip()]
