"""The grey levels of a page after it was turned upright and flattened. Boxes, combs and rulings are searched for in
them."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.vision.page_geometry import PageGeometry
from models.vision.text import Image, Point

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
