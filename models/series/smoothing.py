"""Exponential smoothing, plain and of what is left when the seasons are taken out."""

from typing import Any

import numpy as np
import pandas as pd
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.seasonal import MSTL

from models.series.forecaster import Floats
from models.series.path import ALPHA, Path

_ITERATIONS = 60
"""Of the optimiser: where it has not converged by then, it moves within the noise."""


class Ets:
    """Error, trend and season smoothed additively: ETS(A,·,·) of Hyndman et al. (2008). Of the forms that the number of
    values allows, the one with the lowest corrected Akaike criterion."""

    def __init__(self, season: int = 1) -> None:
        self._season = season
        self.name = "seasonal ETS" if season > 1 else "ETS"
        self._form: dict[str, Any] | None = None

    def __call__(self, values: Floats, horizon: int) -> Path:
        if self._form is None:
            # Chosen by the shortest beginning; longer ones keep it.
            fitted, self._form = min(
                ((_fitted(values, form), form) for form in _forms(len(values), self._season)),
                key=lambda pair: _criterion(pair[0]),
            )
        else:
            fitted = _fitted(values, self._form)
        end = len(values) + horizon - 1
        prediction = fitted.get_prediction(len(values), end, method="exact")
        bounds = np.asarray(prediction.pred_int(alpha=ALPHA), np.float64)
        return Path(np.asarray(prediction.predicted_mean, np.float64), bounds[:, 0], bounds[:, 1])


class MstlEts:
    """Seasons by MSTL (Bandara, Hyndman & Bergmeir 2021), which repeat as they last were; the rest by Ets."""

    def __init__(self, seasons: tuple[int, ...]) -> None:
        self._seasons = seasons
        self._rest = Ets()
        self.name = "MSTL + ETS"

    def __call__(self, values: Floats, horizon: int) -> Path:
        # A shorter beginning may not hold two of the longest seasons.
        seasons = [season for season in self._seasons if len(values) > 2 * season]
        if not seasons:
            raise ValueError("fewer values than two seasons")
        parts = MSTL(values, periods=seasons).fit()
        seasonal = np.asarray(parts.seasonal, np.float64).reshape(len(values), -1)
        path = self._rest(values - seasonal.sum(axis=1), horizon)
        steps = np.arange(horizon)
        ahead = np.zeros(horizon)
        for column, season in zip(seasonal.T, seasons, strict=True):
            ahead += column[-season:][steps % season]
        return Path(path.value + ahead, path.lower + ahead, path.upper + ahead)


def _forms(count: int, season: int) -> list[dict[str, Any]]:
    seasonal: dict[str, Any] = {"seasonal": "add", "seasonal_periods": season} if season > 1 else {}
    forms: list[dict[str, Any]] = [{**seasonal, "trend": None}]
    if count >= 10 + season:
        forms += [{**seasonal, "trend": "add", "damped_trend": damped} for damped in (False, True)]
    return forms


def _fitted(values: Floats, form: dict[str, Any]) -> Any:
    # Its own first guess asks for ten values and two whole seasons; with fewer, they are estimated along.
    season = form.get("seasonal_periods", 1)
    start = "heuristic" if len(values) >= max(10, 2 * season) else "estimated"
    # Its intervals ask for an index.
    model = ETSModel(pd.Series(values), error="add", initialization_method=start, **form)
    return model.fit(disp=False, maxiter=_ITERATIONS)


def _criterion(fitted: Any) -> float:
    value = float(fitted.aicc)
    return value if np.isfinite(value) else np.inf
