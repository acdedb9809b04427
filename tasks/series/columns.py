"""Finds the columns of a table that contain values, and chooses those that a request is about."""

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tasks.notation.cells import decimal_comma, is_missing, looks_numeric, moment, moments, number, since_1970, year_in
from tasks.notation.cldr import month_named
from tasks.notation.words import UNITS
from tasks.series.grid import Cell, SeriesColumn, SeriesTable

LEAST_SHARE = 0.8
"""A column contains dates if at least this share of its cells are dates, and numbers if at least this share are
numbers."""
COLUMNS = 8
"""An error names at most this many columns or series."""
SAMPLE = 200
"""The first filled cells of a column, up to this number, decide what it contains."""
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d*)?")
_DATE_NAME = re.compile(
    r"date|datum|fecha|data|dt|ds|time|timestamp|datetime|zeit|day|tag|jour|period|epoch|ts|日期|日付|时间|дата|время|التاريخ",
    re.IGNORECASE,
)
YEAR_NAME = re.compile(rf"{UNITS['year']}|السنة", re.IGNORECASE)
_MONTH_NAME = re.compile(rf"{UNITS['month']}|mo|الشهر", re.IGNORECASE)
_QUARTER_NAME = re.compile(rf"{UNITS['quarter']}|q", re.IGNORECASE)
_DAY_NAME = re.compile(UNITS["day"], re.IGNORECASE)

Times = Sequence[dt.datetime | None]
Numeric = Mapping[int, Sequence[float | None]]
"""Columns of numbers, keyed by position in the table."""
_LEAST_DATES = 5
MAX_OTHERS = 3
"""At most this many columns of a table with dates in its top row may have a heading that is not a date."""
_LEAST_ADDED = 3
"""The sum of fewer values may be the next one of a series."""
_ROUNDED = 0.001
"""A sum differs by at most this share from the sum of its printed values, which are rounded."""
_ROW_NAME = re.compile(r"|unnamed: ?0|index|idx|id|row|no|nr|#", re.IGNORECASE)
_SERIES_NAME = re.compile(r"unique_id|series(?:_?id|_?name)?|item_?id|ts_?id|ticker|symbol", re.IGNORECASE)
"""Names of columns that say which series a row belongs to."""
_BEFORE_EACH = re.compile(
    r"\b(?:by|per|each|every|for (?:each|every|all)|pro|je|par|chaque|por|cada|per ogni)\W++(?=(\w++\W++)?)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MAX_WORDS = 20
"""A name is recognised in a request only if the name has at most this many words."""


def is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and is_missing(cell))


def are_dates(texts: Sequence[str]) -> bool:
    """True if more than half of the texts are not plain numbers, and at least LEAST_SHARE of the texts other than plain
    numbers are dates; or if as many are months like `01.2023`, one after the other."""
    sample = [text for text in texts if not _PLAIN.fullmatch(text.strip())]
    if 2 * len(sample) > len(texts):
        return sum(map(is_moment, sample)) >= LEAST_SHARE * len(sample)
    months = [found[0] for text in texts if "." in text and (found := moment(text)) is not None]
    return 1 < len(months) >= LEAST_SHARE * len(texts) and _is_in_order(months)


def _is_in_order(times: Sequence[dt.datetime]) -> bool:
    """True if all times rise, or all fall."""
    return len({later > earlier for earlier, later in pairwise(times)}) == 1 and len(set(times)) == len(times)


def is_moment(text: str) -> bool:
    return moment(text) is not None or moment(text, day_first=True) is not None


def dates_of(columns: Sequence[SeriesColumn], numeric: Numeric) -> tuple[set[int], Times | None]:
    """Return the positions of the columns that make up the dates, and the dates. If there are none, return an empty set
    and None."""
    texts = {at: one for at, one in enumerate(columns) if at not in numeric}
    candidates = [(at, found) for at, one in texts.items() if (found := _dates_in_texts(one.cells)) is not None]
    named = [pair for pair in candidates if _DATE_NAME.search(columns[pair[0]].name)]
    if candidates:
        at, found = (named or candidates)[0]
        return {at}, found
    return _composed_dates(columns, numeric) or _numeric_dates(columns, numeric) or (set(), None)


def _dates_in_texts(cells: Sequence[Cell]) -> Times | None:
    filled = [cell for cell in cells if not is_empty(cell)]
    sample = filled[:SAMPLE]
    days = sum(isinstance(cell, dt.datetime) for cell in sample)
    if not filled or days + sum(isinstance(cell, str) and is_moment(cell) for cell in sample) < LEAST_SHARE * len(
        sample
    ):
        return None
    if days == 0:
        return moments([cell if isinstance(cell, str) else "" for cell in cells])
    read = moments([cell if isinstance(cell, str) else "" for cell in cells])
    return [cell if isinstance(cell, dt.datetime) else other for cell, other in zip(cells, read, strict=True)]


def _composed_dates(columns: Sequence[SeriesColumn], numeric: Numeric) -> tuple[set[int], Times] | None:
    """Combine a column of years with one of months or quarters and perhaps one of days."""
    year = _column_named(columns, numeric, YEAR_NAME)
    if year is None:
        return None
    quarter = _column_named(columns, numeric, _QUARTER_NAME)
    month = next((at for at, one in enumerate(columns) if _MONTH_NAME.fullmatch(one.name.strip())), None)
    months = None
    if month is not None:
        months = numeric[month] if month in numeric else [month_number(cell) for cell in columns[month].cells]
    elif quarter is not None:
        months = [None if value is None else 3 * value - 2 for value in numeric[quarter]]
    if months is None:
        return None
    day = _column_named(columns, numeric, _DAY_NAME) if month is not None else None
    days = numeric[day] if day is not None else [1.0] * len(months)
    times = [_calendar_day(*parts) for parts in zip(numeric[year], months, days, strict=True)]
    used = {at for at in (year, month if month is not None else quarter, day) if at is not None}
    return (used, times) if sum(time is not None for time in times) >= LEAST_SHARE * len(times) else None


def _numeric_dates(columns: Sequence[SeriesColumn], numeric: Numeric) -> tuple[set[int], Times] | None:
    """Find a column of numbers that are years, days like 20240131, or seconds since 1970. Either its name says so, or
    it is the first of several columns of numbers, and its numbers ascend."""
    names = {index: columns[index].name.strip() for index in numeric}
    possible = [index for index, name in names.items() if YEAR_NAME.fullmatch(name) or _DATE_NAME.search(name)]
    first = min(numeric, default=None)
    if first is not None and len(numeric) > 1:
        filled = [value for value in numeric[first] if value is not None]
        if all(later > earlier for earlier, later in pairwise(filled)):
            possible.append(first)
    for index in possible:
        for read in (year_in, compact_date, since_1970):
            times = [None if value is None else read(value) for value in numeric[index]]
            if sum(time is not None for time in times) >= LEAST_SHARE * len(times):
                return {index}, times
    return None


def compact_date(value: float) -> dt.datetime | None:
    """Parse 20240131 or 202401."""
    digits = f"{value:.0f}"
    if value != int(value) or len(digits) not in (6, 8) or not digits.isdecimal():
        return None
    return _calendar_day(float(digits[:4]), float(digits[4:6]), float(digits[6:] or 1))


def _calendar_day(year: float | None, month: float | None, day: float | None) -> dt.datetime | None:
    try:
        return dt.datetime(int(year or 0), int(month or 0), int(day or 0)) if 1500 <= (year or 0) < 2200 else None
    except ValueError:
        return None


def month_number(cell: Cell) -> int | None:
    return (month_named(cell.strip()) or None) if isinstance(cell, str) else None


def _column_named(columns: Sequence[SeriesColumn], numeric: Numeric, name: "re.Pattern[str]") -> int | None:
    return next((index for index in numeric if name.fullmatch(columns[index].name.strip())), None)


def with_dates_in_rows(table: SeriesTable) -> SeriesTable:
    """Transpose a table whose dates are in its top row, and return any other table unchanged. The table may have a row
    per series, or a row per year and a column per month."""
    columns = table.columns
    months = [index for index, one in enumerate(columns) if month_number(one.name)]
    dated = [index for index, one in enumerate(columns) if is_moment(one.name)]
    if len(months) == 12 and (year := next((one for one in columns if YEAR_NAME.fullmatch(one.name.strip())), None)):
        cells = [(year.cells[row], columns[index], row) for row in range(len(year.cells)) for index in months]
        years = (f"{of:.0f}" if isinstance(of, float) else str(of).removesuffix(".0") for of, _, _ in cells)
        dates = [f"{year}-{month_number(column.name):02}" for year, (_, column, _) in zip(years, cells, strict=True)]
        values = [column.cells[row] for _, column, row in cells]
        return SeriesTable([SeriesColumn("date", dates), SeriesColumn("value", values)], table.comma_likely)
    if len(dated) < _LEAST_DATES or len(dated) < len(columns) - MAX_OTHERS:
        return table
    names = [column for index, column in enumerate(columns) if index not in dated]
    turned = [SeriesColumn("date", [columns[index].name for index in dated])]
    for row in range(len(columns[0].cells)):
        name = next((str(column.cells[row]) for column in names if isinstance(column.cells[row], str)), "")
        turned.append(SeriesColumn(name[:80], [columns[index].cells[row] for index in dated]))
    return SeriesTable(turned, table.comma_likely)


class Mentions:
    """The names of columns and series that the words of a request mention, in upper or lower case, singular or plural.

    >>> "unitSales" in Mentions("Forecast the unit sales")
    True
    """

    def __init__(self, words: str) -> None:
        self._words = list(_WORD.finditer(words))
        self._said = {run for first in range(len(self._words)) for run in self._runs(first)}
        places = {word.start(): first for first, word in enumerate(self._words)}
        places_after = {
            place for each in _BEFORE_EACH.finditer(words) for place in (each.end(), each.end() + len(each[1] or ""))
        }
        self._each = {run for place in places_after & places.keys() for run in self._runs(places[place])}

    def __contains__(self, name: str) -> bool:
        return len(name) > 1 and not self._said.isdisjoint(_spellings(name))

    def each(self, name: str) -> bool:
        """True if the words ask for something by or per `name`, such as `sales per store`."""
        return not self._each.isdisjoint(_spellings(name))

    def _runs(self, first: int) -> Iterator[str]:
        """Yield the spellings of all names, of up to _MAX_WORDS words, that begin with the word at `first`."""
        singular = plain = ""
        for word in self._words[first : first + _MAX_WORDS]:
            parts = _parts(word[0])
            singular += _join_singular(parts)
            plain += "".join(parts)
            yield from filter(None, (singular, plain))


def _spellings(name: str) -> set[str]:
    """Return two spellings of a name in small letters without signs: one without the plural s of its words, and one
    with it."""
    parts = _parts(name)
    return {_join_singular(parts), "".join(parts)} - {""}


def _parts(name: str) -> list[str]:
    return [part.casefold() for part in _WORD.findall(_HUMP.sub(" ", name))]


def _join_singular(parts: Sequence[str]) -> str:
    return "".join(part.removesuffix("s") for part in parts)


@dataclass(frozen=True, slots=True)
class ObservedSeries:
    """One series as it is in its file or in the text of the request."""

    name: str
    """Name of the series; empty if there is none."""
    times: Times | None
    """Time of each value; None if there are no dates."""
    values: Sequence[float | None]
    param: str | None = None
    """Field of the request that the series comes from."""

    @property
    def count(self) -> int:
        """Number of values that are present."""
        return sum(value is not None for value in self.values)


def series_in(table: SeriesTable, mentions: Mentions) -> list[ObservedSeries]:
    """Return the series of `table` that are mentioned, or all series if none is mentioned. The list is empty if the
    table has no column of numbers."""
    table = with_dates_in_rows(table)
    comma = decimal_comma(_numeric_texts(table.columns), likely=table.comma_likely)
    numeric = {
        index: found
        for index, one in enumerate(table.columns)
        if (found := _parse_numbers(one.cells, comma)) is not None
    }
    used, times = dates_of(table.columns, numeric)
    values = {index: found for index, found in numeric.items() if index not in used}
    values = _without_row_numbers(table.columns, values)
    labels = [one for index, one in enumerate(table.columns) if index not in used and index not in numeric]
    has_label = any(isinstance(one.cells[-1], str) and not is_missing(one.cells[-1]) for one in labels if one.cells)
    all_series = [
        _without_sum(ObservedSeries(table.columns[index].name, times, numbers), has_label=has_label)
        for index, numbers in values.items()
    ]
    wanted = [one for one in all_series if one.name in mentions] or all_series
    groups = _rows_by_series(labels, mentions) if wanted else {}
    if not groups:
        return wanted
    return [_select_rows(one, name, rows) for one in wanted for name, rows in groups.items()]


def _without_sum(series: ObservedSeries, *, has_label: bool) -> ObservedSeries:
    """Return a series without its last value if that is the sum of the others, and its date does not go on from theirs.
    In a series without dates, its row needs a label."""
    *others, last = [*series.values] or [None]
    present = [value for value in others if value is not None]
    if last is None or len(present) < _LEAST_ADDED or not math.isclose(last, sum(present), rel_tol=_ROUNDED):
        return series
    *before, end = series.times or [None]
    dates = [time for time in before if time is not None]
    if (end is not None and dates and not min(dates) <= end <= max(dates)) or not (dates or has_label):
        return series
    return replace(series, values=[*others, None])


def _numeric_texts(columns: Iterable[SeriesColumn]) -> Iterable[str]:
    """Yield the texts of columns that are mostly numbers."""
    for column in columns:
        texts = [cell for cell in column.cells if isinstance(cell, str) and not is_missing(cell)]
        sample = texts[:SAMPLE]
        if sum(looks_numeric(text) for text in sample) >= LEAST_SHARE * max(1, len(sample)) and not are_dates(sample):
            yield from texts


def _parse_numbers(cells: Sequence[Cell], comma: bool) -> list[float | None] | None:
    """Return the numbers of a column, or None if it is not a column of numbers."""
    filled = [cell for cell in cells if not is_empty(cell)]
    sample = filled[:SAMPLE]
    texts = [cell for cell in sample if isinstance(cell, str)]
    if not filled or any(isinstance(cell, dt.datetime) for cell in sample) or are_dates(texts):
        return None
    if sum(not isinstance(cell, str) or looks_numeric(cell) for cell in sample) < LEAST_SHARE * len(sample):
        return None
    return [_parse_number(cell, comma) for cell in cells]


def _parse_number(cell: Cell, comma: bool) -> float | None:
    match cell:
        case str():
            return number(cell, comma=comma)
        case int() | float():
            return float(cell)
    return None


def _without_row_numbers(
    columns: Sequence[SeriesColumn], values: dict[int, list[float | None]]
) -> dict[int, list[float | None]]:
    """Return `values` without columns that merely number the rows, unless nothing else is left."""

    def counts_rows(index: int) -> bool:
        if not _ROW_NAME.fullmatch(columns[index].name.strip()):
            return False
        cells = values[index]
        return all(cell is not None and cell - place == cells[0] for place, cell in enumerate(cells))

    kept = {index: found for index, found in values.items() if not counts_rows(index)}
    return kept or values


def _rows_by_series(labels: Sequence[SeriesColumn], mentions: Mentions) -> dict[str, list[int]]:
    """Return the rows of each series, by the column that names the series. Only series that are mentioned are returned,
    or all if none is mentioned. The result is empty if no column separates series."""
    for column in labels:
        rows: dict[str, list[int]] = {}
        for index, cell in enumerate(column.cells):
            if isinstance(cell, str) and not is_missing(cell):
                rows.setdefault(cell, []).append(index)
        if not 1 <= len(rows) < max(2, len(column.cells) / 2):
            continue
        wanted = {name: places for name, places in rows.items() if name in mentions}
        is_key = mentions.each(column.name) or _SERIES_NAME.fullmatch(column.name.strip())
        if wanted or (is_key and len(rows) > 1):
            return wanted or rows
    return {}


def _select_rows(series: ObservedSeries, name: str, rows: Sequence[int]) -> ObservedSeries:
    times = [series.times[index] for index in rows] if series.times is not None else None
    return ObservedSeries(" ".join(name.split())[:80], times, [series.values[index] for index in rows])
