"""What every other method has to beat: the last value, the last season, the straight line from the first to the last.

Their intervals: Hyndman & Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), 5.5.
"""

import numpy as np

from models.series.forecaster import Floats
from models.series.path import Path, normal


class SeasonalNaive:
    """The value of a season ago; with a season of one step, the last value."""

    def __init__(self, season: int = 1) -> None:
        self._season = season
        self.name = "seasonal naive" if season > 1 else "naive"

    def __call__(self, values: Floats, horizon: int) -> Path:
        steps = np.arange(horizon)
        deviation = _root_mean_square(values[self._season :] - values[: -self._season])
        ahead = values[-self._season :][steps % self._season]
        return normal(ahead, deviation * np.sqrt(steps // self._season + 1.0))


class Drift:
    """The last value, and the mean change at each step."""

    name = "drift"

    def __call__(self, values: Floats, horizon: int) -> Path:
        steps = np.arange(1, horizon + 1)
        changes = np.diff(values)
        deviation = float(np.std(changes))
        return normal(values[-1] + steps * changes.mean(), deviation * np.sqrt(steps * (1 + steps / len(changes))))


class Mean:
    """The mean of all values."""

    name = "mean"

    def __call__(self, values: Floats, horizon: int) -> Path:
        deviation = float(np.std(values, ddof=1)) * np.sqrt(1 + 1 / len(values))
        return normal(np.full(horizon, values.mean()), np.full(horizon, deviation))


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
