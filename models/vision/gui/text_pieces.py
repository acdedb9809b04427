"""Divides the text of a screen into pieces that can be elements, by cutting lines at gaps and at changes of colour."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Image, Quad, TextLine, Word

Colour = NDArray[np.float32]
"""Red, green, blue, 0 to 255."""

_MAX_WORD_GAP = 0.85
"""The space between two words of one text is at most this part of the line's height."""
_MAX_INK_DIFFERENCE = 70.0
"""Two words have the same colour if they differ by at most this in each colour channel. The anti-aliasing of thin
letters causes 30 to 50."""

_ASCENDER_HEIGHT, _X_HEIGHT, _DESCENDER_DEPTH = 0.73, 0.55, 0.21
"""Heights as parts of an em: capitals and ascenders above the baseline, other letters above it, and descenders below it
(DejaVu, Roboto and Open Sans within 0.03)."""
_ASCENDING = frozenset("bdfhklt0123456789!?/|()[]{}\"'%&$€£#@")
_DESCENDING = frozenset("gjpqyçşţQ,;()[]{}|/@$")
_IDEOGRAPHS = 0x2E80
"""First code point of the scripts whose letters fill a square."""


@dataclass(frozen=True, slots=True, eq=False)
class TextPiece:
    box: tuple[float, float, float, float]
    text: str
    ink: Colour
    ground: Colour
    pieces_in_line: int
    """Number of pieces in the line of this piece."""
    share: float
    """Share of the line's width that this piece takes."""
    confidence: float = 1.0
    """Mean confidence of the words in this piece."""


def pieces_of(image: Image, lines: Sequence[TextLine]) -> list[TextPiece]:
    """Return the pieces of `lines`, which OCR read in `image`. A line of two colours is returned both as a whole and in
    parts."""
    return [piece for line in lines for piece in _pieces(image, line)]


def _pieces(image: Image, line: TextLine) -> Iterator[TextPiece]:
    left, top, right, bottom = box_of(line.quad)
    height = max(1.0, bottom - top)
    if len(line.words) == 1 or bottom - top > right - left:
        yield _piece(image, line.words, (left, top, right, bottom), 1, 1.0)
        return
    spaced: list[list[Word]] = []
    for word in sorted(line.words, key=lambda one: box_of(one.quad)[0]):
        previous_right = box_of(spaced[-1][-1].quad)[2] if spaced else -np.inf
        if box_of(word.quad)[0] - previous_right > _MAX_WORD_GAP * height:
            spaced.append([])
        spaced[-1].append(word)
    runs = [(words, list(_by_colour(image, words))) for words in spaced]
    total = sum(len(parts) for _, parts in runs)
    for words, parts in runs:
        whole = _around(words)
        # OCR determines the ends of a line more precisely than the ends of its words.
        if words is spaced[0]:
            whole = (left, *whole[1:])
        if words is spaced[-1]:
            whole = (*whole[:2], right, whole[3])
        yield _piece(image, words, whole, len(spaced), (whole[2] - whole[0]) / (right - left))
        if len(parts) > 1:
            for part in parts:
                box = _around(part)
                yield _piece(image, part, box, total, (box[2] - box[0]) / (right - left))


def _by_colour(image: Image, words: Sequence[Word]) -> Iterator[list[Word]]:
    run: list[Word] = []
    previous: Colour | None = None
    for word in words:
        ink, _ = colours(image, box_of(word.quad))
        if previous is not None and float(np.abs(ink - previous).max()) > _MAX_INK_DIFFERENCE:
            yield run
            run = []
        run.append(word)
        previous = ink
    yield run


def _piece(
    image: Image, words: Sequence[Word], box: tuple[float, float, float, float], pieces_in_line: int, share: float
) -> TextPiece:
    ink, ground = colours(image, box)
    confidence = sum(word.confidence for word in words) / len(words)
    return TextPiece(box, " ".join(word.text for word in words), ink, ground, pieces_in_line, share, confidence)


def box_with_em_height(piece: TextPiece) -> tuple[float, float, float, float]:
    """Return the box of `piece`, with the height of its typeface. OCR measures the height of the ink, which is less for
    "so" than for "Also"."""
    left, top, right, bottom = piece.box
    if any(ord(letter) >= _IDEOGRAPHS for letter in piece.text):
        return left, top - 0.06 * (bottom - top), right, bottom + 0.06 * (bottom - top)
    has_tall_letter = any(letter in _ASCENDING or letter.isupper() or ord(letter) > 0x7F for letter in piece.text)
    below = _DESCENDER_DEPTH if any(letter in _DESCENDING for letter in piece.text) else 0.0
    em = (bottom - top) / ((_ASCENDER_HEIGHT if has_tall_letter else _X_HEIGHT) + below)
    baseline = bottom - below * em
    return left, baseline - 0.85 * em, right, baseline + 0.15 * em


def colours(image: Image, box: tuple[float, float, float, float]) -> tuple[Colour, Colour]:
    """Return the colours of the letters and of the background. The background is the median colour of the box. The
    letters' colour is the mean of the tenth of its pixels that differ most from the background."""
    height, width = image.shape[:2]
    left, top = min(max(int(box[0]), 0), width - 1), min(max(int(box[1]), 0), height - 1)
    right, bottom = max(left + 1, min(int(box[2] + 0.5), width)), max(top + 1, min(int(box[3] + 0.5), height))
    step = max(1, round((bottom - top) / 24))
    pixels = image[top:bottom:step, left:right:step].reshape(-1, 3).astype(np.float32)
    ground = np.median(pixels, axis=0)
    distance = np.abs(pixels - ground).max(axis=1)
    is_distant = distance >= np.quantile(distance, 0.9)
    return pixels[is_distant].mean(axis=0), ground


def _around(words: Sequence[Word]) -> tuple[float, float, float, float]:
    boxes = np.array([box_of(word.quad) for word in words])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def box_of(quad: Quad) -> tuple[float, float, float, float]:
    """Return the upright box around `quad`."""
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return min(xs), min(ys), max(xs), max(ys)
