"""Autoregression and moving averages."""

from typing import Any

import numpy as np
from statsmodels.tsa.ar_model import AutoReg, ar_select_order
from statsmodels.tsa.arima.model import ARIMA

from models.series.forecaster import Floats
from models.series.path import ALPHA, Path

Order = tuple[int, int, int]
"""Lags, differences, lags of errors."""

_ITERATIONS = 40
_MOST_LAGS = 24
_GROWTH = 1.25
"""How many times longer a beginning must be for its coefficients to be learnt anew, which takes most of the time."""


class Autoregression:
    """AR(p) with a mean for each place in the season, by least squares; p by the Akaike criterion."""

    def __init__(self, season: int = 1) -> None:
        self._seasonal: dict[str, Any] = {"seasonal": True, "period": season} if season > 1 else {}
        self._season = season
        self.name = "seasonal autoregression" if season > 1 else "autoregression"

    def __call__(self, values: Floats, horizon: int) -> Path:
        most = min(_MOST_LAGS, (len(values) - self._season) // 6)
        if most < 1:
            raise ValueError("too few values")
        order = ar_select_order(values, most, ic="aic", **self._seasonal)
        fitted = AutoReg(values, order.ar_lags, **self._seasonal).fit()
        prediction = fitted.get_prediction(len(values), len(values) + horizon - 1)
        bounds = np.asarray(prediction.conf_int(alpha=ALPHA), np.float64)
        return Path(np.asarray(prediction.predicted_mean, np.float64), bounds[:, 0], bounds[:, 1])


class Arima:
    """ARIMA of one order, by maximum likelihood."""

    def __init__(self, order: Order, season: int = 1, seasonal: Order = (0, 0, 0)) -> None:
        self._order = order
        self._seasonal = (*seasonal, season) if season > 1 else (0, 0, 0, 0)
        self._learnt: Floats | None = None
        self._learnt_from = 0
        self.name = f"ARIMA{order}".replace(" ", "")
        if season > 1:
            self.name += f"({seasonal[0]},{seasonal[1]},{seasonal[2]})[{season}]"

    def __call__(self, values: Floats, horizon: int) -> Path:
        # The optimiser's steps are meant for numbers near one.
        middle, scale = float(values.mean()), float(values.std())
        model = ARIMA((values - middle) / scale, order=self._order, seasonal_order=self._seasonal)
        if self._learnt is None or len(values) > _GROWTH * self._learnt_from:
            fitted = model.fit(method_kwargs={"maxiter": _ITERATIONS, "disp": 0}, cov_type="none")
            self._learnt, self._learnt_from = np.asarray(fitted.params, np.float64), len(values)
        else:
            fitted = model.filter(self._learnt, cov_type="none")
        prediction = fitted.get_forecast(horizon)
        bounds = np.asarray(prediction.conf_int(alpha=ALPHA), np.float64) * scale + middle
        return Path(np.asarray(prediction.predicted_mean, np.float64) * scale + middle, bounds[:, 0], bounds[:, 1])
