"""Forecasting engine: classical statistical methods. Each series is forecast by the methods that made the best
forecasts of its past.

To compare the methods, each of them forecasts several stretches near the end of the known values from the values before
them. This is rolling-origin evaluation (Tashman 2000). A method's intervals are scaled until they contain COVERAGE of
its errors. This is split conformal prediction with normalised residuals (Lei et al. 2018, 5.2).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import structlog
from threadpoolctl import ThreadpoolController

from models.series.forecaster import COVERAGE, Floats, Outlook, Series
from models.series.methods import Drift, ForecastPath, Logarithmic, Mean, Method, SeasonalNaive, mean_of, median_of
from models.series.seasons import usable_seasons

_FAILURES = (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError)
"""Exceptions of numerical libraries for numbers to which a method cannot be fitted."""
_MAX_COMBINED = 7
_MAX_ERROR_RATIO = 1.3
"""Largest number of methods that are combined, and largest error of each of them, in multiples of the least error. The
median of several good methods has smaller errors than the method with the best results so far."""
_MAX_EXCURSION = 4.0
"""A path is rejected if it leaves the range of the known values by more than this multiple of the range. The limit is
higher for a path that is longer than the known values."""
_FACTOR_BOUNDS = (1.0, 3.0)
"""Bounds of the factor that scales an interval. No interval becomes narrower, because the methods were chosen for their
small errors on the same folds, so future errors are larger."""

log = structlog.get_logger(__name__)

_MIN_VALUES = 1000
_MAX_VALUES = 3000
_SEASONS_KEPT = 4
"""A series is cut to this many repetitions of its longest season, because older values contribute little and cost time.
At least `_MIN_VALUES` and at most `_MAX_VALUES` values are kept."""
_LONGEST_SMOOTHED = 24
"""A season for exponential smoothing has at most this many steps, because a value is estimated for each step."""
_LONGEST_ARIMA = 12
"""A season for ARIMA has at most this many steps, because ARIMA's state has an element for each step."""
_MAX_ARIMA_VALUES = 400
"""ARIMA gets at most this many values. With more, it would take longer than all other methods together."""
_MIN_VALUES_TO_COMPARE = 8
"""Methods are compared only on at least this many values. With fewer, too few would remain before the end that is
forecast in the comparison."""
_UNSTEADY_VARIANCE = 0.2
"""A short series counts as entirely unsteady if the variance of its changes is at least this, as a multiple of the
square of their mean. The straight line then has half of the weight."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Part of a series on which methods are tried."""

    known: Floats
    actual: Floats
    """Values that followed the known ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Results of one method, or of the median of several, on all folds."""

    methods: tuple[Method, ...]
    paths: tuple[ForecastPath, ...]
    error: float
    """Mean absolute error."""

    @property
    def name(self) -> str:
        return _names_of([method.name for method in self.methods])


def folds(values: Floats, horizon: int, season: int, most: int) -> list[Fold]:
    """Return at most `most` stretches of `values`, each with the values before it, the earliest first. The beginning of
    `values` is known to the methods in every fold; it has two seasons and three values, or half of the values,
    whichever is longer. All stretches have the same length: the horizon, but at most half of the values after that
    beginning. The list is empty if there are too few values."""
    count = len(values)
    least = min(max(2 * season + 3, count // 2, 4), count - 1)
    length = min(horizon, max(1, (count - least) // 2))
    last = count - length
    step = max(1, min(length, (last - least) // max(1, most - 1)))
    starts = [last - step * index for index in range(most) if last - step * index >= least]
    return [Fold(values[:start], values[start : start + length]) for start in reversed(starts)]


def ranked(methods: Sequence[Method], parts: Sequence[Fold]) -> list[Trial]:
    """Return the trials of the single methods, the one with the least error first. If several methods are good, the
    trial of their median comes before them. Methods that cannot be fitted to every fold have no trial."""
    tried = [_try_method(method, parts) for method in methods]
    trials = sorted((trial for trial in tried if trial), key=lambda trial: trial.error)
    nearly_best = [trial for trial in trials[:_MAX_COMBINED] if trial.error <= _MAX_ERROR_RATIO * trials[0].error]
    return [_combined(nearly_best, parts), *trials] if len(nearly_best) > 1 else trials


def path_of(methods: Sequence[Method], values: Floats, horizon: int) -> tuple[ForecastPath, str] | None:
    """Return the median path of all `methods` that can be fitted, and their names; None if no method can be fitted."""
    found = [(path, one.name) for one in methods if (path := _path(one, values, horizon)) is not None]
    if not found:
        return None
    return median_of([path for path, _ in found]), _names_of([name for _, name in found])


def widening(trial: Trial, parts: Sequence[Fold]) -> float:
    """Return the factor for both sides of the trial's intervals. Two factors are compared: 1, which keeps the method's
    own width, and one calculated from the trial's errors. The calculated one is tried on each fold with the factor of
    the other folds. The function returns the one whose share of values inside the intervals is closer to COVERAGE; on a
    single fold, it returns 1."""
    shares = [_relative_errors(path, fold) for path, fold in zip(trial.paths, parts, strict=True)]
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
    """Return the quantile of `shares` at the level of conformal prediction, clipped to _FACTOR_BOUNDS. The level is
    slightly above COVERAGE: the fewer `shares` there are, the higher it is."""
    level = min(1.0, COVERAGE * (1 + 1 / len(shares)))
    return float(np.clip(np.quantile(shares, level), *_FACTOR_BOUNDS))


def _relative_errors(path: ForecastPath, fold: Fold) -> Floats:
    """Return the errors of a path, each divided by the width of the interval on its side of the forecast."""
    error = fold.actual - path.value
    side = np.where(error > 0, path.upper - path.value, path.value - path.lower)
    tiny = 1e-9 * max(1.0, float(np.abs(fold.actual).max()))
    shares: Floats = np.abs(error) / np.maximum(side, tiny)
    return shares


def _names_of(names: Sequence[str]) -> str:
    *others, last = names
    return f"the median of {', '.join(others)} and {last}" if len(others) > 1 else " and ".join(names)


def _try_method(method: Method, parts: Sequence[Fold]) -> Trial | None:
    paths = []
    for fold in parts:
        path = _path(method, fold.known, len(fold.actual))
        if path is None:
            return None
        paths.append(path)
    return _trial((method,), tuple(paths), parts)


def _path(method: Method, values: Floats, horizon: int) -> ForecastPath | None:
    """Return the method's path; None if the method cannot be fitted, or its path leaves the known range too far."""
    try:
        path = method(values, horizon)
    except _FAILURES as error:
        log.debug("method_does_not_fit", method=method.name, error=type(error).__name__)
        return None
    low, highest = float(values.min()), float(values.max())
    slack = _MAX_EXCURSION * (highest - low) * max(1.0, horizon / (len(values) - 1))
    if path.usable and low - slack <= path.value.min() and path.value.max() <= highest + slack:
        return path
    return None


def _combined(trials: Sequence[Trial], parts: Sequence[Fold]) -> Trial:
    paths = [median_of(several) for several in zip(*(trial.paths for trial in trials), strict=True)]
    return _trial(tuple(method for trial in trials for method in trial.methods), tuple(paths), parts)


def _trial(methods: tuple[Method, ...], paths: tuple[ForecastPath, ...], parts: Sequence[Fold]) -> Trial:
    errors = [np.abs(fold.actual - path.value).mean() for path, fold in zip(paths, parts, strict=True)]
    return Trial(methods, paths, float(np.mean(errors)))


class Statistical:
    """Implementation of `models.base.Engine` from a Series to its Outlook. The engine must have one
    worker, because it silences Python's warnings for the whole process while it runs."""

    def load(self) -> None:
        """Look for the libraries of linear algebra now, so that no series waits for the search."""
        _linear_algebra()

    def run(self, batch: Sequence[Series]) -> Sequence[Outlook | Exception]:
        # The matrices are small. With several threads, linear algebra would take 30 times as long, mostly by spinning.
        with _linear_algebra().limit(limits=1), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # warnings of methods that fit badly; the comparison rejects these
            return [_outlook_or_error(one) for one in batch]

    def close(self) -> None:
        """Do nothing, because nothing is kept between series."""


@cache
def _linear_algebra() -> ThreadpoolController:
    """Return the controller of the libraries with which statsmodels computes. Looking for them reads the memory map of
    the process, which takes longer than many a fit, so it is done once."""
    return ThreadpoolController()


def _outlook_or_error(series: Series) -> Outlook | Exception:
    try:
        return outlook(series)
    except Exception as error:  # noqa: BLE001 - an error is the result of its series
        return error


def outlook(series: Series) -> Outlook:
    """Return the forecast of `series` by the methods that suit it best."""
    values = series.values[-_kept_values(series) :]
    seasons = usable_seasons(values, series.seasons)
    if np.ptp(values) == 0:
        return _constant(values, series.horizon)
    season = seasons[0] if seasons else 1
    methods = methods_for(values, seasons)
    parts = folds(values, series.horizon, season, most=_most_folds(len(values)))
    for trial in ranked(methods, parts) if len(values) >= _MIN_VALUES_TO_COMPARE and parts else ():
        # A method that fits every fold may still not fit the whole series, if the last value is far from the others.
        if (found := path_of(trial.methods, values, series.horizon)) is not None:
            path = found[0].widened(widening(trial, parts))
            return Outlook(path.value, path.lower, path.upper, found[1])
    path, name = _forecast_untried(values, season, series.horizon)
    return Outlook(path.value, path.lower, path.upper, name)


def methods_for(values: Floats, seasons: tuple[int, ...]) -> list[Method]:
    """Return the methods that suit the series' length and seasons: fewer for longer series."""
    from models.series.methods import Arima, Autoregression, Ets, MstlEts, Theta

    season = seasons[0] if seasons else 1
    methods: list[Method] = [SeasonalNaive(), Drift(), Mean(), Ets(), Autoregression(), Theta()]
    grows = float(values.min()) > 0 and float(values.max()) > 2 * float(values.min())
    short = len(values) <= _MAX_ARIMA_VALUES
    if short:
        methods.append(Arima((1, 1, 1)))
    if seasons:
        methods += [SeasonalNaive(season), MstlEts(seasons), Theta(season)]
        if float(values.min()) > 0:
            methods.append(Theta(season, multiplicative=True))
        if season <= _LONGEST_SMOOTHED:
            methods += [Ets(season), Autoregression(season)]
        if short and season <= _LONGEST_ARIMA:
            methods.append(Arima((0, 1, 1), season, (0, 1, 1)))
    if grows and season <= _LONGEST_SMOOTHED:
        methods.append(Logarithmic(Ets(season)))
    return methods


def _forecast_untried(values: Floats, season: int, horizon: int) -> tuple[ForecastPath, str]:
    """Return a forecast for a series that is too short for a comparison, or that no method fits, and the name of the
    forecast.

    The forecast is the weighted mean of a straight line and of the last value, or the last season, repeated. The
    steadier the changes of the series are, the more weight the line has: from 0.5 to 1, which it has if all changes are
    equal.
    """
    naive, drift = SeasonalNaive(season), Drift()
    changes = np.diff(values)
    unsteady = float(changes.var(ddof=1)) / (_UNSTEADY_VARIANCE * float(changes.mean()) ** 2) if changes.mean() else 1.0
    believed = 1 - min(unsteady, 1.0) / 2
    path = mean_of([naive(values, horizon), drift(values, horizon)], [1 - believed, believed])
    return path, drift.name if believed == 1 else f"{naive.name} and {drift.name}"


def _kept_values(series: Series) -> int:
    return min(_MAX_VALUES, max(_MIN_VALUES, _SEASONS_KEPT * max(series.seasons, default=1)))


def _most_folds(count: int) -> int:
    return 5 if count <= _MAX_ARIMA_VALUES else 3


def _constant(values: Floats, horizon: int) -> Outlook:
    same = np.full(horizon, values[-1])
    return Outlook(same, same, same, "constant")
