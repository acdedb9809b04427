"""Converts the outputs of PaddleOCR's networks into words with places and confidences.

PaddleX can return word boxes itself, but these ignore the slant of a line, contain no white space outside Latin and
Chinese text, and have no confidence.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Point, Quad, TextLine, Word

Corners = NDArray[np.float32]
"""Array of 4 × 2: a Quad for calculations."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A class that the recogniser found in a line."""

    text: str
    """Text of the class: usually one character, but one entry of the Thai dictionary has two."""
    middle: float
    """Position in the line, 0 to 1."""
    probability: float


def decode(probabilities: NDArray[np.float32], symbols: Sequence[str], columns: float) -> list[Symbol]:
    """Return the symbols on CTC's greedy path: a run of one class makes a symbol, a run of blanks (class 0) makes none.

    `probabilities` is columns × classes; the first `columns` of them show the line, the rest shows padding.
    """
    best = probabilities.argmax(axis=1)
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    ends = np.append(starts[1:], len(best))
    return [
        Symbol(symbols[best[start]], min(1.0, float(start + end) / (2 * columns)), float(probabilities[start].max()))
        for start, end in zip(starts, ends, strict=True)
        if best[start] != 0 and start < columns and symbols[best[start]]
    ]


class LineDecoder:
    """Replacement for PaddleX's `CTCLabelDecode`, which drops the probabilities of the characters.

    It returns pairs of text and Symbols; PaddleX's returns pairs of text and word boxes.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        """`symbols` are the recogniser's classes; the first is CTC's blank."""
        self._symbols = symbols

    def __call__(
        self,
        predictions: Sequence[NDArray[np.float32]],
        *,
        wh_ratio_list: Sequence[float],
        max_wh_ratio: float,
        **_: object,
    ) -> tuple[list[tuple[str, list[Symbol]]], list[float]]:
        """Decode `predictions[0]`, which is lines × columns × classes. The ratios determine how many columns a line
        fills."""
        texts, scores = [], []
        for probabilities, ratio in zip(predictions[0], wh_ratio_list, strict=True):
            line = decode(probabilities, self._symbols, len(probabilities) * ratio / max_wh_ratio)
            texts.append(("".join(symbol.text for symbol in line), line))
            scores.append(_confidence(line) if line else 0.0)
        return texts, scores


def line_of(symbols: Sequence[Symbol], corners: Corners) -> TextLine | None:
    """Return the line with its words; None if the recogniser found only white space.

    Two neighbouring symbols meet half-way between their middles; the first and the last symbol extend to the ends of
    the line.
    """
    borders = [(left.middle + right.middle) / 2 for left, right in pairwise(symbols)]
    edges = [0.0, *borders, 1.0]
    words = []
    for blank, run in groupby(range(len(symbols)), key=lambda index: symbols[index].text.isspace()):
        if not blank:
            indices = list(run)
            word = [symbols[index] for index in indices]
            quad = part(corners, edges[indices[0]], edges[indices[-1] + 1])
            words.append(Word("".join(symbol.text for symbol in word), quad, _confidence(word)))
    return TextLine(tuple(in_reading_order(words)), part(corners, 0.0, 1.0)) if words else None


def _confidence(symbols: Sequence[Symbol]) -> float:
    # A softmax in single precision can yield slightly more than 1.
    return min(1.0, float(np.mean([symbol.probability for symbol in symbols])))


def in_reading_order(words: Sequence[Word]) -> list[Word]:
    """Take words in visual order (left to right) and return them in logical (reading) order, with the characters of
    right-to-left words reversed.

    A line with letters of a right-to-left script is read from the right, except for groups of neighbouring words in
    left-to-right scripts (Unicode's bidirectional algorithm, UAX #9, with whole words as its units).
    """
    if not any(_direction(word.text) == "right to left" for word in words):
        return list(words)
    from bidi.algorithm import get_display

    ordered: list[Word] = []
    for direction, run in groupby(reversed(words), key=lambda word: _direction(word.text)):
        if direction == "left to right":
            ordered += reversed(list(run))
        else:
            ordered += (replace(word, text=get_display(word.text, base_dir="R")) for word in run)
    return ordered


def _direction(text: str) -> str:
    classes = {unicodedata.bidirectional(character) for character in text}
    if classes & {"R", "AL"}:
        return "right to left"
    return "left to right" if "L" in classes else "neutral"


def along_text(polygon: NDArray[Any]) -> Corners:
    """Return the corners, starting where the text begins. A box at least 1.5 times as high as wide is taken to contain
    vertical text."""
    corners = np.asarray(polygon, np.float32).reshape(4, 2)
    width, height = size(corners)
    return np.roll(corners, -1, axis=0) if height >= 1.5 * width else corners


def part(corners: Corners, start: float, end: float) -> Quad:
    """Return the part of a line between two fractions of its length."""
    top_left, top_right, bottom_right, bottom_left = corners.astype(np.float64)

    def between(a: NDArray[np.float64], b: NDArray[np.float64], fraction: float) -> Point:
        x, y = a + (b - a) * fraction
        return float(x), float(y)

    return (
        between(top_left, top_right, start),
        between(top_left, top_right, end),
        between(bottom_left, bottom_right, end),
        between(bottom_left, bottom_right, start),
    )


def crop(image: NDArray[np.uint8], corners: Corners) -> NDArray[np.uint8]:
    """Return the inside of `corners` in `image`, straightened; height × width × 3."""
    import cv2

    width, height = (max(1, round(side)) for side in size(corners))
    straight = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    straightened = cv2.warpPerspective(
        image,
        cv2.getPerspectiveTransform(corners, straight),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(straightened, np.uint8)


def size(corners: Corners) -> tuple[float, float]:
    """Width and height of a line: each is the longer of two opposite sides."""
    top_left, top_right, bottom_right, bottom_left = corners
    width = max(np.linalg.norm(top_right - top_left), np.linalg.norm(bottom_right - bottom_left))
    height = max(np.linalg.norm(bottom_left - top_left), np.linalg.norm(bottom_right - top_right))
    return float(width), float(height)
