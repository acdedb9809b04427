"""Divides a long line at its gaps into pieces that are read one by one, and combines their texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.vision.ppocr.ink import body_rows, ink_of, inked_columns, widest_gap
from models.vision.ppocr.line_text import RecognizedLine, is_cjk
from models.vision.text import Image

_SEARCHED_SHARE = 0.4
"""The widest gap is searched for in this share of a piece, at its end."""

_SPACE_COLUMNS = 7
"""A space has at least this many columns without ink, in text 48 pixels high. Letters are 1 to 5 columns apart."""


@dataclass(frozen=True, slots=True)
class LinePiece:
    """Part of a line from column `start` to column `stop`."""

    start: int
    stop: int
    gap: int = 0
    """Number of columns without ink around `start`."""


def cut_line(line: Image, longest: int) -> list[LinePiece]:
    """Return the pieces of `line` (48 px high), each at most `longest` columns wide."""
    width = line.shape[1]
    if width <= longest:
        return [LinePiece(0, width)]
    ink = ink_of(line)
    inked = inked_columns(ink, body_rows(ink))
    found: list[LinePiece] = []
    start = gap = 0
    while width - start > longest:
        limit = start + longest
        first, last = widest_gap(inked[:limit], limit - _SEARCHED_SHARE * longest, limit)
        found.append(LinePiece(start, (first + last) // 2, gap))
        start, gap = (first + last) // 2, last - first
    return [*found, LinePiece(start, width, gap)]


def join_lines(cut: Sequence[LinePiece], readings: Sequence[RecognizedLine]) -> RecognizedLine:
    """Return the combined text of a line's pieces, with a space at each cut through a space."""
    width = cut[-1].stop
    text = ""
    probabilities: list[float] = []
    centres: list[float] = []
    for piece, reading in zip(cut, readings, strict=True):
        if text and reading.text and piece.gap >= _SPACE_COLUMNS and not _takes_no_space(text[-1], reading.text[0]):
            text += " "
            # The space gets the lower of the probabilities of its two neighbours.
            probabilities.append(min(probabilities[-1], float(reading.probabilities[0])))
            centres.append(piece.start / width)
        text += reading.text
        probabilities += reading.probabilities.tolist()
        centres += ((piece.start + reading.centres * (piece.stop - piece.start)) / width).tolist()
    return RecognizedLine(text, np.array(probabilities, np.float32), np.array(centres, np.float32))


def _takes_no_space(left: str, right: str) -> bool:
    """True if no space may be inserted between two characters, however far apart they are, because one of them is a
    space or a CJK character."""
    return left.isspace() or right.isspace() or is_cjk(left) or is_cjk(right)
