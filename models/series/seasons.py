"""Detects the seasons of a series in its values."""

import numpy as np

from models.series.forecaster import Floats

_LONGEST = 60

_CYCLES = 3
"""Least number of cycles in which a season is searched for. A season that the calendar makes likely needs two."""

_CLEAR = 0.3
"""Least autocorrelation of a season. This is the value of a season whose noise is about as large as itself."""


def usable(values: Floats, likely: tuple[int, ...]) -> tuple[int, ...]:
    """Return those `likely` seasons of which `values` contain a little more than two cycles. If `likely` is empty,
    return the season that the values show."""
    if likely:
        return tuple(season for season in likely if season > 1 and len(values) >= 2 * season + max(3, season // 4))
    found = _shown(values)
    return (found,) if found else ()


def _shown(values: Floats) -> int | None:
    """Return the lag of the first clear peak of the autocorrelation, after the trend was removed."""
    most = min(_LONGEST, len(values) // _CYCLES)
    if most < 3:
        return None
    steps = np.arange(len(values))
    rest = values - np.polyval(np.polyfit(steps, values, 1), steps)
    power = float(rest @ rest)
    if power <= 1e-12 * max(1.0, float(values @ values)):
        return None
    shares = np.array([float(rest[lag:] @ rest[: len(rest) - lag]) / power for lag in range(most + 2)])
    for lag in range(2, most + 1):
        if shares[lag] > _CLEAR and shares[lag - 1] < shares[lag] >= shares[lag + 1]:
            return lag
    return None
