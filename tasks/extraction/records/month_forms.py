"""Writes months as the description of a field demands: `2024-03` for YYYY-MM."""

import re
from collections.abc import Callable

from tasks.extraction.fields import WantedField
from tasks.notation.words import month_named

_YEAR = re.compile(r"(?:19|20)\d\d")
_YEAR_FIRST = re.compile(r"(?<![A-Za-z])[YJRAÅ]{4}-M{2}(?![A-Za-z])", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"(?<![A-Za-z])M{2}/[YJRAÅ]{4}(?![A-Za-z])", re.IGNORECASE)
MonthForm = Callable[[int, int], str]
"""Function that writes a year and the number of a month."""


def month_form(field: WantedField) -> MonthForm | None:
    """Return the form of months that a field's description demands, or None."""
    description = str(field.schema.get("description", ""))
    if _YEAR_FIRST.search(description):
        return "{:04}-{:02}".format
    return "{1:02}/{0:04}".format if _MONTH_FIRST.search(description) else None


def in_month_form(text: str, form: MonthForm) -> str | None:
    """Return the month and the year that a text states, written by `form`; None for any other text."""
    year = _YEAR.search(text)
    rest = _YEAR.sub(" ", text).strip(" -./")
    words = rest.split()
    if rest.isdecimal() and len(rest) <= len("12"):
        month: int | None = int(rest)
    else:
        month = month_named(words[0]) if words else None
    return form(int(year[0]), month) if year is not None and month else None
