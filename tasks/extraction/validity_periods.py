"""Turns a period with its label into lines for its first and its last day: `Valid: 01/01/2024 to 31/12/2024`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from tasks.extraction.coded_texts import CodedLine, in_row
from tasks.notation.dates import Day, find_days
from tasks.result import SourceLine

MAX_LINES: Final = 2_000
"""At most this many lines of a page are searched."""
LONGEST_LINE: Final = 400
"""A line with a period has at most this many characters."""
_LABEL = re.compile(
    r"(?<!\w)(?:valid\w*|validit\w+|validez|vigencia|gültig\w*|gilt|geltungs\w+|laufzeit|versicherungs(?:zeit|dauer)\w*"
    r"|zeitraum|valable|période|period\w*|cover(?:age)?|in force|en vigueur|geldig\w*|looptijd|ważn\w+|okres|giltig\w*"
    r"|copertura|decorrenza|durata)(?!\w)",
    re.IGNORECASE,
)
_TO = re.compile(
    r"[\s,]*(?:[-–—]|to|until|till|through|bis(?: zum)?|au|jusqu['’]au|al|hasta(?: el)?|fino al|a|até|ao"
    r"|tot(?: en met)?|t/m|do|till och med)[\s:]*(?:the |le |el |il )?",
    re.IGNORECASE,
)
_MEANINGS: Final = (("Valid from:", ("start_date",)), ("Valid until:", ("end_date", "expiry")))


def validity_lines(lines: Sequence[SourceLine]) -> list[CodedLine]:
    """Return lines with labels for the two days of the only validity period on a page; none if there are several."""
    found = [list(_days_of(line)) for line in lines[:MAX_LINES]]
    periods = [(line, days) for line, days in zip(lines, found, strict=False) if days]
    if len(periods) != 1:
        return []
    [(line, days)] = periods
    return [_line_of(line, day, row) for row, day in enumerate(days)]


def _days_of(line: SourceLine) -> Iterator[Day]:
    """Yield the two days of a line's period, if it has one."""
    text = " ".join(line.words)
    if len(text) > LONGEST_LINE or not (label := _LABEL.search(text)):
        return
    days = [day for day in find_days(text) if day.start >= label.end()]
    if len(days) == 2 and _TO.fullmatch(text, days[0].end, days[1].start):
        yield from days


def _line_of(line: SourceLine, day: Day, row: int) -> CodedLine:
    text = " ".join(line.words)
    first, last = text.count(" ", 0, day.start), text.count(" ", 0, day.end)
    label, concepts = _MEANINGS[row]
    words = (*label.split(), *text[day.start : day.end].split())
    places = [first] * len(label.split()) + list(range(first, last + 1))
    made = replace(
        line,
        words=words,
        bounds=tuple([line.bounds[index] for index in places]) if line.bounds else (),
        confidences=tuple([line.confidences[index] for index in places]) if line.confidences else (),
        boxes=(),
        continues=False,
    )
    return CodedLine(in_row(made, row), len(label.split()), frozenset(concepts), is_whole=False)
