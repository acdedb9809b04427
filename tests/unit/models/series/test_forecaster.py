"""The engine of statistics: what it continues, how wide its intervals are, and what it does not leak."""

from itertools import product

import numpy as np
import pytest

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.runtime import Runtime
from models.series import statistical
from models.series.capability import FORECAST
from models.series.forecaster import Floats, Outlook, Series
from models.series.methods import (
    ForecastPath,
    SeasonalNaive,
    Theta,
    normal,
)
from models.series.statistical import Statistical
from tests.kit.engines.parts import finished

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


@pytest.mark.deep
def test_a_season_longer_than_the_methods_bear_is_taken_out() -> None:
    steps = np.arange(500)
    values = 50 + 10 * np.sin(steps * 2 * np.pi / 168) + 5 * np.sin(steps * 2 * np.pi / 24)
    found = outlook(values[:476] + 0.1 * np.resize(NOISE, 476), 24, (24, 168))
    assert np.abs(found.value - values[476:]).mean() < 2


def test_a_series_that_breaks_is_the_result_of_itself_alone() -> None:
    engine = Statistical()
    engine.load()
    broken, fine = finished(engine, [Series(np.full(20, np.nan), 3), Series(NOISE, 3)])
    assert isinstance(broken, Exception)
    assert isinstance(fine, Outlook)


def test_naive_intervals_are_those_of_the_textbook() -> None:
    values = np.array([1.0, 3.0, 2.0, 4.0, 3.0])
    path = SeasonalNaive()(values, 4)
    sigma = np.sqrt(np.mean(np.diff(values) ** 2))
    assert path.value.tolist() == [3.0] * 4
    assert np.allclose(path.upper - 3, 1.2815515655 * sigma * np.sqrt([1, 2, 3, 4]))


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


def test_chronos_says_what_it_needs_and_statistics_serve_meanwhile() -> None:
    runtime = Runtime(CATALOG, EngineConfig())
    assert runtime.choose("forecast").spec.name == "statsmodels"
    with pytest.raises(EngineUnavailable, match=r"amazon/chronos-2 .*OPENFAZE_WEIGHTS_DIR"):
        Runtime(CATALOG, EngineConfig(), {"forecast": "chronos-2"}).use(FORECAST)
