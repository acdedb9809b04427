"""The gate of openfaze's own guard: a second opinion, by its letters and words alone, on a text that the head judges
unsafe.

The head's embedding takes the words of trades for harm ("skin the chicken"). The gate is a logistic regression over
hashed features (Weinberger et al. 2009), learned from lines of trades and from harmful requests with the same words.
It can only acquit a text, never accuse it. `python -m training.guard.fit_gate` makes its weights: a wrong verdict is
mended by adding lines to training/guard/trades.toml and misuse.toml, never by a rule here.
"""

import re
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.hashed_grams import grams_of

BUCKETS: Final = 1 << 18
"""Number of weights. Features share them by their hash."""
_MOST_CHARS: Final = 600
"""At most this many characters of a passage are features."""
_WORDS_LENGTH: Final = 1.0
"""Length of the vector of words and pairs, where that of letters is 1."""
_WORD: Final = re.compile(r"\w+")
FILE: Final = Path(__file__).with_name("gate.npz")


def features_of(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the buckets and the values of a text's features."""
    text = text[:_MOST_CHARS].lower()
    words = _WORD.findall(text)
    pairs = [f"{one} {other}" for one, other in zip(["", *words], [*words, ""], strict=True)]
    of_words = np.array([zlib.crc32(term.encode()) % BUCKETS for term in (*words, *pairs)], np.int64)
    buckets, values = zip(
        _scaled(grams_of(text, BUCKETS).astype(np.int64), 1.0), _scaled(of_words, _WORDS_LENGTH), strict=True
    )
    return np.concatenate(buckets), np.concatenate(values).astype(np.float32)


def _scaled(found: NDArray[np.int64], length: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    buckets, counts = np.unique(found, return_counts=True)
    values = 1 + np.log(counts)
    return buckets, length * values / np.sqrt((values**2).sum())


@dataclass(frozen=True)
class Gate:
    weights: NDArray[np.float32]
    bias: float
    """Log odds of a text without features, so that the gate acquits a text with negative log odds."""

    def log_odds(self, text: str) -> float:
        buckets, values = features_of(text)
        return float(self.weights[buckets] @ values) + self.bias

    def acquits(self, text: str) -> bool:
        return self.log_odds(text) < 0


@cache
def load_gate(path: Path = FILE) -> Gate:
    with np.load(path) as stored:
        return Gate(stored["weights"].astype(np.float32) * stored["scale"], float(stored["bias"]))
