"""Turns the codes on identity documents into lines with labels: machine-readable zones, and the field numbers and
letters of driving licences."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import takewhile
from typing import NamedTuple

from tasks.notation.dates import find_days
from tasks.notation.machine_readable_zone import find_zones
from tasks.result import Box, SourceLine

FEWEST_CODES = 3
"""A licence shows at least this many different codes."""
MAX_CONTINUED = 2
"""An address may continue in at most this many lines below its code."""
MAX_LINES, MAX_WORDS = 400, 4_000
"""A page with more lines or words than this is not searched for the codes of a licence. A card has about thirty
lines."""


class WordPlace(NamedTuple):
    """The place of a word in lines."""

    line: int
    at: int
    """The index of the word in its line."""


@dataclass(frozen=True, slots=True)
class CodedLine:
    """A line made from a code: a label with a colon, and the value."""

    line: SourceLine
    label_words: int
    """Number of words at the beginning of the line that form the label."""
    concepts: frozenset[str]
    """Concepts (tasks/extraction/concepts.toml) of the fields that the value may fill."""
    is_whole: bool = True
    """False if a printed label may have a better value: the name of a country in full, for example, instead of its
    code."""
    is_drawn: bool = False
    """True if only machines can read the code: a barcode or a two-dimensional code, whose content may differ from what
    the page prints."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    label: str
    concepts: frozenset[str]


def _meaning(label: str, *concepts: str) -> _Meaning:
    return _Meaning(label, frozenset(concepts))


_SURNAME = _meaning("Surname", "last_name")
_GIVEN_NAMES = _meaning("Given names", "first_name")
_NAME = _meaning("Name", "name")
_NUMBER = _meaning("Document number", "document_number", "passport_number", "id_number")
_NATIONALITY = _meaning("Nationality", "nationality")
_BIRTH = _meaning("Date of birth", "birth")
_BIRTH_PLACE = _meaning("Place of birth", "birth_place")
_SEX = _meaning("Sex", "sex")
_ISSUE = _meaning("Date of issue", "issue_date")
_EXPIRY = _meaning("Date of expiry", "expiry")
_STATE = _meaning("Issuing country", "issuing_country")
_AUTHORITY = _meaning("Issuing authority", "authority", "issuer")
_PERSONAL = _meaning("Personal number", "personal_number")
_LICENCE = _meaning("Licence number", "licence_number", "document_number", "id_number")
_CLASS = _meaning("Licence class", "licence_class")
_ADDRESS = _meaning("Address", "address")
_HEIGHT = _meaning("Height", "height")
_EYES = _meaning("Eye colour", "eye_colour")

_NUMBERS = {
    "1": _SURNAME,
    "2": _GIVEN_NAMES,
    "3": _BIRTH,
    "4a": _ISSUE,
    "4b": _EXPIRY,
    "4c": _AUTHORITY,
    "4d": _PERSONAL,
    "5": _LICENCE,
    "8": _ADDRESS,
    "9": _CLASS,
}
"""Meanings of the numbers on driving licences: ISO/IEC 18013-1, annex A; Directive 2006/126/EC, annex I."""
_LETTERS = {
    "ln": _SURNAME,
    "fn": _GIVEN_NAMES,
    "dob": _BIRTH,
    "iss": _ISSUE,
    "exp": _EXPIRY,
    "dl": _LICENCE,
    "dln": _LICENCE,
    "lic": _LICENCE,
    "class": _CLASS,
    "sex": _SEX,
    "hgt": _HEIGHT,
    "eyes": _EYES,
    "end": None,
    "rstr": None,
    "restr": None,
    "rest": None,
    "wgt": None,
    "hair": None,
    "dd": None,
    "dups": None,
}
"""Meanings of the letters on North American licences: AAMVA DL/ID Card Design Standard. A code whose meaning is None
only ends the value before it."""
_CODE = re.compile(r"(?P<code>4[a-d]|9a|1[2-9]|[1-35-9])(?P<dot>\.?)", re.IGNORECASE)
_GLUED = re.compile(r"(4[a-d]\.?|[1-35-9]\.)(?=[^\W\d_]|\d\d)(.+)", re.IGNORECASE)
"""Pattern of a code that no space separates from the next word."""
_MISREAD_FOUR = re.compile(
    r"4(?:(?P<a>[aàáâãäå@])|(?P<b>[bßh6])|(?P<c>[cçсéèeo0])|(?P<d>d))(?P<dot>[.,:;·)]?)(?P<rest>.*)", re.IGNORECASE
)
"""Pattern of a word that begins with 4a to 4d as OCR reads them in small print. `rest` is the text after the code."""
_MISREAD_FIRST = re.compile(
    r"(?P<code>[1-35-9]|[lI|](?=[.,])|Z(?=[.,])|S(?=[.,])|g(?=[.,]))(?P<dot>[.,:;·)]?)(?P<rest>.*)"
)
"""Pattern of a word that begins with a number other than 4a to 4d, whose digit OCR may have read as a letter."""
_FIGURES = {"l": "1", "I": "1", "|": "1", "Z": "2", "S": "5", "g": "9"}
_DAY_AND_PLACE = re.compile(r"(\d\d[./-]\d\d[./-](?:\d{4}|\d\d))([^\W\d_].*)")
FEWEST_MISREAD = 5
"""Numbers that OCR may have misread are accepted only on a page with at least this many different numbers."""
_LICENCE_ONLY_NUMBERS = frozenset({"4a", "4b", "4c", "4d"})
"""Numbers that hardly any document except a licence prints before its values."""
_AMERICAN = frozenset({"ln", "fn", "dob", "dl", "dln", "iss", "exp", "hgt", "eyes"})
FEWEST_SURE, FEWEST_AMERICAN = 2, 3
"""A page is taken for a licence only if it has at least FEWEST_SURE of the `_LICENCE_ONLY_NUMBERS`, or FEWEST_AMERICAN
of the `_AMERICAN` codes."""
LETTER, HEIGHT, PITCH = 16, 20, 40
"""Width and height of a letter, and distance between lines, in pixels of the imaginary page on which the coded lines
are placed."""


def coded_lines(lines: Sequence[SourceLine], today: date | None = None) -> list[CodedLine]:
    """Return a coded line for each code in the lines of one page. `today` is set only in tests.

    Words that are not printed, such as labels, have the bounds of their code. Each coded line has a row of its own on
    the imaginary page.
    """
    found = [*_of_zones(lines, today or date.today()), *_with_name(list(_of_licence(lines)))]
    return [replace(one, line=in_row(one.line, row)) for row, one in enumerate(found)]


def in_row(line: SourceLine, row: int) -> SourceLine:
    """Return a coded line placed in a row of the page of the coded lines."""
    boxes: list[Box] = []
    left = 0
    for word in line.words:
        boxes.append((left, row * PITCH, left + LETTER * len(word), row * PITCH + HEIGHT))
        left = boxes[-1][2] + LETTER
    return replace(line, boxes=tuple(boxes) if line.bounds else (), written=" ".join(line.words), row=row)


def _of_zones(lines: Sequence[SourceLine], today: date) -> Iterator[CodedLine]:
    for zone in find_zones(["".join(line.words) for line in lines], today):
        rows = lines[zone.first : zone.first + zone.lines]
        names, first, last = rows[0 if zone.lines == 2 else 2], rows[0], rows[1]
        explanations = (
            (_SURNAME, zone.surname, names),
            (_GIVEN_NAMES, zone.given_names, names),
            (_NAME, f"{zone.given_names} {zone.surname}".strip(), names),
            (_NUMBER, zone.number, last if zone.lines == 2 else first),
            (_BIRTH, zone.birth.isoformat() if zone.birth else "", last),
            (_EXPIRY, zone.expiry.isoformat() if zone.expiry else "", last),
            (_SEX, zone.sex, last),
            (_NATIONALITY, zone.nationality, last),
            (_STATE, zone.issuer, first),
        )
        for meaning, text, row in explanations:
            if text:
                is_whole = meaning not in (_NATIONALITY, _STATE)
                yield CodedLine(_written(meaning, text, row), _label_size(meaning), meaning.concepts, is_whole)


def _label_size(meaning: _Meaning) -> int:
    return len(meaning.label.split())


def _written(meaning: _Meaning, text: str, row: SourceLine) -> SourceLine:
    """Return a line with a label and a text. All its words have the bounds of the first word of `row`."""
    words = (*f"{meaning.label}:".split(), *text.split())
    return replace(
        row,
        words=words,
        bounds=row.bounds[:1] * len(words),
        confidences=row.confidences[:1] * len(words),
        boxes=(),
        continues=False,
    )


def _with_name(found: Sequence[CodedLine]) -> Iterator[CodedLine]:
    """Yield the lines of a licence, and one more line with the whole name if given names and surname have separate
    lines."""
    yield from found
    given = [one for one in found if one.concepts == _GIVEN_NAMES.concepts]
    last = [one for one in found if one.concepts == _SURNAME.concepts]
    if len(given) == len(last) == 1:
        parts = [(one.line, one.label_words) for one in (*given, *last)]
        yield CodedLine(
            replace(
                given[0].line,
                words=(f"{_NAME.label}:", *[word for line, position in parts for word in line.words[position:]]),
                bounds=(
                    *given[0].line.bounds[:1],
                    *[one for line, position in parts for one in line.bounds[position:]],
                ),
                confidences=(
                    *given[0].line.confidences[:1],
                    *[one for line, position in parts for one in line.confidences[position:]],
                ),
            ),
            1,
            _NAME.concepts,
        )


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a licence. If the word is a code, `code` is this code, else it is empty."""

    text: str
    line: int
    at: int
    code: str = ""


def is_long(lines: Sequence[SourceLine]) -> bool:
    """True if a page has more text than a card or certificate can have."""
    return len(lines) > MAX_LINES or sum(len(line.words) for line in lines) > MAX_WORDS


def _of_licence(lines: Sequence[SourceLine]) -> Iterator[CodedLine]:
    if is_long(lines):
        return
    split = [list(_split(index, line)) for index, line in enumerate(lines)]
    # Without words that may be 4a to 4d, a page cannot be a licence by its numbers, and is not searched for misread
    # numbers.
    may_be_sure = sum(word.text.startswith("4") for row in split for word in row) >= FEWEST_SURE
    rows = [list(_misread(index, line)) for index, line in enumerate(lines)] if may_be_sure else []
    if _is_licence(rows):
        yield from _of_rows(rows, lines, is_american=False)
        return
    letters = {word.text.rstrip(":").casefold() for row in split for word in row}
    is_american = len(letters & _AMERICAN) >= FEWEST_AMERICAN
    if not (is_american or may_be_sure):
        return
    rows = [_with_codes(row, is_american=is_american) for row in split]
    codes = {word.code for row in rows for word in row if word.code}
    if len(codes) < FEWEST_CODES or not (is_american or len(codes & _LICENCE_ONLY_NUMBERS) >= FEWEST_SURE):
        return
    yield from _of_rows(rows, lines, is_american=is_american)


def _of_rows(rows: Sequence[Sequence[_Word]], lines: Sequence[SourceLine], *, is_american: bool) -> Iterator[CodedLine]:
    for number, row in enumerate(rows):
        for index, word in enumerate(row):
            if (meaning := _meaning_of(word.code, is_american=is_american)) is not None:
                rest = list(takewhile(lambda one: not one.code, row[index + 1 :]))
                if index + 1 + len(rest) == len(row):
                    rest += _continued(word.code, rows[number + 1 :], is_empty=not rest)
                yield from _lines_of_code(meaning, word, rest, lines)


def _split(number: int, line: SourceLine) -> Iterator[_Word]:
    for index, text in enumerate(line.words):
        if found := _GLUED.fullmatch(text):
            yield from (_Word(part, number, index) for part in found.groups())
        else:
            yield _Word(text, number, index)


def _misread(number: int, line: SourceLine) -> Iterator[_Word]:
    """Yield the words of a row, with the numbers of a licence as their codes. The numbers are recognised even if OCR
    misread them: `4à,`, `4 a.`, `1LINDQVIST`."""
    texts, at = line.words, 0
    while at < len(texts):
        text, place = texts[at], at
        at += 1
        if text == "4" and at < len(texts) and re.fullmatch(r"[a-d][.,:;]?", texts[at], re.IGNORECASE):
            text, at = text + texts[at], at + 1
        code, rest = _misread_code(text, texts[at : at + 1], is_first=place == 0)
        if code:
            yield _Word(text, number, place, code)
        for part in _parts_of_day_and_place(rest if code else text):
            yield _Word(part, number, place)


def _misread_code(text: str, texts_after: Sequence[str], *, is_first: bool) -> tuple[str, str]:
    """Return the number of a licence with which a word begins, and the text after it. Both are empty for a word without
    such a number."""
    if found := _MISREAD_FOUR.fullmatch(text):
        value_text, rest = found["rest"] or " ".join(texts_after), found["rest"]
        has_day = any(find_days(value_text))
        letter = next(letter for letter in "abcd" if found[letter])
        if found[letter] in "oO0":
            letter = "a" if has_day else "c"
        is_read = text[1].casefold() in "abcd"
        # `46` may be the number 46 and not a misread `4b`.
        if (is_read and (found["dot"] or not rest or has_day or rest[:1].isupper())) or (found["dot"] and value_text):
            return (f"4{letter}", rest) if is_read or letter == "c" or has_day else ("", "")
    found = _MISREAD_FIRST.fullmatch(text)
    is_day = any(day.start == 0 and day.end == len(text) for day in find_days(text))
    if found and not is_day and (is_first or (found["dot"] == "." and not found["rest"])):
        code, rest = _FIGURES.get(found["code"], found["code"]), found["rest"]
        if not rest or (found["dot"] and not rest[0].isdecimal()) or rest[0].isupper() or any(find_days(rest)):
            return code, rest
    return "", ""


def _parts_of_day_and_place(text: str) -> Iterator[str]:
    found = _DAY_AND_PLACE.fullmatch(text)
    yield from found.groups() if found else filter(None, (text,))


def _is_licence(rows: Sequence[Sequence[_Word]]) -> bool:
    """True if the rows have enough different numbers of a licence, a day after 3 (date of birth), and a day after one
    of 4a to 4d."""
    codes_with_texts = [
        (word.code, row[index + 1].text if index + 1 < len(row) else "")
        for row in rows
        for index, word in enumerate(row)
    ]
    codes = {code for code, _ in codes_with_texts if code}
    with_day = {code for code, text in codes_with_texts if code and any(find_days(text))}
    is_many = len(codes) >= FEWEST_MISREAD and len(codes & _LICENCE_ONLY_NUMBERS) >= FEWEST_SURE
    return is_many and "3" in with_day and not with_day.isdisjoint(_LICENCE_ONLY_NUMBERS)


def _with_codes(row: Sequence[_Word], *, is_american: bool) -> list[_Word]:
    found = []
    for index, word in enumerate(row):
        code, match = "", _CODE.fullmatch(word.text)
        if is_american and word.text.rstrip(":").casefold() in _LETTERS:
            code = word.text.rstrip(":").casefold()
        elif match is not None:
            followed = index + 1 < len(row) and row[index + 1].text.rstrip(":").casefold() in _LETTERS
            is_first = index == 0 and match["code"] in _NUMBERS
            if (
                match["dot"]
                or match["code"].casefold() in _LICENCE_ONLY_NUMBERS
                or (is_american and (is_first or followed))
            ):
                code = match["code"].casefold()
        found.append(replace(word, code=code))
    return found


def _meaning_of(code: str, *, is_american: bool) -> _Meaning | None:
    if is_american and code in ("4d", "5"):
        # In North America, 4d is the number of the licence, and 5 is the number of the card.
        return _LICENCE if code == "4d" else None
    return _LETTERS.get(code) or _NUMBERS.get(code)


def _continued(code: str, rows: Sequence[Sequence[_Word]], *, is_empty: bool) -> list[_Word]:
    """Return the words below the line of a code that belong to its value: further lines of an address, or one line if
    the value is not beside the code."""
    max_lines = MAX_CONTINUED if code == "8" else int(is_empty)
    below = takewhile(lambda row: not any(word.code for word in row), rows[:max_lines])
    return [word for row in below for word in row]


def _lines_of_code(
    meaning: _Meaning, code: _Word, value_words: Sequence[_Word], lines: Sequence[SourceLine]
) -> Iterator[CodedLine]:
    days = [index for index, word in enumerate(value_words) if any(find_days(word.text))]
    if meaning is _BIRTH and days:
        # The place of birth follows the date.
        place, value_words = value_words[days[-1] + 1 :], [value_words[index] for index in days]
        yield from _lines_of_code(_BIRTH_PLACE, code, place, lines)
    if value_words:
        yield CodedLine(_line_of(meaning, code, value_words, lines), _label_size(meaning), meaning.concepts)


def _line_of(meaning: _Meaning, code: _Word, value_words: Sequence[_Word], lines: Sequence[SourceLine]) -> SourceLine:
    label = [replace(code, text=text) for text in f"{meaning.label}:".split()]
    words = [*label, *value_words]
    first = lines[value_words[0].line]
    return replace(
        first,
        words=tuple([word.text for word in words]),
        bounds=tuple([lines[word.line].bounds[word.at] for word in words]) if first.bounds else (),
        confidences=tuple([lines[word.line].confidences[word.at] for word in words]) if first.confidences else (),
        continues=False,
    )
