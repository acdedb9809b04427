"""Numbers of bank accounts (IBAN) and of payment cards, which have check digits."""

import re
from collections.abc import Callable, Iterator

from models.safety.number_labels import label

IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ DZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
"""Length of an IBAN in characters, by country. Source: SWIFT, IBAN Registry."""
NUMBER_START, NUMBER_END = r"(?<![^\W_])(?<!\d[.\-_/])", r"(?![^\W_])(?![.\-_/]\d)"
"""Patterns of places that are neither within a word nor within digits that are joined by dots, hyphens, underscores or
slashes."""
_IBAN = re.compile(rf"{NUMBER_START}[A-Z]{{2}}\d\d(?:[ -]?[A-Z0-9]){{11,30}}", re.IGNORECASE | re.ASCII)
_CARD = re.compile(
    rf"{NUMBER_START}(?:\d{{14,19}}|\d{{4}}([ -])\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{3}})?|"
    rf"\d{{4}}([ -])\d{{6}}\2\d{{4,5}}){NUMBER_END}",
    re.ASCII,
)
_ISSUERS = re.compile(
    # Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay, Maestro, Mir, RuPay.
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|"
    r"(?:6011\d\d|64[4-9]\d{3}|65\d{4})\d{10,13}|(?:30[0-5]\d|3[689]\d\d)\d{10}|35(?:2[89]|[3-8]\d)\d{12}|"
    r"62\d{14,17}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{12,15}|220[0-4]\d{12,15}|(?:508\d|60\d\d|8[12]\d\d)\d{12}",
    re.ASCII,
)
"""Numbers that card networks issue. Source: ISO/IEC 7812-1, and the ranges that the networks publish."""
_CARD_WORDS = r"(?:(?:credit|debit|bank|kredit|payment)[ -]?)?(?:card|karte)(?:n?nummer)?|visa|mastercard|amex|cc|pan"


def ibans_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each IBAN in `text[start:end]`."""
    for found in _IBAN.finditer(text, start, end):
        if length := iban_length(found.group()):
            yield found.start(), found.start() + length


def cards_in(
    text: str, start: int, end: int, before: Callable[[int], str], is_other: Callable[[int], bool]
) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each card's number in `text[start:end]`. `before` returns the words before a
    place, and `is_other` true if they name another kind of number. A number without groups of digits must then be
    called a card's, or have the usual length and no other name."""
    while found := _CARD.search(text, start, end):
        number = re.sub(r"\D", "", found.group())
        is_grouped = not found.group().isdecimal()
        is_card = _ISSUERS.fullmatch(number) and luhn(number)
        is_named = is_card and label(_CARD_WORDS).search(before(found.start()))
        if is_card and (is_grouped or is_named or (len(number) in (15, 16) and not is_other(found.start()))):
            yield found.span()
            start = found.end()
        else:
            start = found.start() + 4  # the first group may be a year


def has_iban_length(text: str) -> bool:
    """True if `text` has as many letters and digits as the IBANs of the country that its first two letters name."""
    return sum(map(str.isalnum, text)) == IBAN_LENGTHS.get(text[:2].upper())


def iban_length(text: str) -> int:
    """Return the number of characters of the IBAN at the beginning of `text`; 0 if there is none."""
    length = IBAN_LENGTHS.get(text[:2].upper())
    signs = [index for index, sign in enumerate(text) if sign.isalnum()]
    if length is None or len(signs) < length:
        return 0
    end = signs[length - 1] + 1
    number = re.sub(r"[ -]", "", text[:end])
    # A number in small letters with hyphens is part of a UUID.
    if text[end : end + 1].isalnum() or ("-" in text[:end] and not number.isupper()):
        return 0
    return end if mod_97_10(number[4:] + number[:4]) else 0


def mod_97_10(text: str) -> bool:
    """True if the check digits are right by ISO 7064 as used by IBANs. The check digits must be at the end of `text`;
    letters have values from A = 10."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97 == 1


def luhn(digits: str) -> bool:
    """True if the check digit is right by ISO/IEC 7812-1, which cards use."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0
