"""The fitted weights of extraction, each under the name of its feature.

`python -m training.extraction.fit` writes `weights.json`. A model is a tuple of named features, and its row in the file
has a weight for each of these names and for no other. So a feature that is added, taken away or renamed without a fit
is noticed when the package is imported, and never multiplied by the weight of another one.
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

FILE: Final = Path(__file__).with_name("weights.json")

FeaturesT = TypeVar("FeaturesT", bound=tuple[float, ...])


@cache
def _models() -> Mapping[str, Mapping[str, float]]:
    models: Mapping[str, Mapping[str, float]] = json.loads(FILE.read_text("utf-8"))
    return models


def weights_of(model: str, features: type[FeaturesT]) -> FeaturesT:
    """Return the weights of a model, by the names of its features. `features` is a NamedTuple of numbers.

    Raises ValueError if the file lacks the weight of a feature, or has a weight of a feature that the model lacks."""
    return named_weights(model, _models().get(model, {}), features)


def named_weights(model: str, row: Mapping[str, float], features: type[FeaturesT]) -> FeaturesT:
    """Return the weights in a row of the file as a tuple of the model's features. Raises ValueError if their names are
    not those of the features."""
    names: Sequence[str] = features._fields  # type: ignore[attr-defined]
    if set(names) != row.keys():
        lacking, unknown = sorted({*names} - row.keys()), sorted(row.keys() - {*names})
        raise ValueError(f"{FILE.name}: the weights of {model!r} lack {lacking}, and have the unknown {unknown}.")
    build: Any = features
    weights: FeaturesT = build(**row)
    return weights


def weighted(weights: Sequence[float], features: Sequence[float]) -> float:
    """Return the sum of features, each times its weight."""
    return sum(weight * feature for weight, feature in zip(weights, features, strict=True))


def logistic(odds: float) -> float:
    """Return the probability with the given log-odds."""
    return 1 / (1 + math.exp(-odds))
