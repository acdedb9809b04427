"""Determines the order of day and month in a document's dates in figures, such as `03/04/05`, and whether the document
shows it."""

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


def order_of(text: str, day: Day) -> bool | None:
    """Return whether a day in figures, whose text is the beginning of `text`, has the day before the month; None if it
    can be read in both orders, or is not in figures."""
    figures = FIGURES_OF_DAY.match(text) if has_one_order(day) else None
    return None if figures is None else int(figures[0].split(figures[1])[0]) == day.readings[0].day


def are_days_first(orders: Iterable[bool | None]) -> bool:
    """True if at least half of the dates that can be read in only one order have the day before the month, or if there
    are none."""
    known = [order for order in orders if order is not None]
    return sum(known) * 2 >= len(known)


def is_order_shown(days: Iterable[tuple[str, Day]], texts: Sequence[str]) -> bool:
    """True if a document shows the order of day and month. `days` are its days with their printed texts, and `texts`
    are all its texts.

    Dates that can be read in only one order show it, unless some have the day first and others the month. Without such
    dates, an amount in dollars means that the order is not shown, because only English texts with dollars have the
    month first. Without dollars, another currency shows it, or else enough letters that English lacks.
    """
    orders = {order_of(text, day) for text, day in days} - {None}
    if orders:
        return len(orders) == 1
    codes = {currency.code for text in texts for currency in find_currencies(text)}
    if not codes.isdisjoint(DOLLARS):
        return False
    if codes:
        return True
    return are_letters_foreign(texts)


def are_letters_foreign(texts: Sequence[str]) -> bool:
    """True if texts have enough letters that English lacks."""
    return sum(1 for text in texts for _ in islice(_NOT_ENGLISH.finditer(text), FEWEST_FOREIGN)) >= FEWEST_FOREIGN
