"""Finds values that are next to the names of their days, months, quarters or years in a sentence: `Jan 10, Feb 12`,
`2024 -> 5`, `10 in January, 12 in February`."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tasks.notation.cells import moment
from tasks.notation.cldr import MONTHS, month_named
from tasks.notation.words import any_of

LEAST_POINTS = 3
"""Labelled values make a series if there are at least this many. Two may be part of a sentence."""
_MAX_CHARS = 20_000
"""A text is searched only if it has at most this many characters. Nobody writes a longer series in sentences, and the
search delays other threads."""
_WEEKDAYS = "mon|tue|wed|thu|fri|sat|sun|(?:mon|tues|wednes|thurs|fri|satur|sun)day|tues?|thurs?"
_NUMBERED = "day|week|month|year|quarter|period|tag|woche|monat|jahr|jour|semaine|mois|día|semana|mes"
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONTH_DAYS, _YEAR_DAYS = 31, 372
"""Days of a month and of a year in which all months have the same length."""
_ARROW = r"[-=]{1,2}>|→"
_NAME = any_of(MONTHS.common)
_VALUE = r"(?P<value>[-+−]?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)%?(?![\w%])(?![.,]\d)"
_DAY = r"(?:\s(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_DAY_YEAR = r"(?P<day_year>(?:19|20)\d\d)"
_LABEL = (
    r"(?<![\w.,$€£])(?:"
    r"(?P<date>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{4}-\d{2}(?!\d))"
    r"|Q(?P<quarter>[1-4])(?:[ /-]?(?P<quarter_year>\d{4}))?"
    rf"|(?P<month>{_NAME})(?!\w)\.?%s"
    rf"|(?P<weekday>{_WEEKDAYS})(?!\w)\.?"
    rf"|(?P<numbered>{_NUMBERED})\s(?P<number>\d{{1,3}})"
    r"|(?P<year>(?:19|20)\d\d)(?![\d,])"
    r")"
)
_BEFORE_VALUE = (
    rf"(?:,?\s(?P<month_year>(?:19|20)\d\d)(?=\s{{0,3}}(?:[:=\s]|{_ARROW})))?"
    rf"{_DAY}(?:,?\s{_DAY_YEAR})?(?=\s?(?:[:=]|{_ARROW})))?"
)
"""Pattern of the day and year after a month that precedes its value. A number counts as a day or a year only if a
separator follows, and otherwise as the value."""
_BEHIND_VALUE = (
    r"(?:,?\s(?P<month_year>(?:19|20)\d\d)(?!\w))?"
    rf"{_DAY}(?![\w:]|[.,]\d|\s(?:in|im|en|em|on|for)\s)(?:,?\s{_DAY_YEAR}(?!\w))?)?"
)
_LABEL_TO_VALUE = rf"(?:\s{{0,3}}(?:[:=,]|{_ARROW})\s{{0,3}}|-(?=\d)|(?:\s{{1,3}}[^\W\d_]{{1,15}}){{0,4}}\s{{1,3}})"
_LABEL_FIRST = re.compile(_LABEL % _BEFORE_VALUE + _LABEL_TO_VALUE + _VALUE, re.IGNORECASE)
_VALUE_FIRST = re.compile(
    rf"(?<![\w.,]){_VALUE}(?:\s[^\W\d_]{{1,15}}){{0,2}}\s(?:in|im|en|em|for|on|during|für|au|para)\s(?:the\s)?"
    + _LABEL % _BEHIND_VALUE,
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LabelledValues:
    start: int
    end: int
    rows: list[list[str]]
    """Rows of an ISO date and a value, or of a value alone if the labels only give the order."""
    note: str
    """Sentence on the year that was assumed, or on dates that were left out; "" if neither was."""


def labelled_values(text: str, today: dt.date) -> LabelledValues | None:
    """Return the series of labelled values in a text, or None if there is none. Months and quarters without a year are
    taken for the latest ones up to `today`."""
    if len(text) > _MAX_CHARS:
        return None
    readings = [_alike(list(form.finditer(text))) for form in (_LABEL_FIRST, _VALUE_FIRST)]
    found = max(filter(None, readings), key=lambda reading: (len(reading), -reading[0].start()), default=[])
    if len(found) < LEAST_POINTS:
        return None
    values = [one["value"] for one in found]
    dates, note = _dates(found, today)
    if dates is None:
        return None
    rows = [[date.isoformat(), value] for date, value in zip(dates, values, strict=True)] if dates else []
    rows = rows or [[value] for value in values]
    return LabelledValues(found[0].start(), found[-1].end(), rows, note)


def _kind(match: "re.Match[str]") -> str:
    kind = next(name for name in ("date", "quarter", "month", "weekday", "numbered", "year") if match[name])
    return f"{kind} {match['numbered'].lower()}" if kind == "numbered" else kind


def _alike(found: Sequence["re.Match[str]"]) -> list["re.Match[str]"]:
    """Return the matches of the most frequent kind of label. Months followed by a year are left out, because in `until
    Dec 2026`, 2026 is not a value."""
    found = [one for one in found if not (one["month"] and _YEAR.fullmatch(one["value"]))]
    kinds = [_kind(one) for one in found]
    commonest = max(kinds, key=kinds.count, default="")
    return [one for one, kind in zip(found, kinds, strict=True) if kind == commonest]


def _dates(found: Sequence["re.Match[str]"], today: dt.date) -> tuple[list[dt.date] | None, str]:
    """Return the date of each match and a note on the year. The list is empty if the labels only give the order. It is
    None if the matches are not labels, or not days of the calendar."""
    kind = _kind(found[0])
    if kind == "date":
        read = [moment(one["date"]) for one in found]
        return [each[0].date() for each in read if each] if all(read) else None, ""
    if kind == "year":
        years = [int(one["year"]) for one in found]
        rises = all(after > before for before, after in pairwise(years))
        like_years = all(_YEAR.fullmatch(one["value"]) for one in found)
        return None if like_years or not rises else [dt.date(year, 1, 1) for year in years], ""
    if kind in ("month", "quarter"):
        return _calendar_dates(found, kind, today)
    return [], ""


def _calendar_dates(found: Sequence["re.Match[str]"], kind: str, today: dt.date) -> tuple[list[dt.date] | None, str]:
    """Return the dates of months, days of months or quarters, and a note on the year."""
    places = [
        (month_named(one["month"]), int(one["day"] or 1)) if kind == "month" else (3 * int(one["quarter"]) - 2, 1)
        for one in found
    ]
    written = [one[f"{kind}_year"] or (one["day_year"] if kind == "month" else None) for one in found]
    stated = [int(one) if one else None for one in written]
    order = -1 if _span(places[::-1]) < _span(places) else 1  # the latest value may come first
    years, note = _years(places[::order], stated[::order], today)[::order], ""
    if any(own not in (None, year) for own, year in zip(stated, years, strict=True)):
        return [], "The years do not agree with the order of the values, so the values are used without dates."
    if not any(stated):
        which, year = ("first", years[0]) if order < 0 else ("last", years[-1])
        note = f"No year was given: the {which} value is assumed to be from {year}."
    try:
        return [dt.date(year, month, day) for year, (month, day) in zip(years, places, strict=True)], note
    except ValueError:  # a day that the month lacks
        return None, ""


def _span(places: Sequence[tuple[int, int]]) -> int:
    """Return about how many days pass from the first month and day to the last, if each is the next of its kind after
    the one before it."""
    days = [_MONTH_DAYS * month + day for month, day in places]
    return sum((after - before) % _YEAR_DAYS or _YEAR_DAYS for before, after in pairwise(days))


def _years(places: Sequence[tuple[int, int]], stated: Sequence[int | None], today: dt.date) -> list[int]:
    """Return the year of each month and day. If not all are stated, a label that is not later in the calendar than the
    previous one begins the next year, and without a stated year, the last label is the latest one up to `today`."""
    if all(stated):
        return [year for year in stated if year]
    years = list(accumulate((int(after <= before) for before, after in pairwise(places)), initial=0))
    known = next((index for index, year in enumerate(stated) if year), -1)
    last = stated[known] or today.year - int(places[-1] > (today.month, today.day))
    return [year + last - years[known] for year in years]
