"""The engine of statistics: classical methods, of which each series gets those that forecast its own past best."""

import importlib
import warnings
from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from models.series.backtest import best, folds, path_of, widening
from models.series.forecaster import Floats, Outlook, Series
from models.series.naive import Drift, Mean, SeasonalNaive
from models.series.path import Logarithmic, Method, Path, mean_of
from models.series.seasons import usable

_LEAST_KNOWN = 1000
_MOST_KNOWN = 3000
_SEASONS_KNOWN = 4
"""What lies further back says little and costs time: a series is cut to so many of its longest season, within both."""
_LONGEST_SMOOTHED = 24
"""Steps of a season up to which exponential smoothing estimates one value for each."""
_LONGEST_ARIMA = 12
_ARIMA_KNOWN = 400
"""Values above which ARIMA, with a state for each step of the season, would take longer than all others together."""
_LEAST_TRIED = 8
"""Values below which there is nothing left to learn from once an end is taken off."""
_UNSTEADY = 0.2
"""The variance of a short series' changes, in squares of their mean, from which on its line is believed by half."""


class Statistical:
    """From a Series to its Outlook. Implements `models.base.Engine`; for one worker, since it silences Python's
    warnings for the whole process while it runs."""

    def load(self) -> None:
        """Imports statsmodels, which takes seconds."""
        importlib.import_module("models.series.smoothing")
        importlib.import_module("models.series.arima")

    def run(self, batch: Sequence[Series]) -> Sequence[Outlook | Exception]:
        # Matrices are so small that threads of linear algebra would spin longer than they work: 30 times as long.
        with threadpool_limits(1), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of methods that fit badly, which is what they are tried for
            return [_outlook_or_error(series) for series in batch]

    def close(self) -> None:
        """Nothing is kept from one series to the next."""


def _outlook_or_error(series: Series) -> Outlook | Exception:
    try:
        return outlook(series)
    except Exception as error:  # noqa: BLE001 - whatever breaks on a series is the result of that series
        return error


def outlook(series: Series) -> Outlook:
    values = series.values[-_known(series) :]
    seasons = usable(values, series.seasons)
    if np.ptp(values) == 0:
        return _constant(values, series.horizon)
    season = seasons[0] if seasons else 1
    methods = methods_for(values, seasons)
    parts = folds(values, series.horizon, season, most=_most_folds(len(values)))
    if len(values) < _LEAST_TRIED or not parts:
        path, name = _untried(values, season, series.horizon)
        return Outlook(path.value, path.lower, path.upper, name)
    trial = best(methods, parts)
    path, name = path_of(trial.methods, values, series.horizon)
    path = path.widened(widening(trial, parts))
    return Outlook(path.value, path.lower, path.upper, name)


def methods_for(values: Floats, seasons: tuple[int, ...]) -> list[Method]:
    """Those that suit its length and seasons; the fewer, the longer it is."""
    from models.series.arima import Arima, Autoregression
    from models.series.smoothing import Ets, MstlEts

    season = seasons[0] if seasons else 1
    methods: list[Method] = [SeasonalNaive(), Drift(), Mean(), Ets(), Autoregression()]
    grows = float(values.min()) > 0 and float(values.max()) > 2 * float(values.min())
    short = len(values) <= _ARIMA_KNOWN
    if short:
        methods.append(Arima((1, 1, 1)))
    if seasons:
        methods += [SeasonalNaive(season), MstlEts(seasons)]
        if season <= _LONGEST_SMOOTHED:
            methods += [Ets(season), Autoregression(season)]
        if short and season <= _LONGEST_ARIMA:
            methods.append(Arima((0, 1, 1), season, (0, 1, 1)))
    if grows and season <= _LONGEST_SMOOTHED:
        methods.append(Logarithmic(Ets(season)))
    return methods


def _untried(values: Floats, season: int, horizon: int) -> tuple[Path, str]:
    """The mean of the straight line and of no change, which is best where nothing can be tried; the steadier the
    changes, the nearer to the line, and along it where they are all the same."""
    naive, drift = SeasonalNaive(season), Drift()
    changes = np.diff(values)
    unsteady = float(changes.var(ddof=1)) / (_UNSTEADY * float(changes.mean()) ** 2) if changes.mean() else 1.0
    believed = 1 - min(unsteady, 1.0) / 2
    path = mean_of([naive(values, horizon), drift(values, horizon)], [1 - believed, believed])
    return path, drift.name if believed == 1 else f"{naive.name} and {drift.name}"


def _known(series: Series) -> int:
    return min(_MOST_KNOWN, max(_LEAST_KNOWN, _SEASONS_KNOWN * max(series.seasons, default=1)))


def _most_folds(count: int) -> int:
    return 5 if count <= _ARIMA_KNOWN else 3


def _constant(values: Floats, horizon: int) -> Outlook:
    same = np.full(horizon, values[-1])
    return Outlook(same, same, same, "constant")
