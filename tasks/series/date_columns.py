"""Which columns of a table are dates, and what dates they are."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tasks.series.dates import MONTHS, moment, moments, since_1970, year_in
from tasks.series.numbers import is_missing
from tasks.series.table import Cell, Column

MOST = 0.8
"""Share of a column's cells that must be dates, or numbers, for it to be one of dates, or numbers."""
SAMPLE = 200
"""Cells by which a column's kind is told."""
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d*)?")
_DATE_NAME = re.compile(
    r"date|datum|fecha|data|dt|ds|time|timestamp|datetime|zeit|day|tag|jour|period|epoch|ts|日期|日付|时间|дата|время|التاريخ",
    re.IGNORECASE,
)
YEAR_NAME = re.compile(r"years?|yr|jahr|année|an|año|anno|ano|jaar|年|год|السنة", re.IGNORECASE)
_MONTH_NAME = re.compile(r"months?|mo|monat|mois|mes|mese|mês|maand|月|месяц|الشهر", re.IGNORECASE)
_QUARTER_NAME = re.compile(r"quarters?|qtr|q|quartal|trimestre|kwartaal|季度|квартал", re.IGNORECASE)
_DAY_NAME = re.compile(r"days?|tag|jour|d[ií]a|giorno|dag|日|день", re.IGNORECASE)

Times = Sequence[dt.datetime | None]
Numeric = Mapping[int, Sequence[float | None]]
"""Columns of numbers, by their places in the table."""


def is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and is_missing(cell))


def are_dates(texts: Sequence[str]) -> bool:
    """Whether most are dates that cannot be plain numbers."""
    sample = [text for text in texts if not _PLAIN.fullmatch(text.strip())]
    return 2 * len(sample) > len(texts) and sum(map(is_moment, sample)) >= MOST * len(sample)


def is_moment(text: str) -> bool:
    return moment(text) is not None or moment(text, day_first=True) is not None


def dates_of(columns: Sequence[Column], numeric: Numeric) -> tuple[set[int], Times | None]:
    """The columns that make up the dates, and these."""
    texts = {at: one for at, one in enumerate(columns) if at not in numeric}
    candidates = [(at, found) for at, one in texts.items() if (found := _text_dates(one.cells)) is not None]
    named = [pair for pair in candidates if _DATE_NAME.search(columns[pair[0]].name)]
    if candidates:
        at, found = (named or candidates)[0]
        return {at}, found
    return _composed(columns, numeric) or _numeric_dates(columns, numeric) or (set(), None)


def _text_dates(cells: Sequence[Cell]) -> Times | None:
    there = [cell for cell in cells if not is_empty(cell)]
    sample = there[:SAMPLE]
    days = sum(isinstance(cell, dt.datetime) for cell in sample)
    if not there or days + sum(isinstance(cell, str) and is_moment(cell) for cell in sample) < MOST * len(sample):
        return None
    if days == 0:
        return moments([cell if isinstance(cell, str) else "" for cell in cells])
    read = moments([cell if isinstance(cell, str) else "" for cell in cells])
    return [cell if isinstance(cell, dt.datetime) else other for cell, other in zip(cells, read, strict=True)]


def _composed(columns: Sequence[Column], numeric: Numeric) -> tuple[set[int], Times] | None:
    """A column of years with one of months or quarters, perhaps one of days."""
    year = _at(columns, numeric, YEAR_NAME)
    if year is None:
        return None
    quarter = _at(columns, numeric, _QUARTER_NAME)
    month = next((at for at, one in enumerate(columns) if _MONTH_NAME.fullmatch(one.name.strip())), None)
    months = None
    if month is not None:
        months = numeric[month] if month in numeric else [_month_number(cell) for cell in columns[month].cells]
    elif quarter is not None:
        months = [None if value is None else 3 * value - 2 for value in numeric[quarter]]
    if months is None:
        return None
    day = _at(columns, numeric, _DAY_NAME) if month is not None else None
    days = numeric[day] if day is not None else [1.0] * len(months)
    times = [_calendar_day(*parts) for parts in zip(numeric[year], months, days, strict=True)]
    used = {at for at in (year, month if month is not None else quarter, day) if at is not None}
    return (used, times) if sum(time is not None for time in times) >= MOST * len(times) else None


def _numeric_dates(columns: Sequence[Column], numeric: Numeric) -> tuple[set[int], Times] | None:
    """A column of numbers that are years, days as 20240131 or seconds since 1970: one that is named so, else the
    first, if they ascend and there is another to be the values."""
    named = [at for at in numeric if _names_dates(columns[at].name)]
    for at in [*named, *(at for at in numeric if at not in named)]:
        there = [value for value in numeric[at] if value is not None]
        rises = all(later > earlier for earlier, later in pairwise(there))
        if not (at in named or (at == min(numeric) and rises and len(numeric) > 1)):
            continue
        for read in (year_in, _compact, since_1970):
            times = [None if value is None else read(value) for value in numeric[at]]
            if sum(time is not None for time in times) >= MOST * len(times):
                return {at}, times
    return None


def _names_dates(name: str) -> bool:
    return bool(YEAR_NAME.fullmatch(name.strip()) or _DATE_NAME.search(name))


def _compact(value: float) -> dt.datetime | None:
    """20240131, or 202401."""
    digits = f"{value:.0f}"
    if value != int(value) or len(digits) not in (6, 8) or not digits.isdecimal():
        return None
    return _calendar_day(float(digits[:4]), float(digits[4:6]), float(digits[6:] or 1))


def _calendar_day(year: float | None, month: float | None, day: float | None) -> dt.datetime | None:
    try:
        return dt.datetime(int(year or 0), int(month or 0), int(day or 0)) if 1500 <= (year or 0) < 2200 else None
    except ValueError:
        return None


def _month_number(cell: Cell) -> float | None:
    return float(MONTHS[cell.strip().lower().rstrip(".")]) if is_month(cell) and isinstance(cell, str) else None


def is_month(cell: Cell) -> bool:
    return isinstance(cell, str) and cell.strip().lower().rstrip(".") in MONTHS


def _at(columns: Sequence[Column], numeric: Numeric, name: "re.Pattern[str]") -> int | None:
    return next((at for at in numeric if name.fullmatch(columns[at].name.strip())), None)
