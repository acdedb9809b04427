"""The grey levels and the ink of a page after it was turned upright and flattened, in which boxes and rulings are
searched for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.vision.page_geometry import PageGeometry, Points
from models.vision.text import Image, Point, Quad

_LONGEST_SIDE = 2400
"""Length of the longer side, in pixels, above which a picture is scaled down before the search."""
_LEAST_CONTRAST = 12
"""Ink differs from its surroundings by at least this many grey levels."""


Grey = NDArray[np.uint8]
"""Array of height × width."""


def scaled_down(grey: Grey, scale: float) -> Grey:
    """Return `grey` at `scale` (less than 1), with at least one pixel along each side."""
    import cv2

    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


class UprightGrey:
    """The grey levels of one picture on its page. Each scale is computed only once, because flattening is the slowest
    step."""

    def __init__(self, picture: Image, geometry: PageGeometry) -> None:
        self.geometry = geometry
        self._picture = picture
        self._known: dict[float, tuple[Grey, Point, float]] = {}

    def at_most(self, longest_side: int) -> tuple[Grey, Point, float]:
        """Return the page, scaled down if the picture has a longer side than `longest_side`; the point of the page that
        its first pixel shows; and the number of pixels per unit of the page."""
        scale = min(1.0, longest_side / max(self._grey.shape))
        if scale not in self._known:
            self._known[scale] = self._scaled(scale)
        return self._known[scale]

    def _scaled(self, scale: float) -> tuple[Grey, Point, float]:
        if not self.geometry.is_upright:
            return self.geometry.flattened(self._grey, scale)
        if scale == 1:
            return self._grey, (0.0, 0.0), scale
        return scaled_down(self._grey, scale), (0.0, 0.0), scale

    @cached_property
    def _grey(self) -> Grey:
        import cv2

        return np.asarray(cv2.cvtColor(self._picture, cv2.COLOR_RGB2GRAY), np.uint8)


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
    def of_grey(cls, page: UprightGrey, line_height: float) -> "UprightInk":
        """Return the ink of a page with lines of usually `line_height`, in pixels of the picture."""
        import cv2

        grey, corner, scale = page.at_most(_LONGEST_SIDE)
        height = line_height * scale
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
