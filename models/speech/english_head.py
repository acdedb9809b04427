"""How sure Whisper is of the language, after its first look at a sound: a small network on the encoder's states."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ENGLISH_FILE = Path(__file__).with_name("english.json")


@dataclass(frozen=True)
class EnglishHead:
    """How likely speech is to be English, by what Whisper tiny.en encodes. The model itself knows no other language,
    and writes English words for whatever it hears.

    Logistic regression over the mean of the encoder's states. training/speech makes the file; docs/speech.md says how
    good it is.
    """

    weights: NDArray[np.float32]
    """One for each of a state's 384 numbers."""
    bias: float

    def probability(self, states: NDArray[np.float32]) -> float:
        """`states` is frames × 384, of the frames that the speech takes."""
        odds = float(states.mean(axis=0, dtype=np.float32) @ self.weights) + self.bias
        return float(1 / (1 + np.exp(-odds)))


@cache
def english_head() -> EnglishHead:
    stored = json.loads(ENGLISH_FILE.read_text(encoding="utf-8"))
    return EnglishHead(np.array(stored["weights"], np.float32), stored["bias"])
