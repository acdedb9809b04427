"""Numbers and dates as people write them, and every reading that a piece of text allows.

>>> [number.readings for number in numbers("RM 1.234")]
[{Decimal('1234'), Decimal('1.234')}]
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.chat.evidence.currencies import ANY as CURRENCY
from tasks.wording.vocabulary import MONTHS, WEEKDAYS

CENTURY_TURNS_AT = 50
"""Two-digit years from here on are 19xx: documents look back to births, and some decades ahead at most."""

_CURRENCIES = rf"{CURRENCY}|Fr|Kr"
"""What may touch a figure's front. Any other letters make a code of it: AB1234 is no amount."""
_NUMBER = re.compile(
    rf"""(?P<negative>[-−–(])?[ ]?
        (?:(?P<currency>{_CURRENCIES})\.?[ ]?)?
        (?P<digits>\d{{1,3}}(?:[ '’]\d{{3}})+(?:[.,]\d+)?(?!\d) | \d+(?:[.,]\d+)* | (?<![^\W_])[.,]\d+)
        [ ]?(?P<percent>%)?""",
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")
_UNIT = re.compile(rf"[ ]?(?:[^\W\d_]{{1,3}}|{_CURRENCIES})?[ .)]*", re.IGNORECASE)
_WORD_GOES_ON = re.compile(r"[:/-]\d|[^\W\d_]{4}|[^\W\d_]+[\d-]|_|-[^\W\d_]")

_NO_LONGER = r"(?!\d(?!\d?:\d\d))"
"""No further digit, unless a time of day has lost the space before it."""
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
"""A word before a date."""
_TIME = re.compile(r"[\sT,]*\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:[ap]\.?m\.?)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?", re.I)


@dataclass(frozen=True, slots=True)
class Number:
    start: int
    end: int
    digits: str
    """The digits and separators as written, with the sign; an opening bracket is a sign too (accounting)."""
    readings: frozenset[Decimal]

    @property
    def is_plain(self) -> bool:
        """Written as JSON would, and without another reading."""
        return len(self.readings) == 1 and _PLAIN.fullmatch(self.digits) is not None


@dataclass(frozen=True, slots=True)
class Day:
    start: int
    end: int
    readings: tuple[date, ...]
    """Several where day, month and year cannot be told apart; the likeliest first."""


def numbers(text: str) -> Iterator[Number]:
    """Numbers that stand by themselves: a currency or a unit may touch them, other letters and digits may not."""
    for match in _NUMBER.finditer(text):
        start, end = match.span("digits")
        if _continues_before(text, match) or _WORD_GOES_ON.match(text, end):
            continue
        negative = match["negative"] is not None and _is_sign(text, match)
        yield Number(
            match.start() if negative else match.start("currency") if match["currency"] else start,
            match.end(),
            (match["negative"] if negative else "") + match["digits"],
            frozenset(_readings(match["digits"], negative, match["percent"] is not None)),
        )


def as_number(text: str) -> Number | None:
    """`text` if all of it is one number, with a currency, a unit of up to three letters or a percent sign."""
    text = text.strip()
    number = next(numbers(text), None)
    if number is None or number.start or not _UNIT.fullmatch(text, number.end):
        return None
    return number


def days(text: str) -> Iterator[Day]:
    """Calendar days in figures or with the month's name, in any order of their parts."""
    for match in _DATE.finditer(text):
        readings = tuple(dict.fromkeys(_days(match)))
        if readings:
            yield Day(match.start(), match.end(), readings)


def as_day(text: str) -> Day | None:
    """`text` if all of it is one day, with or without the day of the week before and a time of day behind it."""
    text = text.strip()
    day = next(days(text), None)
    if day is None or not _is_weekday(text[: day.start]):
        return None
    rest = text[day.end :]
    return day if not rest or _TIME.fullmatch(rest) else None


def _is_weekday(before: str) -> bool:
    """Whether what stands before a date is its day of the week, or nothing."""
    word = _BEFORE.fullmatch(before)
    return not before or (word is not None and word[1].casefold() in WEEKDAYS)


def _continues_before(text: str, match: re.Match[str]) -> bool:
    """Whether the number is the tail of a longer word or number."""
    start = match.start("currency") if match["currency"] else match.start("digits")
    if start == 0:
        return False
    before = text[start - 1]
    return before.isalnum() or before in "_#/" or (before in ".,:-" and start > 1 and text[start - 2].isdigit())


def _is_sign(text: str, match: re.Match[str]) -> bool:
    """A hyphen between two words or figures is none; an opening bracket is one where it closes (accounting)."""
    if match["negative"] == "(":
        return text[match.end() : match.end() + 1] == ")"
    at = match.start("negative")
    return at == 0 or not text[at - 1].isalnum()


def _readings(digits: str, negative: bool, percent: bool) -> Iterator[Decimal]:
    for reading in _magnitudes(re.sub(r"[ '’]", "", digits)):
        for value in (reading, reading / 100) if percent else (reading,):
            yield -value if negative else value


def _magnitudes(digits: str) -> Iterator[Decimal]:
    """1,234.50 and 1.234,50 have one reading; 1.234 has two; 1.2.3 has none."""
    digits = unicodedata.normalize("NFKC", digits)
    points, commas = digits.count("."), digits.count(",")
    decimal_sign = max(".,", key=digits.rfind)
    group_sign = "," if decimal_sign == "." else "."
    whole, _, fraction = digits.rpartition(decimal_sign)
    if not points and not commas:
        yield Decimal(digits)
    elif points and commas:
        if digits.count(decimal_sign) == 1 and _is_grouped(whole, group_sign):
            yield Decimal(f"{whole.replace(group_sign, '')}.{fraction}")
        elif digits.count(decimal_sign) > 1 and group_sign not in whole:
            return
    elif points + commas > 1:
        if _is_grouped(digits, decimal_sign):
            yield Decimal(digits.replace(decimal_sign, ""))
    else:
        yield Decimal(f"{whole or '0'}.{fraction}")
        if len(fraction) == 3 and 0 < len(whole) <= 3 and whole != "0":
            yield Decimal(whole + fraction)


def _is_grouped(digits: str, sign: str) -> bool:
    first, *groups = digits.split(sign)
    return 0 < len(first) <= 3 and all(len(group) == 3 for group in groups)


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
        orders = [(part["y2"], _month(part["month2"].casefold()), part["d2"])]
    else:
        orders = [(part["y3"], _month(part["month3"].casefold()), part["d3"])]
    for year, month, day in orders:
        try:
            yield date(_year(year), int(month), int(day))
        except ValueError:
            continue


def _month(name: str) -> int:
    """1 to 12, or 0 for a word that is no month."""
    return MONTHS.get(name) or MONTHS.get(name[:3], 0)


def _year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= CENTURY_TURNS_AT else 2000)
