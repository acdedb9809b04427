"""Regressions with named weights: logistic ones, and choices among several."""

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
_BOUNDS: Mapping[int, tuple[float | None, float | None]] = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}
"""Bounds of a weight by its sign."""
DIGITS = 3
"""Weights are written with so many digits after the point, so that the last bits of a machine's sums change none."""


def fitted(
    samples: Sequence[Sample[FeaturesT]],
    kept: Mapping[str, float] | None = None,
    shrink: float = SHRINK,
    signs: Mapping[str, int] | None = None,
) -> FeaturesT:
    """Return the weights of the logistic regression of the samples' shares. Their features have a `bias`. `kept` are
    weights that the samples do not tell, by the name of their feature, which stay as they are. `signs` has 1 for
    features that can only speak for a value, and -1 for those that can only speak against it: their weights are 0
    rather than of the other sign, so that a chance of these samples is not taken for a rule elsewhere."""
    kept, signs = kept or {}, signs or {}
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

    bounds = [_BOUNDS[signs.get(names[at], 0)] for at in free] + [_BOUNDS[0]]
    start = np.zeros(scaled.shape[1])
    options = {"maxiter": 2_000, "ftol": 1e-12}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    weights = dict(kept)
    weights.update(zip([names[at] for at in free], found[:-1] / spread, strict=True))
    weights[BIAS] = found[-1] - float(middle @ (found[:-1] / spread))
    build: Any = type(samples[0].features)
    result: FeaturesT = build(**{name: round(float(weight), DIGITS) + 0.0 for name, weight in weights.items()})
    return result


def fitted_choice(groups: Sequence[Sequence[Sample[FeaturesT]]], none: float, shrink: float = SHRINK) -> FeaturesT:
    """Return the weights by which the best sample of each group gets the largest score, or none of them, if no sample
    is right, scores below `none` (multinomial logit; McFadden, "Conditional logit analysis of qualitative choice
    behavior", 1974). A group's best samples are those with the largest share; it is the probability that one of them is
    chosen, and the rest that of none. The groups have samples, and those of one group have one size."""
    samples = [one for group in groups for one in group]
    names: Sequence[str] = samples[0].features._fields  # type: ignore[attr-defined]
    features = np.array([one.features for one in samples], np.float64)
    starts = np.cumsum([0, *map(len, groups)])[:-1]
    group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    size = np.array([group[0].size for group in groups], np.float64)
    share = np.array([one.share for one in samples], np.float64)
    most = np.maximum.reduceat(share, starts)
    is_best = (share == most[group_of]) & (share > 0)
    target = np.where(is_best, share / np.maximum(1, np.add.reduceat(is_best.astype(float), starts))[group_of], 0.0)
    at_bias = [*names].index(BIAS)
    spread = features.std(axis=0)
    spread = np.where(spread > LEAST_SPREAD, spread, np.inf)
    spread[at_bias] = 1.0
    scaled = features / spread
    is_pulled = np.arange(len(names)) != at_bias

    def loss(weights: Vector) -> tuple[float, Vector]:
        scores = scaled @ weights
        highest = np.maximum(np.maximum.reduceat(scores, starts), none)
        raised = np.exp(scores - highest[group_of])
        whole = np.add.reduceat(raised, starts) + np.exp(none - highest)
        logarithm = np.log(whole) + highest
        right = np.add.reduceat(target * scores, starts) + (1 - most) * none
        apart = np.where(is_pulled, weights, 0.0)
        value = float((size * (logarithm - right)).sum() + shrink * (apart**2).sum() / 2)
        chance = raised / whole[group_of]
        return value, scaled.T @ (size[group_of] * (chance - target)) + shrink * apart

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", options={"maxiter": 2_000, "ftol": 1e-12})
    build: Any = type(samples[0].features)
    result: FeaturesT = build(*(round(float(weight), DIGITS) + 0.0 for weight in found.x / spread))
    return result


def choice_loss(groups: Sequence[Sequence[Sample[Any]]], none: float, weights: Sequence[float]) -> float:
    """Return the mean of what is lost by choosing the sample with the largest score of each group, or none if it is
    below `none`: the best share that could have been chosen, less that of what is chosen. The share of none is what the
    group's largest lacks to 1."""
    lost = total = 0.0
    for group in groups:
        scores = [float(np.dot(weights, one.features)) for one in group]
        at, most = int(np.argmax(scores)), max(one.share for one in group)
        chosen = group[at].share if scores[at] >= none else 1 - most
        lost, total = lost + group[0].size * (max(most, 1 - most) - chosen), total + group[0].size
    return lost / total


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
