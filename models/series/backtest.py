"""Which methods to believe, and how far: each forecasts the end of what is known from what was known before.

Rolling-origin evaluation: Tashman (2000). Scaling a method's own intervals until they hold what they should of its
errors is split conformal prediction with normalised residuals: Lei et al. (2018), 5.2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from models.series.forecaster import COVERAGE, Floats
from models.series.path import Method, Path, mean_of

_FAILURES = (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError)
"""What numerical libraries raise for numbers that a method cannot be fitted to."""
_BEST = 3
"""Methods that are averaged at most: the mean of a few good ones errs less than the one that seemed best."""
_WILD = 4.0
"""How many times the range of what is known a path may leave it by; more where it is longer than what is known."""
_FACTORS = (1.0, 3.0)
"""Bounds of what an interval is scaled by. Nothing is narrowed: the methods were chosen for their small errors on these
very folds, and what comes errs more."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fold:
    """What a method is tried on."""

    known: Floats
    actual: Floats
    """The values that followed."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """How one method, or the mean of several, did on all folds."""

    methods: tuple[Method, ...]
    paths: tuple[Path, ...]
    error: float
    """Mean absolute."""

    @property
    def name(self) -> str:
        return " and ".join(method.name for method in self.methods)


def folds(values: Floats, horizon: int, season: int, most: int) -> list[Fold]:
    """At most `most` ends of `values`, the longest end first: each as long as the horizon if the beginning, which needs
    two seasons, allows it. Empty where there is too little to learn from."""
    count = len(values)
    least = min(max(2 * season + 3, count // 2, 4), count - 1)
    length = min(horizon, max(1, (count - least) // 2))
    last = count - length
    apart = max(1, min(length, (last - least) // max(1, most - 1)))
    starts = [last - apart * number for number in range(most) if last - apart * number >= least]
    return [Fold(values[:start], values[start : start + length]) for start in reversed(starts)]


def best(methods: Sequence[Method], parts: Sequence[Fold]) -> Trial:
    """The method, or the mean of the best two or three, that erred least. Raises ValueError where none could be
    fitted."""
    trials = sorted((trial for method in methods if (trial := _tried(method, parts))), key=lambda trial: trial.error)
    if not trials:
        raise ValueError("no method could be fitted")
    together = [_together(trials[:number], parts) for number in range(2, min(_BEST, len(trials)) + 1)]
    return min([trials[0], *together], key=lambda trial: trial.error)


def path_of(methods: Sequence[Method], values: Floats, horizon: int) -> tuple[Path, str]:
    """The mean of what those of `methods` say that can be fitted, and their names. Raises ValueError where none can."""
    found = [(path, method.name) for method in methods if (path := _path(method, values, horizon))]
    if not found:
        raise ValueError("no method could be fitted")
    return mean_of([path for path, _ in found]), " and ".join(name for _, name in found)


def widening(trial: Trial, parts: Sequence[Fold]) -> float:
    """What to scale the sides of the trial's interval by: 1, the method's own word, or more, as its errors say,
    whichever holds nearer to COVERAGE of the values of each fold when the factor comes from the other folds."""
    shares = [_shares(path, fold) for path, fold in zip(trial.paths, parts, strict=True)]
    if len(shares) < 2:
        return 1.0
    everywhere = np.concatenate(shares)
    own = float(np.mean(everywhere <= 1))
    others = (np.concatenate([*shares[:left], *shares[left + 1 :]]) for left in range(len(shares)))
    held = [share <= _factor(other) for share, other in zip(shares, others, strict=True)]
    conformal = float(np.mean(np.concatenate(held)))
    if abs(own - COVERAGE) <= abs(conformal - COVERAGE):
        return 1.0
    return _factor(everywhere)


def _factor(shares: Floats) -> float:
    """The quantile that conformal prediction takes: a little above COVERAGE, the more so the fewer there are."""
    level = min(1.0, COVERAGE * (1 + 1 / len(shares)))
    return float(np.clip(np.quantile(shares, level), *_FACTORS))


def _shares(path: Path, fold: Fold) -> Floats:
    """The errors, in widths of the side of the interval on which they lie."""
    error = fold.actual - path.value
    side = np.where(error > 0, path.upper - path.value, path.value - path.lower)
    tiny = 1e-9 * max(1.0, float(np.abs(fold.actual).max()))
    shares: Floats = np.abs(error) / np.maximum(side, tiny)
    return shares


def _tried(method: Method, parts: Sequence[Fold]) -> Trial | None:
    paths = tuple(_paths(method, parts))
    return _trial((method,), paths, parts) if len(paths) == len(parts) else None


def _paths(method: Method, parts: Sequence[Fold]) -> Iterator[Path]:
    for fold in parts:
        path = _path(method, fold.known, len(fold.actual))
        if path is None:
            return
        yield path


def _path(method: Method, values: Floats, horizon: int) -> Path | None:
    """None where the method does not fit, or runs away."""
    try:
        path = method(values, horizon)
    except _FAILURES as error:
        log.debug("method_does_not_fit", method=method.name, error=type(error).__name__)
        return None
    low, high = float(values.min()), float(values.max())
    slack = _WILD * (high - low) * max(1.0, horizon / (len(values) - 1))
    if path.usable and low - slack <= path.value.min() and path.value.max() <= high + slack:
        return path
    return None


def _together(trials: Sequence[Trial], parts: Sequence[Fold]) -> Trial:
    paths = [mean_of(several) for several in zip(*(trial.paths for trial in trials), strict=True)]
    return _trial(tuple(method for trial in trials for method in trial.methods), tuple(paths), parts)


def _trial(methods: tuple[Method, ...], paths: tuple[Path, ...], parts: Sequence[Fold]) -> Trial:
    errors = [np.abs(fold.actual - path.value).mean() for path, fold in zip(paths, parts, strict=True)]
    return Trial(methods, paths, float(np.mean(errors)))
