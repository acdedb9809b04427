"""Turns an IBAN that continues on the next line, as in narrow columns, into a line with a label."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from models.safety.personal_data import iban_length
from tasks.extraction.coded_texts import CodedLine, WordPlace, in_row
from tasks.result import SourceLine

MAX_LINES: Final = 2_000
"""At most this many lines of a page are searched."""
MAX_WORDS: Final = 200
"""Only this many words at the beginning of a line are searched."""
MOST_LINES: Final = 3
"""An IBAN extends over at most this many lines."""

MAX_BEGINNINGS: Final = 50
"""At most this many words that may begin an IBAN are examined. A page with more such words has codes of another
kind."""
LONGEST_IBAN: Final = 34
"""An IBAN has at most this many characters (ISO 13616)."""

_SIGNS: Final = " .,;:()"
_BEGINNING = re.compile(r"[A-Z]{2}\d\d[A-Z0-9]*")
_GROUP = re.compile(r"[A-Z0-9]+")


def iban_lines(lines: Sequence[SourceLine]) -> list[CodedLine]:
    """Return a line for the only IBAN of a page, if this IBAN takes several lines; none for any other page. The check
    digits show where the IBAN ends."""
    beginnings = (
        WordPlace(number, at)
        for number, line in enumerate(lines[:MAX_LINES])
        for at, word in enumerate(line.words[:MAX_WORDS])
        if _BEGINNING.fullmatch(word.strip(_SIGNS)[:LONGEST_IBAN])
    )
    found: dict[str, list[WordPlace]] = {}
    for number, at in islice(beginnings, MAX_BEGINNINGS):
        if places := _places(lines, number, at):
            found.setdefault("".join(_texts(lines, places)), places)
    if len(found) != 1:
        return []
    [places] = found.values()
    return [_line_of(lines, places)] if places[-1].line > places[0].line else []


def _places(lines: Sequence[SourceLine], number: int, at: int) -> list[WordPlace]:
    """Return the places of the words of the IBAN that begins with a word; none if no IBAN begins there."""
    places: list[WordPlace] = []
    joined = ""
    for place in _from(lines, number, at):
        text = lines[place.line].words[place.at].strip(_SIGNS)
        if len(joined) + len(text) > LONGEST_IBAN or not _GROUP.fullmatch(text):
            return []
        places.append(place)
        joined += text
        if iban_length(joined) == len(joined):
            return places
    return []


def _from(lines: Sequence[SourceLine], number: int, at: int) -> Iterator[WordPlace]:
    for line in range(number, min(number + MOST_LINES, len(lines))):
        first = at if line == number else 0
        yield from (WordPlace(line, index) for index in range(first, min(len(lines[line].words), MAX_WORDS)))


def _texts(lines: Sequence[SourceLine], places: Sequence[WordPlace]) -> list[str]:
    return [lines[place.line].words[place.at].strip(_SIGNS) for place in places]


def _line_of(lines: Sequence[SourceLine], places: Sequence[WordPlace]) -> CodedLine:
    first = lines[places[0].line]
    with_label = [places[0], *places]
    are_placed = all(lines[place.line].bounds for place in places)
    made = replace(
        first,
        words=("IBAN:", *_texts(lines, places)),
        bounds=tuple([lines[one.line].bounds[one.at] for one in with_label]) if are_placed else (),
        confidences=tuple([lines[one.line].confidences[one.at] for one in with_label])
        if all(lines[place.line].confidences for place in places)
        else (),
        boxes=(),
        continues=False,
    )
    return CodedLine(in_row(made, 0), 1, frozenset(("iban",)))
