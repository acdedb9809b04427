"""Results and interface of text recognition, which all engines share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Array of height × width × 3, RGB, upright."""

Point = tuple[float, float]
"""Position x, y in pixels of the picture; y grows downwards."""

Quad = tuple[Point, Point, Point, Point]
"""Corners of a text in the text's own direction: top left, top right, bottom right, bottom left. For text turned by
180°, the top left corner is the bottom right one in the picture."""

Ruling = tuple[Point, Point]
"""Ends of a straight line that is drawn on a page."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    """Text without white space, never empty."""
    quad: Quad
    confidence: float
    """Mean probability of the characters, according to the engine, 0 to 1."""


@dataclass(frozen=True, slots=True)
class TextLine:
    words: tuple[Word, ...]
    """Words in the direction of the text, never empty."""
    quad: Quad

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class PageText(list[TextLine]):
    """The lines of a picture, in no particular order."""

    def __init__(self, lines: Iterable[TextLine] = (), *, is_illegible: bool = False) -> None:
        """Create the list. `is_illegible` is true if the engine could not read most of the text that it saw."""
        super().__init__(lines)
        self.is_illegible = is_illegible


class PageReader(Protocol):
    """Interface of the capability `ocr`: it returns the lines of an upright picture, in no particular order."""

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        """Return the lines of `image`. If the queue is full, the call waits if `wait` is true, and raises
        EngineOverloaded if not. Also raises EngineUnavailable, EngineFailed."""

    def check_room(self) -> None:
        """Raise EngineOverloaded if the queue has no place for a picture that must still be decoded."""
