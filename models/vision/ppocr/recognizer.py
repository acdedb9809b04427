"""The engine that reads line crops."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from models.device import available_cpus
from models.vision.ppocr.ctc import Reading, alphabet, decode
from models.vision.ppocr.ink import body_rows, ink_of, inked_columns, widest_gap
from models.vision.ppocr.runtimes import open_session
from models.vision.ppocr.script import is_cjk
from models.vision.ppocr.session import Pictures, Session
from models.vision.text import Image

_SEARCHED = 0.4
"""Share of a piece, at its end, that is searched for the widest gap."""
_SPACE = 7
"""Columns of 48-pixel-high text without ink that make a space; letters stand 1 to 5 apart."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Columns `start` to `stop` of a line."""

    start: int
    stop: int
    gap: int = 0
    """Columns without ink around `start`."""


def pieces(line: Image, longest: int) -> list[Piece]:
    """Pieces of at most `longest` columns that together are `line` (48 px high)."""
    width = line.shape[1]
    if width <= longest:
        return [Piece(0, width)]
    ink = ink_of(line)
    inked = inked_columns(ink, body_rows(ink))
    found: list[Piece] = []
    start = gap = 0
    while width - start > longest:
        limit = start + longest
        first, last = widest_gap(inked[:limit], limit - _SEARCHED * longest, limit)
        found.append(Piece(start, (first + last) // 2, gap))
        start, gap = (first + last) // 2, last - first
    return [*found, Piece(start, width, gap)]


def joined(cut: Sequence[Piece], readings: Sequence[Reading]) -> Reading:
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
    return Reading(text, np.array(probabilities, np.float32), np.array(centres, np.float32))


def _touching(left: str, right: str) -> bool:
    """Whether no space belongs between two characters however far apart they stand, or one is there already."""
    return left.isspace() or right.isspace() or is_cjk(left) or is_cjk(right)


LINE_HEIGHT = 48
"""Of the recogniser's input, in pixels."""
COLUMN_WIDTH = 8
"""Pixels of the input per column of the output."""

_PADDING = 128
"""Mid-grey, which is 0 after normalisation: what PP-OCR was trained to see behind the line."""
_LEAST_WIDTH = 128
"""Narrower lines read no better for less padding."""
_LONGEST = 1280
"""Lines are cut at gaps to at most this width: longer ones read worse, and each width takes memory for good."""
_PIXELS_AT_ONCE = 1536
"""Width of the lines of one inference together: more makes it no faster and takes 75 KB a column."""
MOST_STREAMS = 4
"""Inferences side by side; each keeps its own working memory of 100 MB."""


class LineRecognizer:
    """Reads crops of one upright line each (RGB, any size); implements `models.base.Engine`.

    Each line is padded to a width that depends on itself alone, and what the network says about one picture of a
    batch does not depend on the others: a line reads the same alone and among the lines of other pages.
    """

    def __init__(
        self, weights: Path, *, device: str = "cpu", threads: int | None = None, streams: int | None = None
    ) -> None:
        self._weights = weights
        self._device = device
        self._threads = threads or available_cpus()
        self._streams = streams or (min(self._threads, MOST_STREAMS) if device == "cpu" else 1)
        self._session: Session | None = None
        self._symbols: tuple[str, ...] = ()

    def load(self) -> None:
        self._session = open_session(
            self._weights, recognition=True, device=self._device, threads=self._threads, streams=self._streams
        )
        self._symbols = alphabet(self._session.characters())

    def close(self) -> None:
        self._session = None

    def run(self, batch: Sequence[Image]) -> list[Reading]:
        lines = [fitted(crop) for crop in batch]
        cuts = [pieces(line, _LONGEST) for line in lines]
        parts = [line[:, piece.start : piece.stop] for line, cut in zip(lines, cuts, strict=True) for piece in cut]
        readings = iter(self._read(parts))
        return [joined(cut, list(islice(readings, len(cut)))) for cut in cuts]

    def _read(self, lines: Sequence[Image]) -> list[Reading]:
        assert self._session is not None
        groups = _groups([_padded_width(line.shape[1]) for line in lines])
        outputs = self._session.infer([_stacked([lines[i] for i in group], width) for width, group in groups])
        readings: dict[int, Reading] = {}
        for (_, group), (classes, probabilities) in zip(groups, outputs, strict=True):
            for row, index in enumerate(group):
                columns = lines[index].shape[1] / COLUMN_WIDTH
                readings[index] = decode(classes[row], probabilities[row], self._symbols, columns)
        return [readings[index] for index in range(len(lines))]


def fitted(crop: Image) -> Image:
    """`crop` at the recogniser's height, its proportions kept."""
    height, width = crop.shape[:2]
    if height == LINE_HEIGHT:
        return crop
    target = (max(1, round(width * LINE_HEIGHT / height)), LINE_HEIGHT)
    smooth = cv2.INTER_AREA if height > LINE_HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(crop), target, interpolation=smooth), np.uint8)


def _padded_width(width: int) -> int:
    # Each width is compiled once: finer steps waste less on the padding, coarser ones less on compiling.
    step = 32 if width <= 320 else 64 if width <= 960 else 128
    return max(_LEAST_WIDTH, -(-width // step) * step)


def _groups(widths: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Indices of lines of one width each, at most so many that a group keeps one stream busy, widest first."""
    by_width: dict[int, list[int]] = {}
    for index, width in enumerate(widths):
        by_width.setdefault(width, []).append(index)
    groups = []
    for width in sorted(by_width, reverse=True):
        lines, at_once = by_width[width], max(1, _PIXELS_AT_ONCE // width)
        groups += [(width, lines[start : start + at_once]) for start in range(0, len(lines), at_once)]
    return groups


def _stacked(lines: Sequence[Image], width: int) -> Pictures:
    stack = np.full((len(lines), LINE_HEIGHT, width, 3), _PADDING, np.uint8)
    for row, line in zip(stack, lines, strict=True):
        row[:, : line.shape[1]] = line
    return stack
