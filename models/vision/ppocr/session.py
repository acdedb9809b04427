"""Interface of PP-OCR's two networks, as functions of 8-bit RGB pictures, for all runtimes."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
"""Array of batch × height × width × 3, RGB."""
Shape = tuple[int, int, int]
"""Number, height and width of the pictures of one inference."""


class OcrSession(Protocol):
    """A compiled network. Several threads may call it."""

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        """Return the outputs for each batch, in order; batches may be computed at the same time. A session on a card
        takes the shapes for which it was opened, and no others.

        Detection: (probability of text, float32, batch × height × width), for sides that are multiples of 32.
        Recognition: (most likely class, int32, batch × columns; its probability, float32, batch × columns), for
        pictures 48 px high; a column is 8 px wide.
        """

    def characters(self) -> str:
        """Return the recogniser's alphabet from its file, one character per line; empty for a detector."""
