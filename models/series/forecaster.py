"""Series of numbers, and who continues them: the `forecast` capability."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.host import EngineHost

COVERAGE = 0.8
"""Share of the values to come that an interval is meant to hold."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Known values at equal steps."""

    values: Floats
    """[n], oldest first, all finite, n ≥ 5."""
    horizon: int
    """Steps to continue it by."""
    seasons: tuple[int, ...] = ()
    """Steps in which it may well repeat itself, ascending: 7 for days, 12 for months. Empty: it is searched for one."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Forecast of a series. Each array has `horizon` values."""

    value: Floats
    lower: Floats
    upper: Floats
    """Upper bounds of the intervals that are meant to hold COVERAGE of the values to come; `lower` has the others."""
    method: str
    """Name of the method, for people."""


class Forecaster(Protocol):
    async def forecast(self, series: Series, *, wait: bool = False) -> Outlook:
        """Return the forecast of `series`. With `wait`, the caller waits for a place in a full queue; without, a full
        queue raises EngineOverloaded. Raises ModelError."""


class HostedForecaster:
    """A forecasting engine behind its host."""

    def __init__(self, host: EngineHost[Series, Outlook]) -> None:
        self._host = host

    async def forecast(self, series: Series, *, wait: bool = False) -> Outlook:
        return await self._host.run(series, wait=wait)
