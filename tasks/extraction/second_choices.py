"""Avoids places that answer a field only if nothing else does, such as quoted lines of a mail and the data of another
person."""

from collections.abc import Collection
from typing import Final

import numpy as np

from tasks.extraction.features import Matrix

SECOND_CHOICE: Final = 12.0
"""Penalty on the logit of a place if another place answers the field."""


def avoid_if_answered(logits: Matrix, indices: Collection[int]) -> None:
    """Lower the logits of the places at `indices` if any other place has a higher logit than the case that nothing
    answers the field."""
    if not indices:
        return
    places = list(indices)
    if np.delete(logits[:-1], places).max(initial=-np.inf) > logits[-1]:
        logits[places] -= SECOND_CHOICE
