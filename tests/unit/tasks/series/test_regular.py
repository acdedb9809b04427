"""From observations to equal steps, and from words to a number of steps."""

import datetime as dt

import numpy as np
import pytest

from tasks.errors import InputError
from tasks.series.columns import ObservedSeries
from tasks.series.grid import DAILY, Period
from tasks.series.horizon import Horizon, horizon_in
from tasks.series.regular import RegularSeries, regularize, seasons_of, steps_ahead


def dates(*texts: str) -> list[dt.datetime]:
    return [dt.datetime.fromisoformat(text) for text in texts]


def each(step: dt.timedelta, count: int, start: str = "2024-01-01") -> list[dt.datetime]:
    return [dt.datetime.fromisoformat(start) + step * number for number in range(count)]


def months(count: int, day: int = 1, start: int = 2020 * 12, apart: int = 1) -> list[dt.datetime]:
    return [dt.datetime((start + n * apart) // 12, (start + n * apart) % 12 + 1, day) for n in range(count)]


def made(
    times: list[dt.datetime], values: list[float | None] | None = None, period: Period | None = None
) -> RegularSeries:
    return regularize(ObservedSeries("sold", times, values or [float(n) for n in range(len(times))]), period, 10_000)


def undated(*values: float | None) -> RegularSeries:
    return regularize(ObservedSeries("", None, values), None, 10_000)


LAST_DAYS = dates("2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31")
WEEKDAYS = [day for day in each(dt.timedelta(days=1), 21) if day.weekday() < 5]


@pytest.mark.parametrize(
    ("times", "name", "following"),
    [
        (each(dt.timedelta(days=1), 9), "day", "2024-01-10"),
        (each(dt.timedelta(weeks=1), 9), "week", "2024-03-04"),
        (each(dt.timedelta(hours=1), 30), "hour", "2024-01-02 06:00"),
        (each(dt.timedelta(minutes=15), 9), "15 minutes", "2024-01-01 02:15"),
        (months(9), "month", "2020-10-01"),
        (months(9, day=15), "month", "2020-10-15"),
        (months(9, apart=3), "quarter", "2022-04-01"),
        (months(9, apart=12), "year", "2029-01-01"),
        (LAST_DAYS, "month", "2024-06-30"),
        (WEEKDAYS, "weekday", "2024-01-22"),
        (dates("2023-01-02", "2023-02-01", "2023-03-01", "2023-04-03", "2023-05-01"), "month", "2023-06-01"),
    ],
)
def test_the_step_is_told_by_the_dates(times: list[dt.datetime], name: str, following: str) -> None:
    series = made(times)
    assert series.grid is not None
    assert series.grid.step.name == name
    assert series.grid.at(len(series.values)) == dt.datetime.fromisoformat(following)
    assert series.values.tolist() == list(range(len(times)))
    assert (series.filled, series.notes) == (0, ())


def test_rows_of_the_same_date_are_summed_in_any_order() -> None:
    times = each(dt.timedelta(days=1), 5)
    series = made([*reversed(times), times[1]], [5.0, 4.0, 3.0, 2.0, 1.0, 10.0])
    assert series.values.tolist() == [1, 12, 3, 4, 5]
    assert series.notes == ("1 row has the same date as another row: their values are summed.",)


def test_gaps_are_interpolated_and_told() -> None:
    times = each(dt.timedelta(days=1), 8)
    series = made([*times[:3], *times[5:]], [1.0, 2.0, 3.0, 6.0, 7.0, 8.0])
    assert series.values.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert series.filled == 2
    assert series.notes == ("2 dates without a value were interpolated: 2024-01-04 00:00:00, 2024-01-05 00:00:00.",)


def test_irregular_dates_are_brought_to_even_steps() -> None:
    times = [
        dt.datetime(2024, 1, 1) + dt.timedelta(days=day, hours=hour) for day, hour in enumerate([0, 5, 2, 9, 1, 7])
    ]
    series = made(times, [float((time - times[0]) / dt.timedelta(days=1)) for time in times])
    assert series.grid is not None
    assert series.grid.step == DAILY
    assert np.allclose(series.values, np.arange(6))
    assert "irregular" in series.notes[-1]


def test_what_happens_at_odd_times_is_summed_by_the_period_asked_for() -> None:
    minutes = (3, 90, 400, 700, 1000)
    times = [dt.datetime(2024, 1, 1 + day, minute // 60, minute % 60) for day in range(6) for minute in minutes]
    series = made(times, [1.0] * 30, DAILY)
    assert series.values.tolist() == [5.0] * 6
    assert series.notes == ("The dates are irregular: their values are summed by day.",)


def test_values_without_dates_are_numbered() -> None:
    series = undated(1.0, None, 3.0, 4.0, 5.0, 6.0)
    assert series.grid is None
    assert series.values.tolist() == [1, 2, 3, 4, 5, 6]
    assert "no dates" in series.notes[0]


@pytest.mark.parametrize(
    ("times", "seasons"),
    [
        (months(9), (12,)),
        (months(9, apart=3), (4,)),
        (WEEKDAYS, (5, 261)),
        (each(dt.timedelta(days=1), 9), (7, 365)),
        (each(dt.timedelta(hours=1), 9), (24, 168)),
        (each(dt.timedelta(weeks=1), 9), (52,)),
    ],
)
def test_seasons_are_those_of_the_calendar(times: list[dt.datetime], seasons: tuple[int, ...]) -> None:
    assert seasons_of(made(times)) == seasons


@pytest.mark.parametrize(
    ("words", "count", "unit"),
    [
        ("Forecast the next 5 days of this:", 5, "day"),
        ("What will sales be next month?", 1, "month"),
        ("Predict the next 10 values:", 10, None),
        ("Continue this series for 8 more steps", 8, None),
        ("next 5 business days", 5, "weekday"),
        ("a forecast for the next 1,000 days", 1000, "day"),
        ("using the last 30 days, forecast the next 7 days", 7, "day"),
        ("Forecast tomorrow", 1, "day"),
        ("预测未来7天的销量", 7, "day"),
        ("توقع الأيام الخمسة القادمة", 5, "day"),
    ],
)
def test_a_horizon_is_found_in_the_words(words: str, count: int, unit: str | None) -> None:
    found = horizon_in(words)
    assert found is not None
    assert (found.count, found.period and found.period.name) == (count, unit)


@pytest.mark.parametrize(
    ("words", "until", "firm"),
    [
        ("until December 2026", "2027-01-01", True),
        ("up to Q3 2026", "2026-10-01", True),
        ("for March 2026", "2026-04-01", False),
        ("until March 3, 2026", "2026-03-04", True),
    ],
)
def test_a_horizon_may_be_a_date(words: str, until: str, firm: bool) -> None:
    assert horizon_in(words) == Horizon(until=dt.datetime.fromisoformat(until), firm=firm)


@pytest.mark.parametrize(
    ("times", "words", "steps"),
    [
        (each(dt.timedelta(hours=1), 40), "next 2 days", 48),
        (each(dt.timedelta(days=1), 40), "until 2024-02-12", 3),
        (each(dt.timedelta(days=1), 40), "", 14),
        (months(40), "next 2 years", 24),
        (months(40), "next 10 days", 1),
        (months(40), "for 2021", 12),
        (months(8), "", 4),
        (LAST_DAYS, "next month", 1),
        (WEEKDAYS, "next 5 days", 5),
        (each(dt.timedelta(days=1), 40), "next 5 business days", 7),
    ],
)
def test_the_horizon_is_counted_in_the_series_own_steps(times: list[dt.datetime], words: str, steps: int) -> None:
    assert steps_ahead(made(times), horizon_in(words)) == steps


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("next 300 days", "300 steps of one day each; the limit is 256"),
        ("next 0 days", "must be at least 1"),
        ("next -5 days", "is -5; it must be at least 1"),
        ("next 99999999999999999999999 years", "more than 256 steps"),
        ("until 2019", "the series itself ends at 2024-02-09"),
    ],
)
def test_a_horizon_that_cannot_be_is_refused(words: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        steps_ahead(made(each(dt.timedelta(days=1), 40)), horizon_in(words))


def test_a_value_that_no_method_can_square_is_refused_with_the_limit() -> None:
    with pytest.raises(InputError, match=r"the value -1e\+200; values of a forecast may be at most 1e\+100"):
        regularize(ObservedSeries("sold", None, [1.0, 2.0, -1e200, 3.0, 4.0, None]), None, 10_000)
