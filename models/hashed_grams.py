"""Pieces of a text as hashed features (Weinberger et al. 2009), for small linear models over letters."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LONGEST_GRAM: Final = 5
_PRIME: Final = np.uint32(16777619)
_MIX: Final = np.uint32(2654435761)


def grams_of(text: str, buckets: int, *, space: int = 1) -> NDArray[np.uint32]:
    """Return the buckets of all pieces of 1 to LONGEST_GRAM characters of a text in small letters. Pieces of texts with
    another `space` differ."""
    # Half of a pair of surrogates, which the file of a user may hold, counts as a character.
    codes = np.frombuffer(f" {' '.join(text.lower().split())} ".encode("utf-32-le", "surrogatepass"), np.uint32)
    hashes = np.full(len(codes) + 1, space, np.uint32)
    found = []
    for length in range(1, min(LONGEST_GRAM, len(codes)) + 1):
        hashes = (hashes[: len(codes) - length + 1] ^ codes[length - 1 :]) * _PRIME + np.uint32(length)
        mixed = hashes * _MIX
        found.append((mixed ^ (mixed >> np.uint32(15))) % np.uint32(buckets))
    return np.concatenate(found)
