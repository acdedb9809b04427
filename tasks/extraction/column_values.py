"""Reads the cells of one column as values that fit a field's schema."""

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from tasks.extraction.features import HOURS_AND_MINUTES, MOMENT, types_of, wants_clock, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.units import (
    converted,
    in_hundredths,
    magnitude_named,
    unit_of,
    units_to_convert_to,
    wants_hundredths,
)
from tasks.extraction.yes_and_no import EnumValues, answer_of, most_harmless
from tasks.notation.cells import decimal_comma, fraction, is_missing, moments, number
from tasks.notation.clock_times import clock_beside, written_clock
from tasks.notation.dates import day_of_week_near, days_without_year, find_days, is_day_of_a_year, parse_day
from tasks.notation.numbers import find_numbers, with_plain_width
from tasks.notation.order_of_days import order_of

UNREADABLE = object()
"""Mark of a cell whose text is not a value of the field."""
NO_VALUE = object()
"""Mark of a field whose schema allows no empty value."""
_AMOUNT = re.compile(
    r"[^\d(+\-−–.,]{0,6}\(?[^\d(+\-−–.,]{0,4}(?P<before>[-+−–]?)\s*[^\d.,]{0,3}?"
    r"(?P<digits>(?:\d[\d.,٫٬'’]*(?:[    ]\d{3}(?!\d)[\d.,٫٬]*)*|[.,٫]\d+))\s*(?P<after>[-−–]?)\)?"
    r"(?:\s*[^\d\s][^\d]{0,11})?[*¹²³]?"
)
"""Pattern of an amount with a currency, a unit or a footnote mark, and the sign before or after the number."""
_MARKED = re.compile(r"(?P<number>[-+]?\d[\d.,]{0,20}?)[,;]?[^\W\d_]?[*¹²³]?")
"""Pattern of a number with the mark of a note after it."""
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
"""Pattern of a moment with its zone, which is copied as it is."""
_ROUND = re.compile(r"(?<=\d)([.,])[-–—]{1,2}(?!\w)")
"""Pattern of dashes instead of decimals: `1.234,-`."""
_WITH_POINTS = re.compile(r"\s*\d{1,2}\.\s?\d{1,2}\.\s?(?:\d{4}|\d\d)(?!\d)")
_FIGURE = re.compile(r"\d")
LONGEST_AMOUNT = 60
"""A cell with an amount has at most this many characters."""
_MINUS = "-−–"
_MARK = re.compile(r"\d\s?\(?(CR|DR|[SHDC])\)?\.?\s*$", re.IGNORECASE)
_OUT_AND_IN = (("DR", "CR", True), ("S", "H", False), ("D", "C", False), ("D", "H", False))
"""Pairs of marks for outgoing and incoming amounts, such as Soll and Haben, and whether one of them alone is
conclusive."""


def values_of_column(
    column: Sequence[str],
    wanted: WantedField,
    *,
    comma_likely: bool,
    known_days: Sequence[date] = (),
    days_first: bool | None = None,
) -> list[Any]:
    """Return the value of each cell for a field: None for an empty cell, UNREADABLE for a cell without a value.

    A minus behind a number is a sign, as accountants write it.

    All cells together decide what a single cell leaves open: whether commas are decimal signs, and the order of day and
    month. If the cells do not show this order, `days_first` has the one that the document shows, if any. A date without
    a year gets the year that brings it nearest to the `known_days`.
    """
    present = [cell for cell in column if not is_missing(cell)]
    types = types_of(wanted.schema)
    if "boolean" in types:
        return _truths(column)
    found: Sequence[Any]
    if "enum" in wanted.schema:
        choices = _ChoicesOfCells(wanted.schema["enum"])
        found = [*map(choices.meant_by, present)]
    elif types & {"number", "integer"}:
        found = _numbers(present, wanted, types, comma_likely=comma_likely)
    elif wants_iso(wanted.schema):
        found = _days(present, known_days, days_first)
        if wants_clock(wanted.schema):
            found = _with_clocks(present, found, has_seconds=wanted.schema.get("format") == MOMENT)
    elif "array" in types:
        item = wanted.schema.get("items", {})
        values_in = _numbers_in if types_of(item) & {"number", "integer"} else _texts_in
        found = [*map(values_in, present)]
    elif wanted.schema.get("format") == HOURS_AND_MINUTES:
        found = [written_clock(cell) or cell for cell in present]
    else:
        found = present
    each = (one if one is not None and wanted.fits(one) else UNREADABLE for one in found)
    return [None if is_missing(cell) else next(each) for cell in column]


def _texts_in(cell: str) -> list[str]:
    """Return the texts of a cell: its lines, or the parts of a single line between commas or semicolons."""
    parts = cell.split("\n") if "\n" in cell else re.split(r"[;,](?!\d)", cell)
    return [text for part in parts if (text := part.strip())]


def _numbers_in(cell: str) -> list[int | float] | None:
    """Return the numbers of a cell, or None if it has other words: `15 45b` is 15 and 45, with the mark of a note."""
    found: list[int | float] = []
    for word in re.split(r"[;,]\s|\s+", cell):
        match = _MARKED.fullmatch(word)
        if match is None:
            return None
        # A comma is ambiguous: it may be a decimal sign, as in `1,234`, or separate two numbers, as in `12,15`.
        value = number(match["number"], comma=False) if "," not in match["number"] else None
        if value is None:
            return None
        found.append(int(value) if value.is_integer() else value)
    return found


def _truths(column: Sequence[str]) -> list[Any]:
    found = [answer_of(cell) for cell in column]
    present = {cell.strip().casefold() for cell in column} - {""}
    # In a column of crosses or ticks, an empty cell means no.
    empty = False if present and all(answer_of(one) and (one == "x" or not one.isalnum()) for one in present) else None
    return [
        empty if not cell.strip() else (None if is_missing(cell) else UNREADABLE) if one is None else one
        for cell, one in zip(column, found, strict=True)
    ]


class _ChoicesOfCells:
    """The values of an enum that the cells of a column may mean."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._choices = EnumValues(values)
        folded = ((value, "".join(fold(value))) for value in dict.fromkeys(self._choices.values))
        self._by_text = sorted((text, value) for value, text in folded if text)

    def meant_by(self, cell: str) -> Any:
        """Return the value that a cell means, or else the only value that is a word of the cell or begins with the
        cell's text."""
        if (chosen := self._choices.meant_by(cell)) is not None:
            return chosen
        words = fold(cell)
        whole = "".join(words)
        if not whole:
            return None
        similar_values: set[str] = set()
        for text in {whole, *words}:
            for one, value in islice(self._by_text, bisect_left(self._by_text, (text, "")), None):
                if len(similar_values) > 1 or not (one == text or (text == whole and one.startswith(whole))):
                    break
                similar_values.add(value)
        return similar_values.pop() if len(similar_values) == 1 else None


def _numbers(cells: Sequence[str], wanted: WantedField, types: set[str], *, comma_likely: bool) -> list[Any]:
    signs = _signs_of(cells)
    described = str(wanted.schema.get("description", ""))
    units, are_hundredths = units_to_convert_to(wanted.names, described), wants_hundredths(wanted.names)
    own_magnitude = magnitude_named(wanted.names, described)
    plain = [*map(_bare_number, cells)]
    comma = decimal_comma([digits for _, digits in plain if digits], likely=comma_likely)
    found: list[Any] = []
    for cell, (sign, digits), marked in zip(cells, plain, signs, strict=True):
        value = number(digits, comma=comma) if digits else fraction(cell)
        if value is None:
            found.append(UNREADABLE)
            continue
        magnitude = _magnitude_of(cell)
        value *= sign * marked * (1 if magnitude == own_magnitude else magnitude)
        value = _in_units(value, cell, units) if units else _in_hundredths(value, cell) if are_hundredths else value
        whole = value.is_integer() and ("number" not in types or digits.isdigit())
        as_number = int(value) if whole else value
        found.append(as_number if marked > 0 or wanted.fits(as_number) else abs(as_number))
    return found


def _signs_of(cells: Sequence[str]) -> list[int]:
    """Return −1 for each amount with a mark for outgoing money after it, and 1 for all others: `12.00 DR` is outgoing,
    and so is `12.00 S` in a column that also has the mark `H`.

    If only incoming money is marked, as on credit card statements, the marked amounts count as negative.
    """
    marks = [found[1].upper() if (found := _MARK.search(cell)) else "" for cell in cells]
    known_marks = set(marks) - {""}
    for out, in_, is_clear in _OUT_AND_IN:
        if known_marks and known_marks <= {out, in_} and (is_clear or len(known_marks) == 2):
            negative = in_ if known_marks == {in_} and "" in marks else out
            return [-1 if mark == negative else 1 for mark in marks]
    return [1] * len(cells)


def has_decimal_commas(rows: Sequence[Sequence[str]], *, likely: bool) -> bool:
    """True if commas are decimal signs in most of a table's unambiguous numbers.

    If these numbers leave it open, return `likely`.
    """
    votes = 0
    for cell in chain.from_iterable(rows):
        digits = "" if is_day_of_a_year(cell) else _bare_number(cell)[1]
        if digits and decimal_comma([digits], likely=True) == decimal_comma([digits], likely=False):
            votes += 1 if decimal_comma([digits], likely=True) else -1
    if votes:
        return votes > 0
    return likely


def _in_units(value: float, cell: str, units: Collection[str]) -> float:
    """Return the number of a cell in the unit of its field."""
    unit = unit_of(_FIGURE.split(cell)[-1])
    found = converted(Decimal(str(value)), unit, units) if unit else None
    return value if found is None else float(found)


def _in_hundredths(value: float, cell: str) -> float:
    found = in_hundredths(Decimal(str(value)), cell)
    return value if found is None else float(found)


def _magnitude_of(cell: str) -> int:
    """Return what a word of a cell multiplies its number by: 1,000,000 for `1,5 Mio.`, 1 without such a word."""
    if not any(map(str.isalpha, cell)):
        return 1
    return next((one.magnitude for one in find_numbers(cell)), 1)


def _bare_number(cell: str) -> tuple[int, str]:
    """Return the sign and the digits of an amount; no digits if the cell contains no amount."""
    text = _ROUND.sub(r"\g<1>00", with_plain_width(" ".join(cell.split())))
    match = _AMOUNT.fullmatch(text) if len(text) <= LONGEST_AMOUNT else None
    if match is None or fraction(text) is not None:
        return 1, ""
    in_brackets = text.startswith("(") and ")" in text
    is_negative = in_brackets or any(sign and sign in _MINUS for sign in (match["before"], match["after"]))
    return -1 if is_negative else 1, match["digits"].rstrip(".,")


def days_first_by_column(cells: Sequence[str]) -> bool | None:
    """Return whether days in figures have the day before the month, by those of a column that can be read in only one
    order; None if there are none, or if they differ."""
    orders = set()
    for cell in cells:
        text = cell.strip()
        if (day := parse_day(text)) is not None:
            orders.add(order_of(text[day.start : day.end], day))
    orders.discard(None)
    return orders.pop() if len(orders) == 1 else None


def _days(cells: Sequence[str], known_days: Sequence[date], days_first: bool | None) -> list[Any]:
    lone = iter(days_without_year([cell for cell in cells if is_day_of_a_year(cell)], known_days))
    middle = sorted(known_days)[len(known_days) // 2] if known_days else None
    is_open = days_first_by_column(cells) is None
    if is_open and any(map(_WITH_POINTS.match, cells)):
        days_first = True  # Figures with points between them have the day first everywhere.
    found_moments = moments(cells, day_first=days_first if is_open else None, as_local=True)
    found: list[Any] = []
    for cell, one in zip(cells, found_moments, strict=True):
        if is_day_of_a_year(cell):
            one_day = next(lone)
            found.append(UNREADABLE if one_day is None else one_day.isoformat())
        elif one is not None:
            found.append(one.date().isoformat())
        elif (day := parse_day(cell)) is not None:
            found.append(day.readings[0].isoformat())
        else:
            near = day_of_week_near(cell, middle) if middle is not None else None
            found.append(UNREADABLE if near is None else near.isoformat())
    return found


def _with_clocks(cells: Sequence[str], days: Sequence[Any], *, has_seconds: bool) -> list[Any]:
    """Return the days with the times of day in their cells. With `has_seconds`, a day alone does not count."""
    found: list[Any] = []
    for cell, day in zip(cells, days, strict=True):
        printed = next(find_days(cell), None)
        clock = clock_beside(cell, printed.start, printed.end) if printed is not None else None
        if _RFC3339.fullmatch(cell.strip()):
            found.append(cell.strip())
        elif day is UNREADABLE or (clock is None and has_seconds):
            found.append(UNREADABLE)
        elif clock is None:
            found.append(day)
        else:
            found.append(f"{day}T{clock.isoformat('auto' if has_seconds or clock.second else 'minutes')}")
    return found


def is_plain_text(field: WantedField) -> bool:
    return (
        types_of(field.schema) - {"null"} == {"string"} and "enum" not in field.schema and not wants_iso(field.schema)
    )


def is_read(value: Any) -> bool:
    """True if a cell has a value for a field: it is neither empty nor unreadable."""
    return value is not None and value is not UNREADABLE


def is_mostly_absent(values: Sequence[Any]) -> bool:
    """True if some values of a column were read, but most of its cells are empty. The rows without a value are then
    something else than the others: in an account, payments among charges."""
    return any(map(is_read, values)) and 2 * sum(value is None for value in values) > len(values)


def emptiest_value(wanted: WantedField) -> Any:
    """Return the emptiest value that the schema of a field allows, beginning with null; NO_VALUE if it allows none."""
    values: list[Any] = [None, "", 0, False, []]
    if wanted.schema.get("enum"):
        values.append(most_harmless(wanted.schema["enum"]))
    return next((value for value in values if wanted.fits(value)), NO_VALUE)
