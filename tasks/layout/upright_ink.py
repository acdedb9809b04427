"""The ink of a picture, seen on the upright and flat page: what searches for drawn boxes and combs look at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vision.page_geometry import PageGeometry, Points
from models.vision.text import Image, Point, Quad, TextLine
from tasks.layout.rulings import skew_of

_LONGEST_SIDE = 2400
"""Longest side in pixels of a picture that is searched; larger ones are scaled down."""
_FAINTEST = 12
"""Least difference in grey levels between ink and its surroundings."""


@dataclass(frozen=True, slots=True)
class UprightInk:
    grey: NDArray[np.uint8]
    """Height × width, grey levels of the upright page."""
    ink: NDArray[np.uint8]
    """Height × width, 255 where the page is darker than its surroundings, else 0."""
    height: float
    """Usual height of the page's lines in pixels of `ink`."""
    corner: Point
    """The point of the upright page that the first pixel of `ink` shows."""
    scale: float
    """Pixels of `ink` per unit of the upright page."""
    geometry: PageGeometry

    @classmethod
    def of_picture(cls, picture: Image, lines: Sequence[TextLine], geometry: PageGeometry) -> "UprightInk":
        """Return the ink of `picture`, whose text stands in `lines`."""
        import cv2

        _, height = skew_of(lines)
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        scale = min(1.0, _LONGEST_SIDE / max(grey.shape))
        corner = 0.0, 0.0
        if not geometry.is_upright:
            grey, corner, scale = geometry.flattened(grey, scale)
        elif scale < 1:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height *= scale
        around = 2 * int(1.5 * height) + 3
        ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, around, _FAINTEST)
        return cls(np.asarray(grey, np.uint8), np.asarray(ink, np.uint8), height, corner, scale, geometry)

    def pixels(self, quads: Sequence[Quad]) -> Points:
        """Return where corners on the upright page (n × 4 × 2) are in `ink`."""
        return np.asarray((np.array(quads, np.float64).reshape(-1, 4, 2) - self.corner) * self.scale)

    def source_quads(self, boxes: Sequence[tuple[float, float, float, float]]) -> list[Quad]:
        """Return the places in the picture of boxes (left, top, right, bottom) in pixels of `ink`."""
        if not boxes:
            return []
        corners = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes]
        places = self.geometry.source(np.array(corners, np.float64) / self.scale + self.corner).tolist()
        return [((ax, ay), (bx, by), (cx, cy), (dx, dy)) for (ax, ay), (bx, by), (cx, cy), (dx, dy) in places]
