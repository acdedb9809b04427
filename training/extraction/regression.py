"""Logistic regressions with named weights."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Vector = NDArray[np.float64]
FeaturesT = TypeVar("FeaturesT", bound=tuple[float, ...])


class Sample(NamedTuple, Generic[FeaturesT]):
    """One observation of a regression."""

    features: FeaturesT
    share: float
    """Share that is right, from 0 to 1."""
    size: float = 1.0
    """Weight of the sample."""


BIAS = "bias"
LEAST_SPREAD = 1e-3
SHRINK = 10.0
"""Strength of the pull of each weight towards 0, for features of one standard deviation."""
DIGITS = 3
"""Weights are written with so many digits after the point, so that the last bits of a machine's sums change none."""


def fitted(
    samples: Sequence[Sample[FeaturesT]], kept: Mapping[str, float] | None = None, shrink: float = SHRINK
) -> FeaturesT:
    """Return the weights of the logistic regression of the samples' shares. Their features have a `bias`. `kept` are
    weights that the samples do not tell, by the name of their feature, which stay as they are."""
    kept = kept or {}
    names: Sequence[str] = samples[0].features._fields  # type: ignore[attr-defined]
    features = np.array([one.features for one in samples], np.float64)
    target = np.array([one.share for one in samples], np.float64)
    size = np.array([one.size for one in samples], np.float64)
    free = [at for at, name in enumerate(names) if name not in kept and name != BIAS]
    offset = features @ np.array([kept.get(name, 0.0) for name in names])
    middle, spread = features[:, free].mean(axis=0), features[:, free].std(axis=0)
    # A feature that hardly varies here is not told from the bias.
    spread = np.where(spread > LEAST_SPREAD, spread, np.inf)
    scaled = np.column_stack([(features[:, free] - middle) / spread, np.ones(len(samples))])

    def loss(weights: Vector) -> tuple[float, Vector]:
        odds = offset + scaled @ weights
        apart = np.append(weights[:-1], 0.0)
        # log(1 + exp(odds)) - share × odds is the cross-entropy of the share and the probability.
        value = float((size * (np.logaddexp(0, odds) - target * odds)).sum() + shrink * (apart**2).sum() / 2)
        return value, scaled.T @ (size * (expit(odds) - target)) + shrink * apart

    start = np.zeros(scaled.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2_000, "ftol": 1e-12}).x
    weights = dict(kept)
    weights.update(zip([names[at] for at in free], found[:-1] / spread, strict=True))
    weights[BIAS] = found[-1] - float(middle @ (found[:-1] / spread))
    build: Any = type(samples[0].features)
    result: FeaturesT = build(**{name: round(float(weight), DIGITS) + 0.0 for name, weight in weights.items()})
    return result


def chances(samples: Sequence[Sample[Any]], weights: Sequence[float]) -> Vector:
    """Return the probabilities of samples."""
    found: Vector = expit(np.array([one.features for one in samples], np.float64) @ np.array(weights))
    return found


def log_loss(samples: Sequence[Sample[Any]], weights: Sequence[float]) -> float:
    """Return the mean cross-entropy of the shares of samples and their probabilities."""
    bounded = np.clip(chances(samples, weights), 1e-4, 1 - 1e-4)
    target, size = np.array([one.share for one in samples]), np.array([one.size for one in samples])
    losses = target * np.log(bounded) + (1 - target) * np.log(1 - bounded)
    return -float((size * losses).sum() / size.sum())
