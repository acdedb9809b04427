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


_LOW, _TAILED = frozenset("acemnorsuvwxzgpqy"), frozenset("gpqyj,;Q()[]{}|/$@")
_NARROW, _WIDE = frozenset("ijltfrI.,:;'|!()[]/- "), frozenset("mwMW@%&")
_LARGER = 1.45
"""Ratio of the heights of letters from which two texts are set in two sizes."""
_WIDER = 1.2
"""The same of their widths: a box alone is often too high, around a rule of the table or the tail of a letter."""

_FEWEST = 3
"""Letters and digits that show in which size a text is set."""


@dataclass(frozen=True, slots=True)
class TypeSize:
    """How high the capitals of a text are, and how wide its letters, by what stands in it."""

    high: float
    wide: float
    letters: int

    @classmethod
    def of(cls, text: str, height: float, width: float) -> "TypeSize":
        """`text` without spaces, its ink `height` pixels high and its words `width` wide together."""
        letters = [letter for letter in text if letter.isalnum()]
        extent = 0.74 if letters and all(letter in _LOW for letter in letters) else 1.0
        if any(letter in _TAILED for letter in text):
            extent += 0.28
        ems = sum(0.34 if c in _NARROW else 0.92 if c in _WIDE else 0.7 if c.isupper() else 0.6 for c in text)
        return cls(height / extent, width / ems, len(letters))

    def is_another(self, other: "TypeSize") -> bool:
        if min(self.letters, other.letters) < _FEWEST:
            return False
        small, large = sorted((self, other), key=lambda size: size.high)
        return large.high >= _LARGER * small.high and large.wide >= _WIDER * small.wide


class PageReader(Protocol):
    """The `ocr` capability: one upright picture in, its lines out, in no particular order."""

    async def read(self, image: Image, *, wait: bool = False) -> Sequence[TextLine]:
        """Lines of `image`. With `wait`, a full queue is waited for instead of raising EngineOverloaded.

        Raises EngineOverloaded, EngineUnavailable, EngineFailed.
        """

    def place(self) -> AbstractContextManager[Callable[[], None]]:
        """Keeps a place in the queue for a picture that is still to be decoded, until the block ends or what is yielded
        is called, right ahead of `read`. Raises EngineOverloaded where `read` would now."""
