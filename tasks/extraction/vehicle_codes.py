"""Turns the codes on vehicle registration certificates into lines with labels (Directive 1999/37/EC)."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tasks.extraction.coded_texts import CodedLine, WordPlace, in_row, is_long
from tasks.result import SourceLine

FEWEST_CODES: Final = 5
"""A certificate shows at least this many different codes."""
FEWEST_PARTED: Final = 3
"""At least this many different codes on a certificate contain a point, such as `D.1`."""

_MEANINGS: Final = {
    "A": ("Registration number", {"plate", "registration"}),
    "B": ("First registration", {"first_registration"}),
    "C.1.1": ("Surname of the holder", {"last_name"}),
    "C.1.2": ("Given names of the holder", {"first_name"}),
    "C.1.3": ("Address of the holder", {"address"}),
    "C.3.1": ("Surname of the holder", {"last_name"}),
    "C.3.2": ("Given names of the holder", {"first_name"}),
    "C.3.3": ("Address of the holder", {"address"}),
    "D.1": ("Make", {"brand", "manufacturer"}),
    "D.3": ("Model", {"model"}),
    "E": ("Vehicle identification number", {"vin"}),
    "F.1": ("Maximum mass", {"weight"}),
    "P.1": ("Engine capacity", {"capacity"}),
    "P.2": ("Maximum power", {"power"}),
    "P.3": ("Fuel", {"fuel"}),
    "R": ("Colour", {"colour"}),
    "S.1": ("Number of seats", {"seat"}),
}
"""Label and concepts of the field by the code."""
_OF_FIGURES: Final = ("B", "E", "G")
_CODE = re.compile(r"\(?([A-Z](?:\.\d){0,2})[.:)]?")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
"""Pattern of a vehicle identification number (ISO 3779), which has no I, O and Q."""


def vehicle_lines(lines: Sequence[SourceLine]) -> list[CodedLine]:
    """Return a line with a label for each known code on a registration certificate; none for any other page."""
    if is_long(lines):
        return []
    coded: list[tuple[str, WordPlace, list[WordPlace]]] = []
    for number, line in enumerate(lines):
        for index, text in enumerate(line.words):
            found = _CODE.fullmatch(text)
            next_word = line.words[index + 1] if index + 1 < len(line.words) else ""
            # A letter alone is a code if it begins a line, or if its value has figures and the next word ends with a
            # figure.
            if found and ("." in found[1] or index == 0 or (found[1] in _OF_FIGURES and next_word[-1:].isdecimal())):
                coded.append((found[1], WordPlace(number, index), []))
            elif coded and (coded[-1][1].line == number or _is_next(coded[-1], number)):
                coded[-1][2].append(WordPlace(number, index))
    codes = {code for code, *_ in coded}
    has_vin = any(code == "E" and _VIN.fullmatch(_text(words, lines).replace(" ", "")) for code, _, words in coded)
    if not has_vin or len(codes) < FEWEST_CODES or sum("." in code for code in codes) < FEWEST_PARTED:
        return []
    known = [one for one in coded if one[0] in _MEANINGS and one[2]]
    return [_coded(code, place, words, lines, row) for row, (code, place, words) in enumerate(known)]


def _is_next(coded: tuple[str, WordPlace, list[WordPlace]], number: int) -> bool:
    """True if words in line `number` belong to a code in a line above: its value began in line `number`, or the code
    has no value yet and is in the line before."""
    _, place, words = coded
    return words[0].line == number if words else place.line + 1 == number


def _text(words: Sequence[WordPlace], lines: Sequence[SourceLine]) -> str:
    return " ".join(lines[word.line].words[word.at] for word in words)


def _coded(code: str, place: WordPlace, words: Sequence[WordPlace], lines: Sequence[SourceLine], row: int) -> CodedLine:
    label, concepts = _MEANINGS[code]
    titles = f"{label}:".split()
    places = [place] * len(titles) + [*words]
    first = lines[words[0].line]
    line = replace(
        first,
        words=(*titles, *(lines[word.line].words[word.at] for word in words)),
        bounds=tuple(lines[one.line].bounds[one.at] for one in places) if first.bounds else (),
        confidences=tuple(lines[one.line].confidences[one.at] for one in places) if first.confidences else (),
        continues=False,
    )
    return CodedLine(in_row(line, row), len(titles), frozenset(concepts))
