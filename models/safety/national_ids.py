"""Recognises personal identification numbers that states assign, if they can be distinguished from other numbers.

A tenth of all numbers has a right check digit by chance. A common form such as nine digits therefore counts only after
a word that names the number. A number counts by itself if nothing else has its form, or if it can be checked in several
ways.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from models.safety.number_labels import label

_VERHOEFF_TABLE = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
"""Multiplication in the dihedral group of order 10."""
_VERHOEFF_TURNS = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)

_ANY_NUMBER_WORDS = r"national id\w*|identity (?:card|number|no)|id card|personal (?:id|identity|identification)"
"""Words that may name any of the numbers."""
_ITALIAN_ODD_VALUES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
"""Values of the characters at odd positions in an Italian tax code. Source: decreto ministeriale of 23 December
1976."""


def luhn(digits: str) -> bool:
    """True if the check digit is right by ISO/IEC 7812-1, which cards and several national numbers use."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def verhoeff(digits: str) -> bool:
    check = 0
    for index, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_TABLE[check][int(_VERHOEFF_TURNS[index % 8][int(digit)])])
    return check == 0


def mod_97_10(text: str) -> bool:
    """True if the check digits are right by ISO 7064 as used by IBANs. The check digits must be at the end of `text`;
    letters have values from A = 10."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97 == 1


def mod_11_10(digits: str) -> bool:
    """True if the check digit is right by the hybrid system of ISO 7064."""
    check = 10
    for digit in digits[:-1]:
        check = (check + int(digit)) % 10 or 10
        check = check * 2 % 11
    return (check + int(digits[-1])) % 10 == 1


def ean(digits: str) -> bool:
    """True if the check digit is right by EAN-13: weights 1 and 3 in turn."""
    return weighted(digits, (1, 3) * 7) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Sum of the first digits, each times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


@dataclass(frozen=True, slots=True)
class NationalId:
    written: str
    check: Callable[[str], bool]
    """Function that returns True if the number's digits and letters, without separators, are right."""
    words: str = ""
    """Pattern of words, one of which must precede the number; empty if the number's form is evidence enough."""

    @property
    def form(self) -> re.Pattern[str]:
        return form_of(self.written)

    @property
    def label(self) -> re.Pattern[str] | None:
        """Pattern of the words, one of which must stand directly before the number; None if the number needs no
        word."""
        return label(f"{self.words}|{_ANY_NUMBER_WORDS}") if self.words else None


@cache
def form_of(*written: str) -> re.Pattern[str]:
    """Return a pattern of numbers in one of the forms `written`. It does not match within a word, within a longer
    number, or within groups of digits that are joined by dots, hyphens, underscores or slashes."""
    return re.compile(rf"(?<![^\W_])(?<!\d[.\-_/])(?:{'|'.join(written)})(?![^\W_])(?![.\-_/]\d)", re.ASCII)


def _is_day(year: str, month: str, day: str) -> bool:
    """True if the date exists in the 1900s or the 2000s."""
    for century in (1900, 2000):
        try:
            date(century + int(year), int(month), int(day))
        except ValueError:
            continue
        return True
    return False


def _year_first(number: str) -> bool:
    """True if the number begins with a date in the form YYMMDD."""
    return _is_day(number[:2], number[2:4], number[4:6])


def _day_first(number: str) -> bool:
    """True if the number begins with a date in the form DDMMYY."""
    return _is_day(number[4:6], number[2:4], number[:2])


def _us(number: str) -> bool:
    """True if the number may be a social security number or an ITIN. Source: SSA, SSN randomization; IRS, publication
    1915."""
    area, group, serial = int(number[:3]), int(number[3:5]), int(number[5:])
    if area >= 900:
        return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94
    return area not in (0, 666) and group > 0 and serial > 0


def _nino(number: str) -> bool:
    return number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _nhs(number: str) -> bool:
    return weighted(number, (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _canadian(number: str) -> bool:
    return number[0] not in "08" and luhn(number)


def _spanish(number: str) -> bool:
    """True if the letter is right in a DNI or, with X, Y or Z first, in an NIE."""
    digits = int(number[:-1].translate(str.maketrans("XYZ", "012")))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[digits % 23] == number[-1]


def _italian(number: str) -> bool:
    values = [int(sign) if sign.isdecimal() else ord(sign) - ord("A") for sign in number]
    return (sum(_ITALIAN_ODD_VALUES[value] for value in values[:15:2]) + sum(values[1:15:2])) % 26 == values[15]


def _french(number: str) -> bool:
    body = int(number[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - body % 97 == int(number[13:])


def _german_pension(number: str) -> bool:
    digits = f"{number[:8]}{ord(number[8]) - ord('A') + 1:02}{number[9:11]}"
    products = (int(digit) * int(weight) for digit, weight in zip(digits, "212571212121", strict=True))
    return _day_first(number[2:]) and sum(sum(divmod(product, 10)) for product in products) % 10 == int(number[11])


def _dutch(number: str) -> bool:
    return int(number) > 0 and weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _belgian(number: str) -> bool:
    return int(number[9:]) in (97 - int(number[:9]) % 97, 97 - int(f"2{number[:9]}") % 97)


def _polish(number: str) -> bool:
    # The month contains the century, in steps of 20.
    born = _is_day(number[:2], str(int(number[2:4]) % 20), number[4:6])
    return born and weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _swedish(number: str) -> bool:
    number = number.replace("+", "")[-10:]
    # The day is 60 higher for people who are not registered.
    return _is_day(number[:2], number[2:4], str(int(number[4:6]) % 60)) and luhn(number)


def _finnish(number: str) -> bool:
    number = number.replace("+", "-")
    digits = number[:6] + number[-4:-1]
    return _day_first(number) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == number[-1]


def _norwegian(number: str) -> bool:
    first = weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1))
    second = weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
    return _day_first(number) and first % 11 == 0 and second % 11 == 0


def _brazilian(number: str) -> bool:
    first = weighted(number, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(number, range(11, 1, -1)) * 10 % 11 % 10
    return len(set(number)) > 1 and number[9:] == f"{first}{second}"


def _mexican(number: str) -> bool:
    values = ["0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ".index(sign) for sign in number[:17]]
    check = -sum(value * weight for value, weight in zip(values, range(18, 1, -1), strict=True)) % 10
    return _year_first(number[4:10]) and check == int(number[17])


def _argentine(number: str) -> bool:
    check = -weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return int(number[10]) == (9 if check == 10 else check)


def _chilean(number: str) -> bool:
    weights = (2, 3, 4, 5, 6, 7, 2, 3)
    return "0123456789K"[-weighted(number[-2::-1], weights) % 11] == number[-1].upper()


def _chinese(number: str) -> bool:
    total = sum(int(digit) * pow(2, 17 - index, 11) for index, digit in enumerate(number[:17]))
    return number[6:8] in ("19", "20") and _year_first(number[8:]) and "10X98765432"[total % 11] == number[17]


def _korean(number: str) -> bool:
    return _year_first(number) and (11 - weighted(number, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == int(
        number[12]
    )


def _japanese(number: str) -> bool:
    rest = weighted(number, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return int(number[11]) == (0 if rest <= 1 else 11 - rest)


def _taiwanese(number: str) -> bool:
    letter = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0]) + 10
    return weighted(f"{letter}{number[1:]}", (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0


def _hong_kong(number: str) -> bool:
    values = [36, *(int(sign, 36) for sign in number)][-9:]
    return sum(value * weight for value, weight in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def _singaporean(number: str) -> bool:
    total = weighted(number[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if number[0] in "TG" else 0)
    return ("JZIHGFEDCBA" if number[0] in "ST" else "XWUTRQPNMLK")[total % 11] == number[8]


def _thai(number: str) -> bool:
    return (11 - weighted(number, range(13, 1, -1)) % 11) % 10 == int(number[12])


def _turkish(number: str) -> bool:
    digits = [int(digit) for digit in number]
    tenth = (7 * sum(digits[:9:2]) - sum(digits[1:8:2])) % 10
    return digits[0] > 0 and digits[9:] == [tenth, sum(digits[:10]) % 10]


def _south_african(number: str) -> bool:
    return _year_first(number) and number[10] in "01" and luhn(number)


def _australian_tax(number: str) -> bool:
    return weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def _australian_health(number: str) -> bool:
    return weighted(number, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(number[8])


def _czech(number: str) -> bool:
    # The month is 50 higher for women, and another 20 higher if all numbers of the day had been assigned.
    return _is_day(number[:2], str(int(number[2:4]) % 50 % 20), number[4:6]) and (
        int(number[:9]) % 11 % 10 == int(number[9])
    )


def _romanian(number: str) -> bool:
    check = weighted(number, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return _year_first(number[1:]) and (1 if check == 10 else check) == int(number[12])


def _bulgarian(number: str) -> bool:
    born = _is_day(number[:2], str(int(number[2:4]) % 20), number[4:6])
    return born and weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(number[9])


def _irish(number: str) -> bool:
    second = (ord(number[8]) - ord("A") + 1) % 23 if len(number) > 8 else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(number[:7], range(8, 1, -1)) + 9 * second) % 23] == number[7]


def _portuguese(number: str) -> bool:
    return -weighted(number, range(9, 1, -1)) % 11 % 10 == int(number[8])


_ALL = (
    # The Americas.
    NationalId(r"\d{3}-\d{2}-\d{4}", _us),
    NationalId(r"\d{3} ?\d{2} ?\d{4}", _us, r"ssn|social security|itin|taxpayer id\w*"),
    NationalId(r"\d{3}[ -]?\d{3}[ -]?\d{3}", _canadian, r"sin|nas|social insurance|assurance sociale"),
    NationalId(r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", _mexican),
    NationalId(r"\d{3}\.\d{3}\.\d{3}-\d{2}", _brazilian),
    NationalId(r"\d{9}-?\d{2}", _brazilian, r"cpf"),
    NationalId(r"2[0347]-\d{8}-\d", _argentine),
    NationalId(r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]", _chilean),
    # Europe.
    NationalId(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", _nino),
    NationalId(r"\d{3}[ -]?\d{3}[ -]?\d{4}", _nhs, r"nhs"),
    NationalId(r"\d{7}[A-W][A-IW]?", _irish, r"ppsn?|personal public service"),
    NationalId(r"(?:\d{8}|[XYZ][ -]?\d{7})[ -]?[A-HJ-NP-TV-Z]", _spanish),
    NationalId(r"\d{3} ?\d{3} ?\d{3}", _portuguese, r"nif|contribuinte"),
    NationalId(r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[23]\d|4[0-2]|[5-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", _french),
    NationalId(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", _belgian),
    NationalId(r"\d{11}", _belgian, r"rijksregister\w*|registre national|nationalregister\w*"),
    NationalId(r"\d{9}|\d{4}[. ]\d{2}[. ]\d{3}", _dutch, r"bsn|burgerservice\w*|sofi\w*"),
    NationalId(r"\d{2} ?\d{6} ?[A-Z] ?\d{3}", _german_pension),
    NationalId(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", mod_11_10, r"steuer\w*|steuer-id\w*|idnr|tax id\w*"),
    NationalId(r"756\.?\d{4}\.?\d{4}\.?\d{2}", ean),
    NationalId(r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]", _italian),
    NationalId(r"\d{6}-?\d{4}", _day_first, r"cpr"),
    NationalId(r"(?:\d{2})?\d{6}[-+]?\d{4}", _swedish, r"personnummer|samordningsnummer|pnr|personal number"),
    NationalId(r"\d{6} ?\d{5}", _norwegian),
    NationalId(r"\d{6}[-+A-FU-Y]\d{3}[\dA-FHJ-NPR-Y]", _finnish),
    NationalId(r"\d{11}", _polish, r"pesel"),
    NationalId(r"\d{6}/\d{4}", _czech),
    NationalId(r"[1-9]\d{12}", _romanian, r"cnp"),
    NationalId(r"\d{10}", _bulgarian, r"egn|егн"),
    NationalId(r"[1-9]\d{10}", _turkish, r"t\.?c\.?(?: kimlik)?|tckn|kimlik"),
    # Asia, Africa, Australia.
    NationalId(r"\d{9}", luhn, r"(?:teudat )?zehut|ת\.?ז|תעודת זהות"),
    NationalId(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", verhoeff, r"aadha?ar|uidai|आधार"),
    NationalId(r"\d{17}[\dX]", _chinese),
    NationalId(r"\d{6}-[1-8]\d{6}", _korean),
    NationalId(r"\d{4}[ -]?\d{4}[ -]?\d{4}", _japanese, r"my ?number|マイナンバー|個人番号"),
    NationalId(r"[A-Z][1289]\d{8}", _taiwanese, r"身[分份][證证]"),
    NationalId(r"[A-Z]{1,2}\d{6}\([\dA]\)", _hong_kong),
    NationalId(r"[STFG]\d{7}[A-Z]", _singaporean),
    NationalId(r"\d-\d{4}-\d{5}-\d{2}-\d", _thai),
    NationalId(r"\d{6} ?\d{4} ?\d{3}", _south_african, r"id(?: number| no)?|identity"),
    NationalId(r"\d{3}[ -]?\d{3}[ -]?\d{3}", _australian_tax, r"tfn|tax file"),
    NationalId(r"[2-6]\d{3}[ -]?\d{5}[ -]?\d", _australian_health, r"medicare"),
)
"""All numbers that are recognised. Sources: the states' own descriptions, as collected in Wikipedia's "National
identification number"."""


UNLABELLED_IDS = tuple(known for known in _ALL if not known.words)
"""Numbers that are recognised by their form alone."""


LABELLED_IDS = tuple(known for known in _ALL if known.words)
"""Numbers that need a word before them."""
