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
from itertools import pairwise
from typing import Final, NamedTuple

from tasks.notation.cldr import MONTHS, WEEKDAYS, WORDS_IN_DAYS, folded, month_named, months_named
from tasks.notation.clock_times import without_clock
from tasks.notation.numbers import with_plain_width
from tasks.notation.words import any_of

CENTURY_TURNS_AT = 50
"""First two-digit year that is read as 19xx. Documents contain dates of birth, but hardly any dates more than a few
decades ahead."""

_LONGEST: Final = 100
"""A text with nothing but a day and its time has at most this many characters."""
_NO_LONGER: Final = r"(?!\d(?!\d?:\d\d))"
"""Lookahead for the end of a date: no digit may follow, unless it begins a time of day that has lost the space before
it."""
_SPACE: Final = "[ \u00a0\u202f]"
ORDINAL: Final = r"(?:st|nd|rd|th|\.?[ºª°]|er|ᵉʳ|de|ste|:?e|:a|\.)?(?![^\W\d_])"
"""Sign or ending of the number of a day: `1st`, `1er`, `1.º`, `7e`, `5:e`."""
_MONTH = r"(?:[^\W\d_]|[\u0901-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]){3,14}"
"""Pattern of a word that may be a month, with the vowel signs of Devanagari and Thai."""
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ERAS: Final = {
    **{"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867},
    **dict.fromkeys(("民國", "民国", "中華民國", "中华民国"), 1911),
}
"""The year before the first one of each era in Japan and Taiwan."""
_BUDDHIST: Final = 543
"""Years that the Thai calendar is ahead."""
_FIRST_YEAR, _FIRST_BUDDHIST, _LAST_BUDDHIST = 1000, 2400, 2700
"""Years in four digits begin with the first of these. From the second to the last one, they are of the Thai calendar:
1857 to 2157 in ours."""
_GAP: Final = (
    rf"[.,年년月월]{{0,2}}(?:{_SPACE}\([^\W\d_]{{2,20}}\))?{_SPACE}?[-/.]?{_SPACE}?"
    rf"(?:(?:{any_of(('of', 'day of', 'päivänä', *WORDS_IN_DAYS))})\.?{_SPACE}){{0,2}}['’]?"
)
"""Pattern of what may stand between two parts of a day: ` / `, `, `, ` de `, ` (uno) `, `年`."""
_DATE = re.compile(
    rf"""(?<![\d/.-])(?:
        (?P<glued>(?:19|20)\d{{6}}|\d{{4}}(?:19|20)\d\d)(?!\d)
      | (?<!\d[ ])(?P<comb>\d(?:[ ]\d){{7}})(?![ ]?\d)
      | (?:(?P<era>(?-i:{any_of(_ERAS)})){_SPACE}?)?(?P<y_ymd>(?(era)(?:\d{{1,3}}|元)|\d{{4}})){_GAP}
        (?:(?<!\d)(?P<m_ymd>\d{{1,2}})|(?P<n_ymd>{any_of(MONTHS.common)}|[IVX]{{1,4}})){_GAP}
        (?<!\d)(?P<d_ymd>\d{{1,2}})[日일]?{_NO_LONGER}
      | (?P<d_dmy>\d{{1,2}})(?:{ORDINAL})?{_GAP}
        (?:(?<!\d)(?P<m_dmy>\d{{1,2}}){_GAP}(?<!\d)|(?P<n_dmy>{_MONTH}|[IVX]{{1,4}})(?:/{_MONTH})?{_GAP})
        (?P<y_dmy>\d{{4}}|\d\d){_NO_LONGER}
      | (?<![^\W\d_])(?P<n_mdy>{_MONTH}){_GAP}(?P<d_mdy>\d{{1,2}})(?:{ORDINAL})?{_GAP}(?<!\d)
        (?P<y_mdy>\d{{4}}|(?<=['’])\d\d){_NO_LONGER}
    )""",
    re.VERBOSE | re.IGNORECASE,
)
"""Pattern of the three parts of a day in each order, or of its eight digits. `_days` says which parts make a day."""
_ORDERS: Final = ("ymd", "dmy", "mdy")
_SIGNS: Final = ("-", "/", ".")
_NUMBER_GOES_ON: Final = re.compile(r"[-/.,]?\d")
_NO_PART: Final = re.compile(r"[/.-]\d\d?[/.-]\d|[:.,]\d")
"""Pattern of what follows two digits that are not a year: the rest of another date, of a time or of an amount.
`Fattura 17 del 23/01/2026` says 23 January, and `3 May 23:15` has no year."""
_IN_ROW_OF_FIGURES: Final = re.compile(r"\d $")
_ROW_GOES_ON: Final = re.compile(r" ?\d")
_LONGEST_AFTER: Final = 10
_WORD: Final = re.compile(r"[^\W\d_]+(?:-feira)?")
_NEAR_YEAR = r"(?:19|2[01])\d\d"
DATE: Final = (
    rf"(?:(?P<year>{_NEAR_YEAR})(?:-(?P<mm>\d\d?)(?:-(?P<dd>\d\d?))?)?"
    rf"|[QT](?P<q>[1-4])[ /-]?(?P<qy>{_NEAR_YEAR})|(?P<yq>{_NEAR_YEAR})[ -]?Q(?P<yqq>[1-4])"
    rf"|(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)? )?(?:de )?(?P<month>{any_of(MONTHS.common)})\.?"
    rf"(?: (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?)?,? (?:de |of )?(?P<my>{_NEAR_YEAR}))(?![\d.,-]*\d)"
)
"""A regular expression of a day, month, quarter or year of this century or the neighbouring ones, for
`date_range_of`."""


_NO_YEAR = re.compile(
    rf"""(?<![\w/.,:-])(?:
        (?P<a>\d{{1,2}})[ ]?(?P<sign>[./月월-])[ ]?(?P<b>\d{{1,2}})[.日일]?
      | (?P<d>\d{{1,2}})(?:{ORDINAL})?[ -]?(?:(?:of|{any_of(WORDS_IN_DAYS)})[ ])?(?P<month>{_MONTH})\.?
      | (?P<month2>{_MONTH})\.?[ -](?P<d2>\d{{1,2}}){ORDINAL}
    )(?![\w/-])""",
    re.VERBOSE | re.IGNORECASE,
)
_CLOCK_WITH_POINT: Final = re.compile(r",? \d{1,2}\.\d\d")
"""Pattern of a time after a day without a year."""


_GOES_ON: Final = r"(?<=(?-i:out|set|may))[ ](?:of|be|been|up|also|have|has|not|only|in|on|no)(?![^\W_])"
"""Pattern of an English word after one that is also a month, in this or another language: `8 out of 10`, `3 may be`."""
_LONE_DAY = re.compile(
    rf"""(?<![\w/.,:-])(?<!\d[ ])(?:
        (?P<d>\d{{1,2}})(?:{ORDINAL}[ ](?:of[ ]|de[ ])?|(?:st|nd|rd|th|\.)?[ -]?)(?P<month>{any_of(MONTHS.common)})
        (?![^\W_]|{_GOES_ON})
      | (?P<month2>{any_of(MONTHS.common)})\.?[ ](?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:/%-]|[.,]\d)
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
    text = with_plain_width(text)
    position = 0
    while (match := _DATE.search(text, position)) is not None:
        readings = tuple(dict.fromkeys(_days(match)))
        # Parts that are not a day may hide one: `3 pieces 24 May 2024`.
        position = match.end() if readings else match.start() + 1
        if readings:
            yield Day(match.start(), match.end(), readings)


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


def parse_day(text: str) -> Day | None:
    """Return the calendar day in `text`, or None if the text contains anything else.

    The day of the week may precede the day, and a time of day may follow it.
    """
    text = text.strip()
    day = next(find_days(text), None) if len(text) <= _LONGEST else None
    is_alone = day is not None and all(map(_are_words_of_days, without_clock(text, day.start, day.end)))
    return day if is_alone else None


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
    if weekdays := WEEKDAYS.all.get(folded(text.strip())):
        aheads = [(one - known_day.isoweekday() + _HALF_WEEK) % _DAYS_OF_WEEK - _HALF_WEEK for one in weekdays]
        ordinal = known_day.toordinal() + min(aheads, key=abs)
        return date.fromordinal(ordinal) if 0 < ordinal <= date.max.toordinal() else None
    found = _DAY_OF_WEEK.fullmatch(text.strip())
    weekdays = WEEKDAYS.all.get(folded(found["weekday"]), ()) if found else ()
    if found is None or not weekdays:
        return None
    middle = known_day.toordinal()
    ordinals = range(max(date.min.toordinal(), middle - _FARTHEST), min(date.max.toordinal(), middle + _FARTHEST) + 1)
    days = map(date.fromordinal, sorted(ordinals, key=lambda ordinal: (abs(ordinal - middle), -ordinal)))
    return next((day for day in days if day.day == int(found["d"]) and day.isoweekday() in weekdays), None)


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
    text = " ".join(text.split())
    position = 0
    while len(text) <= _LONGEST and (found := _NO_YEAR.search(text, position)) is not None:
        before, after = without_clock(text, *found.span())
        is_alone = _are_words_of_days(before) and (_are_words_of_days(after) or _CLOCK_WITH_POINT.fullmatch(after))
        if is_alone and (parts := _parts_without_year(found)):
            return parts
        position = found.start() + 1
    return None


def _parts_without_year(found: re.Match[str]) -> tuple[int, int, bool] | None:
    if not found["a"]:
        month = month_named(found["month"] or found["month2"])
        return (int(found["d"] or found["d2"]), month, True) if month else None
    first, second = int(found["a"]), int(found["b"])
    if not (1 <= first <= 31 and 1 <= second <= 31 and min(first, second) <= 12):
        return None
    return (second, first, True) if found["sign"] in "月월" else (first, second, found["sign"] == ".")


def _day_in(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _are_words_of_days(text: str) -> bool:
    """True if a text before or after a day is empty, a day of the week or a word of dates: `Do., `, `den `, `(木)`."""
    words = _WORD.findall(text)
    return not _WORD.sub("", text).strip(" .,()（）\u00a0") and (
        folded(text.strip(" .,()（）")) in WEEKDAYS.all
        or all(folded(word) in WEEKDAYS.all or word.lower() in WORDS_IN_DAYS for word in words)
    )


class _Parts(NamedTuple):
    """The parts of a day as they are written, and what stands between and after them."""

    order: str
    year: str
    month: str
    day: str
    first_gap: str
    second_gap: str
    after: str

    @property
    def is_near(self) -> bool:
        """True for a year in four digits, of the last century or this one."""
        return len(self.year) == len("1999") and 1900 <= int(self.year) < 2100


def _days(match: re.Match[str]) -> Iterator[date]:
    """Yield the days that a match may mean, the likeliest first."""
    figures = (match["comb"] or match["glued"] or "").replace(" ", "")
    for year, months, day in _boxes(figures, is_glued=bool(match["glued"])) if figures else _orders(match):
        for month in months:
            try:
                yield date(full_year(year, CENTURY_TURNS_AT), int(month), int(day))
            except ValueError:
                continue


_Order = tuple[str, Sequence[int | str], str]
"""A year, the months that it may be, and a day."""


def _boxes(figures: str, *, is_glued: bool) -> Iterator[_Order]:
    """Yield the orders of eight digits. Forms have a box for each digit."""
    in_order = (figures[:4], figures[4:6], figures[6:])
    others = [(figures[4:], figures[2:4], figures[:2]), (figures[4:], figures[:2], figures[2:4])]
    for year, month, day in (in_order, *others) if is_glued else (*others, in_order):
        if year[:2] in ("19", "20"):
            yield year, (month,), day


def _orders(match: re.Match[str]) -> Iterator[_Order]:
    order = next(one for one in _ORDERS if match[f"d_{one}"])
    keys = {part: f"{part}_{order}" for part in "ynd"}
    if order != "mdy" and match[f"m_{order}"]:
        keys["n"] = f"m_{order}"
    spans = sorted(map(match.span, keys.values()))
    gaps = [match.string[before[1] : after[0]].strip(" \u00a0\u202f") for before, after in pairwise(spans)]
    after = match.string[match.end() : match.end() + _LONGEST_AFTER]
    parts = _Parts(order, match[keys["y"]], match[keys["n"]], match[keys["d"]], gaps[0], gaps[1], after)
    if match["era"]:
        parts = parts._replace(year=str(_ERAS[match["era"]] + (1 if parts.year == "元" else int(parts.year))))
    elif len(parts.year) == len("1999") and int(parts.year) >= _FIRST_BUDDHIST:
        parts = parts._replace(year=str(int(parts.year) - _BUDDHIST))
    if len(parts.year) == len("1999") and not _FIRST_YEAR <= int(parts.year) <= _LAST_BUDDHIST - _BUDDHIST:
        return
    if not parts.month.isdecimal():
        yield from ((parts.year, _months(parts.month), parts.day),) if _is_named_day(parts) else ()
    elif parts.first_gap or parts.second_gap:
        yield from _orders_of_figures(parts)
    elif _IN_ROW_OF_FIGURES.search(match.string, max(0, match.start() - 2), match.start()) is None:
        yield from _orders_of_row(parts)


def _orders_of_figures(parts: _Parts) -> Iterator[_Order]:
    """Yield the orders of a year, a month and a day in figures, with signs or words between them."""
    year, month, day = parts.year, parts.month, parts.day
    first, second = parts.first_gap, parts.second_gap.rstrip("'’")
    is_labelled = first[-1:].isalpha() and second[-1:].isalpha()
    is_danish = (parts.order, first, second, len(year)) == ("dmy", "/", "-", len("1999"))
    if is_labelled or is_danish or (first == second and first in _SIGNS):
        yield year, (month,), day
    if parts.order == "dmy" and first == second and first in _SIGNS:
        yield year, (day,), month
        if len(day) == len(year) == len("99"):
            yield day, (month,), year


def _orders_of_row(parts: _Parts) -> Iterator[_Order]:
    """Yield the orders of figures with only spaces between them: `25 12 2018`."""
    is_whole = parts.order == "dmy" and len(parts.day) == len(parts.month) == len("99") and parts.is_near
    if is_whole and not _ROW_GOES_ON.match(parts.after):
        yield from ((parts.year, (parts.month,), parts.day), (parts.year, (parts.day,), parts.month))


def _is_named_day(parts: _Parts) -> bool:
    """True if a day, the name of a month and a year, with what stands between and after them, say a day."""
    first, second = parts.first_gap, parts.second_gap
    has_whole_year = len(parts.year) == len("1999")
    if parts.month.upper() in _ROMAN and not months_named(parts.month):
        if first == second and first in _SIGNS:
            return parts.month.isupper() or first == "."
        is_alone = len(parts.month) > 1 and parts.month.isupper() and not (first or second)
        return is_alone and parts.is_near and _NUMBER_GOES_ON.match(parts.after) is None
    if parts.order == "ymd":
        return re.match(r"[\w:/%€$]|-\d|[.,]\d", parts.after) is None
    if parts.order == "dmy":
        return "," not in first and (has_whole_year or ("(" not in first and _NO_PART.match(parts.after) is None))
    second = re.sub(rf"^{ORDINAL}", "", second, flags=re.IGNORECASE)
    if first.strip(".") not in ("", "-") or second.strip(" .,'’") not in ("", "-"):
        return False
    return second != "," or (parts.is_near and _NUMBER_GOES_ON.match(parts.after) is None)


def _months(name: str) -> Sequence[int]:
    """Return the months, 1 to 12, of a name, of a word that begins with its three-letter short form, or of a Roman
    numeral."""
    if found := months_named(name) or MONTHS.common.get(folded(name[:3])):
        return found
    return (_ROMAN.index(name.upper()) + 1,) if name.upper() in _ROMAN else ()


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
