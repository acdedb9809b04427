"""Finds personal data in a text by rules: data with check digits, with a numbering plan, or with a unique form.

Precision is more important than recall: an order number, a price, a date or a version must not be taken for personal
data. Therefore, the rules find no names, no postal addresses and no data that is broken over two lines.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from models.safety.account_numbers import IBAN_LENGTHS, cards_in, ibans_in
from models.safety.national_ids import ids_in
from models.safety.number_labels import LONGEST, label

Kind = Literal["EMAIL", "PHONE", "CARD", "IBAN", "ID"]
KINDS: tuple[Kind, ...] = ("EMAIL", "PHONE", "CARD", "IBAN", "ID")

_LATIN = "A-Za-z0-9\u00c0-\u024f"
_ESCAPE = re.compile(r"\\{1,8}(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrt])")
"""An escaped character, as in JSON and in source code. The backslash is doubled in each string within a string."""
_SHORT_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_AT_SIGN = re.compile(r"@|%40")
_LOCAL = re.compile(rf"(?:[{_LATIN}._+%'-]|\\[_.+-]){{0,63}}[{_LATIN}_+-]\Z")
_DOMAIN = re.compile(
    rf"(?:[{_LATIN}](?:[{_LATIN}-]{{0,61}}[{_LATIN}])?\.){{1,8}}([A-Za-z]{{2,24}}|xn--[a-z0-9-]{{2,59}})"
)
_PUNCTUATION_BEFORE = "'.%-\\"
"""Signs that belong to the surrounding text if they are directly before an address."""
_FILE_SUFFIXES = re.compile(
    r"avif|bmp|css|csv|gif|gz|html|ico|jpe?g|js|json|pdf|png|svg|ts|txt|webp|xml", re.IGNORECASE
)
"""Suffixes of file names such as `icon@2x.png`, which look like e-mail addresses. Those that are top-level domains
(`md`, `py`) are left out, because there are more addresses below them than files with an at sign."""
_COMMON_TOP_LEVEL = re.compile(r"com|edu|gov|net|org|de|es|eu|fr|it|nl|pl|uk", re.IGNORECASE)
"""Top-level domains that an address directly before a bracket may have: `ann@example.com(work)`. Others may be names of
methods, such as `x@w.to(device)`."""
_DIGITS = re.compile(r"(?:\+ ?\(?|\((?=\+?\d))?\d(?:[^\n\d]{0,4}\d)++", re.ASCII)
"""Digits with the characters that may separate the digits of one number."""
_LEAST_DIGITS = 6
_LONGEST_SPARSE = 40
"""A run of digits with more characters than this has more than _LEAST_DIGITS digits."""
_LETTERS_BEFORE, _LETTERS_AFTER = 12, 12
"""Largest number of characters of a number before its first row of digits, and after its last."""
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_OTHER_NUMBER_WORDS = (
    r"order|invoice|tracking|shipment|serial|article|item|part|product|model|ref|reference|ticket|case|customer|ean|"
    r"gtin|upc|isbn|issn|imei|sku|doi|batch|lot|version|build|commit|transaction|"
    r"bestell(?:ung|nummer)|auftrag(?:snummer)?|rechnung(?:snummer)?|artikel(?:nummer)?|sendung(?:snummer)?|"
    r"seriennummer|kundennummer|commande|facture|r[eé]f[eé]rence|article|pedido|factura|fattura|ordine|encomenda|"
    r"bestelling|factuur|заказ|счёт|注文|订单|訂單|주문"
)
"""Words which show that the number after them is not personal data."""


@dataclass(frozen=True, slots=True)
class PersonalDataSpan:
    start: int
    end: int
    kind: Kind


def find(text: str, before: str = "") -> list[PersonalDataSpan]:
    """Return the personal data in `text`, in order and without overlaps. `before` is the text that precedes `text`: a
    word there may name the kind of a number. If data begins in `before`, its part in `text` is returned. A text of a
    megabyte may take seconds."""
    before = before[-LONGEST:]
    whole, places = _plain(before + text)
    if _has_few_digits(whole) and not _AT_SIGN.search(whole):
        return []  # as most values in a JSON text
    taken: list[PersonalDataSpan] = []
    for span in _candidates(whole):
        index = bisect_right(taken, span.start, key=lambda other: other.start)
        if (index and taken[index - 1].end > span.start) or (index < len(taken) and taken[index].start < span.end):
            continue
        taken.insert(index, span)
    known = len(before)
    found = ((places[span.start], places[span.end], span.kind) for span in taken)
    return [PersonalDataSpan(max(start - known, 0), end - known, kind) for start, end, kind in found if end > known]


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """Return `text` with the characters that its escapes stand for, and with digits, dashes and spaces of other scripts
    in ASCII. Also return the place in `text` of each character of the result, and of its end."""
    if "\\" not in text:
        return text if text.isascii() else text.translate(_ASCII), range(len(text) + 1)
    pieces: list[str] = []
    places: list[int] = []
    copied = 0
    for escape in _ESCAPE.finditer(text):
        sign = escape.group().lstrip("\\")
        pieces += [text[copied : escape.start()], _SHORT_ESCAPES.get(sign) or chr(int(sign[1:], 16))]
        places += range(copied, escape.start() + 1)
        copied = escape.end()
    return "".join([*pieces, text[copied:]]).translate(_ASCII), [*places, *range(copied, len(text) + 1)]


class _AsciiTable(dict[int, int]):
    """Translation table that fills itself as characters are looked up. Texts use only a few hundred of a million
    characters."""

    def __missing__(self, code: int) -> int:
        self[code] = plain = _ascii_of(chr(code))
        return plain


def _ascii_of(sign: str) -> int:
    from unicodedata import category, decimal

    if (digit := decimal(sign, None)) is not None:
        return ord("0") + digit
    if "\uff01" <= sign <= "\uff5e":
        return ord(sign) - 0xFEE0
    kind = category(sign)
    if kind == "Zs":
        return ord(" ")
    # Soft hyphens and similar characters are inside words, so they become hyphens. Direction marks are around words, so
    # they become spaces.
    return ord("-") if kind == "Pd" or sign in "\u00ad\u200b\u2060\u2212" else ord(" ") if kind == "Cf" else ord(sign)


_ASCII = _AsciiTable()


def _candidates(text: str) -> Iterator[PersonalDataSpan]:
    """Yield the candidates. If two may overlap, the more certain one comes first."""
    for at in _AT_SIGN.finditer(text):
        if span := _email_at(at):
            yield span
    links = [link.span() for link in _LINK.finditer(text)] if "://" in text or "www." in text.lower() else []
    for found in _DIGITS.finditer(text):
        if not (_has_few_digits(found.group()) or _is_within(found.start(), links)):
            yield from _numbers(text, *found.span())


def _has_few_digits(stretch: str) -> bool:
    return len(stretch) <= _LONGEST_SPARSE and sum(map(str.isdecimal, stretch)) < _LEAST_DIGITS


def _is_within(position: int, spans: Sequence[tuple[int, int]]) -> bool:
    index = bisect_right(spans, position, key=lambda span: span[0])
    return index > 0 and position < spans[index - 1][1]


def _email_at(at: re.Match[str]) -> PersonalDataSpan | None:
    """Return the email address around an at sign, if there is one."""
    text = at.string
    local = _LOCAL.search(text, max(0, at.start() - 64), at.start())
    domain = _DOMAIN.match(text, at.end(), at.end() + 255)
    if local is None or domain is None or _FILE_SUFFIXES.fullmatch(domain[1]):
        return None
    start, end = local.end() - len(local.group().lstrip(_PUNCTUATION_BEFORE)), domain.end()
    is_call = text[end : end + 1] == "(" and not _COMMON_TOP_LEVEL.fullmatch(domain[1])
    if is_call or start == local.end() or text[start : local.end()] == "git":
        return None
    return PersonalDataSpan(start, end, "EMAIL")


def _numbers(text: str, start: int, end: int) -> Iterator[PersonalDataSpan]:
    from models.safety.phone_numbers import phones_in

    first, last = max(0, start - _LETTERS_BEFORE), end + _LETTERS_AFTER

    def before(position: int) -> str:
        """Return the text that may name the kind of the number at `position`: the part of its paragraph after the
        previous number."""
        text_before = text[max(0, position - LONGEST) : position].rpartition("\n\n")[2]
        return text_before[max(map(text_before.rfind, "0123456789")) + 1 :]

    def is_other(position: int) -> bool:
        return label(_OTHER_NUMBER_WORDS).search(before(position)) is not None

    for span in ibans_in(text, first, end + max(IBAN_LENGTHS.values())):
        yield PersonalDataSpan(*span, "IBAN")
    for span in cards_in(text, start, end, before, is_other):
        yield PersonalDataSpan(*span, "CARD")
    phones = [PersonalDataSpan(*span, "PHONE") for span in phones_in(text, start, end, before(start))]
    yield from (phone for phone in phones if text[phone.start] == "+")
    for span in ids_in(text, first, last, before):
        if not is_other(span[0]):
            yield PersonalDataSpan(*span, "ID")
    yield from (phone for phone in phones if not is_other(phone.start))
