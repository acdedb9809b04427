"""Tells the language of a message, by a small linear model over its letters.

`python -m training.wishes.fit` makes the model from the labelled messages of `training/wishes`, whose files are named
after their languages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from models.hashed_grams import grams_of
from tasks.wording.message import split_message

BUCKETS: Final = 1 << 15
"""Number of weights of a language. Features share them by their hash."""
LETTERS: Final = 400
"""At most this many characters of a message are features, half of them at each end."""
MODEL_FILE: Final = Path(__file__).with_suffix(".npz")
"""Weights of a byte each, as `training.wishes.fit` writes them."""


def features_of(text: str) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Return the buckets and the values of the pieces of a message's own words: neither a quotation nor the text that
    it brings along is in its language."""
    message = split_message(text)
    words = message.instruction if any(map(str.isalpha, message.instruction)) else text
    ends = words if len(words) <= LETTERS else f"{words[: LETTERS // 2]} {words[-LETTERS // 2 :]}"
    buckets, counts = np.unique(grams_of(ends, BUCKETS), return_counts=True)
    values = 1 + np.log(counts)
    return buckets, (values / np.sqrt((values**2).sum())).astype(np.float32)


@dataclass(frozen=True, slots=True)
class LanguageClassifier:
    languages: Sequence[str]
    """Tags of the languages."""
    weights: NDArray[np.float32]
    """Matrix of languages × BUCKETS."""
    biases: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path = MODEL_FILE) -> Self:
        stored = np.load(path)
        weights = stored["weights"].astype(np.float32) * stored["scales"][:, None]
        return cls(stored["languages"].tolist(), weights, stored["biases"])

    def language(self, text: str) -> str:
        """Return the likeliest language of a message."""
        buckets, values = features_of(text)
        return self.languages[int(np.argmax(self.weights[:, buckets] @ values + self.biases))]


@cache
def language_classifier() -> LanguageClassifier:
    return LanguageClassifier.load()


def language_of(text: str) -> str:
    """Return the tag of the language that a message is most likely written in."""
    return language_classifier().language(text)
