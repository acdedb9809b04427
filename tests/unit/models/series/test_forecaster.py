"""The engine of statistics: what it continues, how wide its intervals are, and what it does not leak."""

import warnings
from itertools import product

import numpy as np
import pytest
from statsmodels.tsa.seasonal import MSTL
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.runtime import Runtime
from models.series import statistical
from models.series.capability import FORECAST
from models.series.forecaster import Floats, Outlook, Series
from models.series.methods import (
    Arima,
    Autoregression,
    Drift,
    Ets,
    ForecastPath,
    Logarithmic,
    Mean,
    MstlEts,
    SeasonalNaive,
    Theta,
    normal,
    seasonal_parts,
)
from models.series.statistical import Statistical, methods_for, usable_seasons
from tests.parts import finished

MONTHS = np.arange(96)
NOISE = np.random.default_rng(1).normal(size=96)
SWINGING: Floats = 100 + MONTHS + 20 * np.sin(MONTHS * np.pi / 6) + NOISE


def outlook(values: Floats, horizon: int, seasons: tuple[int, ...] = ()) -> Outlook:
    engine = Statistical()
    engine.load()
    [result] = finished(engine, [Series(np.asarray(values, np.float64), horizon, seasons)])
    assert isinstance(result, Outlook)
    engine.close()
    return result


@pytest.mark.deep
def test_trend_and_season_go_on() -> None:
    found = outlook(SWINGING[:84], 12, (12,))
    assert np.abs(found.value - SWINGING[84:]).mean() < 2
    assert (found.lower < found.value).all()
    assert (found.value < found.upper).all()


@pytest.mark.deep
def test_a_season_that_nobody_named_is_found() -> None:
    steps = np.arange(60)
    found = outlook(10 + 5 * np.sin(steps[:48] * 2 * np.pi / 8) + 0.1 * NOISE[:48], 12)
    assert np.abs(found.value - (10 + 5 * np.sin(steps[48:] * 2 * np.pi / 8))).max() < 1


def test_growth_by_a_share_is_forecast_by_logarithms() -> None:
    values = 10 * 1.1 ** np.arange(40) * np.exp(0.01 * NOISE[:40])
    found = outlook(values[:34], 6)
    assert np.abs(found.value / values[34:] - 1).max() < 0.1


@pytest.mark.deep
def test_the_same_series_has_the_same_outlook_in_any_company() -> None:
    engine = Statistical()
    engine.load()
    query = Series(SWINGING, 6, (12,))
    [alone] = finished(engine, [query])
    [_, together] = finished(engine, [Series(NOISE, 3), query])
    assert isinstance(alone, Outlook)
    assert isinstance(together, Outlook)
    assert alone.value.tobytes() == together.value.tobytes()
    assert alone.upper.tobytes() == together.upper.tobytes()


@pytest.mark.parametrize(
    "count", [5, 6, 8, 12, 20, *(pytest.param(count, marks=pytest.mark.deep) for count in (7, 9, 10, 15))]
)
def test_short_series_are_forecast(count: int) -> None:
    found = outlook(SWINGING[:count], 10, (12,))
    assert found.value.shape == found.lower.shape == found.upper.shape == (10,)
    assert np.isfinite([found.value, found.lower, found.upper]).all()
    assert (found.lower <= found.upper).all()


@pytest.mark.deep
@pytest.mark.parametrize(
    "values",
    [
        [0.0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0],
        [1e12 + n for n in range(20)],
        [1e-9 * n for n in range(20)],
        [-5.0, 3, -2, 8, -1, 0, 3, -9, 4, 4, -3, 2],
        [1.0, 1, 1, 1, 1, 1, 1, 1, 1, 100],
        [2.0**n for n in range(30)],
    ],
)
def test_odd_series_have_finite_outlooks(values: list[float]) -> None:
    found = outlook(np.array(values), 5)
    assert np.isfinite([found.value, found.lower, found.upper]).all()


def test_a_constant_goes_on() -> None:
    found = outlook(np.full(30, 7.0), 4)
    assert found.value.tolist() == found.lower.tolist() == found.upper.tolist() == [7.0] * 4


LINES: list[tuple[float, float]] = [(10, 2), (100, 10), (0.1, 0.1), (1000, -37)]
COUNTS = [5, 6, 7, 8, 9, 12, 20]
SEASONS: list[tuple[int, ...]] = [(), (4,), (12,)]


@pytest.mark.parametrize(
    ("lines", "counts", "seasons"),
    [
        pytest.param(LINES[:1], [5, 8, 20], SEASONS[::2], id="of some lengths"),
        pytest.param(LINES[:1], COUNTS, SEASONS, id="of any length", marks=pytest.mark.deep),
        pytest.param(LINES, [6, 20], SEASONS[:1], id="at any height", marks=pytest.mark.deep),
        pytest.param(LINES, COUNTS, SEASONS, id="every", marks=pytest.mark.deep),
    ],
)
def test_a_straight_line_goes_on(
    lines: list[tuple[float, float]], counts: list[int], seasons: list[tuple[int, ...]]
) -> None:
    for (start, step), count, season in product(lines, counts, seasons):
        check_line(start, step, count, season)


def check_line(start: float, step: float, count: int, seasons: tuple[int, ...]) -> None:
    found = outlook(start + step * np.arange(count), 3, seasons)
    expected = start + step * np.arange(count, count + 3)
    tiny = 1e-6 * abs(step)
    assert np.allclose(found.value, expected, rtol=0, atol=tiny)
    assert (found.lower <= expected + tiny).all()
    assert (expected - tiny <= found.upper).all()


@pytest.mark.parametrize("count", [5, 7, 8, 20])
def test_a_straight_line_goes_on_for_many_times_its_length(count: int) -> None:
    found = outlook(np.arange(count), 250)
    assert np.allclose(found.value, np.arange(count, count + 250), rtol=0, atol=1e-3)


def test_a_short_series_is_believed_the_more_the_steadier_it_is() -> None:
    nearly = outlook(np.array([10, 12.1, 13.9, 16, 18.1, 20]), 3)
    assert np.allclose(nearly.value, [22, 24, 26], atol=0.2)
    # Of these, half of the mean change: on short pieces of real series that errs less than the line and than none.
    noisy = outlook(np.array([10.0, 14, 9, 15, 12, 15]), 2)
    assert np.allclose(noisy.value, [15.5, 16])


@pytest.mark.deep
def test_a_season_longer_than_the_methods_bear_is_taken_out() -> None:
    steps = np.arange(500)
    values = 50 + 10 * np.sin(steps * 2 * np.pi / 168) + 5 * np.sin(steps * 2 * np.pi / 24)
    found = outlook(values[:476] + 0.1 * np.resize(NOISE, 476), 24, (24, 168))
    assert np.abs(found.value - values[476:]).mean() < 2


def test_python_warnings_are_as_they_were_and_none_comes_out() -> None:
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        outlook(np.array([1.0, 1, 1, 1, 1, 1, 1, 1, 1, 100]), 3)
    assert seen == []
    assert warnings.filters == before


def test_the_libraries_of_all_fits_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[ThreadpoolController] = []

    def looking() -> ThreadpoolController:
        looked.append(ThreadpoolController())
        return looked[-1]

    statistical._linear_algebra.cache_clear()
    monkeypatch.setattr(statistical, "ThreadpoolController", looking)
    outlook(SWINGING[:20], 3)
    outlook(SWINGING[:5], 3)
    assert len(looked) == 1


def test_linear_algebra_stays_on_one_thread_while_a_method_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()

    class Counting(Drift):
        def __call__(self, values: Floats, horizon: int) -> ForecastPath:
            threads.update(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
            return super().__call__(values, horizon)

    monkeypatch.setattr(statistical, "methods_for", lambda *_: [Counting()])
    with threadpool_limits(2, user_api="blas"):
        outlook(SWINGING[:20], 3)
    assert threads == {1}


def test_a_series_that_breaks_is_the_result_of_itself_alone() -> None:
    engine = Statistical()
    engine.load()
    broken, fine = finished(engine, [Series(np.full(20, np.nan), 3), Series(NOISE, 3)])
    assert isinstance(broken, Exception)
    assert isinstance(fine, Outlook)


@pytest.mark.parametrize(
    "method", [SeasonalNaive(12), Drift(), Mean(), Ets(12), MstlEts((12,)), Autoregression(12), Arima((1, 1, 1))]
)
def test_the_interval_of_a_method_surrounds_its_path(method: Ets) -> None:
    path = method(SWINGING, 24)
    assert path.usable
    assert (path.lower < path.value).all()
    assert (path.value < path.upper).all()


@pytest.mark.parametrize("seasons", [(12,), (7, 24), (2, 5)])
def test_seasons_are_those_of_statsmodels(seasons: tuple[int, ...]) -> None:
    steps = np.arange(200)
    noise = np.random.default_rng(1).normal(size=200)
    values = steps + 10 * sum(np.sin(2 * np.pi * steps / season) for season in seasons) + noise
    expected = np.asarray(MSTL(values, periods=seasons).fit().seasonal).reshape(200, -1).T
    found = seasonal_parts(values, seasons)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 0.5


def test_naive_intervals_are_those_of_the_textbook() -> None:
    values = np.array([1.0, 3.0, 2.0, 4.0, 3.0])
    path = SeasonalNaive()(values, 4)
    sigma = np.sqrt(np.mean(np.diff(values) ** 2))
    assert path.value.tolist() == [3.0] * 4
    assert np.allclose(path.upper - 3, 1.2815515655 * sigma * np.sqrt([1, 2, 3, 4]))


def test_logarithms_keep_a_path_positive() -> None:
    path = Logarithmic(Drift())(np.array([8.0, 4.0, 5.0, 2.0, 1.0, 0.5]), 9)
    assert (path.lower > 0).all()


def test_arima_learns_its_coefficients_anew_only_from_a_longer_beginning() -> None:
    method = Arima((1, 1, 1))
    first, second = method(SWINGING[:80], 6), method(SWINGING[:81], 6)
    fresh = Arima((1, 1, 1))(SWINGING[:81], 6)
    assert np.abs(second.value - fresh.value).max() < 0.5
    assert not np.array_equal(first.value, second.value)


def test_folds_end_where_the_series_does_and_never_overlap_what_is_known() -> None:
    values = np.arange(60.0)
    parts = statistical.folds(values, 12, 12, most=5)
    assert len(parts) > 1
    assert parts[-1].actual[-1] == 59
    for part in parts:
        assert part.actual[0] == part.known[-1] + 1
        assert len(part.known) >= 27
    assert statistical.folds(values[:5], 12, 12, most=5) != []


class Off:
    """Errs by a constant, and thinks that it errs by one."""

    def __init__(self, error: float) -> None:
        self.name = f"off by {error}"
        self._error = error

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        return normal(values[-1] + np.arange(1, horizon + 1) + self._error, np.ones(horizon))


class Broken:
    name = "broken"

    def __call__(self, values: Floats, horizon: int) -> ForecastPath:
        raise np.linalg.LinAlgError


LINE = np.arange(40.0)


def test_the_method_that_errs_least_is_chosen() -> None:
    parts = statistical.folds(LINE, 5, 1, most=5)
    assert statistical.ranked([Off(3), Off(0.1), Broken()], parts)[0].name == "off by 0.1"


def test_methods_near_the_best_are_combined_by_their_median() -> None:
    parts = statistical.folds(LINE, 5, 1, most=5)
    trial = statistical.ranked([Off(1), Off(1.1), Off(1.2), Off(1.4)], parts)[0]
    assert trial.name == "the median of off by 1, off by 1.1 and off by 1.2"
    assert trial.error == pytest.approx(1.1)


@pytest.mark.parametrize("multiplicative", [False, True])
def test_theta_goes_on_with_the_season_and_half_of_the_slope(multiplicative: bool) -> None:
    steps = np.arange(72.0)
    swing = np.tile([0.5, 1.0, 1.5, 1.0], 18)
    values = (100 + steps) * swing if multiplicative else 100 + steps + 20 * swing
    path = Theta(4, multiplicative=multiplicative)(values[:60], 12)
    trend = 159 + 0.5 * np.arange(1, 13)
    expected = trend * swing[:12] if multiplicative else trend + 20 * swing[:12]
    assert np.abs(path.value - expected).max() < 4
    assert (path.lower <= path.value).all()
    assert (path.value <= path.upper).all()


def test_theta_does_not_fit_where_there_are_fewer_than_two_seasons() -> None:
    with pytest.raises(ValueError, match="2 complete cycles"):
        Theta(12)(np.arange(20.0), 3)


def test_methods_that_err_on_opposite_sides_are_averaged() -> None:
    parts = statistical.folds(LINE, 5, 1, most=5)
    trial = statistical.ranked([Off(2), Off(-2), Off(9)], parts)[0]
    assert {method.name for method in trial.methods} == {"off by 2", "off by -2"}
    assert trial.error == pytest.approx(0)


def test_without_any_method_there_is_no_choice() -> None:
    assert statistical.ranked([Broken()], statistical.folds(LINE, 5, 1, most=5)) == []


@pytest.mark.parametrize("last", [3, -1e6, *(pytest.param(one, marks=pytest.mark.deep) for one in (0, 1, 50))])
def test_a_last_value_far_from_the_others_is_no_end_of_the_forecast(last: float) -> None:
    for values in (np.arange(1.0, 9), np.arange(10.0, 2, -1), np.arange(2.0, 40, 2)):
        [outlook] = finished(Statistical(), [Series(np.append(values, last), 5, ())])
        assert isinstance(outlook, Outlook)
        assert np.isfinite([outlook.value, outlook.lower, outlook.upper]).all()


def test_intervals_that_hold_too_little_are_widened_and_others_are_left() -> None:
    parts = statistical.folds(LINE, 5, 1, most=5)
    [sure], [unsure] = statistical.ranked([Off(2.5)], parts), statistical.ranked([Off(0.1)], parts)
    factor = statistical.widening(sure, parts)
    assert factor == pytest.approx(2.5 / 1.2815515655)
    assert statistical.widening(unsure, parts) == 1.0
    widened = sure.paths[0].widened(factor)
    assert widened.upper[0] - widened.value[0] == pytest.approx(2.5)


def test_seasons_need_two_rounds_and_noise_has_none() -> None:
    assert usable_seasons(SWINGING[:20], (12,)) == ()
    assert usable_seasons(SWINGING, (12, 60)) == (12,)
    assert usable_seasons(NOISE, ()) == ()


def test_long_series_are_tried_with_fewer_methods() -> None:
    names = [method.name for method in methods_for(np.resize(SWINGING, 1000), (12,))]
    assert not any(name.startswith("ARIMA") for name in names)


def test_chronos_says_what_it_needs_and_statistics_serve_meanwhile() -> None:
    runtime = Runtime(CATALOG, EngineConfig())
    assert runtime.choose("forecast").spec.name == "statsmodels"
    with pytest.raises(EngineUnavailable, match=r"amazon/chronos-2 .*OPENFAZE_WEIGHTS_DIR"):
        Runtime(CATALOG, EngineConfig(), {"forecast": "chronos-2"}).use(FORECAST)


async def test_the_runtime_offers_a_forecaster() -> None:
    runtime = Runtime(CATALOG, EngineConfig())
    found = await runtime.use(FORECAST).forecast(Series(LINE, 3))
    assert np.allclose(found.value, [40, 41, 42], atol=0.1)
    await runtime.close()
