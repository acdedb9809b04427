"""Defines the pages of a Word document."""

from collections.abc import Mapping
from typing import NamedTuple

from tasks.inputs.office.measures import TWIPS, points

_LETTER = (612.0, 792.0)
_INCH = 72.0


class PaperSize(NamedTuple):
    """The page of a document, in points."""

    width: float = _LETTER[0]
    height: float = _LETTER[1]
    left: float = _INCH
    right: float = _INCH
    top: float = _INCH
    bottom: float = _INCH

    def misses(self, left: float, width: float, top: float = 0.0, height: float = 1.0) -> bool:
        """True if a rectangle is outside the page."""
        return left >= self.width or left + width <= 0 or top >= self.height or top + height <= 0

    def position(self, written: Mapping[str, str], names: tuple[str, str, str, str]) -> tuple[float, float]:
        """Return where a frame or a table stands that attributes with these names position."""
        left, top, horizontal, vertical = (written.get(name) for name in names)
        across, down = points(left, TWIPS) or 0.0, points(top, TWIPS) or 0.0
        return (
            across if horizontal == "page" else across + self.left,
            down if vertical == "page" else down + self.top,
        )
