"""Parses dates: calendar days in texts, each with all its possible readings, and periods in requests (days, months,
quarters and years).

>>> [day.readings for day in find_days("Due 03/04/2026")]
[(datetime.date(2026, 4, 3), datetime.date(2026, 3, 4))]
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tasks.notation.numbers import with_plain_width
from tasks.notation.words import MONTHS, MONTHS_OF_ALL, WEEKDAYS, any_of, month_named

CENTURY_TURNS_AT = 50
"""First two-digit year that is read as 19xx. Documents contain dates of birth, but hardly any dates more than a few
decades ahead."""

_LONGEST: Final = 100
"""A text with nothing but a day and its time has at most this many characters."""
_NO_LONGER = r"(?!\d(?!\d?:\d\d))"
"""Lookahead for the end of a date: no digit may follow, unless it begins a time of day that has lost the space before
it."""
_YEAR = r"\d{4}|\d\d"
_NO_DATE = r"(?![/.-]\d\d?[/.-]\d)"
"""Lookahead after two digits of a year, for the rest of another date: `Fattura 17 del 23/01/2026` says 23 January."""
ORDINAL: Final = r"(?:st|nd|rd|th|\.?[ºª°]|er|ᵉʳ|de|ste|:?e|:a|\.)?(?![^\W\d_])"
"""Sign or ending of the number of a day: `1st`, `1er`, `1.º`, `7e`, `5:e`."""
_MONTH = r"(?:[^\W\d_]|[\u0901-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]){3,14}"
"""Pattern of a word that may be a month, with the vowel signs of Devanagari and Thai."""
_ERAS: Final = {
    **{"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867},
    **dict.fromkeys(("民國", "民国", "中華民國", "中华民国"), 1911),
}
"""The year before the first one of each era in Japan and Taiwan."""
_BUDDHIST: Final = 543
"""Years that the Thai calendar is ahead."""
_FIRST_BUDDHIST: Final = 2400
"""A year from this one on is of the Thai calendar: 1857 in ours."""
_DATE = re.compile(
    rf"""(?<![\d/.-])(?:
        (?P<y1>\d{{4}})[ ]?[-/.年년][ ]?(?P<m1>\d{{1,2}})[ ]?[-/.月월][ ]?(?P<d1>\d{{1,2}})[日일]?{_NO_LONGER}
      | (?P<era>(?-i:{any_of(_ERAS)}))[ ]?(?P<y8>\d{{1,3}}|元)年[ ]?(?P<m8>\d{{1,2}})月[ ]?(?P<d8>\d{{1,2}})日
      | (?P<d9>\d{{1,2}})[ ]tháng[ ](?P<m9>\d{{1,2}}),?[ ]năm[ ](?P<y9>\d{{4}})(?!\d)
      | (?P<y10>(?:19|20)\d\d)\.?[ ](?:m\.[ ])?(?P<month10>{any_of(MONTHS_OF_ALL)})\.?[ ]
        (?P<d10>\d{{1,2}})(?![\w:/%€$-]|[.,]\d)
      | (?P<a>\d{{1,2}})[ ]?(?P<by>[-/.])[ ]?(?P<b>\d{{1,2}})[ ]?(?P=by)[ ]?(?P<c>{_YEAR}){_NO_LONGER}
      | (?P<d6>\d{{1,2}})(?:\.[ ]?(?P<roman>(?-i:[IVX]{{1,4}}))\.[ ]?|[ ](?P<roman2>(?-i:[IVX]{{2,4}}))[ ])
        (?P<y6>(?:19|20)\d\d)(?![-/.,]?\d)
      | (?P<d2>\d{{1,2}})(?:{ORDINAL}(?P<said>[ ]\([^\W\d_]{{2,20}}\))?[ ](?:day[ ]of[ ]|of[ ]|del?[ ]|päivänä[ ])?
                          |(?:st|nd|rd|th|\.)?[ /-]?(?:of[ ]|de[ ])?)(?P<month2>{_MONTH})\.?,?
        [ /-]?(?:del?[ ])?['’]?(?P<y2>(?(said)\d{{4}}|(?:\d{{4}}|\d\d{_NO_DATE}))){_NO_LONGER}
      | (?<![^\W\d_])(?P<month3>{_MONTH})\.?[ -]?(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?
        (?:,?[ -]+(?P<y3>\d{{4}}|['’]\d\d){_NO_LONGER}|,(?P<y7>(?:19|20)\d\d)(?![.,]?\d))
      | (?P<glued>(?:19|20)\d{{6}}|\d{{4}}(?:19|20)\d\d)(?!\d)
      | (?<!\d[ ])(?P<d5>\d\d)[ ](?P<m5>\d\d)[ ](?P<y5>(?:19|20)\d\d)(?![ ]?\d)
      | (?<!\d[ ])(?P<comb>\d(?:[ ]\d){{7}})(?![ ]?\d)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_WORD_BEFORE = re.compile(r"([^\W\d_]{2,8}(?:-feira)?)(?:\.?,? |, ?)", re.I)
"""Pattern of a word before a date."""
_TIME = re.compile(r"[\sT,]*\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:[ap]\.?m\.?)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?", re.I)
_NEAR_YEAR = r"(?:19|2[01])\d\d"
DATE: Final = (
    rf"(?:(?P<year>{_NEAR_YEAR})(?:-(?P<mm>\d\d?)(?:-(?P<dd>\d\d?))?)?"
    rf"|[QT](?P<q>[1-4])[ /-]?(?P<qy>{_NEAR_YEAR})|(?P<yq>{_NEAR_YEAR})[ -]?Q(?P<yqq>[1-4])"
    rf"|(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)? )?(?:de )?(?P<month>{any_of(MONTHS)})\.?"
    rf"(?: (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?)?,? (?:de |of )?(?P<my>{_NEAR_YEAR}))(?![\d.,-]*\d)"
)
"""A regular expression of a day, month, quarter or year of this century or the neighbouring ones, for
`date_range_of`."""


_NO_YEAR = re.compile(
    rf"""(?P<before>[^\W\d_]{{2,10}}(?:-feira)?(?:\.?,?[ ]|,[ ]?))?(?:
        (?P<a>\d{{1,2}})[ ]?(?P<sign>[./-])[ ]?(?P<b>\d{{1,2}})\.?
      | (?P<d>\d{{1,2}})(?:{ORDINAL}[ ](?:of[ ]|de[ ])?|(?:st|nd|rd|th|\.)?[ -]?)(?P<month>{_MONTH})\.?
      | (?P<month2>{_MONTH})\.?[ -](?P<d2>\d{{1,2}})(?:st|nd|rd|th)?
    )(?:,?[ ]\d{{1,2}}[:.h]\d\d)?""",
    re.VERBOSE | re.IGNORECASE,
)


_GOES_ON: Final = r"(?<=(?-i:out|set|may))[ ](?:of|be|been|up|also|have|has|not|only|in|on|no)(?![^\W_])"
"""Pattern of an English word after one that is also a month, in this or another language: `8 out of 10`, `3 may be`."""
_LONE_DAY = re.compile(
    rf"""(?<![\w/.,:-])(?<!\d[ ])(?:
        (?P<d>\d{{1,2}})(?:{ORDINAL}[ ](?:of[ ]|de[ ])?|(?:st|nd|rd|th|\.)?[ -]?)(?P<month>{any_of(MONTHS)})
        (?![^\W_]|{_GOES_ON})
      | (?P<month2>{any_of(MONTHS)})\.?[ ](?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:/%-]|[.,]\d)
      | (?P<a>\d{{1,2}})\.(?P<b>\d{{1,2}})\.(?![ ]?[\w%€$£-])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""Pattern of a day without a year in a text."""
_DAY_OF_WEEK = re.compile(rf"(?P<weekday>[^\W\d_]{{2,10}})(?:-feira)?\.?,? (?P<d>\d{{1,2}}){ORDINAL}", re.IGNORECASE)
"""Pattern of a day of the week with the number of the day, but without a month: `Fri 9`."""
_FARTHEST: Final = 45
"""Largest distance, in days, of a day such as `Fri 9` from a known one. Within this distance, at most one day has a
given number and day of the week, except that February and March may each have one. Otherwise, two days with the same
number and day of the week are at least 91 days apart."""
_DAYS_OF_WEEK: Final = 7
_HALF_WEEK: Final = _DAYS_OF_WEEK // 2
_MONTH_OF_YEAR = re.compile(r"(?<![\d/.,-])(?P<m>\d{1,2})[/.-](?P<y>20\d\d)(?![\d/.-])")
_NAMED_MONTH = re.compile(rf"(?P<m>{_MONTH})\.? (?:de )?(?P<y>20\d\d)(?!\d)")
_YEAR_ALONE = re.compile(r"(?<![\d/.,-])20\d\d(?![\d/.,-])")


@dataclass(frozen=True, slots=True)
class Day:
    start: int
    end: int
    readings: tuple[date, ...]
    """Days that the text may mean, the most likely first. There are several if the order of day, month and year is
    ambiguous."""
    lacks_year: bool = False
    """True if the text has no year, which other days of the document suggest."""


def find_days(text: str) -> Iterator[Day]:
    """Find calendar days in digits or with the name of the month, in any order of their parts."""
    return filter(None, map(_day_of, _DATE.finditer(with_plain_width(text))))


def find_lone_days(text: str, known: Sequence[Day]) -> list[Day]:
    """Return the days of a long text that have the name of their month, or two points, but no year: `6 May`, `23.08.`

    Each gets the year that brings it nearest to the middle one of the `known` days of the text that are in their most
    frequent year, the latest of several. Without known days, nothing is found.
    """
    if not known:
        return []
    counts = Counter(day.readings[0].year for day in known)
    common = max(counts, key=lambda year: (counts[year], year))
    middle = sorted(day.readings[0] for day in known if day.readings[0].year == common)[counts[common] // 2]
    taken = [day.start for day in known]
    found: list[Day] = []
    for match in _LONE_DAY.finditer(text):
        day, month = int(match["d"] or match["d2"] or match["a"]), match["month"] or match["month2"]
        number = month_named(month) if month else int(match["b"])
        after = bisect_right(taken, match.start())
        is_known = (after > 0 and known[after - 1].end > match.start()) or (
            after < len(known) and known[after].start < match.end()
        )
        possible = [one for year in (common - 1, common, common + 1) if (one := _day_in(year, number, day))]
        if possible and not is_known:
            found.append(Day(match.start(), match.end(), (min(possible, key=lambda one: abs(one - middle)),), True))
    return found


def _day_of(match: re.Match[str]) -> Day | None:
    readings = tuple(dict.fromkeys(_days(match)))
    return Day(match.start(), match.end(), readings) if readings else None


def parse_day(text: str) -> Day | None:
    """Return the calendar day in `text`, or None if the text contains anything else.

    The day of the week may precede the day, and a time of day may follow it.
    """
    text = text.strip()
    day = next(find_days(text), None) if len(text) <= _LONGEST else None
    if day is None or not _is_weekday(text[: day.start]):
        return None
    rest = text[day.end :]
    return day if not rest or _TIME.fullmatch(rest) else None


def is_day_of_a_year(text: str) -> bool:
    """True if a text is a day and a month without a year: `21 Oct`, `01.07.`, `14/04`."""
    return _parts_of_day(text) is not None


def days_without_year(texts: Sequence[str], known_days: Sequence[date]) -> list[date | None]:
    """Return the days in texts without a year. Each day gets the year that brings it nearest to a reference day: the
    middle one of the known days that are in their most frequent year.

    All texts decide together whether days come before months. The result is None for every text if there are no known
    days, or if a text is not a day.
    """
    parts = [_parts_of_day(text) for text in texts]
    if not known_days or not all(parts):
        return [None] * len(texts)
    known_parts = [one for one in parts if one]
    is_month_first = any(second > 12 for _, second, is_named in known_parts if not is_named) and all(
        first <= 12 for first, _, is_named in known_parts if not is_named
    )
    common = Counter(day.year for day in known_days).most_common(1)[0][0]
    middle = sorted(day for day in known_days if day.year == common)
    middle_day = middle[len(middle) // 2]
    found = []
    for first, second, is_named in known_parts:
        day, month = (second, first) if is_month_first and not is_named else (first, second)
        possible_days = [one for year in (common - 1, common, common + 1) if (one := _day_in(year, month, day))]
        found.append(min(possible_days, key=lambda one: abs(one - middle_day), default=None))
    return [None] * len(texts) if None in found else found


def day_of_week_near(text: str, known_day: date) -> date | None:
    """Return the day that a text with a day of the week, but no month, means near a known day: `Fri 9` means the
    nearest Friday that is the 9th, and `Friday` the nearest Friday. Return None for any other text, or if there is no
    such day within _FARTHEST days."""
    if len(text) > _LONGEST:
        return None
    if weekday := WEEKDAYS.get(text.strip().casefold()):
        ahead = (weekday - known_day.isoweekday() + _HALF_WEEK) % _DAYS_OF_WEEK - _HALF_WEEK
        ordinal = known_day.toordinal() + ahead
        return date.fromordinal(ordinal) if 0 < ordinal <= date.max.toordinal() else None
    found = _DAY_OF_WEEK.fullmatch(text.strip())
    weekday = WEEKDAYS.get(found["weekday"].casefold()) if found else None
    if found is None or weekday is None:
        return None
    middle = known_day.toordinal()
    ordinals = range(max(date.min.toordinal(), middle - _FARTHEST), min(date.max.toordinal(), middle + _FARTHEST) + 1)
    days = map(date.fromordinal, sorted(ordinals, key=lambda ordinal: (abs(ordinal - middle), -ordinal)))
    return next((day for day in days if day.day == int(found["d"]) and day.isoweekday() == weekday), None)


def days_mentioned(text: str) -> list[date]:
    """Return the days in a text in their most likely reading or, if there are none, the middles of its months or
    years."""
    days = [*find_days(text)]
    if days:
        return [day.readings[0] for day in days]
    found: list[date] = []
    for form in (_MONTH_OF_YEAR, _NAMED_MONTH):
        for match in form.finditer(text):
            month = int(match["m"]) if form is _MONTH_OF_YEAR else month_named(match["m"])
            if 1 <= month <= 12:
                found.append(date(int(match["y"]), month, 15))
    return found or [date(int(match[0]), 7, 1) for match in _YEAR_ALONE.finditer(text)]


def _parts_of_day(text: str) -> tuple[int, int, bool] | None:
    """Return the two numbers of a day without a year, and True if the second one is certainly the month."""
    found = _NO_YEAR.fullmatch(" ".join(text.split())) if len(text) <= _LONGEST else None
    if found is None or not _is_weekday(found["before"] or ""):
        return None
    if found["a"]:
        first, second = int(found["a"]), int(found["b"])
        is_day = 1 <= first <= 31 and 1 <= second <= 31 and min(first, second) <= 12
        return (first, second, found["sign"] == ".") if is_day else None
    month = month_named(found["month"] or found["month2"])
    return (int(found["d"] or found["d2"]), month, True) if month else None


def _day_in(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_weekday(text_before: str) -> bool:
    """True if `text_before`, the text before a date, is empty or a day of the week."""
    word = _WORD_BEFORE.fullmatch(text_before)
    return not text_before or (word is not None and word[1].casefold() in WEEKDAYS)


def _days(match: re.Match[str]) -> Iterator[date]:
    part = match.groupdict()
    if part["y1"]:
        orders = [(part["y1"], part["m1"], part["d1"])]
    elif part["era"]:
        year_of_era = 1 if part["y8"] == "元" else int(part["y8"])
        orders = [(str(_ERAS[part["era"]] + year_of_era), part["m8"], part["d8"])]
    elif part["y9"]:
        orders = [(part["y9"], part["m9"], part["d9"])]
    elif part["y10"]:
        orders = [(part["y10"], month_named(part["month10"]), part["d10"])]
    elif part["y5"]:
        orders = [(part["y5"], part["m5"], part["d5"]), (part["y5"], part["d5"], part["m5"])]
    elif part["comb"] or part["glued"]:
        # Forms have a box for each digit.
        figures = (part["comb"] or part["glued"]).replace(" ", "")
        orders = [(figures[4:], figures[2:4], figures[:2]), (figures[4:], figures[:2], figures[2:4])]
        in_order = (figures[:4], figures[4:6], figures[6:])
        orders = [in_order, *orders] if part["glued"] else [*orders, in_order]
        orders = [order for order in orders if order[0][:2] in ("19", "20")]
    elif part["a"]:
        a, b, c = part["a"], part["b"], part["c"]
        orders = [(c, b, a), (c, a, b)]
        if len(a) == len(c) == 2:
            orders.append((a, b, c))
    elif part["d6"]:
        numeral = part["roman"] or part["roman2"]
        orders = [(part["y6"], _ROMAN.index(numeral) + 1, part["d6"])] if numeral in _ROMAN else []
    elif part["month2"]:
        year = part["y2"]
        if len(year) > len("99") and int(year) >= _FIRST_BUDDHIST:
            year = str(int(year) - _BUDDHIST)
        orders = [(year, _month_beginning(part["month2"]), part["d2"])]
    else:
        orders = [((part["y3"] or part["y7"]).lstrip("'’"), _month_beginning(part["month3"]), part["d3"])]
    for year, month, day in orders:
        try:
            yield date(full_year(year, CENTURY_TURNS_AT), int(month), int(day))
        except ValueError:
            continue


def _month_beginning(name: str) -> int:
    """Return the month, 1 to 12, for its name or for a word that begins with its three-letter short form, or else 0."""
    return month_named(name) or month_named(name[:3])


def full_year(digits: str, turns_at: int) -> int:
    """Return the year in four or two digits. Two digits mean 20xx if they are less than `turns_at`, or else 19xx."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= turns_at else 2000)


def date_range_of(found: re.Match[str]) -> tuple[date, date] | None:
    """Return the first day of a match of DATE and the day after its last day, or None if the calendar does not have the
    date."""
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
