"""The ink of a page after it was turned upright and flattened. Drawn boxes and combs, which are rows of boxes for one
character each, are searched for in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vision.page_geometry import PageGeometry, Points
from models.vision.text import Point, Quad, TextLine
from tasks.layout.rulings import skew_of
from tasks.layout.upright_grey import UprightGrey

_LONGEST_SIDE = 2400
"""Length of the longer side, in pixels, above which a picture is scaled down before the search."""
_LEAST_CONTRAST = 12
"""Ink differs from its surroundings by at least this many grey levels."""


@dataclass(frozen=True, slots=True)
class UprightInk:
    grey: NDArray[np.uint8]
    """Array of height × width: grey levels of the upright page."""
    ink: NDArray[np.uint8]
    """Array of height × width: 255 where the page is darker than its surroundings, else 0."""
    line_height: float
    """Usual height of the page's lines in pixels of `ink`."""
    corner: Point
    """Point of the upright page that the first pixel of `ink` shows."""
    scale: float
    """Pixels of `ink` per unit of the upright page."""
    geometry: PageGeometry

    @classmethod
    def of_grey(cls, page: UprightGrey, lines: Sequence[TextLine]) -> "UprightInk":
        """Return the ink of a page whose text is given by `lines`."""
        import cv2

        grey, corner, scale = page.at_most(_LONGEST_SIDE)
        height = skew_of(lines)[1] * scale
        window = 2 * int(1.5 * height) + 3
        ink = cv2.adaptiveThreshold(
            grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, _LEAST_CONTRAST
        )
        return cls(grey, np.asarray(ink, np.uint8), height, corner, scale, page.geometry)

    def pixels(self, quads: Sequence[Quad]) -> Points:
        """Return the pixel coordinates in `ink` of corners on the upright page (n × 4 × 2)."""
        return np.asarray((np.array(quads, np.float64).reshape(-1, 4, 2) - self.corner) * self.scale)

    def source_quads(self, boxes: Sequence[tuple[float, float, float, float]]) -> list[Quad]:
        """Return the places of `boxes` in the picture. The boxes are given as (left, top, right, bottom) in pixels of
        `ink`."""
        if not boxes:
            return []
        corners = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes]
        places = self.geometry.source(np.array(corners, np.float64) / self.scale + self.corner).tolist()
        return [((ax, ay), (bx, by), (cx, cy), (dx, dy)) for (ax, ay), (bx, by), (cx, cy), (dx, dy) in places]
