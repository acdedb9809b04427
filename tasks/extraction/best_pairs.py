"""Pairs the fields of a list with the columns of a table."""

import numpy as np
from numpy.typing import NDArray


def best_pairs(worth: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Return pairs of a row and a column of `worth`, by row, those of most worth first chosen. Each row and each column
    is in at most one pair."""
    left = np.array(worth, np.float64)
    pairs = []
    for _ in range(min(left.shape)):
        row, column = map(int, np.unravel_index(int(left.argmax()), left.shape))
        pairs.append((row, column))
        left[row], left[:, column] = -np.inf, -np.inf
    return sorted(pairs)
