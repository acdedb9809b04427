"""How probable it is that a field is right, from what speaks for it: a logistic regression on documents that nothing
else was fitted to (`training/extraction/calibrate.py`, after Platt, "Probabilistic outputs for support vector
machines", 1999)."""

import json
import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("calibration.json")
_SUREST = 0.9999


class Signs(NamedTuple):
    """What is known of a value and its place."""

    probability: float
    """What the extractor's network gives it, before calibration."""
    score: float
    """How well value and text agree, 0 to 1."""
    own: bool
    """Whether a label beside it names the field."""
    other: bool
    """Whether labels speak against it."""
    copied: bool
    """Whether the extractor answered; else an LLM did, which may be right where the network sees nothing."""

    @property
    def features(self) -> tuple[float, ...]:
        return _logit(self.probability), self.score, float(self.own), float(self.other)


def _logit(chance: float) -> float:
    sure = min(max(chance, 1 - _SUREST), _SUREST)
    return math.log(sure / (1 - sure))


@cache
def _weights() -> dict[str, tuple[tuple[float, ...], float]]:
    table = json.loads(FILE.read_text("utf-8"))
    return {by: (tuple(fitted["weights"]), float(fitted["bias"])) for by, fitted in table.items()}


def probability(signs: Signs) -> float:
    """0 to 1."""
    weights, bias = _weights()["copied" if signs.copied else "llm"]
    return 1 / (1 + math.exp(-bias - sum(weight * one for weight, one in zip(weights, signs.features, strict=True))))
