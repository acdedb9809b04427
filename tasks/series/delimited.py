"""Text in lines and columns: CSV of any delimiter, TSV, and the tables of Markdown."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tasks.series.dates import moment
from tasks.series.numbers import is_missing, looks_numeric
from tasks.series.table import Table, table_of

_DELIMITERS = ("\t", ";", ",", "|")
_SAMPLE = 50
"""Lines by which the delimiter is told."""
_RULE = re.compile(r"[\s|:+=-]+")
"""The line under the head of a table in Markdown."""
_DATE_THEN_NUMBER = re.compile(r"(.{4,30}?)(?:\s*[:=→]\s*|\s+[–-]\s+|\s+)([-+(]?\S*\d\S*)")
_DECIMAL = re.compile(r"([-+]?\d{1,15}),\d+")
_LEAST_DATES = 5
"""Dates in a row that may be the names of columns."""
_LONGEST = 80
"""Characters of a line with a date and a number."""


def delimited_table(text: str) -> Table | None:
    """None where there is nothing that could be a table. Lines of another width than most are titles and notes."""
    try:
        return _table(text)
    except csv.Error:  # a quote that never ends
        return None


def _table(text: str) -> Table | None:
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip() and not _is_comment(line)]
    if not lines:
        return None
    delimiter = _delimiter(lines[:_SAMPLE])
    rows = list(_rows(lines, delimiter))
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    start = next(at for at, row in enumerate(rows) if len(row) == width or (len(row) == width + 1 and is_head(row)))
    rows = [row for row in rows[start:] if any(map(str.strip, row))]
    names: Sequence[str] = rows.pop(0) if is_head(rows[0]) else ()
    rows = [row for row in rows if len(row) in (width, width + 1) or width == 1]
    return table_of(rows, names, comma_likely=delimiter == ";")


def is_head(row: Sequence[str]) -> bool:
    """Whether `row` names columns: it has words, and neither numbers nor dates; or a date for each but
    the first."""
    words = [cell for cell in row if not is_missing(cell)]
    if len(row) > _LEAST_DATES and not looks_numeric(row[0]) and all(map(moment, row[1:])):
        return True
    return bool(words) and not any(looks_numeric(cell) or moment(cell) for cell in words)


def date_and_number(line: str) -> list[str] | None:
    """The two cells of `Jan 2024: 12` and `2024-01-01 12`."""
    text = line.strip().lstrip("-*•").strip()
    if len(text) > _LONGEST:
        return None
    for found in filter(None, (_DATE_THEN_NUMBER.fullmatch(text), _last_word(text))):
        if moment(found[1].rstrip(":=,;")) and looks_numeric(found[2]):
            return [found[1].rstrip(":=,;"), found[2]]
    return None


def _last_word(text: str) -> "re.Match[str] | None":
    return re.fullmatch(r"(.{4,40}\S)\s+(\S+)", text)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _delimiter(lines: Sequence[str]) -> str:
    """That which cuts most lines into as many cells, two or more; "" where none does."""

    def agreement(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(cells) for cells in _rows(lines, delimiter))
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        return (count, width) if width > 1 else (0, 0)

    best = max(_DELIMITERS, key=agreement)
    if lines[0].lstrip().startswith("|"):
        return "|"
    # A title has none, but a list of `1,5` in lines is no table: its cells would be halves of numbers.
    if 2 * agreement(best)[0] < len(lines):
        return ""
    return "" if best == "," and _are_decimals(lines) else best


def _are_decimals(lines: Sequence[str]) -> bool:
    """Whether commas stand within numbers: lines of `12,5`, but not those of `1,12` and `2,14`, which count on."""
    numbers = lines[1:] if "," not in lines[0] else lines
    found = [_DECIMAL.fullmatch(line.strip()) for line in numbers]
    if not all(found):
        return False
    wholes = [int(one[1]) for one in found if one]
    return not all(later > earlier for earlier, later in pairwise(wholes))


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    if delimiter == "|":
        for line in lines:
            if not _RULE.fullmatch(line):
                yield [cell.strip() for cell in line.strip().strip("|").split("|")]
    elif delimiter:
        yield from csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    else:
        for line in lines:
            yield date_and_number(line) or [line.strip()]
