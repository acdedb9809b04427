"""The engine that finds lines of text in a picture."""

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
from models.vision.ppocr.scales import choose_scales
from models.vision.ppocr.session import OcrSession
from models.vision.text import Image

_SIDE_MULTIPLE, _CARD_SIDE_MULTIPLE = 64, 512
"""The sides of the network's input are multiples of the first number on a CPU, and of the second on a card. This limits
the number of shapes, because each new shape takes memory, and time for compilation."""

_TILE, _CARD_TILE = (512, 1024), (1024, 1024)
"""Greatest height and width of a tile in pixels, on a CPU and on a card. A larger picture is cut into tiles. The memory
of an inference grows with its input, and so does the time for which the work of another key waits: a third of an A4
page, 448 × 704 pixels, takes 0.08 s on two cores. A tile is wider than it is high, because a cut through a line of text
may spoil it."""

_OVERLAP = 64
"""Each tile overlaps its neighbours by this many pixels."""

_LARGE_LINE = 120.0
"""Lines of at least this height, in pixels of the network's input, are searched for again at a coarser scale. In such
lines, the gaps between letters are so wide that the network divides the line into several boxes."""


_LEAST_CONTRAST = 12
"""Paper whose red, green and blue levels differ by less than this is blank."""
_MARGIN = 0.2
"""The edges of a line, as a part of its height, in which letters of other lines may be."""


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

    def __init__(self, weights: Path, *, device: str = CPU, threads: int | None = None) -> None:
        self._weights = weights
        self._device = device
        self._threads = threads or available_cpus()
        self._side_multiple = _SIDE_MULTIPLE if device == CPU else _CARD_SIDE_MULTIPLE
        self._tile = _TILE if device == CPU else _CARD_TILE
        self._session: OcrSession | None = None

    def load(self) -> None:
        heights, widths = (range(self._side_multiple, side + 1, self._side_multiple) for side in self._tile)
        self._session = open_session(
            self._weights,
            recognition=False,
            device=self._device,
            threads=self._threads,
            streams=1,
            card_shapes=[(1, height, width) for height in heights for width in widths],
        )

    def close(self) -> None:
        self._session = None

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
