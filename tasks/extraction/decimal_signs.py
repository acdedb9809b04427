"""Finds out whether the points or the commas of a document are decimal signs."""

import re
from collections import Counter
from collections.abc import Sequence

from tasks.extraction.passages import Passage
from tasks.notation.clock_times import is_clock_with_point
from tasks.notation.currencies import ANY
from tasks.notation.numbers import Number

RATIO = 4
"""A sign counts as the decimal sign if it is more than this many times as frequent, in this role, as the other sign."""
_FRACTION = re.compile(r"([.,])\d{1,2}$")
_MONEY = re.compile(
    rf"(?<![^\W\d_$])(?:{ANY}) ?\d{{1,3}}([.,])\d{{3}}\b"
    rf"|(?<![\d.,])\d{{1,3}}([.,])\d{{3}} ?(?:{ANY}|euros?)(?![^\W\d_])"
)
_DAY = re.compile(r"(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?!\d)")
"""Pattern of a day without its year. The last point may also end a sentence, so a number such as `12.10.` says nothing
about the decimal sign."""
_OTHER_SIGN = {".": ",", ",": "."}


def decimal_sign(passages: Sequence[Passage]) -> str:
    """Return the decimal sign of a document's numbers; empty if they leave it open.

    A sign that is before the last one or two digits of other numbers is the decimal sign. Times and days (`14.30 Uhr`,
    `23.01.`) do not count, because they have a point in every country. Without such numbers, or
    if they disagree, amounts of money decide, because their fractions never have three digits.
    """
    fractions: Counter[str] = Counter()
    for passage in passages:
        for number in passage.numbers:
            # `29.12.24` has no readings.
            if number.readings and not _is_moment(passage.text, number):
                fractions.update(_FRACTION.findall(number.digits))
    if not _most(fractions):
        fractions = Counter()
        for passage in passages:
            for found in _MONEY.finditer(passage.text):
                fractions[_OTHER_SIGN[found[1] or found[2]]] += 1
    return _most(fractions)


def _is_moment(text: str, number: Number) -> bool:
    """True if a number is a time of day or a day without its year."""
    # In `02.00 - 09.30 uur`, the sign before the second time is not a minus.
    start = number.end - len(text[number.start : number.end].lstrip("-−– "))
    return is_clock_with_point(text, start, number.end) or _DAY.match(text, start) is not None


def _most(counts: Counter[str]) -> str:
    [(sign, count), (_, runner_up)] = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    return sign if count > RATIO * runner_up else ""
