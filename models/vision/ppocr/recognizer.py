"""The engine that reads line crops."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Unfinished, available_cpus
from models.vision.ppocr.session import Pictures, Session, open_session
from models.vision.text import Image

Ink = NDArray[np.bool_]

_CONTRAST = 0.35
"""Difference from the paper that makes a pixel ink, over the strongest difference in the line."""
_FAINTEST = 12.0
"""The least such difference, in grey levels."""
_BREAK = 3
"""Blank rows of 48 that do not end a line, as under the dot of an i."""


def ink_of(picture: Image) -> Ink:
    """Pixels that differ from the paper, whichever of the two is darker: height × width."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    paper = _quantile(grey, 0.5)
    difference = cv2.absdiff(grey, np.full_like(grey, paper))
    least = max(_FAINTEST, _CONTRAST * _quantile(difference, 0.98))
    return np.asarray(difference > least, np.bool_)


def _quantile(levels: NDArray[np.uint8], share: float) -> int:
    """The grey level below which `share` of the pixels are: by counting, ten times as fast as by sorting."""
    counts = np.bincount(levels.ravel(), minlength=256).cumsum()
    return int(counts.searchsorted(share * levels.size))


def body_rows(ink: Ink) -> tuple[int, int]:
    """First row of the line's ink and the row after its last, without what reaches in from its neighbours."""
    rows = ink.sum(1)
    if not rows.any():
        return 0, len(rows)
    inked = np.flatnonzero(rows >= max(1, round(0.01 * float(rows.max()))))
    runs = np.split(inked, np.flatnonzero(np.diff(inked) > _BREAK) + 1)
    body = max(runs, key=lambda run: int(rows[run].sum()))
    return int(body[0]), int(body[-1]) + 1


def inked_columns(ink: Ink, rows: tuple[int, int]) -> Ink:
    """Which columns hold ink between the two `rows`: one a column."""
    return np.asarray(ink[rows[0] : rows[1]].any(0), np.bool_)


def widest_gap(inked: Ink, start: float, stop: float) -> tuple[int, int]:
    """The longest run of columns without ink between two places; empty and in the middle if there is none."""
    first = int(start)
    # A word takes two of them, on a dozen columns: NumPy would take eight times as long.
    columns = inked[first : int(stop) + 1].tobytes()
    gap = max(columns.split(b"\1"), key=len)
    if not gap:
        middle = round((start + stop) / 2)
        return middle, middle
    first += columns.index(gap)
    return first, first + len(gap)


_UNSPACED = (
    ("\u2e80", "\u303f"),  # radicals, CJK punctuation
    ("\u3040", "\u30ff"),  # hiragana, katakana
    ("\u3100", "\u312f"),  # bopomofo
    ("\u31f0", "\u9fff"),  # katakana extensions, enclosed letters, ideographs
    ("\uf900", "\ufaff"),  # compatibility ideographs
    ("\uff00", "\uffef"),  # full and half width forms
    ("\U00020000", "\U0003ffff"),  # rare ideographs
)


def is_cjk(character: str) -> bool:
    """Whether `character` belongs to Chinese or Japanese writing, its punctuation included."""
    return character >= _UNSPACED[0][0] and any(first <= character <= last for first, last in _UNSPACED)


BLANK = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line crop says."""

    text: str
    """May hold spaces."""
    probabilities: NDArray[np.float32]
    """One a character, 0 to 1."""
    centres: NDArray[np.float32]
    """Where each character was seen, as a fraction of the crop's width."""

    @property
    def confidence(self) -> float:
        """The mean probability of the characters; 0 for an empty reading."""
        return float(self.probabilities.mean()) if self.text else 0.0


def alphabet(characters: str) -> tuple[str, ...]:
    """Classes of the recogniser: the blank, the `characters` of its file (one a line), the space."""
    return ("", *characters.split("\n"), " ")


def decode(
    classes: NDArray[np.int32], probabilities: NDArray[np.float32], symbols: tuple[str, ...], columns: float
) -> Reading:
    """Collapse runs of one class to a character and drop blanks.

    `columns` is how many columns the picture itself fills; what is read in the padding behind it is dropped.
    """
    starts = np.flatnonzero(np.diff(classes, prepend=-1))
    ends = np.append(starts[1:], len(classes))
    kept = (classes[starts] != BLANK) & (starts < columns)
    starts, ends = starts[kept], ends[kept]
    text = "".join(symbols[index] for index in classes[starts])
    centres = np.minimum((starts + ends) / (2 * columns), 1).astype(np.float32)
    # Low-precision arithmetic may round a probability to just above 1.
    return Reading(text, np.minimum(probabilities[starts], 1).astype(np.float32), centres)


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
"""The height of the recogniser's input, in pixels."""
COLUMN_WIDTH = 8
"""Pixels of the input per column of the output."""

_PADDING = 128
"""Mid-grey, which is 0 after normalisation: what PP-OCR was trained to see behind the line."""
_LEAST_WIDTH = 128
"""Narrower lines read no better for less padding."""
_LONGEST = 1280
"""Lines are cut at gaps to at most this width: longer ones read worse, and each width takes memory for good."""
_PIXELS_AT_ONCE = 1536
"""Width of the lines of one inference together on a CPU: more makes it no faster and takes 75 KB a column."""
_COUNTED = 640
"""… and on a card, for each line of the batch: its memory is counted for lines of this width."""
_PIECES_AT_ONCE = 2
"""Pieces of one line that are computed together, as many as a page's lines have: what is longer
comes back unfinished, for others not to wait."""
MOST_STREAMS = 4
"""Inferences side by side; each keeps its own working memory of 100 MB."""


@dataclass(frozen=True, slots=True)
class CutLine:
    """A line in pieces, of which the first may have been read."""

    picture: Image = field(repr=False)
    cut: list[Piece]
    readings: list[Reading] = field(default_factory=list)

    def next_pieces(self) -> list[Image]:
        done = len(self.readings)
        return [self.picture[:, piece.start : piece.stop] for piece in self.cut[done : done + _PIECES_AT_ONCE]]

    def so_far(self) -> Reading | Unfinished:
        return joined(self.cut, self.readings) if len(self.readings) == len(self.cut) else Unfinished(self)


class LineRecognizer:
    """Reads crops of one upright line each (RGB, any size); implements `models.base.Engine`.

    Each line is padded to a width that depends on itself alone, and what the network says about one picture of a
    batch does not depend on the others: a line reads the same alone and among the lines of other pages.
    """

    def __init__(self, weights: Path, *, device: str = "cpu", threads: int | None = None) -> None:
        self._weights = weights
        self._device = device
        self._threads = threads or available_cpus()
        self._streams = min(self._threads, MOST_STREAMS) if device == "cpu" else 1
        self._session: Session | None = None
        self._symbols: tuple[str, ...] = ()

    def load(self) -> None:
        self._session = open_session(
            self._weights, recognition=True, device=self._device, threads=self._threads, streams=self._streams
        )
        self._symbols = alphabet(self._session.characters())

    def close(self) -> None:
        self._session = None

    def run(self, batch: Sequence[Image | CutLine]) -> list[Reading | Unfinished]:
        lines = [one if isinstance(one, CutLine) else _cut(fitted(one)) for one in batch]
        parts = [line.next_pieces() for line in lines]
        columns = _PIXELS_AT_ONCE if self._device == "cpu" else _COUNTED * len(batch)
        readings = iter(self._read([piece for line in parts for piece in line], columns))
        return [
            replace(line, readings=line.readings + list(islice(readings, len(part)))).so_far()
            for line, part in zip(lines, parts, strict=True)
        ]

    def _read(self, lines: Sequence[Image], columns: int) -> list[Reading]:
        assert self._session is not None
        groups = _groups([_padded_width(line.shape[1]) for line in lines], columns)
        outputs = self._session.infer([_stacked([lines[i] for i in group], width) for width, group in groups])
        readings: dict[int, Reading] = {}
        for (_, group), (classes, probabilities) in zip(groups, outputs, strict=True):
            for row, index in enumerate(group):
                filled = lines[index].shape[1] / COLUMN_WIDTH
                readings[index] = decode(classes[row], probabilities[row], self._symbols, filled)
        return [readings[index] for index in range(len(lines))]


def _cut(line: Image) -> CutLine:
    return CutLine(line, pieces(line, _LONGEST))


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


def _groups(widths: Sequence[int], columns: int) -> list[tuple[int, list[int]]]:
    """Indices of lines of one width each, of at most `columns` together, widest first."""
    by_width: dict[int, list[int]] = {}
    for index, width in enumerate(widths):
        by_width.setdefault(width, []).append(index)
    groups = []
    for width in sorted(by_width, reverse=True):
        lines, at_once = by_width[width], max(1, columns // width)
        groups += [(width, lines[start : start + at_once]) for start in range(0, len(lines), at_once)]
    return groups


def _stacked(lines: Sequence[Image], width: int) -> Pictures:
    stack = np.full((len(lines), LINE_HEIGHT, width, 3), _PADDING, np.uint8)
    for row, line in zip(stack, lines, strict=True):
        row[:, : line.shape[1]] = line
    return stack
