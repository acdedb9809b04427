"""Words of time and quantity in several languages (vocabulary.toml), the dates that they are part of, and what else
requests say (phrases.toml)."""

import datetime as dt
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))


_TABLE: Final = _read("vocabulary.toml")
PHRASES: Final[dict[str, dict[str, str]]] = {
    subject: {name: said if isinstance(said, str) else "|".join(said) for name, said in table.items()}
    for subject, table in _read("phrases.toml").items()
}
"""Regular expressions without groups, and lists of words, by subject and name."""


def _numbered(subject: str) -> dict[str, int]:
    return {word: int(number) for number, words in _TABLE[subject].items() for word in words.split(", ")}


MONTHS: Final = _numbered("months")
"""1 to 12, by names and short forms."""
WEEKDAYS: Final = _numbered("weekdays")
"""1, Monday, to 7, by names and short forms."""
NUMBERS: Final = _numbered("numbers")
PLACES: Final = _numbered("places")
"""Places in an order by their names: 1 is the first, -1 the last."""
UNITS: Final[dict[str, str]] = _TABLE["units"]
"""Regular expressions of what units of time are called, without groups, by their English names."""


def any_of(words: Iterable[str]) -> str:
    """A regular expression of `words` that tries the longest first."""
    return "|".join(sorted(words, key=len, reverse=True))


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A constant regular expression, in any case, when it is first looked for: to compile them all takes as long as a
    tenth of the server's start."""
    return re.compile(pattern, re.IGNORECASE)


def unit_named(word: str) -> str | None:
    """The English name of a unit of time."""
    return next((unit for unit, named in UNITS.items() if re.fullmatch(named, word, re.IGNORECASE)), None)


_YEAR = r"(?:19|2[01])\d\d"
DATE: Final = (
    rf"(?:(?P<year>{_YEAR})(?:-(?P<mm>\d\d?)(?:-(?P<dd>\d\d?))?)?"
    rf"|[QT](?P<q>[1-4])[ /-]?(?P<qy>{_YEAR})|(?P<yq>{_YEAR})[ -]?Q(?P<yqq>[1-4])"
    rf"|(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)? )?(?:de )?(?P<month>{any_of(MONTHS)})\.?"
    rf"(?: (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?)?,? (?:de |of )?(?P<my>{_YEAR}))(?![\d.,-]*\d)"
)
"""A regular expression of a day, month, quarter or year of this century or its neighbours, for `stretch_of`."""


def stretch_of(found: re.Match[str]) -> tuple[dt.date, dt.date] | None:
    """The first day of a DATE, and the day after its last one; None for one that the calendar does not have."""
    day = found["dd"] or found["d"] or found["d2"]
    quarter = found["q"] or found["yqq"]
    year = int(found["year"] or found["my"] or found["qy"] or found["yq"])
    month = MONTHS[found["month"].lower()] if found["month"] else 3 * int(quarter) - 2 if quarter else found["mm"]
    try:
        begin = dt.date(year, int(month or 1), int(day or 1))
    except ValueError:
        return None
    if day:
        return begin, begin + dt.timedelta(days=1)
    years, months = divmod(begin.month - 1 + (3 if quarter else 1 if month else 12), 12)
    return begin, dt.date(year + years, months + 1, 1)
