"""Turns the contents of barcodes and two-dimensional codes into lines with labels, which are read like printed ones."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from tasks.notation.code_contents import CodeFact, facts_of_code
from tasks.result import Box, SourceCode, SourceLine

LETTER, HEIGHT, PITCH = 16, 20, 26
"""Assumed width and height of a letter, and distance of the lines."""
LINEAR = frozenset(
    ("EAN-13", "EAN-8", "UPC-A", "UPC-E", "ISBN", "Code 128", "Code 39", "Code 93", "ITF", "ITF-14", "DataBar")
)
"""Symbologies that are called barcodes."""
MAX_LINES = 200
"""All codes together have at most this many lines. A licence has about twenty."""
MAX_WORDS = 1_000
"""A line has at most this many words after its label."""


def lines_of_codes(codes: Sequence[SourceCode]) -> list[SourceLine]:
    """Return the contents of `codes`, a line each for the whole text of a code and for each fact that it states."""
    facts = [(code, fact) for code in codes for fact in (_of_code(code), *facts_of_code(code.text, is_gs1=code.is_gs1))]
    return [_line(code, fact, row) for row, (code, fact) in enumerate(facts[:MAX_LINES])]


def _of_code(code: SourceCode) -> CodeFact:
    return CodeFact("barcode" if code.kind in LINEAR else "qr_code", code.text)


def _line(code: SourceCode, fact: CodeFact, row: int) -> SourceLine:
    label = fact.name.replace("_", " ").capitalize().split()
    label[-1] += ":"
    # A code may contain any control character, and a program that shows a field might obey it.
    printable = "".join(sign if sign.isprintable() else " " for sign in fact.text)
    words = (*label, *printable.split()[:MAX_WORDS])
    place = {key: value for key, value in code.place.items() if key != "bounds"}
    bounds = (code.place["bounds"],) * len(words) if "bounds" in code.place else ()
    confidences = (1.0,) * len(words) if bounds else ()
    boxes = _boxes(words, row) if bounds else ()
    written = " ".join(words)
    return SourceLine(words, code.pointer, place, bounds, confidences, False, written, row, boxes)


def _boxes(words: Sequence[str], row: int) -> tuple[Box, ...]:
    """Return places of words that are printed in rows below each other. In the source, all have the place of the
    code."""
    ends = list(accumulate((LETTER * (len(word) + 1) for word in words), initial=0))
    top = row * PITCH
    return tuple((left, top, right - LETTER, top + HEIGHT) for left, right in pairwise(ends))
