"""Chooses the likeliest sequence of tags for the words of a message."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def best_tags(
    scores: Sequence[NDArray[np.float32]] | NDArray[np.float32],
    first: NDArray[np.float32],
    moves: NDArray[np.float32],
) -> list[int]:
    """Return the tag of each word that together have the highest sum (Viterbi 1967): of the scores of the words' tags,
    of the first tag (`first`), and of each tag (column of `moves`) after the one before it (row)."""
    total = scores[0] + first
    origins = []
    for own in scores[1:]:
        paths = total[:, None] + moves
        origins.append(paths.argmax(0))
        total = paths.max(0) + own
    tags = [int(total.argmax())]
    for origin in reversed(origins):
        tags.append(int(origin[tags[-1]]))
    return tags[::-1]
