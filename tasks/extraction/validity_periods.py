"""Turns a period with its label into lines for its first and its last day: `Valid: 01/01/2024 to 31/12/2024`. The
labels of these lines tell a validity from any other period, such as the month of a payslip."""

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
VALIDITY = re.compile(
    r"(?<!\w)(?:valid\w*|validit\w+|validez|vigencia|gültig\w*|gilt|geltungs\w+|laufzeit|versicherungs(?:zeit|dauer)\w*"
    r"|valable|cover(?:age)?|in force|en vigueur|geldig\w*|looptijd|ważn\w+|giltig\w*|copertura|decorrenza|durata"
    r"|insurance|policy|tenancy|lease|rental|membership|subscription|contract|employment|versicherung\w*|vertrag\w*"
    r"|miet\w+|mitgliedschaft\w*|assurance|contrat|bail|abonnement\w*|contrato|seguro|contratto|polizza|verzekering\w*"
    r"|huur\w*|umowy|najmu)(?!\w)",
    re.IGNORECASE,
)
"""Pattern of words that announce the time for which something is valid, or a contract lasts."""
_PERIOD = re.compile(r"(?<!\w)(?:zeitraum|période|period\w*|okres)(?!\w)", re.IGNORECASE)
"""Pattern of words that announce any period, such as the month of a payslip or of a bill."""
TO = re.compile(
    r"[\s,]*(?:[-–—]|to|until|till|through|bis(?: zum)?|au|jusqu['’]au|al|hasta(?: el)?|fino al|a|até|ao"
    r"|tot(?: en met)?|t/m|do|till och med)[\s:]*(?:the |le |el |il )?",
    re.IGNORECASE,
)
"""Pattern of the text between the two days of a period."""
_MEANINGS: Final = (("Valid from:", ("start_date",)), ("Valid until:", ("end_date", "expiry")))
_MEANINGS_OF_PERIOD: Final = (("Period start:", ("start_date",)), ("Period end:", ("end_date",)))
"""Labels of which the first excludes the first day of a contract or an employment, by the table of opposites."""


def validity_lines(lines: Sequence[SourceLine]) -> list[CodedLine]:
    """Return lines with labels for the two days of the only period on a page; none if there are several."""
    found = [list(_days_of(line)) for line in lines[:MAX_LINES]]
    periods = [(line, days) for line, days in zip(lines, found, strict=False) if days]
    if len(periods) != 1:
        return []
    [(line, days)] = periods
    before = " ".join(line.words)[: days[0].start]
    meanings = _MEANINGS if VALIDITY.search(before) else _MEANINGS_OF_PERIOD
    return [_line_of(line, day, row, *meanings[row]) for row, day in enumerate(days)]


def _days_of(line: SourceLine) -> Iterator[Day]:
    """Yield the two days of a line's period, if it has one."""
    text = " ".join(line.words)
    if len(text) > LONGEST_LINE or not (label := VALIDITY.search(text) or _PERIOD.search(text)):
        return
    days = [day for day in find_days(text) if day.start >= label.end()]
    if len(days) == 2 and TO.fullmatch(text, days[0].end, days[1].start):
        yield from days


def _line_of(line: SourceLine, day: Day, row: int, label: str, concepts: Sequence[str]) -> CodedLine:
    text = " ".join(line.words)
    first, last = text.count(" ", 0, day.start), text.count(" ", 0, day.end)
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
