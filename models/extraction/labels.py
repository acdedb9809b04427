"""A small model that compares labels printed on documents with the names of fields, in the languages it was fitted to.

A text is the mean of the vectors of its words and of their groups of letters, as in fastText (Bojanowski et al., 2017,
arXiv:1607.04606). `training/extraction/labels.py` fits the vectors, so that a field's name and the label of its value
are alike.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.extraction.stored_model import StoredModel

Matrix = NDArray[np.float32]

FILE = Path(__file__).with_name("labels.npz")
GROUPS = 32_768
"""Number of vectors. Groups of letters with the same hash share one."""
SIZES = (3, 4, 5)
"""Numbers of letters in a group."""
MOST_LETTERS = 120
"""At most this many letters of a text are compared."""
_WORD = re.compile(r"[^\W_]+")
_IDEOGRAPHS = "\u2e80"
"""The first of the letters, such as Chinese ones, of which two are already a group."""


def groups_of(text: str) -> list[int]:
    """Return the indices of the vectors of a text: of its words and of their groups of letters."""
    return [zlib.crc32(group.encode()) % GROUPS for group in _groups(text[:MOST_LETTERS].casefold())]


def _groups(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        whole = f"<{word}>"
        yield whole
        for size in (2, *SIZES) if word[0] >= _IDEOGRAPHS else SIZES:
            yield from (f"{size}{whole[at : at + size]}" for at in range(len(whole) - size + 1))


class LabelModel(StoredModel):
    """Compares labels with names of fields."""

    def __init__(self, file: Path = FILE) -> None:
        super().__init__(file)

    @cached_property
    def _vectors(self) -> Matrix:
        return self._arrays["vectors"].astype(np.float32)

    @property
    def dimensions(self) -> int:
        return int(self._vectors.shape[1])

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Return the vectors of texts, of length 1; zeros for a text without letters and figures."""
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(found, texts, strict=True):
            if groups := groups_of(text):
                row[:] = self._vectors[groups].sum(axis=0)
                row /= max(1e-6, float(np.linalg.norm(row)))
        return found

    def probability(self, cosine: float) -> float:
        """Return the calibrated probability that a label with this cosine is the label of the field."""
        slope, bias = self._arrays["probability"].tolist()
        return float(1 / (1 + np.exp(-(slope * cosine + bias))))


@lru_cache(maxsize=1)
def label_model() -> LabelModel:
    """Return the model that is shipped."""
    return LabelModel()
