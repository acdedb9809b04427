"""The engine that finds lines of text in a picture.

The network finds lines whose letters are between about 6 and 400 px high at its input (measured on rendered text: all
lines were found from a font size of 8 px up). A search at a moderate scale suffices for nearly every page. The picture
is searched again, at a finer scale, only if some words are too small in the first search.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import available_cpus
from models.devices.device import CPU
from models.vision.ppocr.contours import Quads, text_quads
from models.vision.ppocr.runtimes import open_session
from models.vision.ppocr.session import OcrSession, Shape
from models.vision.text import Image

_SIDE_MULTIPLE = 64
"""The sides of the network's input are multiples of this number on a CPU. This limits the number of shapes, because
each new shape takes memory, and time for compilation."""

_TILE, _CARD_SIDE = (512, 1024), 1024
"""Greatest height and width of a tile in pixels on a CPU, and the sides of every tile on a card. A larger picture is
cut into tiles. The memory of an inference grows with its input, and so does the time for which the work of another key
waits: a third of an A4 page, 448 × 704 pixels, takes 0.08 s on two cores. A tile is wider than it is high, because a
cut through a line of text may spoil it."""

_OVERLAP = 64
"""Each tile overlaps its neighbours by this many pixels."""

_LARGE_LINE = 120.0
"""Lines of at least this height, in pixels of the network's input, are searched for again at a coarser scale. In such
lines, the gaps between letters are so wide that the network divides the line into several boxes."""


_LEAST_CONTRAST = 12
"""Paper whose red, green and blue levels differ by less than this is blank."""
_MARGIN = 0.2
"""The edges of a line, as a part of its height, in which letters of other lines may be."""

_COARSE_AREA = 0.65e6
"""Number of pixels of the picture in the first search: an A4 page has 960 × 680."""

_RELIABLE_HEIGHT = 9.0
"""The first search may miss lines that are lower than this, in pixels of this search."""

_FINE_HEIGHT = 12.0
"""Height of the smallest lines in the fine search, in pixels."""

_LEAST_HEIGHT = 5
"""Lines that are lower than this, in pixels of the picture, do not count, because they are illegible at any scale."""

_SLENDER = 4.0
"""A bar may be a line of text if the ratio of width to height is at least this."""

_LEAST_SMALL_TEXT = 6.0
"""A fine search is made only if all small lines together have at least this width, relative to their height. This is
the width of a word of about ten letters."""

_INK_CONTRAST = 40
"""Ink differs from the paper by more than this many grey levels."""
_BAND_PIXELS = 4_000_000
"""Bars are searched for in at most this many pixels of a picture of more than _WHOLE_PIXELS at a time, because the
search takes ten times their memory."""
_WHOLE_PIXELS = 16_000_000


@dataclass(frozen=True, slots=True)
class Scales:
    """Scale factors from the picture to the detector's input."""

    coarse: float
    fine: float | None
    """Factor of the fine search; None if the coarse search suffices."""


@dataclass(frozen=True, slots=True)
class _Tile:
    """One of the overlapping tiles of a large picture, along one axis."""

    seen: slice
    """Extent of the tile in the picture, including its overlap."""
    kept: slice
    """Part of the picture whose result comes from this tile."""
    inside: slice
    """Position of `kept` inside the tile."""


class TextDetector:
    """Implementation of `models.base.Engine` that finds lines of text in pictures (RGB, any size).

    A result is N × 4 × 2 float32: the corners of each line in pixels of the picture. They begin with the top left
    corner and continue clockwise; the first side slopes by at most 45°.
    """

    def __init__(
        self, weights: Path, *, device: str = CPU, threads: int | None = None, card_mb: int | None = None
    ) -> None:
        self._weights = weights
        self._device = device
        self._threads = threads or available_cpus()
        self._card_mb = card_mb
        self._side_multiple = _SIDE_MULTIPLE if device == CPU else _CARD_SIDE
        self._tile = _TILE if device == CPU else (_CARD_SIDE, _CARD_SIDE)
        self._session: OcrSession | None = None

    def load(self) -> None:
        self._session = open_session(
            self._weights,
            recognition=False,
            device=self._device,
            threads=self._threads,
            streams=1,
            card_shapes=self.card_shapes(),
            card_mb=self._card_mb,
        )

    def close(self) -> None:
        self._session = None

    @staticmethod
    def card_shapes() -> list[Shape]:
        """Return the shapes of all inputs on a card."""
        return [(1, _CARD_SIDE, _CARD_SIDE)]

    def run(self, batch: Sequence[Image]) -> list[Quads]:
        return [self._lines(one) for one in batch]

    def _lines(self, image: Image) -> Quads:
        scales = choose_scales(image)
        lines = self._search(image, scales.coarse)
        if len(lines) and _short_sides(lines).max() * scales.coarse >= _LARGE_LINE:
            coarser = self._search(image, scales.coarse / 4)
            lines = _merge_searches(coarser, lines, scales.coarse)
        if scales.fine is not None:
            finer = self._search(image, scales.fine)
            lines = _merge_searches(lines, finer, scales.fine)
        return lines

    def _search(self, image: Image, scale: float) -> Quads:
        height, width = image.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
        probability = self._probability(resized)
        quads = _without_blank(resized, text_quads(probability))
        quads *= np.array((width / size[0], height / size[1]), np.float32)
        return np.asarray(quads.clip(0, (width, height)), np.float32)

    def _probability(self, picture: Image) -> NDArray[np.float32]:
        """Compute the probability of text at each pixel, in overlapping tiles if the picture is large."""
        assert self._session is not None
        height, width = picture.shape[:2]
        tile_height, tile_width = self._tile
        whole = np.zeros((height, width), np.float32)
        for rows in tiles(height, side=tile_height, overlap=_OVERLAP):
            for columns in tiles(width, side=tile_width, overlap=_OVERLAP):
                tile, top, left = _padded(picture[rows.seen, columns.seen], self._side_multiple)
                (probability,) = self._session.infer([tile[None]])[0]
                whole[rows.kept, columns.kept] = probability[0, top:, left:][rows.inside, columns.inside]
        return whole


def choose_scales(image: Image) -> Scales:
    height, width = image.shape[:2]
    coarse = min(1.0, (_COARSE_AREA / (height * width)) ** 0.5)
    if coarse > 0.9:
        return Scales(coarse, None)
    limit = _RELIABLE_HEIGHT / coarse
    across, down = [], []
    rows = max(1, _BAND_PIXELS // width) if height * width > _WHOLE_PIXELS else height
    for top in range(0, height, rows):
        grey = cv2.cvtColor(image[top : top + rows], cv2.COLOR_RGB2GRAY)
        across.append(_bars(grey, limit))
        down.append(_bars(np.asarray(cv2.transpose(grey), np.uint8), limit))
    # Letters that happen to be aligned vertically look like a few short vertical lines.
    bars = max(_Bars.of_all(across), _Bars.of_all(down), key=lambda bars: bars.lengths.sum())
    small = bars.lower_than(limit)
    if small.lengths.sum() < _LEAST_SMALL_TEXT:
        return Scales(coarse, None)
    return Scales(coarse, min(1.0, max(_FINE_HEIGHT / small.low_height(), 1.25 * coarse)))


@dataclass(frozen=True, slots=True)
class _Bars:
    """Shapes in a picture that look like lines of text."""

    heights: NDArray[np.float64]
    """Heights in pixels."""
    lengths: NDArray[np.float64]
    """Widths in units of the height."""

    @classmethod
    def of_all(cls, bands: Sequence["_Bars"]) -> "_Bars":
        return cls(np.concatenate([band.heights for band in bands]), np.concatenate([band.lengths for band in bands]))

    def lower_than(self, limit: float) -> "_Bars":
        low = self.heights < limit
        return _Bars(self.heights[low], self.lengths[low])

    def low_height(self) -> float:
        """Return the height below which a fifth of the text is."""
        order = self.heights.argsort()
        share = self.lengths[order].cumsum() / self.lengths.sum()
        return float(self.heights[order][int(share.searchsorted(0.2))])


def _bars(grey: NDArray[np.uint8], limit: float) -> _Bars:
    """Return the bars of lines up to about `limit` pixels high: their upright strokes, joined along x across the gaps
    between words."""
    # The edges of upright strokes suffice to find text. Rules and outlines of large letters have few of them.
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((1, 2), np.uint8))
    ink = (edges > _INK_CONTRAST).astype(np.uint8)
    # A table's upright rules are removed, because they would join its rows.
    ink -= cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((round(2 * limit), 1), np.uint8))
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, max(3, round(limit))), np.uint8))
    blobs = cv2.connectedComponentsWithStats(joined, connectivity=4)[2][1:]
    wanted = (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)
    width, height, area = (blobs[:, column].astype(np.float64) for column in wanted)
    bars = (height >= _LEAST_HEIGHT) & (width >= _SLENDER * height) & (area > 0.5 * width * height)
    return _Bars(height[bars], width[bars] / height[bars])


def _without_blank(picture: Image, quads: Quads) -> Quads:
    """Return the `quads` except large ones with blank paper in their middle, which the network takes for large lines
    where much of a page is blank."""
    is_kept = np.ones(len(quads), bool)
    sides = _short_sides(quads)
    for index in np.flatnonzero(sides >= _LARGE_LINE):
        low, high = (quads[index].min(0), quads[index].max(0)) + np.array([[1], [-1]]) * _MARGIN * sides[index]
        (left, top), (right, bottom) = low.clip(0).astype(int), high.astype(int)
        middle = picture[top:bottom, left:right]
        is_kept[index] = middle.size == 0 or int(middle.max()) - int(middle.min()) >= _LEAST_CONTRAST
    return quads[is_kept]


def _merge_searches(coarse: Quads, fine: Quads, scale: float) -> Quads:
    """Return the lines of two searches, each line from the search that finds it better. `scale` is that of the finer
    search."""
    height, fine_height = _short_sides(coarse), _short_sides(fine)
    overlap = _overlap(coarse, fine)
    # The coarse search finds a block of small print as one large box, or two of its lines as one.
    block = (overlap * (fine_height < 0.7 * height[:, None])).sum(1) > 0.3
    large = ~block & (height * scale >= _LARGE_LINE)
    missed = ~block & (overlap.sum(1) < 0.3)
    news = (_overlap(fine, coarse[large]).sum(1) < 0.3) & (fine_height * scale < 1.5 * _LARGE_LINE)
    return np.concatenate((coarse[large | missed], fine[news]))


def _padded(tile: Image, multiple: int) -> tuple[Image, int, int]:
    """Return `tile` in the middle of a canvas whose sides are multiples of `multiple`, and the row and column of its
    top left corner."""
    height, width = tile.shape[:2]
    below, right = -height % multiple, -width % multiple
    top, left = below // 2, right // 2
    framed = cv2.copyMakeBorder(tile, top, below - top, left, right - left, cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8), top, left


def _short_sides(quads: Quads) -> NDArray[np.float32]:
    edges = np.linalg.norm(quads - np.roll(quads, -1, 1), axis=2)
    return np.asarray(edges.min(1), np.float32)


def _overlap(quads: Quads, others: Quads) -> NDArray[np.float32]:
    """Return the share of each of `quads` that each of `others` covers, N × M. All quadrilaterals are treated as
    upright rectangles."""
    low, high = quads.min(1)[:, None], quads.max(1)[:, None]
    shared = (np.minimum(high, others.max(1)) - np.maximum(low, others.min(1))).clip(0).prod(2)
    return np.asarray(shared / np.maximum((high - low).prod(2), 1), np.float32)


def tiles(length: int, *, side: int, overlap: int) -> Iterator[_Tile]:
    """Yield equal tiles of at most `side` pixels. Each includes `overlap` pixels of its neighbours on either side."""
    count = 1 if length <= side else -(-length // (side - 2 * overlap))
    for index in range(count):
        start, stop = length * index // count, length * (index + 1) // count
        first, last = max(0, start - overlap), min(length, stop + overlap)
        yield _Tile(slice(first, last), slice(start, stop), slice(start - first, stop - first))
