"""The seasons of a series: those that its values show."""

import numpy as np

from models.series.forecaster import Floats

_LONGEST = 60

_CYCLES = 3
"""How often a season must have been seen to be found; one that is known to be likely needs two."""

_CLEAR = 0.3
"""The autocorrelation of noise that is no larger than the season."""


def usable(values: Floats, likely: tuple[int, ...]) -> tuple[int, ...]:
    """The seasons of the `likely` ones that `values` hold twice and a little, else one that they show by themselves."""
    if likely:
        return tuple(season for season in likely if season > 1 and len(values) >= 2 * season + max(3, season // 4))
    found = _shown(values)
    return (found,) if found else ()


def _shown(values: Floats) -> int | None:
    """The lag of the first clear peak of the autocorrelation, once the trend is taken out."""
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
