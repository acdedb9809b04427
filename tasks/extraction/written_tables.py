"""Finds tables in results and in texts without places on a page.

Texts that are data (`data_documents`) have the tables of their structure. Tables in other texts are written with bars
(Markdown, into which office documents and web pages are converted), or with commas, semicolons, tabs or bars between
cells (CSV). Columns that spaces align are found like those of pages (`headed_rows`).
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from tasks.extraction.concepts import PHRASES
from tasks.extraction.data_documents import texts_and_data
from tasks.extraction.folding import fold
from tasks.extraction.passages import head_of
from tasks.extraction.sum_rows import STAGES, SUMS
from tasks.precontext import Entry
from tasks.read_table import NO_CELL, ReadCell, ReadTable
from tasks.result import SourceLine

DELIMITERS = ("\t", ";", "|", ",")
LEAST_ROWS = 2
"""Least number of rows that make a table."""
MAX_CELLS = 200_000
"""Largest number of cells of all tables of a request. Further tables count as texts."""
MAX_CHARS = 4_000_000
"""Largest number of characters of a text that are searched for tables."""
MAX_TABLE_LINES = MAX_CELLS // 2
"""Largest number of lines of a text that are searched for tables. A table of more rows would have too many cells."""
MAX_COLUMNS = 16_384
"""Largest number of columns of a table: a spreadsheet has no more."""
_BAR = re.compile(r"(?<!\\)\|")
_WIDE_GAP = re.compile(r"\s{2,}|\t")
_RULE = re.compile(r"[-:=+ |]+")
_DECIMAL_COMMA = re.compile(r"(?<=\d),\d\d(?!\d)")
_PRICED = re.compile(
    r"(?:[-*•] )?(?:(?P<count>\d{1,3}) ?[x×] )?(?P<text>[^\W\d][^:\n]{0,80}?)(?: ?[.…]{2,} ?|: *|\s+)"
    r"(?P<price>-?(?:[^\W\d]{3} ?|[$€£¥] ?)?\d[\d.,']{0,12}[.,]\d\d(?: ?(?:[^\W\d]{3}|[$€£¥]))?)"
)
"""Pattern of a line of a text and a price with two decimals at its end, perhaps with a count before the text."""
_COMMA_IN_NUMBER = re.compile(r"(?<=\d),(?=\d)")


def tables_in(entries: Sequence[Entry]) -> list[tuple[Entry, ReadTable]]:
    """Return the tables of all entries, in order, each with its entry."""
    found: list[tuple[Entry, ReadTable]] = []
    left = MAX_CELLS
    for entry in entries:
        own: list[ReadTable] = []
        for one in entry.result.tables() if entry.error is None else ():
            own += [one] if one is not None else []
        for source_lines, data in texts_and_data(entry):
            own += data.tables if data else _tables_in_lines(head_of(source_lines, MAX_CHARS, MAX_TABLE_LINES))
        for table in own:
            left -= len(table.rows) * len(table.rows[0])
            if left < 0:
                return found
            found.append((entry, table))
    return found


def _tables_in_lines(lines: Sequence[SourceLine]) -> list[ReadTable]:
    found: list[ReadTable] = []
    for _, same_text in groupby(lines, key=lambda line: line.pointer):
        text = list(same_text)
        if not any(line.bounds or "bounds" in line.place for line in text):
            found += _tables_in_text(text)
    return found


def _tables_in_text(lines: Sequence[SourceLine]) -> list[ReadTable]:
    barred = [_is_barred(line.written) for line in lines]
    if not any(barred):
        whole = _delimited(lines)
        return [whole] if whole is not None else (_delimited_blocks(lines) or _priced_runs(lines))
    found: list[ReadTable] = []
    heading = ""
    for is_barred, run in groupby(zip(lines, barred, strict=True), key=lambda pair: pair[1]):
        block = [line for line, _ in run]
        if is_barred:
            tables = (_table_of(_barred_rows(part), heading) for part in _blocks(block))
            found += [table for table in tables if table is not None]
        else:
            heading = block[-1].written.strip(" #")
    if not any(_RULE.fullmatch(line.written) for line in lines):
        found += _delimited_tables(lines)
    return found


def _blocks(lines: Sequence[SourceLine]) -> Iterator[list[SourceLine]]:
    """Yield the blocks of lines. Empty lines, which `lines` leaves out, separate blocks."""
    block: list[SourceLine] = []
    for line in lines:
        if block and line.row != block[-1].row + 1:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _is_barred(line: str) -> bool:
    bare = line.strip()
    return len(bare) > 1 and bare[0] == bare[-1] == "|"


def _barred_rows(lines: Sequence[SourceLine]) -> list[list[ReadCell]]:
    rows: list[list[ReadCell]] = []
    cells = 0
    for line in lines:
        if cells > MAX_CELLS:
            break
        if _RULE.fullmatch(line.written):
            continue
        texts = [cell.replace("\\|", "|").strip() for cell in _BAR.split(line.written.strip()[1:-1], MAX_COLUMNS)]
        rows.append(_row(texts, line))
        cells += len(texts)
    return rows


def _row(texts: Sequence[str], line: SourceLine) -> list[ReadCell]:
    place = {key: line.place[key] for key in ("page", "url") if key in line.place}
    return [
        ReadCell(text.strip("*_ ") if text.startswith(("**", "__")) else text, line.pointer, place) for text in texts
    ]


def _table_of(rows: Sequence[Sequence[ReadCell]], heading: str = "", *, comma_likely: bool = False) -> ReadTable | None:
    width = max(map(len, rows), default=0)
    if width < 2 or len(rows) < LEAST_ROWS:
        return None
    # `tables_in` leaves out a table with too many cells, and recognises it by the first row beyond the limit.
    kept = rows[: 1 + MAX_CELLS // width]
    return ReadTable([[*row, *[NO_CELL] * (width - len(row))] for row in kept], heading, comma_likely)


def _delimited_tables(lines: Sequence[SourceLine]) -> list[ReadTable]:
    """Return the table that the whole text forms, or else the tables that its blocks form."""
    whole = _delimited(lines)
    return [whole] if whole is not None else _delimited_blocks(lines)


def _delimited_blocks(lines: Sequence[SourceLine]) -> list[ReadTable]:
    found: list[ReadTable] = []
    heading = ""
    for block in _blocks(lines):
        for start in range(min(2, len(block))):
            table = _delimited(block[start:], block[start - 1].written if start else heading)
            if table is not None:
                found.append(table)
                break
        heading = block[-1].written.strip()
    return found


def _priced_runs(lines: Sequence[SourceLine]) -> list[ReadTable]:
    """Return the tables that consecutive lines of a text and a price form, such as `2 x Breakfast: 54.00`. Lines of
    sums and taxes alone form none."""
    found: list[ReadTable] = []
    for block in _blocks(lines):
        pairs = [(line, _PRICED.fullmatch(line.written.strip())) for line in block]
        for is_priced, run in groupby(pairs, key=lambda pair: pair[1] is not None):
            rows = [(line, priced) for line, priced in run if priced is not None]
            names = [tuple(word for word in fold(priced["text"]) if word.isalpha()) for _, priced in rows]
            if is_priced and sum(PHRASES.get(name) not in SUMS | STAGES for name in names) >= LEAST_ROWS:
                parts = ["count", "text", "price"] if any(priced["count"] for _, priced in rows) else ["text", "price"]
                table = _table_of([_row([priced[part] or "" for part in parts], line) for line, priced in rows])
                found += [table] if table is not None else []
    return found


def _delimited(lines: Sequence[SourceLine], heading: str = "") -> ReadTable | None:
    """Return the table that all these lines form together; None if they form none. Lines of one cell are titles and
    notes."""
    # `lines` has no empty lines. They are not needed: as a row, an empty line would have no cells, and within a cell,
    # it would be white space.
    texts = [line.written for line in lines]
    texts[0] = texts[0].removeprefix("\ufeff")
    for delimiter in DELIMITERS:
        if not 0 < max(text.count(delimiter) for text in texts) <= MAX_COLUMNS:
            continue
        if delimiter == "," and _have_only_decimal_commas(texts):
            continue
        filled: list[list[str]] = []
        left = MAX_CELLS
        try:
            lines_of_text = (f"{text}\n" for text in texts)
            for row in csv.reader(lines_of_text, delimiter=delimiter, skipinitialspace=True, strict=True):
                cells = [" ".join(cell.split()) for cell in row[: MAX_COLUMNS + 1]]
                if any(cells):
                    filled.append(cells)
                    left -= len(cells)
                if left < 0:
                    break
        except csv.Error:
            continue
        widths = Counter(len(row) for row in filled if len(row) > 1)
        width, count = max(widths.items(), key=itemgetter(1), default=(0, 0))
        irregular_rows = [row for row in filled if len(row) != width and any(row[1:])]
        prose = delimiter == "," and width == 2 and sum(" " in row[1] for row in filled if len(row) == 2) * 2 > count
        if count < LEAST_ROWS or len(irregular_rows) * 5 > count or 2 * count < len(filled) or prose:
            continue
        while len(filled[-1]) == 1:  # a note below the table, for below a section's title there would be rows
            filled.pop()
        rows = [_row(row[:width], lines[0]) for row in filled]
        return _table_of(rows, heading, comma_likely=delimiter == ";")
    return None


def _have_only_decimal_commas(lines: Sequence[str]) -> bool:
    """Return True if all commas in the lines are decimal commas, and all lines with commas also have words: `2 x Balpen
    blauw 56,50`. In a line whose columns are aligned by spaces, any comma between two figures is a decimal comma:
    `Glucose     5,1 mmol/l`."""
    for line in lines:
        commas = line.count(",")
        pattern = _COMMA_IN_NUMBER if _WIDE_GAP.search(line.strip()) else _DECIMAL_COMMA
        if commas and (len(pattern.findall(line)) < commas or not any(map(str.isalpha, line))):
            return False
    return True
