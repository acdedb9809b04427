"""The engine that reads lines of text in pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Unfinished, available_cpus
from models.devices.device import CPU
from models.vision.ppocr.ink import body_rows, ink_of, inked_columns, widest_gap
from models.vision.ppocr.runtimes import open_session
from models.vision.ppocr.session import OcrSession, Pictures, Shape
from models.vision.text import Image

LINE_HEIGHT = 48
"""Height of the recogniser's input, in pixels."""

COLUMN_WIDTH = 8
"""Width of one column of the output, in pixels of the input."""

_PADDING = 128
"""Grey level of the padding after a line, as in PP-OCR's training: 0 after normalisation."""

_LEAST_WIDTH = 128
"""Lines are padded to at least this width, in pixels. Shorter widths would not improve the results."""

_LONGEST_PIECE = 1280
"""A piece is at most this many pixels wide. Longer lines are cut at gaps, because they are read less reliably, and
because each new width permanently takes memory."""

_PIXELS_AT_ONCE = 1536
"""The lines in one inference on a CPU are together at most this many pixels wide. More would not be faster, and would
take 75 KB per column."""

_CARD_WIDTHS = (320, _LONGEST_PIECE)
"""Widths, in pixels, to which lines are padded on a card. They are few, because each shape of the input needs a session
of its own there."""

_CARD_PIXELS = 2560
"""The lines in one inference on a card are together at most this many pixels wide. If there are too few lines, grey
ones are computed in addition. On an H100, an inference of twice this width takes 4 ms, nearly all for starting
operations."""

_PIECES_AT_ONCE = 2
"""At most this many pieces of one line are computed together. Most lines have no more. A longer line comes back
unfinished, so that other lines need not wait for it. On a CPU, a line by itself is computed one piece at a time: while
keys compete, half of the processors is left to the work of others."""

MAX_STREAMS = 4
"""At most this many inferences run at the same time. Each has 100 MB of working memory."""

_SEARCHED_SHARE = 0.4
"""The widest gap is searched for in this share of a piece, at its end."""

_SPACE_COLUMNS = 7
"""A space has at least this many columns without ink, in text 48 pixels high. Letters are 1 to 5 columns apart."""

_UNSPACED = (
    ("\u2e80", "\u303f"),  # radicals, CJK punctuation
    ("\u3040", "\u30ff"),  # hiragana, katakana
    ("\u3100", "\u312f"),  # bopomofo
    ("\u31f0", "\u9fff"),  # katakana extensions, enclosed letters, ideographs
    ("\uf900", "\ufaff"),  # compatibility ideographs
    ("\uff00", "\uffef"),  # full and half width forms
    ("\U00020000", "\U0003ffff"),  # rare ideographs
)
BLANK = 0


@dataclass(frozen=True, slots=True)
class RecognizedLine:
    """Text that the recogniser reads in a line crop."""

    text: str
    """Text, which may contain spaces."""
    probabilities: NDArray[np.float32]
    """Probability of each character, 0 to 1."""
    centres: NDArray[np.float32]
    """Position of each character, as a fraction of the crop's width."""

    @property
    def confidence(self) -> float:
        """Mean probability of the characters; 0 for an empty text."""
        return float(self.probabilities.mean()) if self.text else 0.0


@dataclass(frozen=True, slots=True)
class LinePiece:
    """Part of a line from column `start` to column `stop`."""

    start: int
    stop: int
    gap: int = 0
    """Number of columns without ink around `start`."""


@dataclass(frozen=True, slots=True)
class CutLine:
    """A line divided into pieces, with the texts of the pieces that have already been read."""

    picture: Image = field(repr=False)
    cut: list[LinePiece]
    readings: list[RecognizedLine] = field(default_factory=list)

    def next_pieces(self, at_once: int) -> list[Image]:
        done = len(self.readings)
        return [self.picture[:, piece.start : piece.stop] for piece in self.cut[done : done + at_once]]

    def result(self) -> RecognizedLine | Unfinished:
        return join_lines(self.cut, self.readings) if len(self.readings) == len(self.cut) else Unfinished(self)


class LineRecognizer:
    """Implementation of `models.base.Engine` that reads crops of one upright line each (RGB, any size).

    A line has the same result alone and among lines of other pages, because its padding depends only on its own width,
    and the network computes each picture of a batch independently.
    """

    def __init__(
        self, weights: Path, *, device: str = CPU, threads: int | None = None, card_mb: int | None = None
    ) -> None:
        self._weights = weights
        self._device = device
        self._card_mb = card_mb
        self._threads = threads or available_cpus()
        self._streams = min(self._threads, MAX_STREAMS) if device == CPU else 1
        self._session: OcrSession | None = None
        self._symbols: tuple[str, ...] = ()

    def load(self) -> None:
        self._session = open_session(
            self._weights,
            recognition=True,
            device=self._device,
            threads=self._threads,
            streams=self._streams,
            card_shapes=self.card_shapes(),
            card_mb=self._card_mb,
        )
        self._symbols = alphabet(self._session.characters())

    def close(self) -> None:
        self._session = None

    @staticmethod
    def card_shapes() -> list[Shape]:
        """Return the shapes of all inputs on a card."""
        return [(_CARD_PIXELS // width, LINE_HEIGHT, width) for width in _CARD_WIDTHS]

    def run(self, batch: Sequence[Image | CutLine]) -> list[RecognizedLine | Unfinished]:
        lines = [one if isinstance(one, CutLine) else _cut(fitted(one)) for one in batch]
        at_once = 1 if len(lines) == 1 and self._device == CPU else _PIECES_AT_ONCE
        parts = [line.next_pieces(at_once) for line in lines]
        readings = iter(self._read([piece for line in parts for piece in line]))
        return [
            replace(line, readings=line.readings + list(islice(readings, len(part)))).result()
            for line, part in zip(lines, parts, strict=True)
        ]

    def _read(self, lines: Sequence[Image]) -> list[RecognizedLine]:
        assert self._session is not None
        on_card = self._device != CPU
        padded = _card_width if on_card else _padded_width
        pixels = _CARD_PIXELS if on_card else _PIXELS_AT_ONCE
        groups = _groups([padded(line.shape[1]) for line in lines], pixels)
        outputs = self._session.infer(
            [
                _stacked([lines[i] for i in group], width, at_least=pixels // width if on_card else 0)
                for width, group in groups
            ]
        )
        readings: dict[int, RecognizedLine] = {}
        for (_, group), (classes, probabilities) in zip(groups, outputs, strict=True):
            for row, index in enumerate(group):
                filled = lines[index].shape[1] / COLUMN_WIDTH
                readings[index] = decode(classes[row], probabilities[row], self._symbols, filled)
        return [readings[index] for index in range(len(lines))]


def _cut(line: Image) -> CutLine:
    return CutLine(line, cut_line(line, _LONGEST_PIECE))


def fitted(crop: Image) -> Image:
    """Return `crop` scaled to the recogniser's height, with its proportions."""
    height, width = crop.shape[:2]
    if height == LINE_HEIGHT:
        return crop
    target = (max(1, round(width * LINE_HEIGHT / height)), LINE_HEIGHT)
    smooth = cv2.INTER_AREA if height > LINE_HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(crop), target, interpolation=smooth), np.uint8)


def _padded_width(width: int) -> int:
    # Each width is compiled once. Small steps save padding, large steps save compilations.
    step = 32 if width <= 320 else 64 if width <= 960 else 128
    return max(_LEAST_WIDTH, -(-width // step) * step)


def _card_width(width: int) -> int:
    return next(one for one in _CARD_WIDTHS if width <= one)


def _groups(widths: Sequence[int], pixels: int) -> list[tuple[int, list[int]]]:
    """Return groups of lines with at most `pixels` pixels of width together, the widest first. Each is a width and the
    indices of its lines."""
    by_width: dict[int, list[int]] = {}
    for index, width in enumerate(widths):
        by_width.setdefault(width, []).append(index)
    groups = []
    for width in sorted(by_width, reverse=True):
        lines, at_once = by_width[width], max(1, pixels // width)
        groups += [(width, lines[start : start + at_once]) for start in range(0, len(lines), at_once)]
    return groups


def _stacked(lines: Sequence[Image], width: int, *, at_least: int) -> Pictures:
    """Return the lines padded to `width`, with grey ones below them if they are fewer than `at_least`."""
    stack = np.full((max(len(lines), at_least), LINE_HEIGHT, width, 3), _PADDING, np.uint8)
    for row, line in zip(stack, lines, strict=False):
        row[:, : line.shape[1]] = line
    return stack


def alphabet(characters: str) -> tuple[str, ...]:
    """Return the recogniser's classes: the blank, the `characters` of its file (one per line), and the space."""
    return ("", *characters.split("\n"), " ")


def decode(
    classes: NDArray[np.int32], probabilities: NDArray[np.float32], symbols: tuple[str, ...], columns: float
) -> RecognizedLine:
    """Return the text: runs of one class become one character, and blanks are dropped. `columns` is the width of the
    picture itself, in columns. Characters in the padding after it are dropped."""
    starts = np.flatnonzero(np.diff(classes, prepend=-1))
    ends = np.append(starts[1:], len(classes))
    kept = (classes[starts] != BLANK) & (starts < columns)
    starts, ends = starts[kept], ends[kept]
    text = "".join(symbols[index] for index in classes[starts])
    centres = np.minimum((starts + ends) / (2 * columns), 1).astype(np.float32)
    # Arithmetic of low precision may round a probability to slightly more than 1.
    return RecognizedLine(text, np.minimum(probabilities[starts], 1).astype(np.float32), centres)


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


def is_cjk(character: str) -> bool:
    """True if `character` belongs to Chinese or Japanese writing, including its punctuation."""
    return character >= _UNSPACED[0][0] and any(first <= character <= last for first, last in _UNSPACED)
