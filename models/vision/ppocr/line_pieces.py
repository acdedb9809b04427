"""A long line cut at its gaps into pieces that are read one by one, and their texts joined."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.vision.ppocr.ink import body_rows, ink_of, inked_columns, widest_gap
from models.vision.ppocr.line_text import RecognizedLine, is_cjk
from models.vision.text import Image

_SEARCHED = 0.4
"""Share of a piece, at its end, that is searched for the widest gap."""

_SPACE = 7
"""Columns of 48-pixel-high text without ink that make a space; letters stand 1 to 5 apart."""


@dataclass(frozen=True, slots=True)
class LinePiece:
    """Columns `start` to `stop` of a line."""

    start: int
    stop: int
    gap: int = 0
    """Columns without ink around `start`."""


def cut_line(line: Image, longest: int) -> list[LinePiece]:
    """Pieces of at most `longest` columns that together are `line` (48 px high)."""
    width = line.shape[1]
    if width <= longest:
        return [LinePiece(0, width)]
    ink = ink_of(line)
    inked = inked_columns(ink, body_rows(ink))
    found: list[LinePiece] = []
    start = gap = 0
    while width - start > longest:
        limit = start + longest
        first, last = widest_gap(inked[:limit], limit - _SEARCHED * longest, limit)
        found.append(LinePiece(start, (first + last) // 2, gap))
        start, gap = (first + last) // 2, last - first
    return [*found, LinePiece(start, width, gap)]


def join_lines(cut: Sequence[LinePiece], readings: Sequence[RecognizedLine]) -> RecognizedLine:
    """What the pieces of a line say together, with a space where a cut went through one."""
    width = cut[-1].stop
    text = ""
    probabilities: list[float] = []
    centres: list[float] = []
    for piece, reading in zip(cut, readings, strict=True):
        if text and reading.text and piece.gap >= _SPACE and not _touching(text[-1], reading.text[0]):
            text += " "
            # As sure as what stands on either side of it.
            probabilities.append(min(probabilities[-1], float(reading.probabilities[0])))
            centres.append(piece.start / width)
        text += reading.text
        probabilities += reading.probabilities.tolist()
        centres += ((piece.start + reading.centres * (piece.stop - piece.start)) / width).tolist()
    return RecognizedLine(text, np.array(probabilities, np.float32), np.array(centres, np.float32))


def _touching(left: str, right: str) -> bool:
    """Whether no space belongs between two characters however far apart they stand, or one is there already."""
    return left.isspace() or right.isspace() or is_cjk(left) or is_cjk(right)
