"""What reading a picture yields, whichever engine reads it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Height × width × 3, RGB, upright."""

Point = tuple[float, float]
"""x, y in pixels of the picture that was read; y grows downwards."""

Quad = tuple[Point, Point, Point, Point]
"""Top left, top right, bottom right, bottom left, as the *text* runs: for text turned by 180° the top left
corner is at the bottom right of the box."""

Ruling = tuple[Point, Point]
"""The ends of a straight line that is drawn on a page."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    """Without white space, never empty."""
    quad: Quad
    confidence: float
    """0 to 1, the mean probability of its characters as the engine measured it."""


@dataclass(frozen=True, slots=True)
class TextLine:
    words: tuple[Word, ...]
    """In the direction of the text, never empty."""
    quad: Quad

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class PageReader(Protocol):
    """The `ocr` capability: one upright picture in, its lines out, in no particular order."""

    async def read(self, image: Image, *, wait: bool = False) -> Sequence[TextLine]:
        """Lines of `image`. With `wait`, a full queue is waited for instead of raising EngineOverloaded.

        Raises EngineOverloaded, EngineUnavailable, EngineFailed.
        """

    def place(self) -> AbstractContextManager[Callable[[], None]]:
        """Keeps a place in the queue for a picture that is still to be decoded, until the block ends or what is yielded
        is called, right ahead of `read`. Raises EngineOverloaded where `read` would now."""
