"""The engine that finds the lines of text in a picture.

From the detector's probability map to quadrilaterals: the post-processing of Differentiable Binarization.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020), section 3.4. A text region
of the map is a shrunken text line; it is fitted by a rectangle that is grown back by area × ratio / perimeter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Parts, Unfinished, available_cpus, next_part
from models.vision.ppocr.session import Session, open_session
from models.vision.text import Image

Quads = NDArray[np.float32]
"""N × 4 × 2: x, y of the top left, top right, bottom right and bottom left corner."""

_TEXT_THRESHOLD = 0.3
_SMALLEST_REGION = 3.0
_SMALLEST_BOX = 5.0
_MOST_REGIONS = 3000
_LEAST_SCORE = 0.4
"""Regions less probable in the mean are left out. PP-OCR's own is 0.5, and its ratio 1.6: in RapidOCR, on 28 scanned
receipts, these found 96.8 % of the words instead of 95.5 %."""
_RATIO = 1.8
"""The ratio in the formula above."""


_LARGE_PICTURE = 16_000_000
"""Pixels from which on what is done to all of them is a part of its own: each takes some tenths of a second."""
_PART = 64_000_000
"""Pixels in the boxes of regions that are looked at in one part: three thousand boxes, each as large as the picture,
would take minutes."""

Search = Image | Parts[Quads]
"""A picture, or what is left to do of its search."""


def _is_large(picture: NDArray[np.uint8]) -> bool:
    height, width = picture.shape[:2]
    return bool(height * width > _LARGE_PICTURE)


def text_quads(probability: NDArray[np.float32]) -> Parts[Quads]:
    """Quadrilaterals in pixels of `probability` (height × width)."""
    # The dilation joins regions that touch at a corner.
    mask = cv2.dilate((probability > _TEXT_THRESHOLD).astype(np.uint8), np.ones((2, 2), np.uint8))
    if _is_large(mask):
        yield
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    if _is_large(mask):
        yield
    quads = []
    looked_at = 0
    for size, contour in _largest(contours):
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _SMALLEST_REGION:
            continue
        looked_at += size
        if looked_at > _PART:
            yield
            looked_at = size
        if _mean_inside(probability, cv2.boxPoints((centre, (width, height), angle))) < _LEAST_SCORE:
            continue
        margin = 2 * _RATIO * width * height / (2 * (width + height))
        if min(width, height) + margin < _SMALLEST_BOX:
            continue
        quads.append(_ordered(cv2.boxPoints((centre, (width + margin, height + margin), angle))))
    return np.array(quads, np.float32).reshape(-1, 4, 2)


def _largest(contours: Sequence[NDArray[np.int32]]) -> list[tuple[int, NDArray[np.int32]]]:
    """With the pixels of their boxes. Texture, and letters far too large for the search, leave thousands of specks;
    text is larger than those."""
    boxes = ((cv2.boundingRect(contour), contour) for contour in contours)
    sized = [(w * h, contour) for (_, _, w, h), contour in boxes if min(w, h) >= _SMALLEST_REGION]
    if len(sized) > _MOST_REGIONS:
        sized = sorted(sized, key=lambda one: one[0], reverse=True)[:_MOST_REGIONS]
    return sized


def _mean_inside(probability: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    height, width = probability.shape
    left, top = np.floor(corners.min(0)).astype(int).clip(0, (width - 1, height - 1))
    right, bottom = np.ceil(corners.max(0)).astype(int).clip(0, (width - 1, height - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(probability[top : bottom + 1, left : right + 1], mask)[0])


def _ordered(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clockwise, starting with the corner whose outgoing edge points most to the right."""
    edges = np.roll(corners, -1, 0) - corners
    directions = edges[:, 0] / np.maximum(np.hypot(edges[:, 0], edges[:, 1]), 1e-6)
    return np.roll(corners, -int(directions.argmax()), 0)


# At which scales a picture must be searched for text.
#
# The detector finds lines whose letters are between about 6 and 400 px high at its input (measured on rendered text:
# all lines found from a font size of 8 px up). A picture of moderate area serves for nearly every page; only where
# its words would become too small is the picture searched again, finer.
_COARSE_AREA = 0.65e6
"""Pixels of the first search: an A4 page at 960 × 680."""
_SMALLEST_SURE = 9.0
"""Height of a line of text in the first search, in its pixels, below which it may be missed."""
_FINE_HEIGHT = 12.0
"""Height that the fine search gives to the smallest lines."""
_LEAST_HEIGHT = 5
"""In the picture's own pixels; what is lower cannot be read anyway."""
_SLENDER = 4.0
"""Width over height from which a bar may be a line of text."""
_TEXT_THAT_MATTERS = 6.0
"""Width of all small lines together, over their height: a word of ten letters."""
_EDGE = 40
"""Grey levels between ink and paper."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Factors from the picture's pixels to the detector's."""

    coarse: float
    fine: float | None
    """None when the coarse search sees everything."""


_BAND = 4_000_000
"""Pixels of a large picture that are looked at for bars in one part: it takes ten times their memory."""


def choose_scales(image: Image) -> Parts[Scales]:
    height, width = image.shape[:2]
    coarse = min(1.0, (_COARSE_AREA / (height * width)) ** 0.5)
    if coarse > 0.9:
        return Scales(coarse, None)
    limit = _SMALLEST_SURE / coarse
    across, down = [], []
    rows = max(1, _BAND // width) if _is_large(image) else height
    for top in range(0, height, rows):
        if top:
            yield
        grey = cv2.cvtColor(image[top : top + rows], cv2.COLOR_RGB2GRAY)
        across.append(_bars(grey, limit))
        down.append(_bars(np.ascontiguousarray(grey.T), limit))
    # Letters that happen to stand above each other look like a few short lines running down.
    bars = max(_Bars.of_all(across), _Bars.of_all(down), key=lambda bars: bars.lengths.sum())
    small = bars.lower_than(limit)
    if small.lengths.sum() < _TEXT_THAT_MATTERS:
        return Scales(coarse, None)
    return Scales(coarse, min(1.0, max(_FINE_HEIGHT / small.low_height(), 1.25 * coarse)))


@dataclass(frozen=True, slots=True)
class _Bars:
    """What looks like lines of text."""

    heights: NDArray[np.float64]
    """In pixels."""
    lengths: NDArray[np.float64]
    """Widths in units of the height."""

    @classmethod
    def of_all(cls, bands: Sequence["_Bars"]) -> "_Bars":
        return cls(np.concatenate([band.heights for band in bands]), np.concatenate([band.lengths for band in bands]))

    def lower_than(self, limit: float) -> "_Bars":
        low = self.heights < limit
        return _Bars(self.heights[low], self.lengths[low])

    def low_height(self) -> float:
        """The height up to which a fifth of the text goes."""
        order = self.heights.argsort()
        share = self.lengths[order].cumsum() / self.lengths.sum()
        return float(self.heights[order][int(share.searchsorted(0.2))])


def _bars(grey: NDArray[np.uint8], limit: float) -> _Bars:
    """Upright strokes joined along x over the gaps between the words of lines up to about `limit` pixels high."""
    # Of text the edges of upright strokes are enough; rules and the outlines of large letters have few.
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((1, 2), np.uint8))
    ink = (edges > _EDGE).astype(np.uint8)
    # Upright rules of a table would join its rows to one tall blob.
    ink -= cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((round(2 * limit), 1), np.uint8))
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, max(3, round(limit))), np.uint8))
    _, _, blobs, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    columns = (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)
    width, height, area = (blobs[1:, column].astype(np.float64) for column in columns)
    bars = (height >= _LEAST_HEIGHT) & (width >= _SLENDER * height) & (area > 0.5 * width * height)
    return _Bars(height[bars], width[bars] / height[bars])


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile along one axis."""

    seen: slice
    """What the tile covers, its overlap included, in the picture."""
    kept: slice
    """The part of the picture whose result comes from this tile."""
    inside: slice
    """`kept`, counted from the start of `seen`."""


def tiles(length: int, *, side: int, overlap: int) -> Iterator[Tile]:
    """Equal tiles of at most `side` pixels that see `overlap` pixels of their neighbours on either side."""
    count = 1 if length <= side else -(-length // (side - 2 * overlap))
    for index in range(count):
        start, stop = length * index // count, length * (index + 1) // count
        first, last = max(0, start - overlap), min(length, stop + overlap)
        yield Tile(slice(first, last), slice(start, stop), slice(start - first, stop - first))


_SIDE = 128
"""Sides of the network's input are multiples of this: each new shape costs a compilation and memory."""
_TILE = 1024
"""Longest side of one inference where the picture is cut in tiles, in pixels: bounds the memory."""
_OVERLAP = 64
"""What a tile sees of its neighbours on each side."""
_LARGE = 120.0
"""Height of a line, in pixels of a search, from which a coarser one sees it better: letters wider apart than the
network looks fall into several boxes."""


class TextDetector:
    """Finds lines of text in pictures (RGB, any size); implements `models.base.Engine`.

    A result is N × 4 × 2 float32: corners of each line in pixels of the picture, clockwise, starting with the one
    at the top left as the box lies in the picture (within 45° of level).
    """

    def __init__(self, weights: Path, *, device: str = "cpu", threads: int | None = None) -> None:
        self._weights = weights
        self._device = device
        self._threads = threads or available_cpus()
        self._session: Session | None = None

    def load(self) -> None:
        self._session = open_session(
            self._weights, recognition=False, device=self._device, threads=self._threads, streams=1
        )

    def close(self) -> None:
        self._session = None

    def run(self, batch: Sequence[Search]) -> list[Quads | Unfinished]:
        return [next_part(self._lines(one) if isinstance(one, np.ndarray) else one) for one in batch]

    def _lines(self, image: Image) -> Parts[Quads]:
        scales = yield from choose_scales(image)
        if _is_large(image):
            yield
        lines = yield from self._search(image, scales.coarse)
        if len(lines) and _short_sides(lines).max() * scales.coarse >= _LARGE:
            yield
            coarser = yield from self._search(image, scales.coarse / 4)
            lines = _merged(coarser, lines, scales.coarse)
        if scales.fine is not None:
            yield
            finer = yield from self._search(image, scales.fine)
            lines = _merged(lines, finer, scales.fine)
        return lines

    def _search(self, image: Image, scale: float) -> Parts[Quads]:
        height, width = image.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
        if _is_large(image):
            yield
        probability = yield from self._probability(resized)
        if _is_large(image):
            yield
        quads = yield from text_quads(probability)
        quads *= np.array((width / size[0], height / size[1]), np.float32)
        return np.asarray(quads.clip(0, (width, height)), np.float32)

    def _probability(self, picture: Image) -> Parts[NDArray[np.float32]]:
        """Probability of text at each pixel, from overlapping tiles where the picture is large."""
        assert self._session is not None
        height, width = picture.shape[:2]
        whole = np.zeros((height, width), np.float32)
        for rows in tiles(height, side=_TILE, overlap=_OVERLAP):
            for columns in tiles(width, side=_TILE, overlap=_OVERLAP):
                if rows.kept.start or columns.kept.start:
                    yield
                tile, top, left = _framed(picture[rows.seen, columns.seen])
                (probability,) = self._session.infer([tile[None]])[0]
                whole[rows.kept, columns.kept] = probability[0, top:, left:][rows.inside, columns.inside]
        return whole


def _merged(coarse: Quads, fine: Quads, scale: float) -> Quads:
    """The lines of two searches, each seen by the one that sees it better; `scale` is the finer one's."""
    height, fine_height = _short_sides(coarse), _short_sides(fine)
    overlap = _overlap(coarse, fine)
    # To the coarse search a block of small print is one large box, or one line of it with the next.
    block = (overlap * (fine_height < 0.7 * height[:, None])).sum(1) > 0.3
    large = ~block & (height * scale >= _LARGE)
    missed = ~block & (overlap.sum(1) < 0.3)
    news = (_overlap(fine, coarse[large]).sum(1) < 0.3) & (fine_height * scale < 1.5 * _LARGE)
    return np.concatenate((coarse[large | missed], fine[news]))


def _framed(tile: Image) -> tuple[Image, int, int]:
    """`tile` in the middle of a canvas with sides that the network takes, and where its top left corner is."""
    height, width = tile.shape[:2]
    below, right = -height % _SIDE, -width % _SIDE
    top, left = below // 2, right // 2
    framed = cv2.copyMakeBorder(tile, top, below - top, left, right - left, cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8), top, left


def _short_sides(quads: Quads) -> NDArray[np.float32]:
    edges = np.linalg.norm(quads - np.roll(quads, -1, 1), axis=2)
    return np.asarray(edges.min(1), np.float32)


def _overlap(quads: Quads, others: Quads) -> NDArray[np.float32]:
    """Share of each quadrilateral that each of `others` covers, taking both as upright rectangles: N × M."""
    low, high = quads.min(1)[:, None], quads.max(1)[:, None]
    shared = (np.minimum(high, others.max(1)) - np.maximum(low, others.min(1))).clip(0).prod(2)
    return np.asarray(shared / np.maximum((high - low).prod(2), 1), np.float32)
