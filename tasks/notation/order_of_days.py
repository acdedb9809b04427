"""Determines whether a document shows the order of day and month in its dates in figures, such as `03/04/05`."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from tasks.notation.currencies import DOLLARS, find_currencies
from tasks.notation.dates import Day

FEWEST_FOREIGN: Final = 3
"""A document with at least this many letters with accents, or of another script, counts as not English."""
FIGURES_OF_DAY: Final = re.compile(r"\d{1,2} ?([-/.]) ?\d{1,2} ?\1 ?(?:\d{4}|\d\d)")
_NOT_ENGLISH = re.compile(r"[^\W\d_a-zA-Z]")


def has_one_order(day: Day) -> bool:
    """True if only one order of day and month is possible, in the likeliest year."""
    return sum(reading.year == day.readings[0].year for reading in day.readings) == 1


def is_order_shown(days: Iterable[tuple[str, Day]], texts: Sequence[str]) -> bool:
    """True if a document shows the order of day and month. `days` are its days with their printed texts, and `texts`
    are all its texts.

    Dates that can be read in only one order show it, unless some have the day first and others the month. Without such
    dates, an amount in dollars means that the order is not shown, because only English texts with dollars have the
    month first. Without dollars, another currency shows it, or else enough letters that English lacks.
    """
    orders = {
        int(figures[0].split(figures[1])[0]) == day.readings[0].day
        for text, day in days
        if has_one_order(day) and (figures := FIGURES_OF_DAY.match(text))
    }
    if orders:
        return len(orders) == 1
    codes = {currency.code for text in texts for currency in find_currencies(text)}
    if not codes.isdisjoint(DOLLARS):
        return False
    if codes:
        return True
    return sum(1 for text in texts for _ in islice(_NOT_ENGLISH.finditer(text), FEWEST_FOREIGN)) >= FEWEST_FOREIGN
