"""Methods that forecast a series: naive, drift, exponential smoothing, ARIMA and others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from statsmodels.tsa.ar_model import AutoReg, ar_select_order
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.seasonal import STL, seasonal_decompose

from models.series.forecaster import COVERAGE, Floats

Z = 1.2815515655446004
"""Quantile 0.9 of the standard normal distribution: 80 % of its values are at most this number of standard deviations
from the mean."""

ALPHA = 1 - COVERAGE

Order = tuple[int, int, int]
"""Numbers of lags, of differences, and of lags of errors."""
_ARIMA_ITERATIONS = 40
_MAX_LAGS = 24
_REFIT_GROWTH = 1.25
"""Factor by which the known part of a series must grow before the coefficients are estimated again, because estimation
takes most of the time."""
_LEAST_WEIGHT = 1e-6
"""Least divisor in the computation of the lag of simple exponential smoothing, because the smoothing parameter may be
0."""
_ITERATIONS = 60
"""The optimiser makes at most this many iterations. If it has not converged by then, further iterations change less
than the noise does."""


@dataclass(frozen=True, slots=True, eq=False)
class ForecastPath:
    """A method's forecast with its prediction intervals; three arrays of equal length."""

    value: Floats
    lower: Floats
    upper: Floats

    @property
    def usable(self) -> bool:
        return all(bool(np.isfinite(line).all()) for line in (self.value, self.lower, self.upper))

    def widened(self, factor: float) -> "ForecastPath":
        """Return the path with both sides of its intervals `factor` times as wide."""
        return ForecastPath(
            self.value,
            self.value - factor * (self.value - self.lower),
            self.value + factor * (self.upper - self.value),
        )


class Method(Protocol):
    """A forecasting method for one series. It is called for longer and longer parts of the series, each from the
    beginning, and may reuse its estimates for a shorter part."""

    @property
    def name(self) -> str: ...

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        """Return the path after `values`. Raises ValueError, ArithmeticError or numpy's LinAlgError if the method
        cannot be fitted to them."""


def normal(value: Floats, deviation: Floats) -> ForecastPath:
    """Return the path with normally distributed errors of these standard deviations."""
    return ForecastPath(value, value - Z * deviation, value + Z * deviation)


def mean_of(paths: Sequence[ForecastPath], weights: Sequence[float] | None = None) -> ForecastPath:
    return ForecastPath(
        np.average([path.value for path in paths], axis=0, weights=weights),
        np.average([path.lower for path in paths], axis=0, weights=weights),
        np.average([path.upper for path in paths], axis=0, weights=weights),
    )


def median_of(paths: Sequence[ForecastPath]) -> ForecastPath:
    """Return the median of the paths at each step, with the mean of their intervals' widths on either side. A method
    that goes astray moves a median less than a mean."""
    value = np.median([path.value for path in paths], axis=0)
    below = np.mean([path.value - path.lower for path in paths], axis=0)
    above = np.mean([path.upper - path.value for path in paths], axis=0)
    return ForecastPath(value, value - below, value + above)


class Logarithmic:
    """Method that applies another method to the logarithms of a positive series, for growth by percentages and seasons
    that grow with the level."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self.name = f"{method.name} of logarithms"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        path = self._method(np.log(values), horizon)
        return ForecastPath(np.exp(path.value), np.exp(path.lower), np.exp(path.upper))


class Autoregression:
    """AR(p) with a mean for each step of the season, by least squares. The Akaike criterion determines p."""

    def __init__(self, season: int = 1) -> None:
        self._seasonal: dict[str, Any] = {"seasonal": True, "period": season} if season > 1 else {}
        self._season = season
        self.name = "seasonal autoregression" if season > 1 else "autoregression"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        limit = min(_MAX_LAGS, (len(values) - self._season) // 6)
        if limit < 1:
            raise ValueError("too few values")
        order = ar_select_order(values, limit, ic="aic", **self._seasonal)
        fitted = AutoReg(values, order.ar_lags, **self._seasonal).fit()
        prediction = fitted.get_prediction(len(values), len(values) + horizon - 1)
        bounds = np.asarray(prediction.conf_int(alpha=ALPHA), np.float64)
        return ForecastPath(np.asarray(prediction.predicted_mean, np.float64), bounds[:, 0], bounds[:, 1])


class Arima:
    """ARIMA of one order, by maximum likelihood."""

    def __init__(self, order: Order, season: int = 1, seasonal: Order = (0, 0, 0)) -> None:
        self._order = order
        self._seasonal = (*seasonal, season) if season > 1 else (0, 0, 0, 0)
        self._parameters: Floats | None = None
        self._fitted_length = 0
        self.name = f"ARIMA{order}".replace(" ", "")
        if season > 1:
            self.name += f"({seasonal[0]},{seasonal[1]},{seasonal[2]})[{season}]"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        # The optimiser's step sizes suit numbers near one.
        middle, scale = float(values.mean()), float(values.std())
        model = ARIMA((values - middle) / scale, order=self._order, seasonal_order=self._seasonal)
        if self._parameters is None or len(values) > _REFIT_GROWTH * self._fitted_length:
            fitted = model.fit(method_kwargs={"maxiter": _ARIMA_ITERATIONS, "disp": 0}, cov_type="none")
            self._parameters, self._fitted_length = np.asarray(fitted.params, np.float64), len(values)
        else:
            fitted = model.filter(self._parameters, cov_type="none")
        prediction = fitted.get_forecast(horizon)
        bounds = np.asarray(prediction.conf_int(alpha=ALPHA), np.float64) * scale + middle
        return ForecastPath(
            np.asarray(prediction.predicted_mean, np.float64) * scale + middle, bounds[:, 0], bounds[:, 1]
        )


class SeasonalNaive:
    """Method that repeats the values of the last season; with a season of one step, the last value."""

    def __init__(self, season: int = 1) -> None:
        self._season = season
        self.name = "seasonal naive" if season > 1 else "naive"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        steps = np.arange(horizon)
        deviation = _root_mean_square(values[self._season :] - values[: -self._season])
        ahead = values[-self._season :][steps % self._season]
        return normal(ahead, deviation * np.sqrt(steps // self._season + 1.0))


class Drift:
    """Method that continues from the last value with the mean change per step."""

    name = "drift"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        steps = np.arange(1, horizon + 1)
        changes = np.diff(values)
        deviation = float(np.std(changes))
        return normal(values[-1] + steps * changes.mean(), deviation * np.sqrt(steps * (1 + steps / len(changes))))


class Mean:
    """Method that repeats the mean of all values."""

    name = "mean"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        deviation = float(np.std(values, ddof=1)) * np.sqrt(1 + 1 / len(values))
        return normal(np.full(horizon, values.mean()), np.full(horizon, deviation))


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


class Ets:
    """Exponential smoothing with additive error, trend and season: ETS(A,·,·) of Hyndman et al. (2008). Of the forms
    that the number of values allows, the one with the lowest corrected Akaike criterion is used."""

    def __init__(self, season: int = 1) -> None:
        self._season = season
        self.name = "seasonal ETS" if season > 1 else "ETS"
        self._form: dict[str, Any] | None = None

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        if self._form is None:
            # The form is chosen for the first part of the series, and is kept for longer ones.
            fitted, self._form = min(
                ((_fitted(values, form), form) for form in _forms(len(values), self._season)),
                key=lambda pair: _corrected_aic(pair[0]),
            )
        else:
            fitted = _fitted(values, self._form)
        end = len(values) + horizon - 1
        prediction = fitted.get_prediction(len(values), end, method="exact")
        bounds = np.asarray(prediction.pred_int(alpha=ALPHA), np.float64)
        return ForecastPath(np.asarray(prediction.predicted_mean, np.float64), bounds[:, 0], bounds[:, 1])


def seasonal_parts(values: Floats, seasons: Sequence[int]) -> Floats:
    """Separate `seasons`, which are in ascending order, from `values` [n]. Return the part of each season [seasons, n].

    This is MSTL (Bandara, Hyndman & Bergmeir 2021, algorithm 1, without its transformation): each season is smoothed
    without the others, twice if there are several. Its windows are 11 cycles for the shortest season and 4 more for
    each longer one. Smoothing at every tenth of a window and linear interpolation between (Cleveland et al. 1990, 3.9)
    change little. statsmodels' MSTL smooths at every value, which takes seconds for a season of 1,000 steps, during
    which no other thread runs.
    """
    parts = np.zeros((len(seasons), len(values)))
    for _ in range(2 if len(seasons) > 1 else 1):
        for index, season in enumerate(seasons):
            rest = values - parts.sum(axis=0) + parts[index]
            cycles = 11 + 4 * index
            trend = math.ceil(1.5 * season / (1 - 1.5 / cycles)) | 1
            low_pass = (season + 1) | 1
            jumps = {
                f"{name}_jump": math.ceil(window / 10)
                for name, window in (("seasonal", cycles), ("trend", trend), ("low_pass", low_pass))
            }
            fitted = STL(rest, period=season, seasonal=cycles, trend=trend, low_pass=low_pass, **jumps).fit()
            parts[index] = fitted.seasonal
    return parts


class MstlEts:
    """Method that separates the seasons by MSTL and repeats their last shape. Ets forecasts the remainder."""

    def __init__(self, seasons: tuple[int, ...]) -> None:
        self._seasons = seasons
        self._rest = Ets()
        self.name = "MSTL + ETS"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        # The first parts of a series may be shorter than two of the longest seasons.
        seasons = [season for season in self._seasons if len(values) > 2 * season]
        if not seasons:
            raise ValueError("fewer values than two seasons")
        seasonal = seasonal_parts(values, seasons)
        path = self._rest(values - seasonal.sum(axis=0), horizon)
        steps = np.arange(horizon)
        ahead = np.zeros(horizon)
        for part, season in zip(seasonal, seasons, strict=True):
            ahead += part[-season:][steps % season]
        return ForecastPath(path.value + ahead, path.lower + ahead, path.upper + ahead)


class Theta:
    """The theta method (Assimakopoulos & Nikolopoulos 2000) as simple exponential smoothing with half of the straight
    line's slope (Hyndman & Billah 2003). Before, the seasons are removed by classical decomposition, which is
    `multiplicative` or additive; the forecast repeats them."""

    def __init__(self, season: int = 1, *, multiplicative: bool = False) -> None:
        self._season = season
        self._multiplicative = multiplicative
        self.name = "seasonal theta" if season > 1 else "theta"
        if multiplicative:
            self.name = "multiplicative theta"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        if self._season == 1:
            return self._without_season(values, horizon)
        model = "multiplicative" if self._multiplicative else "additive"
        seasonal = np.asarray(seasonal_decompose(values, period=self._season, model=model).seasonal, np.float64)
        ahead = seasonal[-self._season :][np.arange(horizon) % self._season]
        if self._multiplicative:
            path = self._without_season(values / seasonal, horizon)
            return ForecastPath(path.value * ahead, path.lower * ahead, path.upper * ahead)
        path = self._without_season(values - seasonal, horizon)
        return ForecastPath(path.value + ahead, path.lower + ahead, path.upper + ahead)

    def _without_season(self, values: Floats, horizon: int) -> ForecastPath:
        count, steps = len(values), np.arange(horizon)
        slope = float(np.polyfit(np.arange(count), values, 1)[0])
        fitted = _fitted(values, {"trend": None})
        weight = float(fitted.smoothing_level)
        # The smoothed level is that of `lag` steps ago, so the straight line is followed from there.
        lag = (1 - (1 - weight) ** count) / max(weight, _LEAST_WEIGHT)
        value = np.asarray(fitted.level, np.float64)[-1] + slope / 2 * (steps + lag)
        return normal(value, float(np.std(fitted.resid)) * np.sqrt(1 + steps * weight**2))


def _forms(count: int, season: int) -> list[dict[str, Any]]:
    seasonal: dict[str, Any] = {"seasonal": "add", "seasonal_periods": season} if season > 1 else {}
    forms: list[dict[str, Any]] = [{**seasonal, "trend": None}]
    if count >= 10 + season:
        forms += [{**seasonal, "trend": "add", "damped_trend": damped} for damped in (False, True)]
    return forms


def _fitted(values: Floats, form: dict[str, Any]) -> Any:
    # statsmodels' heuristic for initial values needs ten values and two whole seasons; with fewer, the initial values
    # are estimated, too.
    season = form.get("seasonal_periods", 1)
    start = "heuristic" if len(values) >= max(10, 2 * season) else "estimated"
    # ETSModel's prediction intervals need an index.
    model = ETSModel(pd.Series(values), error="add", initialization_method=start, **form)
    return model.fit(disp=False, maxiter=_ITERATIONS)


def _corrected_aic(fitted: Any) -> float:
    value = float(fitted.aicc)
    return value if np.isfinite(value) else np.inf
