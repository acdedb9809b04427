"""Finds rows and cells of lists that are printed but do not count: struck through, cancelled, with figures of the other
rows, or with a day in figures of which nothing shows the order.
"""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.folding import fold
from tasks.extraction.replacements import STRUCK
from tasks.notation.cells import looks_numeric
from tasks.notation.currencies import DOLLARS, find_currencies
from tasks.notation.dates import find_days_in_slices, parse_day
from tasks.notation.order_of_days import FIGURES_OF_DAY, are_letters_foreign, has_one_order, order_of
from tasks.read_table import ReadCell, ReadTable

MAX_DATED: Final = 200_000
"""The order of day and month is searched for in at most this many characters of a text."""
CHARS_AT_ONCE: Final = 5_000
ROWS_AT_ONCE: Final = 64
LONGEST: Final = 200
"""A longer text does not count as a description with a remark."""
_TABLE = tomllib.loads(Path(__file__).with_name("doubts.toml").read_text("utf-8"))
_CANCELLED: Final = frozenset(word for phrase in _TABLE["cancelled"]["words"].split(",") for word in fold(phrase))
_FIGURES: Final = frozenset(tuple(fold(phrase)) for phrase in _TABLE["figures_of_rows"]["words"].split(","))
_STRUCK_TEXT = re.compile(rf"({STRUCK.pattern})(?P<text>.*?)(?:{STRUCK.pattern})", re.IGNORECASE | re.DOTALL)
_REMARKS = (
    re.compile(r"(?<=\w)(?:\s?[(\[]|\s[-–—]|[,;:])\s*([^\W\d_]+)\W*$"),
    re.compile(r"^\W*([^\W\d_]+)\W+\w"),
)
"""Patterns of a word at the end of a text behind a sign (`Chair (cancelled)`), and at its beginning (`VOID Pen`)."""


def without_struck_rows(table: ReadTable) -> Slices[ReadTable]:
    """Return a table without the rows that are struck through, and without struck texts beside others in a cell:
    `~~49.00~~ 54.00` is 54.00. A cell that is struck as a whole, in a row that is not, keeps its text."""
    rows: list[Sequence[ReadCell]] = []
    is_changed = False
    for index, row in enumerate(table.rows):
        if index % ROWS_AT_ONCE == 0:
            yield
        if not any(STRUCK.search(cell.text) for cell in row):
            rows.append(row)
            continue
        is_changed = True
        filled = [cell for cell in row if cell.text]
        if index < table.header or 2 * sum(map(is_struck, filled)) <= len(filled):
            rows.append([_without_struck(cell) for cell in row])
    return replace(table, rows=rows) if is_changed and rows else table


def is_struck(cell: ReadCell) -> bool:
    """True if the whole text of a cell is struck through."""
    text = cell.source or cell.text
    return STRUCK.search(text) is not None and not _STRUCK_TEXT.sub("", text).strip(" .,;*_")


def _without_struck(cell: ReadCell) -> ReadCell:
    if not STRUCK.search(cell.text):
        return cell
    left = " ".join(_STRUCK_TEXT.sub(" ", cell.text).split())
    inside = _STRUCK_TEXT.search(cell.text)
    text = left if left or inside is None else inside["text"].strip()
    return cell._replace(text=text, source=cell.source or cell.text)


def largest_of_row(row: Sequence[ReadCell], names: Collection[str]) -> float:
    """Return the largest probability, 0 to 1, of the cells of a row: DOUBTFUL if one of them is struck through, or says
    beside another text that the row is cancelled, or if the row has figures of other rows, such as their average.
    `names` are the words in the names of the list and its fields; if one of them says so, too, the list wants such
    rows."""
    if any(map(is_struck, row)) or _has_figures_of_rows(row, names):
        return DOUBTFUL
    if not _CANCELLED.isdisjoint(names):
        return 1.0
    return DOUBTFUL if any(is_cancelled(cell.text) for cell in row) else 1.0


def _has_figures_of_rows(row: Sequence[ReadCell], names: Collection[str]) -> bool:
    label, *rest = [cell.text for cell in row if cell.text] or [""]
    words = tuple(fold(label)) if len(label) <= LONGEST else ()
    return words in _FIGURES and bool(rest) and all(map(looks_numeric, rest)) and words[0] not in names


def is_cancelled(text: str) -> bool:
    """True if a text describes something and says that it is cancelled."""
    found = [pattern.search(text) for pattern in _REMARKS if len(text) <= LONGEST]
    return any(one is not None and not _CANCELLED.isdisjoint(fold(one[1])) for one in found)


def are_days_first_in(text: str) -> Slices[bool | None]:
    """Return whether a text has the day before the month in days such as `03/04/05`; None if it does not show it, or
    shows both orders."""
    text = text[:MAX_DATED]
    days = yield from find_days_in_slices(text)
    orders = {order_of(text[day.start : day.end], day) for day in days} - {None}
    if orders:
        return orders.pop() if len(orders) == 1 else None
    has_currency = False
    for start in range(0, len(text), CHARS_AT_ONCE):
        yield
        codes = {one.code for one in find_currencies(text[start : start + CHARS_AT_ONCE])}
        if not codes.isdisjoint(DOLLARS):
            return None
        has_currency = has_currency or bool(codes)
    return True if has_currency or are_letters_foreign([text]) else None


def is_order_open(cell: str) -> bool:
    """True if a cell has a day in figures that can be read in both orders. Figures with points between them have the
    day first everywhere."""
    day = parse_day(cell)
    figures = FIGURES_OF_DAY.match(cell[day.start :]) if day is not None and not has_one_order(day) else None
    return figures is not None and figures[1] != "."
