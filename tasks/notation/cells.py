"""Parses numbers and points in time in the cells of a table. Times may be in ISO 8601, in the notations of several
countries for days, months, quarters, weeks and years, or in seconds since 1970. An ambiguous cell is read like the
other cells of its table."""

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from tasks.notation.cldr import month_named
from tasks.notation.dates import full_year
from tasks.notation.numbers import FRACTION, LONGEST_NUMBER, SIGNS, Magnitude, is_grouped, magnitudes, size_of_fraction

_SPACES = "  \u00a0\u202f\u2009'’"
_FRACTION = re.compile(rf"([-−]?)(?:(\d{{1,4}})({FRACTION})|([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]))")
_DROPPED = str.maketrans({"−": "-", "–": "-", **dict.fromkeys(_SPACES)})
_UNIT = r"(?:[$€£¥₹₽%٪‰]|[A-Z]{3}|kr|zł)?"
_NUMBER = re.compile(rf"{_UNIT}([-+]?){_UNIT}((?:\d[\d{SIGNS}]*|[{SIGNS}]\d+)(?:[eE][-+]?\d{{1,3}})?){_UNIT}")
_MISSING = frozenset(
    {"", "-", "–", "—", ".", "..", "?", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "k.a.", "s/d"}
)
_YEAR = r"(?P<year>1[5-9]\d\d|2[01]\d\d)"
_CLOCK = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?\s*(?P<half>am|pm)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?)?"
)
_MONTH = r"(?P<month>\d{1,2})"
_QUARTER = r"(?P<quarter>[1-4])"
_NAME = r"(?P<name>[^\W\d_]{3,10})"
_SEPARATED = r"[-/. ]"
_NUMERIC = re.compile(
    rf"(?P<first>\d{{1,2}})(?P<sign>[-/.])(?P<other>\d{{1,2}})(?P=sign)(?P<year>\d{{4}}|\d\d),?{_CLOCK}", re.IGNORECASE
)
_FORMS = (
    re.compile(rf"{_YEAR}(?P<sign>[-/.]){_MONTH}(?P=sign)(?P<day>\d{{1,2}}){_CLOCK}", re.IGNORECASE),
    _NUMERIC,
    re.compile(rf"{_YEAR}[-/.M ]{_MONTH}", re.IGNORECASE),
    re.compile(rf"{_MONTH}[-/.]{_YEAR}"),
    re.compile(rf"{_YEAR}(?:[-/. ]?[QT]|:){_QUARTER}", re.IGNORECASE),
    re.compile(rf"[QT]{_QUARTER}[-/. ]?{_YEAR}", re.IGNORECASE),
    re.compile(rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?"),
    re.compile(rf"{_YEAR}-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?", re.IGNORECASE),
    re.compile(
        rf"(?:[^\W\d_]+\.?,? )?(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?{_SEPARATED}*(?:de )?)?{_NAME}\.?"
        rf"(?:{_SEPARATED}*(?P<day_after>\d{{1,2}})(?:st|nd|rd|th)?(?=[,\-/. ]))?,?{_SEPARATED}*(?:de )?"
        rf"(?P<year>\d{{4}}|'?\d\d){_CLOCK}",
        re.IGNORECASE,
    ),
    re.compile(rf"{_YEAR}{_SEPARATED}{_NAME}(?:{_SEPARATED}(?P<day>\d{{1,2}}))?"),
    re.compile(rf"{_YEAR}(?:\.0)?"),
)
"""Notations of a point in time, each for a whole cell. The first one that yields a date applies."""
_MONTHS = 12
_LONGEST = 40
"""A cell with a date has at most this many characters."""
_CENTURY_TURNS_AT = 69
"""First two-digit year that is read as 19xx, according to POSIX."""
_SECONDS = (100_000_000, 10_000_000_000)
"""Range of numbers that are read as seconds since 1970: the years 1973 to 2286.

Numbers a thousand times as large are read as milliseconds.
"""


_STROKES = " \t\n-–—/|"
"""Signs of which a cell without a value may consist."""


def is_missing(cell: str) -> bool:
    """True if `cell` is empty or a mark for a missing value, like `n/a`, or has nothing but dashes and strokes."""
    return not cell.strip(_STROKES) or cell.strip().lower() in _MISSING


def looks_numeric(cell: str) -> bool:
    """True if `cell` is a number, whether points or commas are its decimal signs."""
    return _digits(cell) is not None or fraction(cell) is not None


def decimal_comma(cells: Iterable[str], *, likely: bool) -> bool:
    """True if commas are decimal signs in these cells of one table.

    The first unambiguous cell decides. If all cells are ambiguous, the answer is `likely`.

    `1.234,5`, `12,5` and `0,125` can only be read with a decimal comma, `1,234.5` and `12.5` only with a decimal point.
    """
    for cell in cells:
        found = _digits(cell)
        if found is None:
            continue
        digits = found[1].lower().partition("e")[0]
        comma, point = digits.rfind(","), digits.rfind(".")
        if comma >= 0 and point >= 0:
            return comma > point
        if (comma < 0 and point < 0) or not any(magnitudes(digits)):  # `29.12.2024` has no reading
            continue
        if digits[0] == "0" or not is_grouped(digits, "," if comma >= 0 else "."):
            return comma >= 0 and digits.count(",") == 1
        if _count_signs(digits) > 1:
            return point >= 0
    return likely


def fraction(cell: str) -> float | None:
    """Return the number in a cell that ends with a fraction, such as `1½` or `3 1/4`; None for any other cell."""
    found = _FRACTION.fullmatch(cell.strip())
    if found is None:
        return None
    value = float(int(found[2] or 0) + size_of_fraction(found[3] or found[4]))
    return -value if found[1] else value


def number(cell: str, *, comma: bool) -> float | None:
    """Return the number in `cell`, or None if the cell is not a number or the number is not finite.

    `comma` states that commas are decimal signs. Currency signs and percent signs are dropped (`50%` is 50), and
    parentheses mean a minus.
    """
    found = _digits(cell)
    if found is None:
        return fraction(cell)
    sign, digits = found
    mantissa, _, exponent = digits.lower().partition("e")
    readings = list(_readings(mantissa, has_exponent=bool(exponent)))
    value = next((one.value for one in readings if one.decimal_sign in ("", "," if comma else ".")), None)
    if value is None and readings and _count_signs(mantissa) == 1:
        # The cell does not follow the table's notation, such as `12.5` among decimal commas, but is still a number.
        value = readings[0].value
    if value is None:
        return None
    read = float(f"{sign}{value:f}e{exponent or 0}")
    return read if math.isfinite(read) else None


def _readings(digits: str, *, has_exponent: bool) -> Iterator[Magnitude]:
    """Yield the readings of a cell's digits.

    Digits that begin with a zero or precede an exponent have no thousands groups: 012,345 and 1,234e5 are fractions.
    """
    for reading in magnitudes(digits):
        is_fraction = reading.decimal_sign in digits
        if (is_fraction or not has_exponent) and (digits[0] != "0" or (is_fraction and _count_signs(digits) < 2)):
            yield reading


def _count_signs(digits: str) -> int:
    return digits.count(".") + digits.count(",")


def _digits(cell: str) -> tuple[str, str] | None:
    """Return the sign of a number, and its digits with their points and commas; None if `cell` is not a number."""
    text = cell.strip()
    if not text or len(text) > LONGEST_NUMBER:
        return None
    negative = text.startswith("(") and text.endswith(")")
    found = _NUMBER.fullmatch((text[1:-1] if negative else text).translate(_DROPPED))
    if found is None:
        return None
    return ("-" if negative else found[1]), found[2]


Moment = tuple[dt.datetime, int | None]
"""A local time, and its offset from UTC in minutes if the cell states one."""


def moments(cells: Sequence[str], *, day_first: bool | None = None, as_local: bool = False) -> list[dt.datetime | None]:
    """Return the point in time of each cell, or None for a cell without one. A period counts as its first moment.

    Without `day_first`, all cells together determine whether days come before months. If all times have the same offset
    from UTC, or with `as_local`, they are returned as local times. If the offsets differ, as around a change to summer
    time, the times are converted to UTC.
    """
    found = [moment(cell, day_first=bool(day_first)) for cell in cells]
    if day_first is None and any(_NUMERIC.match(cell.strip()) for cell in cells):
        other = [moment(cell, day_first=True) for cell in cells]
        found = other if _days_come_first(cells, found, other) else found
    offsets = {moment[1] for moment in found if moment is not None}
    if as_local or len(offsets) <= 1:
        return [one and one[0] for one in found]
    return [one and one[0] - dt.timedelta(minutes=one[1] or 0) for one in found]


def year_in(value: float) -> dt.datetime | None:
    """Return the beginning of year `value`, or None if the number is not an integer from 1500 to 2199."""
    return dt.datetime(int(value), 1, 1) if value == int(value) and 1500 <= value <= 2199 else None


def since_1970(value: float) -> dt.datetime | None:
    """Return the moment `value` seconds or milliseconds after the beginning of 1970, or None if out of range
    (`_SECONDS`)."""
    seconds = value / 1000 if value >= 1000 * _SECONDS[0] else value
    if not _SECONDS[0] <= seconds < _SECONDS[1]:
        return None
    return dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)


def moment(cell: str, *, day_first: bool = False) -> Moment | None:
    """Return the point in time that `cell` states, or None if it states none."""
    text = " ".join(cell.split())
    if not 4 <= len(text) <= _LONGEST:
        return None
    try:
        found = (_read(form.fullmatch(text), day_first) for form in _FORMS)
        return next(filter(None, found), None)
    except ValueError:  # a day that the calendar lacks, like the 31st of June
        return None


def _days_come_first(cells: Sequence[str], month_first: list[Moment | None], day_first: list[Moment | None]) -> bool:
    """True if reading the day first is likelier than reading the month first.

    The order that turns more cells into dates wins; then the order whose dates rise or fall more evenly. If both are
    equal, the day comes first if dots separate the parts.

    The first days of months look like days of one January in the other order. The signs decide which they are: days
    come before months if there are dots, and otherwise only a whole year is one of months.
    """
    if month_first == day_first:
        return False
    # A cell that is not a date in either order, such as the label of a sum, decides nothing.
    pairs = [(first, other) for first, other in zip(month_first, day_first, strict=True) if first or other]
    month_first, day_first = ([pair[at] for pair in pairs] for at in (0, 1))
    has_dots = any((found := _NUMERIC.match(cell.strip())) and found["sign"] == "." for cell in cells[:100])
    if has_dots and _are_first_days(day_first):
        return True
    if not has_dots and len(month_first) == _MONTHS and (_are_first_days(month_first) or _are_first_days(day_first)):
        return _are_first_days(day_first)
    costs = [(read.count(None), _disorder(read)) for read in (month_first, day_first)]
    return costs[1] < costs[0] if costs[0] != costs[1] else has_dots


def _are_first_days(found: list[Moment | None]) -> bool:
    """True if these are the first days of several months in a row, in any order."""
    days = [moment[0] for moment in found if moment and moment[0].day == 1]
    months = sorted(_MONTHS * day.year + day.month for day in days)
    return 1 < len(days) == len(found) and months == [*range(months[0], months[0] + len(months))]


def _disorder(found: list[Moment | None]) -> tuple[int, float]:
    """Return the number of steps against the direction of most steps, and the longest step in seconds."""
    times = [moment[0] for moment in found if moment]
    steps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    turns = min(sum(step < 0 for step in steps), sum(step > 0 for step in steps))
    return turns, max(map(abs, steps), default=0.0)


def _read(found: re.Match[str] | None, day_first: bool) -> Moment | None:
    """Return the moment that a match of a notation states. Return None if there is no match, if a word in it is not a
    month, or if it has a day both before and after the month.

    Raises ValueError for a date that the calendar does not have, and for years before 1500 or after 2199.
    """
    if found is None:
        return None
    part = {name: text for name, text in found.groupdict().items() if text}
    year = full_year(part["year"].lstrip("'"), _CENTURY_TURNS_AT)
    if not 1500 <= year < 2200:
        raise ValueError("a year that no series has")
    month, day = part.get("month", 1), part.get("day") or part.get("day_after", 1)
    if "week" in part:
        return dt.datetime.fromisocalendar(year, int(part["week"]), int(part.get("weekday", 1))), None
    if "quarter" in part:
        month = 3 * int(part["quarter"]) - 2
    elif "first" in part:
        month, day = (part["other"], part["first"]) if day_first else (part["first"], part["other"])
    elif "name" in part:
        month = month_named(part["name"])
        if not month or {"day", "day_after"} <= part.keys():
            return None
    hours = int(part.get("hour", 0))
    if "half" in part:
        hours = hours % 12 + (12 if part["half"].lower() == "pm" else 0)
    days, hours = (1, 0) if hours == 24 else (0, hours)
    time = dt.datetime(year, int(month), int(day), hours, int(part.get("minute", 0)), int(part.get("second", 0)))
    return time + dt.timedelta(days=days), _offset(part.get("zone"))


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone.upper() in ("Z", "UTC"):
        return 0
    digits = zone[1:].replace(":", "")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if zone[0] == "-" else 1)
