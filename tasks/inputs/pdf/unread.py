"""Which of the pictures on a PDF page hold text that the page does not carry as text."""

import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.vision.text import Point
from tasks.inputs.pdf.geometry import Box

_CELLS = 400
"""Cells along the longer side of the page when areas are compared: 2 points on A4."""
_SCANNED = 0.05
"""Share of a picture that the hidden words in it cover if they are its text: a stamped number does not, a page of
print has three times as much."""
_UNREAD = 0.05
"""Share of the page that pictures without text over them may cover: small logos, not a photo."""
_LEGIBLE = 10, 60
"""Points along the shorter and the longer side of a picture that may hold a line of text. Smaller is a logo."""

Cells = NDArray[np.bool_]
"""Rows from the bottom of the page, columns from its left."""


class Grid:
    """Cells over a page, to compare areas by."""

    def __init__(self, page: Box) -> None:
        self._page = page
        self.cell = max(page.right - page.left, page.top - page.bottom, 1.0) / _CELLS
        """Points on a side."""
        self._shape = (
            max(1, math.ceil((page.top - page.bottom) / self.cell)),
            max(1, math.ceil((page.right - page.left) / self.cell)),
        )

    def cells(self, boxes: Iterable[Box]) -> Cells:
        """Which cells lie in any of `boxes`."""
        covered = np.zeros(self._shape, dtype=bool)
        for box in boxes:
            left, right = (max(0, round((x - self._page.left) / self.cell)) for x in (box.left, box.right))
            bottom, top = (max(0, round((y - self._page.bottom) / self.cell)) for y in (box.bottom, box.top))
            covered[bottom:top, left:right] = True
        return covered

    def at(self, point: Point) -> tuple[int, int]:
        """The index of the cell that `point` lies in, or of the nearest one."""
        (x, y), (rows, columns) = point, self._shape
        row, column = int((y - self._page.bottom) / self.cell), int((x - self._page.left) / self.cell)
        return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)


class Pictures:
    """The pictures of a page. Those that touch are one: scanners cut pages into strips."""

    def __init__(self, boxes: Sequence[Box], grid: Grid) -> None:
        self._grid = grid
        shown = grid.cells(boxes).astype(np.uint8)
        _, self._at, self._places, _ = cv2.connectedComponentsWithStats(shown)
        # self._at has the number of its picture in each cell, and 0 where there is none.
        self._sizes = self._count(shown > 0)
        self._read = np.zeros(len(self._sizes), dtype=bool)

    def read_as(self, hidden: Sequence[Box]) -> list[bool]:
        """Of each of the `hidden` words, whether it is what was read in a picture, which is known from then on."""
        under = self._count(self._grid.cells(hidden))
        self._read = (under > 0) & (under >= _SCANNED * self._sizes)
        return [bool(self._read[self._at[self._grid.at(word.centre)]]) for word in hidden]

    def are_unread(self, text: Cells) -> bool:
        """Whether they may hold more than what was read in them, and `text`."""
        unread = (self._at > 0) & ~self._read[self._at] & ~text
        if unread.mean() > _UNREAD:
            return True
        sides = self._grid.cell * np.sort(self._places[:, (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH)], axis=1)
        legible = (sides[:, 0] >= _LEGIBLE[0]) & (sides[:, 1] >= _LEGIBLE[1])
        return bool((legible & (2 * self._count(unread) > self._sizes)).any())

    def _count(self, cells: Cells) -> NDArray[np.intp]:
        """How many of `cells` are in each picture, none in what is no picture."""
        counts = np.bincount(self._at[cells], minlength=len(self._places))
        counts[0] = 0
        return counts
