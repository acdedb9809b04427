"""The interface of engines that forecast series of numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.hosts.host import EngineHost

COVERAGE = 0.8
"""Share of the future values that an interval is meant to contain."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Known values of a series at equal steps."""

    values: Floats
    """Values [n], the oldest first, all finite, n ≥ 5."""
    horizon: int
    """Number of steps to forecast."""
    seasons: tuple[int, ...] = ()
    """Likely seasons in steps, in ascending order: 7 for days, 12 for months. If there are none, the engine searches
    for a season."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Forecast of a series. Each array has `horizon` values."""

    value: Floats
    lower: Floats
    upper: Floats
    """Upper bounds of the intervals that are meant to contain COVERAGE of the future values; `lower` has the lower
    bounds."""
    method: str
    """Name of the method, for people."""


class Forecaster:
    """Interface of the capability `forecast`. The engine runs in an EngineHost."""

    def __init__(self, host: EngineHost[Series, Outlook]) -> None:
        self._host = host

    async def forecast(self, series: Series, *, wait: bool = False) -> Outlook:
        """Return the forecast of `series`. If the queue is full, the call waits if `wait` is true, and raises
        EngineOverloaded if not. Raises ModelError."""
        return await self._host.run(series, wait=wait)
