"""Reads machine-readable zones of passports, visas and identity cards, as ICAO Doc 9303 defines them.

OCR confuses letters and digits (O and 0), and loses or adds fillers (`<`). Both faults are repaired if the place of a
character or a check digit leaves only one possibility. A value that its check digit contradicts is left out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

MAX_LINES = 5_000
"""At most this many lines are searched for a zone."""
MAX_REPAIRED = 4
"""A line may have at most this many fillers too many or too few."""
LATEST_EXPIRY = 70
"""Two-digit years of expiry below this one are in the 21st century."""
_WIDTHS = {44: 2, 36: 2, 30: 3}
"""Number of lines of a zone, by the length of a line: passports and visas, smaller visas and cards, cards."""
_KINDS = "PVIAC"
"""First letters of a zone: passports, visas and cards."""
_SHAPE = re.compile(r"[A-Z0-9<]+")
_READ_AS_FILLERS = str.maketrans({"«": "<<", "‹": "<", "≤": "<", "《": "<<", "〈": "<", "く": "<"})
_TO_DIGITS = str.maketrans("OQDILZSGB", "000112568")
_TO_LETTERS = str.maketrans("012568", "OIZSGB")
_LOOK_ALIKE = str.maketrans("O0I1S5B8Z2G6", "0O1I5S8B2Z6G")
_WEIGHTS = (7, 3, 1)

Sex = Literal["F", "M", ""]


@dataclass(frozen=True, slots=True)
class MachineReadableZone:
    """The contents of a zone. A text is empty, and a date is None, if the zone lacks it or its check digit is wrong."""

    first: int
    """Index of the zone's first line among the searched lines."""
    lines: int
    """Number of the zone's lines: 2 or 3."""
    issuer: str
    """Code of the issuing state or organisation: ISO 3166-1 alpha-3, or one of ICAO's own."""
    surname: str
    given_names: str
    number: str
    nationality: str
    birth: date | None
    sex: Sex
    expiry: date | None


def find_zones(lines: Sequence[str], today: date) -> Iterator[MachineReadableZone]:
    """Yield the zones in consecutive lines. Two-digit years of birth are taken to be no later than `today`."""
    rows = [_bare(line) for line in lines[:MAX_LINES]]
    at = 0
    while at < len(rows):
        found = next((zone for width in _WIDTHS if (zone := _zone_at(rows, at, width, today))), None)
        if found:
            yield replace(found, first=at)
        at += found.lines if found else 1


def _bare(line: str) -> str:
    """Return a line of a zone without spaces, or an empty text for any other line."""
    if not min(_WIDTHS) - MAX_REPAIRED <= len(line) <= 2 * max(_WIDTHS):
        return ""
    text = "".join(line.split()).translate(_READ_AS_FILLERS).upper()
    return text if _SHAPE.fullmatch(text) else ""


def _zone_at(rows: Sequence[str], index: int, width: int, today: date) -> MachineReadableZone | None:
    count = _WIDTHS[width]
    if not rows[index] or rows[index][0] not in _KINDS:
        return None
    found = [_of_width(row, width) for row in rows[index : index + count]]
    if len(found) < count or not all(found):
        return None
    zone = _of_card(found, today) if count == 3 else _of_two_lines(found, today)
    # Any line of capitals has the shape of a zone. Only its check digits show whether it is one.
    return zone if zone.birth or (zone.number and zone.expiry) else None


def _of_width(row: str, width: int) -> str:
    """Return a row with exactly `width` characters, by adding fillers to its longest run of fillers or removing some
    from it. If that is impossible or takes more than MAX_REPAIRED fillers, return an empty text."""
    missing = width - len(row)
    if not missing:
        return row
    longest = max(re.findall(r"<+", row), key=len, default="")
    if not longest or not row or abs(missing) > MAX_REPAIRED or len(longest) + missing < 1:
        return ""
    return row.replace(longest, "<" * (len(longest) + missing), 1)


def _of_two_lines(rows: Sequence[str], today: date) -> MachineReadableZone:
    upper, lower = rows
    # Only cards continue a long number in the optional data, where its check digit follows it.
    rest = "" if upper[0] in "PV" else lower[28:35]
    return MachineReadableZone(
        first=0,
        lines=2,
        issuer=_code(upper[2:5]),
        surname=_names(upper[5:])[0],
        given_names=_names(upper[5:])[1],
        number=_number(lower[:9], lower[9], rest),
        nationality=_code(lower[10:13]),
        birth=_birth(lower[13:20], today),
        sex=_sex(lower[20]),
        expiry=_expiry(lower[21:28]),
    )


def _of_card(rows: Sequence[str], today: date) -> MachineReadableZone:
    upper, middle, lower = rows
    return MachineReadableZone(
        first=0,
        lines=3,
        issuer=_code(upper[2:5]),
        surname=_names(lower)[0],
        given_names=_names(lower)[1],
        number=_number(upper[5:14], upper[14], upper[15:]),
        nationality=_code(middle[15:18]),
        birth=_birth(middle[:7], today),
        sex=_sex(middle[7]),
        expiry=_expiry(middle[8:15]),
    )


def _code(text: str) -> str:
    return text.translate(_TO_LETTERS).strip("<")


def _names(text: str) -> tuple[str, str]:
    """Return the surname and the given names."""
    surname, _, given = text.translate(_TO_LETTERS).partition("<<")
    return " ".join(surname.replace("<", " ").split()), " ".join(given.partition("<<")[0].replace("<", " ").split())


def _sex(text: str) -> Sex:
    return "F" if text == "F" else "M" if text == "M" else ""


def _number(text: str, check: str, rest: str) -> str:
    """Return the number of a document, or an empty text if its check digit is wrong.

    A number of more than nine characters continues in `rest`, and has a filler in place of its check digit.
    """
    if check == "<":
        continuation = rest.partition("<")[0]
        text, check = text + continuation[:-1], continuation[-1:]
    check = check.translate(_TO_DIGITS)
    # One character is taken to be misread if exactly one replacement yields the check digit.
    exchanged = (text[:index] + text[index].translate(_LOOK_ALIKE) + text[index + 1 :] for index in range(len(text)))
    for readings in ([text], sorted(set(exchanged) - {text})):
        fitting = [one for one in readings if _check_digit(one) == check]
        if fitting:
            return fitting[0].strip("<") if len(fitting) == 1 else ""
    return ""


def _birth(text: str, today: date) -> date | None:
    in_this_century, earlier = _day(text, 2000), _day(text, 1900)
    return in_this_century if in_this_century and in_this_century <= today else earlier


def _expiry(text: str) -> date | None:
    later = _day(text, 2000)
    return later if later and later.year < 2000 + LATEST_EXPIRY else _day(text, 1900)


def _day(text: str, century: int) -> date | None:
    """Return the date in six digits (YYMMDD) with their check digit, or None if there is no such date."""
    digits = text.translate(_TO_DIGITS)
    if not digits.isdecimal() or _check_digit(digits[:6]) != digits[6]:
        return None
    try:
        return date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return None


def _check_digit(text: str) -> str:
    """Return the check digit by ICAO Doc 9303, part 3, section 4.9: the weighted sum modulo 10. Letters count 10 (A) to
    35 (Z), and fillers count 0."""
    values = (int(one, 36) if one != "<" else 0 for one in text)
    return str(sum(value * _WEIGHTS[index % 3] for index, value in enumerate(values)) % 10)
