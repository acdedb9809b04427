"""Finds telephone numbers of any country in a text, by the numbering plans of Google's libphonenumber.

A number with a country code is checked by the plan of that country. A number without one could belong to many
countries, or be an order number or an amount. It counts if a word calls it a telephone number, or if it is written
exactly as a country writes its numbers.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache, partial
from itertools import chain

import phonenumbers
from phonenumbers import Leniency, PhoneNumber, PhoneNumberFormat, PhoneNumberMatcher

from models.safety.number_labels import label

_PHONE_WORDS = label(
    r"tel|tel[eé](?:ph|f)[oó]n[eo]?s?|t[eé]l|telefax|telefonnummer|telefoonnummer|phones?|phonenumber|mobile|cell|"
    r"cellphone|mobil|mobiltelefon|handy|handynummer|rufnummer|fax|portable|m[oó]vil|celular|cellulare|gsm|whatsapp|"
    r"(?:call|ring|text|phone|reach|dial|whatsapp)(?: (?:me|us|him|her|them))?|(?:my|your|his|her|our|their) number|"
    r"puhelin|puh|tlf|телефон|тел|моб|τηλ|τηλέφωνο|điện thoại|फ़ोन|मोबाइल|هاتف|جوال|טלפון|נייד|"
    r"電話|电话|手机|手機|携帯|전화|휴대폰|핸드폰|โทร|☎|📞|📱",
)
_INTERNATIONAL = re.compile(r"(?<![\w+])(?:\+|00(?=[ (]?[1-9]))[ (]?\d(?:[ .\-/()~]{0,4}\d){7,16}", re.ASCII)
_LABELLED = re.compile(r"[+(]?\d(?:[ .\-/()]{0,3}\d){5,14}", re.ASCII)
_NATIONAL_FORMS: Mapping[str, re.Pattern[str]] = {
    # Spaces alone are not accepted as separators, because the groups could be three numbers.
    "US": re.compile(
        r"(?:\+?1[-. ])?(?:\([2-9]\d\d\) ?[2-9]\d\d[-. ]|[2-9]\d\d-[2-9]\d\d-|[2-9]\d\d\.[2-9]\d\d\.)\d{4}", re.ASCII
    ),
    "BR": re.compile(r"\([1-9]\d\) ?9?\d{4}-\d{4}", re.ASCII),
    "CN": re.compile(r"1[3-9]\d([- ])\d{4}\1\d{4}", re.ASCII),
    "RU": re.compile(r"8[ -]?(?:\(\d{3}\) ?|\d{3}[ -])\d{3}-\d\d-\d\d", re.ASCII),
}
"""Patterns of numbers that do not begin with a 0, by country (the US for all of North America)."""
_TRUNK_NUMBER = re.compile(
    r"\(0\d{1,4}\)[ /]?\d{2,8}(?:[ -]\d{2,8}){0,3}|0\d{1,5}(?: ?[/\-] ?|[ .])\d{2,8}(?:[ .-]\d{2,8}){0,4}", re.ASCII
)
_TRUNK_COUNTRIES = (
    *("DE", "AT", "CH", "GB", "IE", "FR", "BE", "NL", "IT", "SE", "FI", "RO", "HR", "SI", "RS", "BG", "HU", "UA"),
    *("TR", "IL", "EG", "ZA", "KE", "NG", "AE", "SA", "IN", "PK", "TH", "VN", "MY", "ID", "PH", "AU", "NZ", "JP", "KR"),
    "TW",
)
"""Countries in which a 0 is dialled before the area code. In Italy, the 0 is part of the area code."""
_LOOSE_COUNTRIES = ("DE", "AT")
"""Countries in which the digits after the area code are grouped freely."""
_LEAST_TRUNK_DIGITS = 9
"""A telephone number that begins with a 0 has at least this many digits. Shorter numbers look like times of day, such
as 0800-1530."""
_LEAST_DOTTED = 4
"""A telephone number with dots has at least this many groups: 01.42.68.53.00 is a French telephone number, while
044.668.180 is an article number."""
_SMALL_NUMBERS = {f"{number:02}" for number in range(1, 60)}
"""Small numbers of two digits. Ascending lists of them are lottery results or minutes."""
_LENGTHS = range(6, 16)
"""Possible numbers of digits if no plan is checked: E.164 allows 15 at most."""
_DATE_OR_POSTAL_CODE = re.compile(
    # Dates, and postal codes of the United States.
    r"\D?(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{5}-\d{4})(?![./-]?\d)",
    re.ASCII,
)
_NO_NUMBER_BEFORE = re.compile(r"(?:[^\W_]|\d[ .,\-_/:]|[$€£¥#])\Z", re.ASCII)
_NO_NUMBER_AFTER = re.compile(r"[^\W_]|[.,\-_/:]\d| ?[%€$£]", re.ASCII)
_GROUPS = re.compile(r"\d+", re.ASCII)


def phones_in(text: str, start: int, end: int, before: str) -> list[tuple[int, int]]:
    """Return the start and the end of each telephone number in `text[start:end]`, which begins with a digit or a sign
    of a number. `before` is the text before it. The numbers may overlap."""
    phones = list(chain.from_iterable(map(_international, _INTERNATIONAL.finditer(text, start, end))))
    if _PHONE_WORDS.search(before):
        found = _LABELLED.match(text, start, end)
        if found and len(_digits(found)) in _LENGTHS and _is_separate(text, found):
            phones.append(found.span())
    for region, pattern in _NATIONAL_FORMS.items():
        phones += filter(None, map(partial(_national, region), pattern.finditer(text, start, end)))
    phones += filter(None, map(_with_trunk, _TRUNK_NUMBER.finditer(text, start, end)))
    return phones


def _international(found: re.Match[str]) -> Sequence[tuple[int, int]]:
    number = found.group()
    if number.startswith("00"):
        is_phone = _is_separate(found.string, found) and _parse_valid(f"+{number[2:]}")
        return (found.span(),) if is_phone else ()
    # The matcher finds the end of the number if further numbers follow it, except for some short ones.
    matches = [
        (found.start() + match.start, found.start() + match.end)
        for match in PhoneNumberMatcher(number, None, Leniency.VALID)
    ]
    if matches:
        return matches
    ends = [group.end() for group in _GROUPS.finditer(number)]
    valid_end = next((end for end in reversed(ends) if _parse_valid(number[:end])), 0)
    return [(found.start(), found.start() + valid_end)] if valid_end else []


def _national(region: str, found: re.Match[str]) -> tuple[int, int] | None:
    return found.span() if _is_separate(found.string, found) and _parse_valid(found.group(), region) else None


def _with_trunk(found: re.Match[str]) -> tuple[int, int] | None:
    return found.span() if _is_separate(found.string, found) and _is_written_somewhere(found.group()) else None


def _digits(found: re.Match[str]) -> str:
    return "".join(_GROUPS.findall(found.group()))


def _is_separate(text: str, found: re.Match[str]) -> bool:
    """True if the match is not part of a longer number, of a word or of an amount, and is neither a date nor a postal
    code."""
    # A number in brackets begins there, whatever is before the blank.
    is_apart = text[found.start()] == "(" and text[max(0, found.start() - 1) : found.start()] == " "
    text_before = text[max(0, found.start() - 2) : found.start()]
    return not (
        (_NO_NUMBER_BEFORE.search(text_before) and not is_apart)
        or _NO_NUMBER_AFTER.match(text, found.end())
        or _DATE_OR_POSTAL_CODE.match(found.group())
    )


@lru_cache(4096)
def _is_written_somewhere(number: str) -> bool:
    groups = _GROUPS.findall(number)
    if sum(map(len, groups)) < _LEAST_TRUNK_DIGITS or groups == sorted({*groups} & _SMALL_NUMBERS):
        return False
    if "." in number and len(groups) < _LEAST_DOTTED:
        return False
    return any(_is_written_in(region, number, groups) for region in _TRUNK_COUNTRIES)


def _is_written_in(region: str, number: str, groups: list[str]) -> bool:
    # The groups are compared first, because asking the library about each country takes a millisecond.
    if region not in _LOOSE_COUNTRIES and not _groupings_of(region).fullmatch("-".join(groups)):
        return False
    parsed = _parse_valid(number, region)
    if parsed is None:
        return False
    if groups == _GROUPS.findall(phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)):
        return True
    if region not in _LOOSE_COUNTRIES or sum(map(len, groups)) <= _LEAST_TRUNK_DIGITS:
        return False
    area = phonenumbers.length_of_national_destination_code(parsed)
    return area > 0 and groups[0] == f"0{parsed.national_number}"[: area + 1]


@cache
def _groupings_of(region: str) -> re.Pattern[str]:
    """Return a pattern of a country's ways to group digits, with an optional 0 before them and hyphens between the
    groups."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    formats = metadata.number_format if metadata else []
    return re.compile("0?(?:{})".format("|".join(str(form.pattern).replace(")(", ")-(") for form in formats)))


def _parse_valid(number: str, region: str | None = None) -> PhoneNumber | None:
    """Return the number as its country's plan parses it; None if the plan does not have it. North America counts as one
    country."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None
