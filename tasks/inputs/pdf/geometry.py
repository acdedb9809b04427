"""Rectangles in the space of a PDF page, and that space on the picture of the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import pypdfium2

from models.vision.text import Point


class Box(NamedTuple):
    """In points of the page's own space, y growing upwards."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def around(cls, points: Iterable[Point]) -> Self:
        """The smallest box that holds all of `points`, of which there is at least one."""
        xs, ys = zip(*points, strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        return (
            (self.left, self.bottom),
            (self.right, self.bottom),
            (self.right, self.top),
            (self.left, self.top),
        )

    @property
    def centre(self) -> Point:
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    @property
    def area(self) -> float:
        return max(0.0, self.right - self.left) * max(0.0, self.top - self.bottom)

    def contains(self, point: Point) -> bool:
        return self.left <= point[0] <= self.right and self.bottom <= point[1] <= self.top

    def grown(self, by: float) -> "Box":
        return Box(self.left - by, self.bottom - by, self.right + by, self.top + by)

    def clipped(self, other: "Box") -> "Box":
        return Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as it is displayed: cut to its crop box, turned by its /Rotate, `width` x `height` pixels large."""

    box: Box
    """The part of the page's space that is displayed."""
    rotation: int
    """Degrees clockwise: 0, 90, 180 or 270."""
    width: int
    height: int

    @classmethod
    def of(cls, page: pypdfium2.PdfPage, width: int, height: int) -> Self:
        return cls(Box(*page.get_bbox()), page.get_rotation(), width, height)

    def pixel(self, x: float, y: float) -> Point:
        """Where the point (x, y) of the page's space is on the picture."""
        left, bottom, right, top = self.box
        across, along = (right - left) or 1.0, (top - bottom) or 1.0
        match self.rotation:
            case 90:
                u, v = (y - bottom) / along, (x - left) / across
            case 180:
                u, v = (right - x) / across, (y - bottom) / along
            case 270:
                u, v = (top - y) / along, (right - x) / across
            case _:
                u, v = (x - left) / across, (top - y) / along
        return u * self.width, v * self.height
