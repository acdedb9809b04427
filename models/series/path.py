"""What one method makes of one series, before it is known how far the method can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.series.forecaster import COVERAGE, Floats

Z = 1.2815515655446004
"""Standard deviations on either side of a normal distribution's mean that hold 80 % of it."""
ALPHA = 1 - COVERAGE


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A continuation with the interval that its method reckons with. All of one length."""

    value: Floats
    lower: Floats
    upper: Floats

    @property
    def usable(self) -> bool:
        return all(bool(np.isfinite(line).all()) for line in (self.value, self.lower, self.upper))

    def widened(self, factor: float) -> "Path":
        """Each side of the interval `factor` times as wide."""
        return Path(
            self.value,
            self.value - factor * (self.value - self.lower),
            self.value + factor * (self.upper - self.value),
        )


class Method(Protocol):
    """Continues any beginning of one series. What it learns from a beginning it may start from at a longer one."""

    @property
    def name(self) -> str: ...

    def __call__(self, values: Floats, horizon: int) -> Path:
        """Raises ValueError, ArithmeticError or numpy's LinAlgError for values that it cannot be fitted to."""


def normal(value: Floats, deviation: Floats) -> Path:
    """The path of normal errors with these standard deviations."""
    return Path(value, value - Z * deviation, value + Z * deviation)


def mean_of(paths: Sequence[Path], weights: Sequence[float] | None = None) -> Path:
    return Path(
        np.average([path.value for path in paths], axis=0, weights=weights),
        np.average([path.lower for path in paths], axis=0, weights=weights),
        np.average([path.upper for path in paths], axis=0, weights=weights),
    )


class Logarithmic:
    """A method on the logarithms of a series that is positive: growth by a share, swings that grow along."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self.name = f"{method.name} of logarithms"

    def __call__(self, values: Floats, horizon: int) -> Path:
        path = self._method(np.log(values), horizon)
        return Path(np.exp(path.value), np.exp(path.lower), np.exp(path.upper))
