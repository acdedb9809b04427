"""Turns the contents of barcodes and two-dimensional codes into lines with labels."""

from collections.abc import Sequence
from dataclasses import replace

from tasks.extraction.coded_texts import CodedLine, in_row
from tasks.notation.code_contents import CodeFact, facts_of_code
from tasks.result import SourceCode, SourceLine

LINEAR = frozenset(
    ("EAN-13", "EAN-8", "UPC-A", "UPC-E", "ISBN", "Code 128", "Code 39", "Code 93", "ITF", "ITF-14", "DataBar")
)
"""Symbologies that are called barcodes."""
MAX_LINES = 200
"""All codes together have at most this many lines. A licence has about twenty."""
MAX_WORDS = 1_000
"""A line has at most this many words after its label."""

_ALSO = {
    "licence_number": frozenset(("document_number", "id_number")),
    "total": frozenset(("balance",)),
    "batch_number": frozenset(("lot_number",)),
}
"""Further concepts that a fact answers, by the concept of the fact."""


def lines_of_codes(codes: Sequence[SourceCode]) -> list[CodedLine]:
    """Return the contents of `codes` as lines, which can fill only fields of the same meaning."""
    found = [
        _line(code, fact) for code in codes for fact in (_of_code(code), *facts_of_code(code.text, is_gs1=code.is_gs1))
    ]
    return [replace(one, line=in_row(one.line, row)) for row, one in enumerate(found[:MAX_LINES])]


def _of_code(code: SourceCode) -> CodeFact:
    return CodeFact("barcode" if code.kind in LINEAR else "qr_code", code.text)


def _line(code: SourceCode, fact: CodeFact) -> CodedLine:
    label = fact.name.replace("_", " ").capitalize().split()
    label[-1] += ":"
    # A code may contain any control character, and a program that shows a field might obey it.
    printable = "".join(sign if sign.isprintable() else " " for sign in fact.text)
    words = (*label, *printable.split()[:MAX_WORDS])
    bounds = {key: value for key, value in code.place.items() if key == "bounds"}
    place = {key: value for key, value in code.place.items() if key != "bounds"}
    line = SourceLine(
        words,
        code.pointer,
        place,
        tuple(bounds.values()) * len(words),
        (1.0,) * len(words) if bounds else (),
        continues=False,
    )
    concepts = frozenset((fact.name,)) | _ALSO.get(fact.name, frozenset())
    return CodedLine(line, len(label), concepts, fact.is_certain, is_drawn=True)
