"""Defines the boxes of detected lines, in coordinates in which the text runs left to right."""

from dataclasses import dataclass

from models.vision.text import TextLine


@dataclass(frozen=True, slots=True)
class LineBox:
    """One detected line, in coordinates rotated so that the text runs left to right."""

    left: float
    top: float
    right: float
    bottom: float
    line: TextLine

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


Row = list[LineBox]
"""Boxes on one visual row from left to right; never empty."""


def is_value(text: str) -> bool:
    """True if `text` has few letters, so that it is an amount, a date or a code and not words."""
    return sum(map(str.isalpha, text)) <= max(2, sum(map(str.isdigit, text)))
