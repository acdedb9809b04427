"""Interprets the texts of barcodes and two-dimensional codes in common formats: payments (EPC, Swiss QR-bill), licences
(AAMVA), contacts (vCard, MeCard), GS1 element strings, and numbers of parcels.

>>> [(fact.name, fact.text) for fact in facts_of_code("1Z999AA10123456784", is_gs1=False)]
[('tracking_number', '1Z999AA10123456784')]
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

MAX_CHARS: Final = 8_000
"""At most this many characters of a code are interpreted. No symbology holds more than 7,089 in one code."""
LONGEST_VALUE: Final = 400
"""A fact has at most this many characters. Longer ones, such as pictures in a vCard, are left out."""


class CodeFact(NamedTuple):
    """One thing that a code says."""

    name: str
    """Name of a concept from tasks/extraction/concepts.toml."""
    text: str
    is_certain: bool = True
    """False if a printed label is the better source of this value. An amount in a code, for example, may be one of
    several on the document."""


def facts_of_code(text: str, *, is_gs1: bool) -> list[CodeFact]:
    """Return the facts that a code's text contains; none for a text of an unknown format."""
    text = text[:MAX_CHARS]
    readers = (_element_strings,) if is_gs1 else (_epc, _swiss, _licence, _vcard, _mecard, _parcel)
    found = next(filter(None, (list(reader(text)) for reader in readers)), [])
    facts = [fact._replace(text=" ".join(fact.text.split())) for fact in found]
    return [fact for fact in facts if fact.text and len(fact.text) <= LONGEST_VALUE]


def _lines(text: str, least: int) -> list[str]:
    """Return the stripped lines, filled up with empty ones to at least `least`."""
    lines = [line.strip() for line in text.splitlines()]
    return lines + [""] * (least - len(lines))


def _money(text: str) -> str:
    try:
        return format(Decimal(text), ".2f") if re.fullmatch(r"\d{1,12}(?:\.\d{1,2})?", text) else ""
    except InvalidOperation:
        return ""


def _epc(text: str) -> Iterator[CodeFact]:
    """Yield the facts of a code for a SEPA credit transfer (EPC069-12, section 3)."""
    if not re.match(r"BCD\r?\n00[12]\r?\n", text):
        return
    _, _, _, _, bic, name, iban, amount, _, reference, remittance, *_ = _lines(text, 12)
    yield CodeFact("iban", iban)
    yield CodeFact("bic", bic)
    yield CodeFact("account_holder", name)
    yield CodeFact("seller", name, is_certain=False)
    yield CodeFact("total", _money(amount[3:]), is_certain=False)
    yield CodeFact("currency", amount[:3] if _money(amount[3:]) else "", is_certain=False)
    yield CodeFact("payment_reference", reference or remittance, is_certain=False)


def _swiss(text: str) -> Iterator[CodeFact]:
    """Yield the facts of a Swiss QR-bill (Implementation Guidelines QR-bill, 4.2)."""
    if not re.match(r"SPC\r?\n02\d\d\r?\n1\r?\n", text):
        return
    lines = _lines(text, 31)
    iban, creditor, amount, currency, debtor = lines[3], lines[4:11], lines[18], lines[19], lines[20:27]
    yield CodeFact("iban", iban)
    yield CodeFact("account_holder", creditor[1])
    yield CodeFact("seller", creditor[1], is_certain=False)
    yield CodeFact("seller_address", _swiss_address(creditor), is_certain=False)
    yield CodeFact("total", _money(amount), is_certain=False)
    yield CodeFact("currency", currency, is_certain=False)
    yield CodeFact("payer", debtor[1], is_certain=False)
    yield CodeFact("customer", debtor[1], is_certain=False)
    yield CodeFact("customer_address", _swiss_address(debtor), is_certain=False)
    yield CodeFact("payment_reference", lines[28])


def _swiss_address(party: Sequence[str]) -> str:
    kind, _, first, second, postcode, city, _ = party
    parts = (f"{first} {second}", f"{postcode} {city}") if kind == "S" else (first, second)
    return ", ".join(" ".join(part.split()) for part in parts if part.strip())


_ELEMENTS: Final[Mapping[str, str]] = {
    "DCS": "last_name",
    "DAB": "last_name",
    "DAC": "first_name",
    "DCT": "first_name",
    "DAQ": "licence_number",
    "DCA": "licence_class",
    "DAU": "height",
    "DAY": "eye_colour",
    "DAG": "street",
    "DAI": "city",
    "DAJ": "state",
}
"""Concepts of the elements of North American licences whose values need no conversion, apart from the commas between
first names: AAMVA DL/ID Card Design Standard, D.12.5."""
_DAYS: Final[Mapping[str, str]] = {"DBB": "birth", "DBD": "issue_date", "DBA": "expiry"}
_SEXES: Final[Mapping[str, str]] = {"1": "M", "2": "F", "9": "X", "M": "M", "F": "F"}
_ELEMENT = re.compile(r"(?:^|DL|ID)(D[A-D][A-Z])(.*)")
_NOTHING: Final = frozenset(("", "NONE", "UNAVL", "UNAV", "UNAVAIL"))


def _licence(text: str) -> Iterator[CodeFact]:
    if not text.startswith("@") or "ANSI " not in text[:12]:
        return
    elements: dict[str, str] = {}
    _, _, body = text.partition("ANSI ")
    for line in body.splitlines():
        if (found := _ELEMENT.search(line)) and found[2].strip() not in _NOTHING:
            elements.setdefault(found[1], found[2].strip())
    for code, name in _ELEMENTS.items():
        value = elements.get(code, "")
        yield CodeFact(name, value.replace(",", " ") if name == "first_name" else value)
    given = " ".join(elements.get(code, "") for code in ("DAC", "DCT", "DAD")).replace(",", " ")
    yield CodeFact("name", f"{given} {elements.get('DCS') or elements.get('DAB', '')}")
    yield CodeFact("middle_name", elements.get("DAD", "").replace(",", " "))
    for code, name in _DAYS.items():
        day = _day(elements.get(code, ""), is_canadian=elements.get("DCG") == "CAN")
        yield CodeFact(name, day.isoformat() if day else "")
    yield CodeFact("sex", _SEXES.get(elements.get("DBC", ""), ""))
    postcode = _postcode(elements.get("DAK", ""))
    yield CodeFact("postcode", postcode)
    parts = (elements.get("DAG", ""), elements.get("DAH", ""), elements.get("DAI", ""))
    end = f"{elements.get('DAJ', '')} {postcode}".strip()
    yield CodeFact("address", ", ".join(part for part in (*parts, end) if part))
    yield CodeFact("issuing_country", elements.get("DCG", ""), is_certain=False)


def _day(text: str, *, is_canadian: bool) -> date | None:
    if not re.fullmatch(r"\d{8}", text):
        return None
    year, month, day = (text[:4], text[4:6], text[6:]) if is_canadian else (text[4:], text[:2], text[2:4])
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _postcode(text: str) -> str:
    """Return a postcode as it is printed. A code of nine digits is five digits and four more, which are left out if
    they are zeros."""
    if not re.fullmatch(r"\d{9}", text):
        return text
    return text[:5] if text.endswith("0000") else f"{text[:5]}-{text[5:]}"


_STRUCTURED: Final = frozenset(("N", "ADR", "ORG"))
"""Properties of a vCard whose values have parts between semicolons (RFC 6350, 6.2.2, 6.3.1 and 6.6.4)."""
_ESCAPED_IN_VCARD = re.compile(r"\\([,;nN\\])")


def _vcard(text: str) -> Iterator[CodeFact]:
    if not text.upper().startswith("BEGIN:VCARD"):
        return
    # A line that begins with a space continues the one before it (RFC 6350, 3.2).
    for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
        head, colon, value = line.partition(":")
        key, *parameters = head.upper().split(";")
        if colon and not any("BASE64" in one or one == "ENCODING=B" for one in parameters):
            key = key.rpartition(".")[2]
            parts = _split(value, ";") if key in _STRUCTURED else [value]
            yield from _contact(key, " ".join(parameters), [_ESCAPED_IN_VCARD.sub(_unescaped, part) for part in parts])


def _mecard(text: str) -> Iterator[CodeFact]:
    if not text.upper().startswith("MECARD:"):
        return
    for field in _split(text[len("MECARD:") :], ";"):
        key, _, value = field.partition(":")
        last, *first = _split(value, ",")
        parts = [last, ",".join(first)] if key.upper() == "N" else [value]
        yield from _contact(key.upper(), "", [re.sub(r"\\(.)", r"\1", part) for part in parts])


def _split(text: str, separator: str) -> list[str]:
    """Split a text at a separator of one character, except where a backslash precedes it. Backslashes stay in the
    parts."""
    parts = [""]
    for piece in re.findall(r"\\.|.", text, re.DOTALL):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _unescaped(found: re.Match[str]) -> str:
    return " " if found[1] in "nN" else found[1]


def _contact(key: str, kind: str, parts: Sequence[str]) -> Iterator[CodeFact]:
    parts = [part.strip() for part in parts]
    if key == "N":
        last, first = (*parts, "")[:2]
        yield CodeFact("last_name", last, is_certain=False)
        yield CodeFact("first_name", first, is_certain=False)
        yield CodeFact("name", f"{first} {last}", is_certain=False)
    elif key == "TEL":
        name = "mobile" if "CELL" in kind else "fax" if "FAX" in kind else "telephone"
        yield CodeFact(name, parts[0].removeprefix("tel:"), is_certain=False)
    elif key == "ADR":
        # Box, extension, street, city, region, postcode, country (RFC 6350, 6.3.1).
        box, extension, street, city, region, postcode, country = (*parts, *[""] * 7)[:7]
        place = " ".join(filter(None, (city, region, postcode)))
        yield CodeFact("address", ", ".join(filter(None, (box, extension, street, place, country))), is_certain=False)
    elif key in _OF_CONTACT:
        yield CodeFact(_OF_CONTACT[key], " ".join(filter(None, parts)), is_certain=False)


_OF_CONTACT: Final[Mapping[str, str]] = {"ORG": "company", "TITLE": "job_title", "EMAIL": "email", "URL": "website"}

_FIXED: Final[Mapping[str, int]] = {
    **{"00": 18, "01": 14, "02": 14, "20": 2},
    **dict.fromkeys(("11", "12", "13", "15", "16", "17"), 6),
}
"""Lengths of the element strings of fixed length, by application identifier: GS1 General Specifications, 7.8.5."""
_IDENTIFIERS: Final[Mapping[str, str]] = {
    **{"00": "tracking_number", "01": "barcode", "10": "batch_number", "21": "serial_number"},
    **{"11": "production_date", "15": "expiry", "17": "expiry"},
}
_DATED: Final = frozenset(("11", "15", "17"))


def _element_strings(text: str) -> Iterator[CodeFact]:
    rest = text.lstrip("\x1d")
    while rest:
        key, rest = rest[:2], rest[2:]
        if key in _FIXED:
            value, rest = rest[: _FIXED[key]], rest[_FIXED[key] :].lstrip("\x1d")
        elif key in ("10", "21"):
            value, _, rest = rest.partition("\x1d")
        else:
            # The lengths of other elements are not known here, so they are skipped up to the next separator.
            _, _, rest = rest.partition("\x1d")
            continue
        day = _short_day(value)
        if name := _IDENTIFIERS.get(key):
            yield CodeFact(name, value if key not in _DATED else day.isoformat() if day else "")


def _short_day(text: str) -> date | None:
    """Return the date of six digits. Day 00 means the last day of the month (GS1 General Specifications, 3.4)."""
    if not re.fullmatch(r"\d{6}", text):
        return None
    year, month, day = 2000 + int(text[:2]), int(text[2:4]), int(text[4:])
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        return None


_POSTAL = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")
_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)
_PARCEL = re.compile(r"1Z[0-9A-Z]{16}|J(?:D|JD|VGL)[0-9A-Z]{10,20}|(?:420\d{5}(?:\d{4})?)?(9[1-5]\d{20})")
"""Patterns of tracking numbers: UPS, DHL, USPS."""


def _parcel(text: str) -> Iterator[CodeFact]:
    bare = text.strip().replace(" ", "")
    if (found := _PARCEL.fullmatch(bare)) is not None:
        yield CodeFact("tracking_number", found[1] or bare)
    elif _POSTAL.fullmatch(bare) and _check_digit(bare[2:10]) == int(bare[10]):
        yield CodeFact("tracking_number", bare)


def _check_digit(serial: str) -> int:
    """Return the check digit of a postal item's serial number (UPU standard S10)."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(serial, _WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)
