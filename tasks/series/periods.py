"""Stretches of the calendar: as long as each other (a week), or as the calendar makes them (a month)."""

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Literal

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
YEAR_MONTHS = 12
_MEAN_MONTH = 365.2425 / 12 * DAY


@dataclass(frozen=True, slots=True)
class Period:
    unit: Literal["second", "weekday", "month"]
    count: int = 1

    @property
    def seconds(self) -> float:
        """How long it is in the mean."""
        return self.count * {"second": 1.0, "weekday": DAY * 7 / 5, "month": _MEAN_MONTH}[self.unit]

    @property
    def name(self) -> str:
        """`day`, `3 hours`, `quarter`."""
        for size, name in _NAMES[self.unit]:
            if self.count % size == 0:
                number = self.count // size
                return name if number == 1 else f"{number} {name}s"
        raise AssertionError("each unit has a name of size 1")

    def times(self, number: int) -> "Period":
        return Period(self.unit, self.count * number)

    def after(self, moment: dt.datetime, number: int = 1) -> dt.datetime:
        """`number` such periods later; at the end of a month that is too short. Raises OverflowError after the year
        9999."""
        match self.unit:
            case "second":
                return moment + dt.timedelta(seconds=self.count * number)
            case "month":
                return month_later(moment, self.count * number)
            case "weekday":
                return weekday_later(moment, self.count * number)

    def beginning(self, moment: dt.datetime) -> dt.datetime:
        """The beginning of the period that `moment` lies in: Monday, the first of a month, midnight."""
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


_NAMES = {
    "second": ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")),
    "weekday": ((1, "weekday"),),
    "month": ((YEAR_MONTHS, "year"), (3, "quarter"), (1, "month")),
}

DAILY, WEEKLY, WEEKDAYS = Period("second", DAY), Period("second", WEEK), Period("weekday")
MONTHLY, QUARTERLY, YEARLY = Period("month"), Period("month", 3), Period("month", YEAR_MONTHS)


def month_number(moment: dt.datetime) -> int:
    return moment.year * YEAR_MONTHS + moment.month - 1


def last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def month_later(moment: dt.datetime, months: int, day: int | None = None) -> dt.datetime:
    """`day` of the month so many later, the last one where it has fewer days."""
    year, month = divmod(month_number(moment) + months, YEAR_MONTHS)
    if not 1 <= year <= 9999:
        raise OverflowError("a year that the calendar does not have")
    return moment.replace(year=year, month=month + 1, day=min(day or moment.day, last_day(year, month + 1)))


def weekday_later(moment: dt.datetime, number: int) -> dt.datetime:
    """So many days from Monday to Friday later. A weekend counts as the Friday before it."""
    weekday = min(moment.weekday(), 4)
    weeks, rest = divmod(weekday + number, 5)
    return moment + dt.timedelta(days=7 * weeks + rest - moment.weekday())


def weekdays_between(first: dt.datetime, last: dt.datetime) -> int:
    """Days from Monday to Friday after `first` up to `last`."""

    def number(moment: dt.datetime) -> int:
        days = moment.toordinal() - 1  # the first day of all was a Monday
        return days // 7 * 5 + min(days % 7, 4)

    return number(last) - number(first)
