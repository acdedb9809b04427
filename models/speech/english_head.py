"""Probability that speech is English: a small network on the states of Whisper tiny.en's encoder."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ENGLISH_FILE = Path(__file__).with_name("english.json")


@dataclass(frozen=True)
class EnglishHead:
    """Logistic regression from the mean of the encoder's states of Whisper tiny.en to the probability that speech is
    English. Whisper tiny.en was trained on English alone, and writes English words for any speech.

    training/speech makes the file of weights; docs/speech.md states the accuracy.
    """

    weights: NDArray[np.float32]
    """Weights of a state's 384 numbers."""
    bias: float

    def probability(self, states: NDArray[np.float32]) -> float:
        """Return the probability that speech is English. `states` has the shape frames × 384, without the frames of the
        padding."""
        odds = float(states.mean(axis=0, dtype=np.float32) @ self.weights) + self.bias
        return float(1 / (1 + np.exp(-odds)))


@cache
def english_head() -> EnglishHead:
    stored = json.loads(ENGLISH_FILE.read_text(encoding="utf-8"))
    return EnglishHead(np.array(stored["weights"], np.float32), stored["bias"])
