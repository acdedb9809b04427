"""The two networks of PP-OCR as functions of 8-bit RGB pictures, whichever runtime computes them."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
"""Batch × height × width × 3, RGB."""


class OcrSession(Protocol):
    """A compiled network; may be called from several threads."""

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        """The outputs for each batch, in order; batches may run side by side.

        Detection: (probability of text, float32, batch × height × width), sides multiples of 32.
        Recognition: (most likely class, int32, batch × columns; its probability, float32, batch × columns),
        for pictures 48 px high; a column is 8 px wide.
        """

    def characters(self) -> str:
        """The recogniser's alphabet as its file states it, one character a line; empty for a detector."""
