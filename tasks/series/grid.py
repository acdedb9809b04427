"""Finds the regular steps of a series' dates: steps of fixed length (a week) or of the calendar (a month)."""

import calendar
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from typing import Literal

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
YEAR_MONTHS = 12
_MEAN_MONTH = 365.2425 / 12 * DAY
_NAMES = {
    "second": ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")),
    "weekday": ((1, "weekday"),),
    "month": ((YEAR_MONTHS, "year"), (3, "quarter"), (1, "month")),
}
_LONGEST_NAME = 80
_LARGEST_NUMBER = 10**300
MAX_COLUMNS = 16_384
"""A table has at most this many columns, which is the limit of an Excel sheet."""
_FILLED_SHARE = 0.5
"""At least this share of a grid's steps must have a value. With fewer, the dates follow another grid or none."""
_WHOLE_STEP_SHARE = 0.9
"""At least this share of the gaps between dates are whole numbers of steps in a grid of steps of equal length."""
_MONTH_EDGE = 5
"""A date stands for a month if it is fewer than this many days from the month's first or last day, like the last
trading day."""
_LEAST_MONTH = 27 * DAY
_USUAL_STEPS = (
    *(1, 5, 10, 15, 30, MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, WEEK),
)
"""Steps, in seconds, to which irregular dates may be resampled. Longer ones are months, quarters and years."""


@dataclass(frozen=True, slots=True)
class Period:
    unit: Literal["second", "weekday", "month"]
    count: int = 1

    @property
    def seconds(self) -> float:
        """Mean length in seconds."""
        return self.count * {"second": 1.0, "weekday": DAY * 7 / 5, "month": _MEAN_MONTH}[self.unit]

    @property
    def name(self) -> str:
        """Name of the period: `day`, `3 hours`, `quarter`."""
        for size, name in _NAMES[self.unit]:
            if self.count % size == 0:
                number = self.count // size
                return name if number == 1 else f"{number} {name}s"
        raise AssertionError("each unit has a name of size 1")

    def times(self, number: int) -> "Period":
        return Period(self.unit, self.count * number)

    def after(self, moment: dt.datetime, number: int = 1) -> dt.datetime:
        """Return the moment `number` periods later. If the month of that moment lacks the day, the moment is on the
        last day of the month. Raises OverflowError after the year 9999."""
        match self.unit:
            case "second":
                return moment + dt.timedelta(seconds=self.count * number)
            case "month":
                return month_later(moment, self.count * number)
            case "weekday":
                return weekday_later(moment, self.count * number)

    def beginning(self, moment: dt.datetime) -> dt.datetime:
        """Return the beginning of the period that contains `moment`: a Monday, the first of a month, midnight."""
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.unit == "month":
            number = moment.year * YEAR_MONTHS + moment.month - 1
            number -= number % self.count
            return midnight.replace(year=number // YEAR_MONTHS, month=number % YEAR_MONTHS + 1, day=1)
        if self.unit == "weekday" or self.count == DAY:
            return midnight
        if self.count % WEEK == 0:
            return midnight - dt.timedelta(days=moment.weekday())
        since = (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(seconds=self.count)
        return dt.datetime(1970, 1, 1) + dt.timedelta(seconds=self.count * since)


DAILY, WEEKLY, WEEKDAYS = Period("second", DAY), Period("second", WEEK), Period("weekday")
MONTHLY, QUARTERLY, YEARLY = Period("month"), Period("month", 3), Period("month", YEAR_MONTHS)


def month_number(moment: dt.datetime) -> int:
    return moment.year * YEAR_MONTHS + moment.month - 1


def last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def month_later(moment: dt.datetime, months: int, day: int | None = None) -> dt.datetime:
    """Return `day` (by default, the day of `moment`) in the month that lies `months` later, or the last day of that
    month if it is shorter. Raises OverflowError for a year outside 1 to 9999."""
    year, month = divmod(month_number(moment) + months, YEAR_MONTHS)
    if not 1 <= year <= 9999:
        raise OverflowError("a year that the calendar does not have")
    return moment.replace(year=year, month=month + 1, day=min(day or moment.day, last_day(year, month + 1)))


def weekday_later(moment: dt.datetime, number: int) -> dt.datetime:
    """Return the moment `number` weekdays later. A weekend counts as the Friday before it."""
    weekday = min(moment.weekday(), 4)
    weeks, rest = divmod(weekday + number, 5)
    return moment + dt.timedelta(days=7 * weeks + rest - moment.weekday())


def weekdays_between(first: dt.datetime, last: dt.datetime) -> int:
    """Count the weekdays after `first`, up to `last`."""

    def number(moment: dt.datetime) -> int:
        days = moment.toordinal() - 1  # 1 January of the year 1 was a Monday
        return days // 7 * 5 + min(days % 7, 4)

    return number(last) - number(first)


Cell = str | int | float | dt.datetime | None
"""A table's cell as its file contains it: text if the file has nothing but text, None for an empty cell. Dates have no
time zone."""


def cell_of(value: object) -> Cell:
    """Convert a value to a cell. Truth values, numbers of 10^300 or more, and anything other than text, numbers and
    dates become None."""
    match value:
        case bool():
            return None
        case dt.datetime():
            return value.replace(tzinfo=None)
        case dt.date():
            return dt.datetime(value.year, value.month, value.day)
        case int() | float():
            return value if -_LARGEST_NUMBER < value < _LARGEST_NUMBER else None
        case str():
            return value
    return None


@dataclass(frozen=True, slots=True)
class SeriesColumn:
    name: str
    """Name of the column; empty if the table has no header."""
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class SeriesTable:
    columns: Sequence[SeriesColumn]
    """Columns of equal length."""
    comma_likely: bool = False
    """True if an ambiguous comma is probably decimal, because semicolons separate the columns."""


class TooManyCells(Exception):
    """Raised if the table has more cells than allowed. The message follows a name, such as that of the file."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"has more than {limit} cells, the limit.")


class TooManyColumns(TooManyCells):
    """Raised if the table is wider than allowed. The text may not be a table at all, but a list of numbers in one
    line."""

    def __init__(self, columns: int) -> None:
        Exception.__init__(self, f"has {columns} columns; the limit is {MAX_COLUMNS}.")


def check_size(rows: int, columns: int, most_cells: int) -> None:
    """Raise TooManyCells if a table of this size is too large. A table may have many more cells than its source has
    values."""
    if rows * columns > most_cells:
        raise TooManyCells(most_cells)
    if columns > MAX_COLUMNS:
        raise TooManyColumns(columns)


def table_of(
    rows: Sequence[Sequence[Cell]], names: Sequence[str], most_cells: int, *, comma_likely: bool = False
) -> SeriesTable:
    """Build a table from rows, which may differ in length. Columns without a name get an empty one. Raises
    TooManyCells."""
    width = max([len(names), *map(len, rows)], default=0)
    check_size(len(rows), width, most_cells)
    columns = []
    for index in range(width):
        name = " ".join(names[index].split())[:_LONGEST_NAME] if index < len(names) else ""
        columns.append(SeriesColumn(name, [row[index] if index < len(row) else None for row in rows]))
    return SeriesTable(columns, comma_likely)


@dataclass(frozen=True, slots=True)
class TimeGrid:
    start: dt.datetime
    step: Period
    day: int | None = None
    """Day of the month, if the step is in months; 31 means the last day."""

    def at(self, index: int) -> dt.datetime:
        """Return the point in time of a step. Raises OverflowError after the year 9999."""
        if self.step.unit == "month":
            return month_later(self.start, self.step.count * index, self.day)
        return self.step.after(self.start, index)

    def place(self, moment: dt.datetime) -> int:
        """Return the index of the step nearest to `moment`. If steps are in months, only the month of `moment`
        counts."""
        if self.step.unit == "month":
            return round((month_number(moment) - month_number(self.start)) / self.step.count)
        if self.step.unit == "weekday":
            return weekdays_between(self.start, moment)
        return round((moment - self.start).total_seconds() / self.step.count)

    def exact_place(self, moment: dt.datetime) -> float:
        """Return the fractional index of `moment`; for months and weekdays it is a whole number."""
        if self.step.unit != "second":
            return float(self.place(moment))
        return (moment - self.start).total_seconds() / self.step.count


def grid_of(times: Sequence[dt.datetime]) -> TimeGrid | None:
    """Return the grid of the strictly ascending `times`; None if they are irregular."""
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    if len(set(gaps)) == 1 and gaps[0].is_integer() and not _may_be_years(gaps):
        return TimeGrid(times[0], Period("second", int(gaps[0])))
    return _monthly_grid(times, gaps) or _weekday_grid(times, gaps) or _even_grid(times, gaps)


def nearest_step(times: Sequence[dt.datetime]) -> Period:
    """Return the step of clocks and calendars that is nearest to the median gap between irregular times."""
    gaps = sorted((later - earlier).total_seconds() for earlier, later in pairwise(times))
    median = max(1.0, gaps[len(gaps) // 2])
    steps = [*(Period("second", seconds) for seconds in _USUAL_STEPS), MONTHLY, QUARTERLY, YEARLY]
    return min(steps, key=lambda step: max(step.seconds, median) / min(step.seconds, median))


def _may_be_years(gaps: Sequence[float]) -> bool:
    """True if equal gaps may be calendar years, because they have 365 or 366 days. In contrast, equal gaps of 28 or 30
    days are not months."""
    return gaps[0] in (365 * DAY, 366 * DAY)


def _monthly_grid(times: Sequence[dt.datetime], gaps: Sequence[float]) -> TimeGrid | None:
    if sorted(gaps)[len(gaps) // 2] < _LEAST_MONTH or len({time.time() for time in times}) > 1:
        return None
    steps = [month_number(later) - month_number(earlier) for earlier, later in pairwise(times)]
    day = _day_of_month(times)
    if min(steps) < 1 or day is None:
        return None
    grid = TimeGrid(times[0], Period("month", gcd(*steps)), day)
    return grid if _is_filled(grid, times) else None


def _day_of_month(times: Sequence[dt.datetime]) -> int | None:
    """Return the day of the month on which all times fall, apart from the last days of shorter months. If all times are
    near the beginning or all near the end of a month, return 1 or 31; otherwise return None."""
    days = {time.day for time in times}
    lasts = [last_day(time.year, time.month) for time in times]
    if all(time.day == last for time, last in zip(times, lasts, strict=True)):
        return 31
    if len(days) == 1:
        return times[0].day
    if all(time.day == min(max(days), last) for time, last in zip(times, lasts, strict=True)):
        return max(days)
    if all(last - time.day < _MONTH_EDGE for time, last in zip(times, lasts, strict=True)):
        return 31
    return 1 if max(days) <= _MONTH_EDGE else None


def _weekday_grid(times: Sequence[dt.datetime], gaps: Sequence[float]) -> TimeGrid | None:
    if _most_frequent(gaps) != DAY or any(time.weekday() > 4 for time in times):
        return None
    if any(gap % DAY for gap in gaps) or sum(gaps) < WEEK:
        return None
    grid = TimeGrid(times[0], WEEKDAYS)
    return grid if _is_filled(grid, times) else None


def _even_grid(times: Sequence[dt.datetime], gaps: Sequence[float]) -> TimeGrid | None:
    step = _most_frequent(gaps)
    if step < 1 or not step.is_integer():
        return None
    whole = sum(abs(gap / step - round(gap / step)) < 0.02 for gap in gaps)
    grid = TimeGrid(times[0], Period("second", int(step)))
    return grid if whole >= _WHOLE_STEP_SHARE * len(gaps) and _is_filled(grid, times) else None


def _most_frequent(gaps: Sequence[float]) -> float:
    counts = Counter(gaps)
    return min(counts, key=lambda gap: (-counts[gap], gap))


def _is_filled(grid: TimeGrid, times: Sequence[dt.datetime]) -> bool:
    return len(times) >= _FILLED_SHARE * (grid.place(times[-1]) + 1)
