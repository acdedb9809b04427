"""Parser of numbers in running text that returns every reading of an ambiguous number.

>>> [number.readings for number in find_numbers("RM 1.234")]
[{Decimal('1234'), Decimal('1.234')}]
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from models.normal_forms import normalized
from tasks.notation import cldr
from tasks.notation.currencies import ANY as CURRENCY
from tasks.notation.currencies import LONGEST as LONGEST_CURRENCY
from tasks.notation.words import MAGNITUDES_OF_MONEY, any_of

MAGNITUDES: Final = {word: factors[0] for word, factors in cldr.MAGNITUDES.common.items()}
"""Factors of words that multiply the number before them."""
LONGEST_NUMBER = 60
"""A number has at most this many characters. Python refuses to write integers of more than 4,300 digits, and the time
that it takes to read them grows with the square of their length."""
_CURRENCIES = rf"{CURRENCY}|Fr|Kr"
"""Letters that may precede a digit without a space.

A digit after any other letters is part of a code: AB1234 is not an amount.
"""
_POINT, _COMMA = "٫٬"
"""Decimal sign and thousands separator of numbers in Arabic figures. Unlike a point or a comma, each has only one
meaning."""
SIGNS = f".,{_POINT}{_COMMA}"
"""Signs that are printed within a number."""
_SPACE = r"[ \u00A0\u2009\u202F]"
"""Character class of the spaces that are printed within a number: a common one, one that does not break, and thin
ones, which French puts between thousands."""
_MINUS_AFTER = (
    rf"(?<=[.,]\d\d)(?P<minus>[-−](?!{_SPACE}?(?!(?:{_CURRENCIES})(?!{_SPACE}?\d))[^\s)])(?!\s*\n\s?(?-i:[a-z\d]))"
    rf"|{_SPACE}?-/-)"
)
"""Pattern of a minus after two decimals, at the end of a line or before a currency, and of the Dutch one, `-/-`. If a
number follows a minus, or the next line begins with a digit or a small letter, the sign is a dash or a hyphen."""
_PROPER = "|".join(
    f"(?:{'|'.join(map(str, range(below - 1, 0, -1)))})/{below}" for below in (2, 3, 4, 5, 6, 8, 16, 32, 64)
)
FRACTION = (
    rf"{_SPACE}?[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]"
    rf"|(?<!\d{{4}})(?<!\d[ \u00A0\u2009\u202F.,'’]\d{{3}}){_SPACE}(?:{_PROPER})(?!\d|[/.,-]\d)"
)
"""Pattern of the fraction after a whole number: `2½`, `2 1/2`.

After a number of more than three digits, two numbers with a slash between them are a day or a part of a reference.
"""
ROUND: Final = r"(?:[.,:][-–—]{1,2}|/-)(?!\w)"
"""Pattern of dashes instead of decimals: `1.234,-`, `99.--`, `5.–`, `39:-`, `₹5,000/-`."""
_SHORT = any_of(MAGNITUDES_OF_MONEY)
MAGNITUDE: Final = (
    rf"{_SPACE}?(?P<magnitude>{any_of(MAGNITUDES)})(?![a-zà-ÿ\d])"
    rf"|(?:(?-i:(?P<short>{_SHORT}))(?:(?(currency)(?!\w)|{_SPACE}?(?:{CURRENCY})(?![^\W\d_]|{_SPACE}?\d)))"
    rf"|{_SPACE}(?-i:(?P<glued>k|K|T|M|Mn))(?=(?:{CURRENCY})(?![^\W\d_])))"
)
"""Pattern of a word that multiplies the number before it: `2 million`; for money, `$1.5M`, `12k EUR`, `12 k€`, too."""
_EXPONENT = r"E[-−+]\d{1,2}(?!\w|\.\d|[:/−+-]\w)"
"""Pattern of the power of ten in scientific notation, as programs write it: `1250E-2`, `3.2e-08`, `2.10E+06`.

Without its sign, it may be a part of a code: 2E3. With three digits, a value may exceed what a JSON number can hold.
"""
_NUMBER = re.compile(
    rf"""(?P<negative>[-−–(△▲])?{_SPACE}?
        (?:(?:(?<![^\W\d_])|(?!\w))(?P<currency>{_CURRENCIES})\.?{_SPACE}?)?(?P<rate>[%٪](?=\d))?
        (?P<digits>\d{{1,3}}(?:(?:{_SPACE}|['’])\d{{3}})+(?:[{SIGNS}]\d+)?(?!\d)
            | \d+(?:[{SIGNS}]\d+)* | (?<![^\W_])(?!,\d++{_EXPONENT})[{SIGNS}]\d+)
        (?:(?P<exponent>{_EXPONENT}) | (?P<round>{ROUND}) | (?<=\d)(?:{MAGNITUDE})
            | (?<![.,]\d)(?<![.,]\d\d)(?P<fraction>{FRACTION}))?
        (?:{_MINUS_AFTER} | {_SPACE}?(?P<percent>[%٪]))?""",
    re.VERBOSE | re.IGNORECASE,
)
_DIGITS_OF_FRACTION = 6
"""A fraction is rounded to this many decimals, which is the number of decimals of a 64th."""
_DIGIT = re.compile(r"\d")
_BEFORE_DIGIT = LONGEST_CURRENCY + len("- ") + len(". .")
"""A number has at most this many characters before its first digit."""
_ALONE = re.compile(r"(?<=[.,]\d\d)(?!\d)|[^\S\n]*(?:\n|\Z)")
"""Pattern of the place after an amount with two decimals, or after a number that ends its line."""
_CLOSING: Final = re.compile(rf"{_SPACE}?(?:{_CURRENCIES})?{_SPACE}?\)", re.IGNORECASE)
_SENTENCE_GOES_ON = re.compile(r"\)[.,;:]?\s[^\W\d_]")
_WITH_CENTS = re.compile(r"[.,]\d\d$")
_INDIAN = re.compile(r"\d\d?(?:,\d\d)+,\d{3}")
"""Pattern of a number whose last group has three figures and the others two: 1,61,573. It is a number only if decimals
follow or a group begins with a zero, because otherwise it may be a list of numbers."""
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]\d+)?")
_TRIANGLES: Final = "△▲"
"""Minus signs of Japanese accounts. Before percentages, they also mean a rise."""
_MAGNITUDES: Final = ("magnitude", "short", "glued")
"""Groups of MAGNITUDE."""
_PLAIN_WIDTH: Final = {
    **{ord("０") + offset: ord("0") + offset for offset in range(10)},
    **dict(zip(map(ord, "，．－＋（）％￥＄￡﹣"), map(ord, ",.-+()%¥$£-"), strict=True)),
}
CJK_MAGNITUDES: Final = "十百" + "".join(word for word in MAGNITUDES if len(word) == 1)
"""Characters that multiply the digits before them, as in `3万円`."""
_LIKE_PHONE: Final = re.compile(r"\+[\d ]{7,}$|\+\d+ \d[\d ]*$")
_UNIT = re.compile(rf"{_SPACE}?(?![{CJK_MAGNITUDES}])(?:[^\W\d_]{{1,3}}|{_CURRENCIES})?[ .)]*", re.IGNORECASE)
_LIKE_DIGITS = "OoQDSBlIZ"
"""Letters that OCR reads instead of digits."""
_MISREAD_AFTER = rf"(?-i:[.,]?(?:O[Oo]*|oo+)(?![^\W\d_])|[{_LIKE_DIGITS}]{{1,3}}[.,]\d)"
"""Pattern of letters after digits that OCR read instead of the rest of the number: `4O`, `5,OOO`, `12S.50`."""
_MISREAD_BEFORE = re.compile(rf"\d[{_LIKE_DIGITS}]{{1,3}}[.,]$")
_MISREAD_CHARS = len("0OOO.")
_EXPONENT_BEFORE = re.compile(r"\dE[-−+]", re.IGNORECASE)
_LENGTH_OF_EXPONENT_BEFORE = len("1E-")
_WORD_GOES_ON = re.compile(
    r"(?!x10(?:\^|[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]))"
    rf"(?:[:/-]\d|\^[-−+]?\d|[^\W\d_]{{4}}|[^\W\d_]+[\d-]|E[−+]\d|_|-[^\W\d_]|{_MISREAD_AFTER})",
    re.IGNORECASE,
)
"""Pattern of the characters after digits that make the digits a part of a word. In `2.5x10^5`, 2.5 is a number, but
neither 10 nor 5 is."""


@dataclass(frozen=True, slots=True)
class Number:
    start: int
    end: int
    digits: str
    """The digits, separators and fraction or exponent as written, including the sign. An opening bracket counts as a
    sign (accounting), and so does a minus after an amount with two decimals (312.40-)."""
    readings: frozenset[Decimal]
    magnitude: int = 1
    """Factor that a word after the digits states: 1,000,000 in `1,5 Mio.`"""

    @property
    def all_readings(self) -> frozenset[Decimal]:
        """The readings, and those of the digits alone, because what is asked for may be in millions."""
        return self.readings | {reading / self.magnitude for reading in self.readings}

    @property
    def is_plain(self) -> bool:
        """True if the number is written as in JSON and has only one reading."""
        return len(self.readings) == 1 and self.magnitude == 1 and _PLAIN.fullmatch(self.digits) is not None


def find_numbers(text: str) -> Iterator[Number]:
    """Find the numbers that are separate words. A currency or a unit may touch a number, but other letters may not."""
    text = with_plain_width(text)
    return filter(None, (_number_of(text, match) for match in _matches(text)))


def with_plain_width(text: str) -> str:
    """Return the text with the digits and signs of full width, as Japanese and Chinese programs print them, in their
    usual width: `１２，３４５`. Each character stays one."""
    return text if text.isascii() else text.translate(_PLAIN_WIDTH)


def size_of_magnitude(match: re.Match[str]) -> int:
    """Return what the magnitude in a match of MAGNITUDE multiplies its number by; 1 if there is none."""
    short = match["short"] or match["glued"]
    if short:
        return MAGNITUDES_OF_MONEY[short]
    return MAGNITUDES[match["magnitude"].lower()] if match["magnitude"] else 1


def _number_of(text: str, match: re.Match[str]) -> Number | None:
    """Return the number of a match, or None if it is a part of a word."""
    end = max(match.end(part) for part in ("digits", "exponent", "fraction", "round", *_MAGNITUDES))
    # In `3万5000`, the digits before and after the magnitude are one number.
    is_composed = text[end : end + 1] in CJK_MAGNITUDES and end < len(text)
    if is_composed or _continues_before(text, match) or _WORD_GOES_ON.match(text, end):
        return None
    sign = match["negative"] if match["negative"] is not None and _is_sign(text, match) else ""
    minus = match["minus"] or ""
    return Number(
        match.start() if sign and match["negative"] else _start_of(match),
        match.end(),
        sign + match["digits"] + (match["exponent"] or match["fraction"] or "") + minus,
        frozenset(_readings(match, is_negative=bool(sign or minus))),
        size_of_magnitude(match),
    )


def _matches(text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of `_NUMBER`. The pattern is tried only around digits, because each try takes microseconds, and
    no other thread runs during a search."""
    position = 0
    while digit := _DIGIT.search(text, position):
        match = _NUMBER.search(text, max(position, digit.start() - _BEFORE_DIGIT))
        assert match is not None, "a digit is a number"
        yield match
        position = match.end()


def parse_number(text: str) -> Number | None:
    """Return the number in `text`, or None if the text contains anything else.

    A currency, a unit of up to three letters or a percent sign is part of the number.
    """
    number, rest = _number_first(text)
    return number if _UNIT.fullmatch(rest) else None


def parse_quantity(text: str) -> Number | None:
    """Return the number in `text` with a unit or a currency by any of its names, also by each other: `126 hours`,
    `36,5 °C`, `0,35 €/kWh`. Return None if the text contains anything else."""
    number, rest = _number_first(text)
    if number is None or _UNIT.fullmatch(rest):
        return number
    return number if all(map(_is_unit, rest.split("/"))) else None


def _is_unit(text: str) -> bool:
    word = cldr.folded(normalized("NFKC", text.strip(" .\u00a0\u202f")))
    return word in cldr.units_and_currencies()


def _number_first(text: str) -> tuple[Number | None, str]:
    """Return the number that begins a text and what follows it. A plus may precede it, but not if it may begin a
    telephone number."""
    text = text.strip()
    if text[:1] == "+" and not _LIKE_PHONE.match(text):
        text = text[1:].lstrip()
    number = next(find_numbers(text), None)
    return (number, text[number.end :]) if number is not None and number.start == 0 else (None, text)


def _start_of(match: re.Match[str]) -> int:
    """Return the place of the currency, the percent sign or the digits, whichever is first."""
    return min(match.start(part) for part in ("currency", "rate", "digits") if match[part])


def _continues_before(text: str, match: re.Match[str]) -> bool:
    """True if the number is the tail of a longer word or number."""
    start = _start_of(match)
    if start == 0:
        return False
    sign_before = text[start - 1]
    return (
        sign_before.isalnum()
        or sign_before in "_#/^"
        or (sign_before in f"{SIGNS}:-" and start > 1 and text[start - 2].isdigit())
        or (sign_before in "-−+" and text[start - 2 : start - 1] == "^")
        or _EXPONENT_BEFORE.fullmatch(text, max(0, start - _LENGTH_OF_EXPONENT_BEFORE), start) is not None
        or (sign_before in ".," and _MISREAD_BEFORE.search(text[max(0, start - _MISREAD_CHARS) : start]) is not None)
    )


def _is_sign(text: str, match: re.Match[str]) -> bool:
    """True if the sign before the digits means a minus.

    A hyphen after a letter or digit does not mean a minus, and neither does a dash with a space after it, which stands
    in a range, after a label or before an item of a list. It does if it begins a line or a cell and an amount follows.
    """
    if match["negative"] == "(":
        return _is_accounting_minus(text, match)
    position = match.start("negative")
    if match["negative"] in _TRIANGLES:
        return match["percent"] is None
    if not text[position + 1 : position + 2].isspace():
        return not text[position - 1 : position].isalnum()
    # A wide gap or a colon before it separates the number from other texts.
    before = text[max(0, position - 3) : position].rstrip(" ")[-1:]
    return before in ("", "\n", "\t", ":") and _ALONE.match(text, match.end("digits")) is not None


def _is_accounting_minus(text: str, match: re.Match[str]) -> bool:
    """True if the bracket before the digits means a minus, as in accounting.

    A bracket after the digits closes it. It is an aside after another figure ("£1,200 (1,100)"), for a count after a
    name ("Seats (3)") or a rate ("VAT (10 %)", "17 m³ (82 %)"), and within a sentence ("two thousand pounds (£2,000)
    as", "die Kaution (25,00 EUR)").
    """
    text_before, digits = text[max(0, match.start() - 3) : match.start()], match["digits"]
    closing = _CLOSING.match(text, match.end())
    if closing is None:
        return False
    if (text_before[-1:].isalnum() or text_before[-1:] == "_") and not _WITH_CENTS.search(digits):
        return False  # `f(3)`, `item(2)`
    before = text_before.rstrip(" .")[-1:]
    if match["percent"] and (before.isalpha() or (before.isdigit() and not before.isdecimal())):
        return False
    if text_before[-1:] == " " and text_before[-2:-1].strip() and text_before[-2:-1] != ":":
        goes_on = text_before[-2:-1].islower() and _SENTENCE_GOES_ON.match(text, closing.end() - 1) is not None
        return not (digits.isdigit() or text_before[-2:-1].isdecimal() or len(closing[0]) > 1 or goes_on)
    return True


def _readings(match: re.Match[str], *, is_negative: bool) -> Iterator[Decimal]:
    part = size_of_fraction(match["fraction"]) if match["fraction"] else Decimal(0)
    exponent = int(match["exponent"][1:].replace("−", "-")) if match["exponent"] else 0
    magnitude = size_of_magnitude(match)
    for reading in magnitudes(re.sub(rf"{_SPACE}|['’]", "", match["digits"])):
        is_fraction = reading.decimal_sign in match["digits"]
        # A number with an exponent has no groups of thousands: 1.234E+05 has four digits.
        if (part and reading.value != int(reading.value)) or (match["exponent"] and not is_fraction):
            continue
        if match["round"] and is_fraction and reading.decimal_sign:
            continue
        whole = (reading.value.scaleb(exponent) if exponent else reading.value + part) * magnitude
        for value in (whole, whole / 100) if match["percent"] or match["rate"] else (whole,):
            yield -value if is_negative else value


def size_of_fraction(text: str) -> Decimal:
    """Return the size of a text that matches FRACTION, rounded to six decimals."""
    above, _, below = normalized("NFKC", text).strip().replace("/", "⁄").partition("⁄")
    return round(Decimal(above) / Decimal(below), _DIGITS_OF_FRACTION).normalize()


class Magnitude(NamedTuple):
    """One reading of digits with points and commas."""

    value: Decimal
    decimal_sign: str
    """Decimal sign of this reading, whether it occurs or not; empty if the digits have neither points nor commas."""


def magnitudes(digits: str) -> Iterator[Magnitude]:
    """Find the readings of digits: one for 1,234.50 and 1.234,50; two for 1.234, the fraction first.

    There is no reading of 1.2.3, nor of more than LONGEST_NUMBER characters.
    """
    if len(digits) > LONGEST_NUMBER:
        return
    digits = normalized("NFKC", digits)
    if _POINT in digits or _COMMA in digits:
        whole, point, fraction = digits.partition(_POINT)
        if (_COMMA not in whole or is_grouped(whole, _COMMA)) and fraction.isdecimal() == bool(point):
            yield Magnitude(Decimal(f"{whole.replace(_COMMA, '') or '0'}{point and '.'}{fraction}"), "")
        return
    points, commas = digits.count("."), digits.count(",")
    sign, other = (".", ",") if digits.rfind(".") > digits.rfind(",") else (",", ".")
    whole, _, fraction = digits.rpartition(sign)
    if not points and not commas:
        yield Magnitude(Decimal(digits), "")
    elif points and commas:
        if digits.count(sign) == 1 and (is_grouped(whole, other) or (other == "," and _INDIAN.fullmatch(whole))):
            yield Magnitude(Decimal(f"{whole.replace(other, '')}.{fraction}"), sign)
    elif points + commas > 1:
        if is_grouped(digits, sign) or (_INDIAN.fullmatch(digits) and ",0" in digits):
            yield Magnitude(Decimal(digits.replace(sign, "")), other)
    else:
        yield Magnitude(Decimal(f"{whole or '0'}.{fraction}"), sign)
        if whole != "0" and is_grouped(digits, sign):
            yield Magnitude(Decimal(whole + fraction), other)


def is_grouped(digits: str, sign: str) -> bool:
    """True if `sign` separates groups of three digits; the first group may have fewer."""
    first, *groups = digits.split(sign)
    return 0 < len(first) <= 3 and all(len(group) == 3 for group in groups)


def likeliest(readings: Collection[Decimal], digits: str) -> Decimal:
    """Return the reading of `digits` that is most likely without any context.

    Three digits after a comma are thousands; three digits after a point are a fraction. The number before a percent
    sign is taken as written, not divided by 100.
    """
    by_size = sorted(readings, key=abs)
    is_ambiguous = len(by_size) > 1 and by_size[-1] == 1000 * by_size[0]
    return by_size[0] if is_ambiguous and "." in digits else by_size[-1]
