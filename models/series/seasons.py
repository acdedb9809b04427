"""Detects the seasons of a series in its values."""

import numpy as np

from models.series.forecaster import Floats

_LONGEST_SEASON = 60

_LEAST_CYCLES = 3
"""A season is searched for only if the values have at least this many cycles of it. A season that the calendar makes
likely needs a little more than two."""

_LEAST_AUTOCORRELATION = 0.3
"""A season must have an autocorrelation above this. The autocorrelation has about this value if the noise is as large
as the season itself."""


def usable_seasons(values: Floats, likely: tuple[int, ...]) -> tuple[int, ...]:
    """Return the `likely` seasons of which `values` contain at least two cycles and a quarter, or two cycles and three
    values if this is more. If `likely` is empty, return the season that the values show."""
    if likely:
        return tuple(season for season in likely if season > 1 and len(values) >= 2 * season + max(3, season // 4))
    found = _season_in(values)
    return (found,) if found else ()


def _season_in(values: Floats) -> int | None:
    """Return the lag of the first clear peak of the autocorrelation, after the trend was removed; None if there is
    none."""
    limit = min(_LONGEST_SEASON, len(values) // _LEAST_CYCLES)
    if limit < 3:
        return None
    steps = np.arange(len(values))
    rest = values - np.polyval(np.polyfit(steps, values, 1), steps)
    power = float(rest @ rest)
    if power <= 1e-12 * max(1.0, float(values @ values)):
        return None
    shares = np.array([float(rest[lag:] @ rest[: len(rest) - lag]) / power for lag in range(limit + 2)])
    for lag in range(2, limit + 1):
        if shares[lag] > _LEAST_AUTOCORRELATION and shares[lag - 1] < shares[lag] >= shares[lag + 1]:
            return lag
    return None
