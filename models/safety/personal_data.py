"""Finds personal data in a text by rules: data with check digits, with a numbering plan, or with a unique form.

Precision is more important than recall: an order number, a price, a date or a version must not be taken for personal
data. Therefore, the rules find no names, no postal addresses and no data that is broken over two lines.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from models.safety.check_digits import luhn, mod_97_10
from models.safety.national_ids import LABELLED_IDS, UNLABELLED_IDS, NationalId, form_of
from models.safety.number_labels import LONGEST, label

Kind = Literal["EMAIL", "PHONE", "CARD", "IBAN", "ID"]
KINDS: tuple[Kind, ...] = ("EMAIL", "PHONE", "CARD", "IBAN", "ID")

_LATIN = "A-Za-z0-9\u00c0-\u024f"
_LONGEST_EMAIL = 320
"""An email address has at most this many characters: 64 before the `@` and 255 after it. Source: RFC 5321."""
_LONGEST_NUMBER = 80
"""A number has at most this many characters, including the signs between its digits."""
_EMAIL_SIGNS = "".join(map(chr, [*range(0x21, 0x7F), *range(0xC0, 0x250)]))
_ESCAPE = re.compile(r"\\{1,8}(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrt])")
"""An escaped character, as in JSON and in source code. The backslash is doubled in each string within a string."""
_SHORT_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_LONGEST_ESCAPE = 13
_CUT_ESCAPE = re.compile(r"\\{1,8}(?:u[0-9a-fA-F]{0,3}|x[0-9a-fA-F]?)?\Z")
"""A possible beginning of an escaped character at the end of a text."""
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
_NAMED_AFTER = re.compile(r"(.+\.(?:com|edu|gov|net|org|[a-z]{2}))\.[^.]+", re.IGNORECASE)
"""Domain of an address that a file is named after, such as `ann@example.org.png`. Nothing but common top-level domains
count, because `lodash@4.17.min.js` has no address."""
_CALL = re.compile(r"\((?![^\W\d_]{2,}(?![\w.=(\[]))")
"""The bracket after a method's name, as in `q@k.transpose(1, 2)`, unless a word is in it."""
_COMMON_TOP_LEVEL = re.compile(
    r"com|edu|gov|net|org|info|io|eu|ar|at|au|be|br|ca|ch|cn|co|cz|de|dk|es|fi|fr|gr|ie|in|it|jp|kr|mx|nl|no|nz|pl|pt|ro|ru|"
    r"se|sg|tr|ua|uk|us|za",
    re.IGNORECASE,
)
"""Top-level domains that an address directly before a bracket may have: `ann@example.com(work)`. Others may be names of
methods, such as `x@w.to(device)`."""
_GROUP = re.compile(r"([A-Za-z\d]+)|([ .\-/()+~]{1,4}(?![ .\-/()+~]))|.", re.ASCII | re.DOTALL)
"""A group of a number, or the signs between two groups; any other character ends the number."""
_LETTERS = re.compile(r"[A-Z]{1,4}|[a-z]")
"""A group without digits: the bank's code in an IBAN (`NWBK`), the letters at the beginning of an ID number (`AB 12 34
56 C`), or a check letter."""
_BEGINNING = re.compile(r"[+(]{1,2}\Z|(?<![A-Za-z\d])[A-Z]{2} ?\Z", re.ASCII)
"""The signs and letters of a number before its first digit."""
_UNLABELLED_FORMS = tuple(known.written for known in UNLABELLED_IDS)
_WORD = re.compile(r"[^\W\d_]")
_TWO_DIGITS = re.compile(r"(?:\+ ?\(?|\((?=\+?\d))?\d[^\n\d]{0,4}\d", re.ASCII)
_MORE_DIGITS = re.compile(r"(?:[^\n\d]{0,4}\d)++", re.ASCII)
"""Further digits, with the characters that may separate the digits of one number."""
_LEAST_DIGITS = 6
_LONGEST_SPARSE = 40
"""A run of digits with more characters than this has more than _LEAST_DIGITS digits."""
_LETTERS_BEFORE, _LETTERS_AFTER = 8, 12
"""Largest number of characters of a number before its first digit, and after its last."""
_LINK_START = re.compile(r"(?:https?://|www\.)[^\s<>\"]", re.IGNORECASE)
_LINK_REST = re.compile(r"[^\s<>\"]+")
_IBAN_HEAD = 12
"""Number of characters that an IBAN may have before its first long row of digits: `GB29 NWBK 6016 …`."""
_NUMBER_START, _NUMBER_END = r"(?<![^\W_])(?<!\d[.\-_/])", r"(?![^\W_])(?![.\-_/]\d)"
_IBAN = re.compile(rf"{_NUMBER_START}[A-Z]{{2}}\d\d(?:[ -]?[A-Z0-9]){{11,30}}", re.IGNORECASE | re.ASCII)
_IBAN_LENGTHS = {
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
_CARD_GROUPS = (
    r"(?:\d{14,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|"
    rf"\d{{4}}([ -])\d{{6}}\2\d{{4,5}}){_NUMBER_END}"
)
_CARD = re.compile(
    # A card's number is not part of more groups of four digits, except a year before it or a card after it.
    rf"{_NUMBER_START}(?<!(?<![\d-])(?!(?:19|20)\d\d)\d\d\d\d )(?!(?:19|20)\d\d(?: \d{{4}}){{4}})"
    rf"{_CARD_GROUPS}(?! \d{{4}} \d{{4}}(?!(?: \d{{4}}){{2}}(?! ?\d)))",
    re.ASCII,
)
_NEXT_CARD = re.compile(rf" {_CARD_GROUPS}(?! \d{{4}}(?!\d))", re.ASCII)
"""Pattern of a card's number directly after another one."""
_ISSUERS = re.compile(
    # Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay, Maestro, Mir, RuPay.
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|"
    r"(?:6011\d\d|64[4-9]\d{3}|65\d{4})\d{10,13}|(?:30[0-5]\d|3[689]\d\d)\d{10}|35(?:2[89]|[3-8]\d)\d{12}|"
    r"62\d{14,17}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{12,15}|220[0-4]\d{12,15}|(?:508\d|60\d\d|8[12]\d\d)\d{12}",
    re.ASCII,
)
"""Numbers that card networks issue. Source: ISO/IEC 7812-1, and the ranges that the networks publish."""
_CARD_WORDS = r"(?:(?:credit|debit|bank|kredit|payment)[ -]?)?(?:card|karte)(?:n?nummer)?|visa|mastercard|amex|cc|pan"
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
    written = _without_escapes(before + text)
    whole = _with_ascii_digits(written.text)
    if _has_few_digits(whole) and not _AT_SIGN.search(whole):
        return []  # as most values in a JSON text
    taken: list[PersonalDataSpan] = []
    for span in _candidates(whole):
        index = bisect_right(taken, span.start, key=lambda other: other.start)
        if (index and taken[index - 1].end > span.start) or (index < len(taken) and taken[index].start < span.end):
            continue
        taken.insert(index, span)
    known = len(before)

    def within_text(span: PersonalDataSpan) -> PersonalDataSpan:
        start, end = written.place(span.start), written.place(span.end)
        return PersonalDataSpan(max(start - known, 0), end - known, span.kind)

    return [span for span in map(within_text, taken) if span.end > 0]


def unsettled_from(text: str) -> int:
    """Return the index from which the rest of `text` may be the beginning of personal data; `len(text)` if there is no
    such index.

    The text after this index must not be shown until more of the text is known.
    """
    start = max(0, len(text) - _LONGEST_EMAIL * _LONGEST_ESCAPE)
    written = _without_escapes(_CUT_ESCAPE.sub("", text[start:]))
    tail = written.text[-_LONGEST_EMAIL:].translate(_ASCII)
    word = len(tail.rstrip(_EMAIL_SIGNS))
    return start + written.place(len(written.text) - len(tail) + min(word, _open_number(tail)))


def _open_number(text: str) -> int:
    """Return the index at which a number at the end of `text` begins, even if only signs or letters of it are there
    yet; `len(text)` if there is none."""
    start = None
    for group in _GROUP.finditer(text, max(0, len(text) - _LONGEST_NUMBER)):
        word, gap = group.groups()
        if word and (_LETTERS.fullmatch(word) or any(map(str.isdecimal, word))):
            start = group.start() if start is None else start
        elif not gap or (start is None and not set(gap) & set("+(")):
            start = None
        elif start is None:
            start = group.start() + min(gap.find(sign) for sign in "+(" if sign in gap)
    has_digits = start is not None and any(map(str.isdecimal, text[start:]))
    if start is not None and has_digits:
        return start
    beginning = _BEGINNING.search(text)
    return beginning.start() if beginning else len(text)


@dataclass(frozen=True, slots=True)
class _UnescapedText:
    """A text whose escaped characters are replaced by the characters."""

    text: str
    ends: Sequence[int] = ()
    """End of each replaced character in `text`."""
    ends_before: Sequence[int] = ()
    """End of each escaped character in the text before."""

    def place(self, index: int) -> int:
        """Return the index in the text before that `index` of `text` stands for."""
        count = bisect_right(self.ends, index)
        return self.ends_before[count - 1] + index - self.ends[count - 1] if count else index


def _without_escapes(text: str) -> _UnescapedText:
    """Replace the escaped characters of `text`, such as `\\u0040`."""
    pieces: list[str] = []
    ends: list[int] = []
    ends_before: list[int] = []
    size = copied = 0
    for escape in _ESCAPE.finditer(text) if "\\" in text else ():
        start, end = escape.span()
        sign = escape.group().lstrip("\\")
        pieces += [text[copied:start], _SHORT_ESCAPES.get(sign) or chr(int(sign[1:], 16))]
        size += start - copied + 1
        copied = end
        ends.append(size)
        ends_before.append(end)
    return _UnescapedText("".join([*pieces, text[copied:]]) if pieces else text, ends, ends_before)


def _with_ascii_digits(text: str) -> str:
    """Return `text` with digits, dashes and spaces of other scripts replaced by ASCII, one character for each."""
    return text if text.isascii() else text.translate(_ASCII)


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


def _candidates(text: str) -> list[PersonalDataSpan]:
    """Return the candidates. If two may overlap, the more certain one comes first."""
    candidates = _recognised(_email_at, _AT_SIGN.finditer(text))
    links: Sequence[tuple[int, int]] = ()
    if "://" in text or "www." in text.lower():
        links = [*_runs(_LINK_START, _LINK_REST, text)]
    for start, end in _runs(_TWO_DIGITS, _MORE_DIGITS, text):
        if _has_few_digits(text[start:end]) or _is_within(start, links):
            continue
        candidates += _numbers(text, start, end)
    return candidates


def _recognised(
    recognise: Callable[[re.Match[str]], PersonalDataSpan | None], found: Iterable[re.Match[str]]
) -> list[PersonalDataSpan]:
    return [span for one in found if (span := recognise(one)) is not None]


def _runs(beginning: re.Pattern[str], rest: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each match of `beginning` with the match of `rest` that follows it."""
    end = 0
    while found := beginning.search(text, end):
        more = rest.match(text, found.end())
        end = more.end() if more else found.end()
        yield found.start(), end


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
    if local is None or domain is None:
        return None
    end = domain.end()
    if _FILE_SUFFIXES.fullmatch(domain[1]):
        address = _NAMED_AFTER.fullmatch(domain[0])
        if address is None or _FILE_SUFFIXES.fullmatch(address[1].rpartition(".")[2]):
            return None
        end = domain.start() + address.end(1)
    start = local.end() - len(local.group().lstrip(_PUNCTUATION_BEFORE))
    is_call = text[end : end + 1] == "(" and (_CALL.match(text, end) or not _COMMON_TOP_LEVEL.fullmatch(domain[1]))
    if start < local.end() and text[start : local.end()] != "git" and not is_call:
        return PersonalDataSpan(start, end, "EMAIL")
    return None


def _numbers(text: str, start: int, end: int) -> list[PersonalDataSpan]:
    from models.safety.phone_numbers import phones_in

    context = max(0, start - _LETTERS_BEFORE), end + _LETTERS_AFTER
    last_of_iban = end + max(_IBAN_LENGTHS.values())
    candidates = _recognised(_iban, _IBAN.finditer(text, max(0, start - _IBAN_HEAD), last_of_iban))
    cards = _recognised(_card, _CARD.finditer(text, start, end))
    candidates += [*cards, *(after for card in cards if (after := _next_card(text, card)))]
    found = phones_in(text, start, end, _text_before(text, start))
    phones = [PersonalDataSpan(first, last, "PHONE") for first, last in found]
    candidates += [phone for phone in phones if text[phone.start] == "+"]
    if form_of(*_UNLABELLED_FORMS).search(text, *context):
        candidates += _ids(text, UNLABELLED_IDS, *context)
    if _WORD.search(text, max(0, start - LONGEST), end):
        candidates += _ids(text, LABELLED_IDS, *context)
    unnamed = [one for one in phones if not label(_OTHER_NUMBER_WORDS).search(_text_before(text, one.start))]
    return [*candidates, *unnamed]


def _iban(found: re.Match[str]) -> PersonalDataSpan | None:
    length = iban_length(found.group())
    return PersonalDataSpan(found.start(), found.start() + length, "IBAN") if length else None


def _card(found: re.Match[str]) -> PersonalDataSpan | None:
    return PersonalDataSpan(*found.span(), "CARD") if _is_card(found.string, found) else None


def _next_card(text: str, card: PersonalDataSpan) -> PersonalDataSpan | None:
    found = _NEXT_CARD.match(text, card.end)
    return PersonalDataSpan(found.start() + 1, found.end(), "CARD") if found and _is_card(text, found) else None


def _ids(text: str, ids: Sequence[NationalId], start: int, end: int) -> list[PersonalDataSpan]:
    return [span for known in ids for span in _recognised(partial(_id, known), known.form.finditer(text, start, end))]


def _id(known: NationalId, found: re.Match[str]) -> PersonalDataSpan | None:
    text_before = _text_before(found.string, found.start())
    if (
        (known.label is None or known.label.search(text_before))
        and not label(_OTHER_NUMBER_WORDS).search(text_before)
        and known.is_valid(found.group())
    ):
        return PersonalDataSpan(*found.span(), "ID")
    return None


def _text_before(text: str, start: int) -> str:
    """Return the text that may name the kind of the number at `start`: the part of its paragraph after the previous
    number."""
    text_before = text[max(0, start - LONGEST) : start].rpartition("\n\n")[2]
    return text_before[max(map(text_before.rfind, "0123456789")) + 1 :]


def has_iban_length(text: str) -> bool:
    """True if `text` has as many letters and digits as the IBANs of the country that its first two letters name."""
    return sum(map(str.isalnum, text)) == _IBAN_LENGTHS.get(text[:2].upper())


def iban_length(text: str) -> int:
    """Return the number of characters of the IBAN at the beginning of `text`; 0 if there is none."""
    length = _IBAN_LENGTHS.get(text[:2].upper())
    signs = [index for index, sign in enumerate(text) if sign.isalnum()]
    if length is None or len(signs) < length:
        return 0
    end = signs[length - 1] + 1
    number = re.sub(r"[ -]", "", text[:end])
    # A number in small letters with hyphens is part of a UUID.
    if text[end : end + 1].isalnum() or ("-" in text[:end] and not number.isupper()):
        return 0
    return end if mod_97_10(number[4:] + number[:4]) else 0


def _is_card(text: str, found: re.Match[str]) -> bool:
    number = re.sub(r"\D", "", found.group())
    if not _ISSUERS.fullmatch(number) or not luhn(number):
        return False
    text_before = _text_before(text, found.start())
    if label(_CARD_WORDS).search(text_before):
        return True
    # An ungrouped number must have the usual length, and no word before it that names another kind of number.
    return not found.group().isdecimal() or (
        len(number) in (15, 16) and not label(_OTHER_NUMBER_WORDS).search(text_before)
    )
