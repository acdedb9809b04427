"""Parser of calendar days in text, with every reading of each, and of days, months, quarters and years in requests.

>>> [day.readings for day in find_days("Due 03/04/2026")]
[(datetime.date(2026, 4, 3), datetime.date(2026, 3, 4))]
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tasks.notation.words import MONTHS, WEEKDAYS, any_of, month_named

CENTURY_TURNS_AT = 50
"""First two-digit year that is read as 19xx: documents look back to births, and some decades ahead at most."""

_NO_LONGER = r"(?!\d(?!\d?:\d\d))"
"""Lookahead for the end of a date: no further digit, unless a time of day has lost the space before it."""
_YEAR = r"\d{4}|\d\d"
_MONTH = r"[^\W\d_]{3,12}"
_DATE = re.compile(
    rf"""(?<![\d/.-])(?:
        (?P<y1>\d{{4}})[ ]?[-/.年][ ]?(?P<m1>\d{{1,2}})[ ]?[-/.月][ ]?(?P<d1>\d{{1,2}})日?{_NO_LONGER}
      | (?P<a>\d{{1,2}})[ ]?(?P<by>[-/.])[ ]?(?P<b>\d{{1,2}})[ ]?(?P=by)[ ]?(?P<c>{_YEAR}){_NO_LONGER}
      | (?P<d2>\d{{1,2}})(?:st|nd|rd|th|\.)?[ /-]?(?:of[ ]|de[ ])?(?P<month2>{_MONTH})\.?,?
        [ /-]?(?:de[ ])?(?P<y2>{_YEAR}){_NO_LONGER}
      | (?<![^\W\d_])(?P<month3>{_MONTH})\.?[ -]?(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?
        [ -]+(?P<y3>\d{{4}}){_NO_LONGER}
      | (?P<y4>(?:19|20)\d\d)(?P<m4>\d\d)(?P<d4>\d\d)(?!\d)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_BEFORE = re.compile(r"([^\W\d_]{2,8}(?:-feira)?)(?:\.?,? |, ?)", re.I)
"""Pattern of a word before a date."""
_TIME = re.compile(r"[\sT,]*\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:[ap]\.?m\.?)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?", re.I)


@dataclass(frozen=True, slots=True)
class Day:
    start: int
    end: int
    readings: tuple[date, ...]
    """Days that the text may mean, the likeliest first; several if the order of day, month and year is open."""


def find_days(text: str) -> Iterator[Day]:
    """Find calendar days in figures or with the month's name, in any order of their parts."""
    for match in _DATE.finditer(text):
        readings = tuple(dict.fromkeys(_days(match)))
        if readings:
            yield Day(match.start(), match.end(), readings)


def parse_day(text: str) -> Day | None:
    """Return the calendar day in `text`, or None if the text is more than one day.

    The day of the week may precede the day, and a time of day may follow it.
    """
    text = text.strip()
    day = next(find_days(text), None)
    if day is None or not _is_weekday(text[: day.start]):
        return None
    rest = text[day.end :]
    return day if not rest or _TIME.fullmatch(rest) else None


def _is_weekday(before: str) -> bool:
    """True if `before`, the text before a date, is empty or a day of the week."""
    word = _BEFORE.fullmatch(before)
    return not before or (word is not None and word[1].casefold() in WEEKDAYS)


def _days(match: re.Match[str]) -> Iterator[date]:
    part = match.groupdict()
    if part["y1"]:
        orders = [(part["y1"], part["m1"], part["d1"])]
    elif part["y4"]:
        orders = [(part["y4"], part["m4"], part["d4"])]
    elif part["a"]:
        a, b, c = part["a"], part["b"], part["c"]
        orders = [(c, b, a), (c, a, b)]
        if len(a) == len(c) == 2:
            orders.append((a, b, c))
    elif part["month2"]:
        orders = [(part["y2"], _month_beginning(part["month2"]), part["d2"])]
    else:
        orders = [(part["y3"], _month_beginning(part["month3"]), part["d3"])]
    for year, month, day in orders:
        try:
            yield date(full_year(year, CENTURY_TURNS_AT), int(month), int(day))
        except ValueError:
            continue


def _month_beginning(name: str) -> int:
    """Return 1 to 12 for a month's name or a word whose first three letters are a month's short form, or else 0."""
    return month_named(name) or month_named(name[:3])


def full_year(digits: str, turns_at: int) -> int:
    """Return the year of four or two digits: 19xx for two digits from `turns_at` on, 20xx for two digits below."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= turns_at else 2000)


_NEAR_YEAR = r"(?:19|2[01])\d\d"
DATE: Final = (
    rf"(?:(?P<year>{_NEAR_YEAR})(?:-(?P<mm>\d\d?)(?:-(?P<dd>\d\d?))?)?"
    rf"|[QT](?P<q>[1-4])[ /-]?(?P<qy>{_NEAR_YEAR})|(?P<yq>{_NEAR_YEAR})[ -]?Q(?P<yqq>[1-4])"
    rf"|(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)? )?(?:de )?(?P<month>{any_of(MONTHS)})\.?"
    rf"(?: (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?)?,? (?:de |of )?(?P<my>{_NEAR_YEAR}))(?![\d.,-]*\d)"
)
"""A regular expression of a day, month, quarter or year of this century or its neighbours, for `stretch_of`."""


def stretch_of(found: re.Match[str]) -> tuple[date, date] | None:
    """Return the first day of a match of DATE and the day after its last, or None if the calendar lacks the date."""
    day = found["dd"] or found["d"] or found["d2"]
    quarter = found["q"] or found["yqq"]
    year = int(found["year"] or found["my"] or found["qy"] or found["yq"])
    month = month_named(found["month"]) if found["month"] else 3 * int(quarter) - 2 if quarter else found["mm"]
    try:
        begin = date(year, int(month or 1), int(day or 1))
    except ValueError:
        return None
    if day:
        return begin, begin + timedelta(days=1)
    years, months = divmod(begin.month - 1 + (3 if quarter else 1 if month else 12), 12)
    return begin, date(year + years, months + 1, 1)
