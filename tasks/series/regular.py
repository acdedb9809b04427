"""Resamples observations to a series with equal steps."""

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.errors import InputError
from tasks.series.columns import COLUMNS, ObservedSeries
from tasks.series.grid import DAILY, DAY, HOUR, MINUTE, WEEK, Period, TimeGrid, grid_of, nearest_step
from tasks.series.horizon import Horizon

LEAST_POINTS = 5
"""A series that is forecast has at least this many values (the HTTP contract)."""
LARGEST = 1e100
"""A value in a series is at most this far from 0, because the methods square values and sum the squares."""
_SHOWN = 4
"""A note or an error quotes at most this many values, in addition to the last one."""
_NAMED_GAPS = 3
"""A note names at most this many filled dates."""
MAX_STEPS = 256
"""A horizon has at most this many steps (the HTTP contract)."""
_UNDATED_STEPS = 10
"""Usual horizon, in steps, of a series without dates."""


@dataclass(frozen=True, slots=True, eq=False)
class RegularSeries:
    """A series with equal steps."""

    name: str
    values: NDArray[np.float64]
    """Finite values, oldest first."""
    grid: TimeGrid | None
    """The dates of the values; None for a series without dates."""
    whole: bool
    """True if all observed values are integers."""
    filled: int
    """Number of values that were interpolated."""
    notes: tuple[str, ...]
    """Sentences on how the observations were changed."""

    @property
    def last(self) -> dt.datetime | None:
        return self.grid.at(len(self.values) - 1) if self.grid else None


def regularize_all(
    found: Sequence[ObservedSeries], horizon: Horizon | None, limit: int
) -> tuple[list[RegularSeries], list[str]]:
    """Put each series on a regular grid of at most `limit` steps. A series that is too short is left out with a note if
    others are long enough. Raises InputError."""
    period = horizon.period if horizon else None
    number_of, seen = Counter(one.name for one in found), Counter[str]()
    series, notes, failures = [], [], []
    for place, one in enumerate(found):
        name = one.name or (f"series {place + 1}" if len(found) > 1 else "")
        if number_of[one.name] > 1 and one.name:
            seen[one.name] += 1
            name = f"{name} ({seen[one.name]})"
        if len(found) > 1 and one.count < LEAST_POINTS:
            notes.append(f"{name}: left out, since it has fewer than {LEAST_POINTS} values.")
            continue
        try:
            series.append(regularize(replace(one, name=name), period, limit))
        except InputError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    if not series:
        counts = ", ".join(f"{one.name or place}: {one.count}" for place, one in enumerate(found[:COLUMNS], 1))
        raise InputError(
            f"a forecast needs at least {LEAST_POINTS} values, and none of the {len(found)} series that were read "
            f"has that many ({counts}): put values below each other, one series per column",
            param=found[0].param,
        )
    return series, notes


def regularize(observed: ObservedSeries, period: Period | None, limit: int) -> RegularSeries:
    """Return the series of the observations. Irregular observations that are denser than `period`, the unit in the
    request, are summed per period.

    Raises InputError for fewer than LEAST_POINTS values, for a value beyond LARGEST, and for more than `limit` steps
    from the first value to the last.
    """
    if largest := next((one for one in observed.values if one is not None and abs(one) > LARGEST), None):
        raise InputError(
            f"the series has the value {largest:g}; values of a forecast may be at most {LARGEST:g}",
            param=observed.param,
        )
    if observed.times is None:
        _check_count(observed, observed.count)
        return _regular_undated(observed, limit)
    totals, repeated = _sum_by_date(observed)
    _check_count(observed, len(totals))
    notes = (
        [f"{_count_text(repeated, 'row has', 'rows have')} the same date as another row: their values are summed."]
        if repeated
        else []
    )
    if period is None and len(totals) > 2 * limit:  # a step, which is near the usual gap, seldom has two dates
        raise InputError(
            f"the series has {len(totals)} dates; the limit is {limit} steps",
            code="too_many_points",
            param=observed.param,
        )
    times = sorted(totals)
    values = np.array([totals[time] for time in times])
    whole = bool(np.all(values == np.round(values)))
    grid, bring = grid_of(times), _fill_grid
    if grid is None:
        step = nearest_step(times)
        if period is not None and period.seconds > 1.5 * step.seconds:
            times, values, grid = _sum_by_period(times, values, period, limit, observed.param)
            _check_count(observed, len(times))
            notes.append(f"The dates are irregular: their values are summed by {period.name}.")
        else:
            grid = TimeGrid(step.beginning(times[0]), step, 1 if step.unit == "month" else None)
            bring = _interpolate
    line, grid, filled, note = bring(times, values, grid, limit, observed.param)
    return RegularSeries(observed.name, line, grid, whole, filled, (*notes, *note))


def seasons_of(series: RegularSeries) -> tuple[int, ...]:
    """Return the numbers of steps after which the series may repeat by the calendar: an hour, a day, a week, a year."""
    if series.grid is None:
        return ()
    step = series.grid.step
    match step.unit:
        case "month":
            return (12 // step.count,) if step.count < 12 and 12 % step.count == 0 else ()
        case "weekday":
            return (5, 261)
    year = round(365.25 * DAY / step.count)
    natural = (HOUR, DAY, WEEK) if step.count < MINUTE * 10 else (DAY, WEEK)
    inner_seasons = [length // step.count for length in natural if length % step.count == 0 and length > step.count]
    return (*inner_seasons, *([year] if step.count >= HOUR * 12 and year > 3 else []))


def _check_count(observed: ObservedSeries, count: int) -> None:
    if count < LEAST_POINTS:
        which = f"'{observed.name}'" if observed.name else "the series"
        present = [(index, value) for index, value in enumerate(observed.values) if value is not None]
        read = _describe_values([value for _, value in present])
        if times := [observed.times[index] for index, _ in present] if observed.times is not None else []:
            read += f" at {_list_texts([str(time.date()) if time else 'no date' for time in times])}"
        raise InputError(
            f"a forecast needs at least {LEAST_POINTS} values at different dates, and {which} has {count}: {read} "
            "were read",
            param=observed.param,
        )


def _describe_values(values: Sequence[float] | NDArray[np.float64]) -> str:
    """Describe the values that were understood, for the user who pasted them."""
    count = len(values)
    return f"{count} value{'' if count == 1 else 's'} ({_list_texts([f'{value:g}' for value in values])})"


def _list_texts(texts: Sequence[str]) -> str:
    return ", ".join(texts if len(texts) <= _SHOWN + 1 else [*texts[:_SHOWN], "…", texts[-1]])


def _sum_by_date(observed: ObservedSeries) -> tuple[dict[dt.datetime, float], int]:
    """Return the sum of the values per date, and the number of rows that repeat a date."""
    assert observed.times is not None
    totals: dict[dt.datetime, float] = {}
    repeated = 0
    for time, value in zip(observed.times, observed.values, strict=True):
        if time is None or value is None:
            continue
        repeated += time in totals
        totals[time] = totals.get(time, 0.0) + value
    return {time: total for time, total in totals.items() if math.isfinite(total)}, repeated


def _regular_undated(observed: ObservedSeries, limit: int) -> RegularSeries:
    known = [(at, value) for at, value in enumerate(observed.values) if value is not None]
    first, last = known[0][0], known[-1][0]
    _check_length(last - first + 1, limit, "value", observed.param)
    values = np.array([value for _, value in known])
    places = np.array([at - first for at, _ in known], np.float64)
    filled = last - first + 1 - len(known)
    notes = [f"There are no dates: {_describe_values(values)} were read, and the predictions continue their numbering."]
    if filled:
        notes.append(f"{_count_text(filled, 'missing value was', 'missing values were')} interpolated.")
    whole = bool(np.all(values == np.round(values)))
    return RegularSeries(
        observed.name, np.interp(np.arange(last - first + 1.0), places, values), None, whole, filled, tuple(notes)
    )


_GriddedValues = tuple[NDArray[np.float64], TimeGrid, int, list[str]]
"""The values at each step of a grid, the grid, the number of interpolated values, and notes on them."""


def _fill_grid(
    times: Sequence[dt.datetime], values: NDArray[np.float64], grid: TimeGrid, limit: int, param: str | None
) -> _GriddedValues:
    count = grid.place(times[-1]) + 1
    _check_length(count, limit, grid.step.name, param)
    sums, numbers = np.zeros(count), np.zeros(count)
    places = [grid.place(time) for time in times]
    np.add.at(sums, places, values)
    np.add.at(numbers, places, 1)
    present = np.flatnonzero(numbers)
    # In a series with small irregularities, several dates may be nearest to the same step.
    line = np.interp(np.arange(count), present, sums[present] / numbers[present])
    gaps = np.flatnonzero(numbers == 0)
    if not len(gaps):
        return line, grid, 0, []
    named = ", ".join(f"{grid.at(int(at)):%Y-%m-%d %H:%M:%S}" for at in gaps[:_NAMED_GAPS])
    more = ", …" if len(gaps) > _NAMED_GAPS else ""
    were = _count_text(len(gaps), "date without a value was", "dates without a value were")
    return line, grid, len(gaps), [f"{were} interpolated: {named}{more}."]


def _interpolate(
    times: Sequence[dt.datetime], values: NDArray[np.float64], grid: TimeGrid, limit: int, param: str | None
) -> _GriddedValues:
    """Interpolate irregular observations at each step from the first to the last."""
    places = np.array([grid.exact_place(time) for time in times])
    first, last = math.ceil(places[0]), math.floor(places[-1])
    if last - first + 1 < LEAST_POINTS:
        first, last = math.floor(places[0]), math.ceil(places[-1])
    _check_length(last - first + 1, limit, grid.step.name, param)
    steps = np.arange(first, last + 1)
    filled = len(np.setdiff1d(steps, np.round(places)))
    note = f"The dates are irregular: values are interpolated, one per {grid.step.name}."
    return np.interp(steps, places, values), TimeGrid(grid.at(first), grid.step, grid.day), filled, [note]


def _sum_by_period(
    times: Sequence[dt.datetime], values: NDArray[np.float64], period: Period, limit: int, param: str | None
) -> tuple[list[dt.datetime], NDArray[np.float64], TimeGrid]:
    """Sum the values per `period`, from the first period to the last. The sum of a period without values is 0."""
    grid = TimeGrid(period.beginning(times[0]), period, 1 if period.unit == "month" else None)
    count = math.floor(grid.exact_place(period.beginning(times[-1]))) + 1
    _check_length(count, limit, period.name, param)
    sums = np.zeros(count)
    np.add.at(sums, [math.floor(grid.exact_place(period.beginning(time))) for time in times], values)
    return [grid.at(index) for index in range(count)], sums, grid


def _check_length(count: int, limit: int, step: str, param: str | None) -> None:
    if count > limit:
        raise InputError(
            f"the series has {count} steps of one {step} from its first to its last value; the limit is {limit}",
            code="too_many_points",
            param=param,
        )


def _count_text(count: int, singular: str, suffix: str) -> str:
    return f"{count} {singular if count == 1 else suffix}"


def steps_ahead(series: RegularSeries, horizon: Horizon | None) -> int:
    """Return the number of steps to forecast, 1 to MAX_STEPS. A horizon that ends between two steps is rounded down. A
    horizon whose unit is of the same kind as the steps is rounded up: 4 months are 2 quarters. Raises InputError for a
    horizon of no steps or of more than MAX_STEPS. If the horizon is `firm`, InputError is also raised for a past date,
    and for any date if the series has no dates.
    """
    if horizon is None:
        return max(1, min(_usual_steps(series), len(series.values) // 2))
    if horizon.until is not None and not horizon.firm and (series.last is None or horizon.until <= series.last):
        return steps_ahead(series, None)
    steps = _steps_until(series, horizon) if horizon.until is not None else _steps_counted(series, horizon)
    if steps is None or steps > MAX_STEPS:
        shown = f"{steps}" if steps is not None else f"more than {MAX_STEPS}"
        step_text = f" of one {series.grid.step.name} each" if series.grid else ""
        raise InputError(f"the forecast would be {shown} steps{step_text}; the limit is {MAX_STEPS}. Ask for fewer.")
    if steps < 1:
        raise InputError(f"the horizon of the forecast is {steps}; it must be at least 1")
    return steps


def _usual_steps(series: RegularSeries) -> int:
    """Return the usual horizon for the series' step: a year of months, two weeks of days."""
    if series.grid is None:
        return _UNDATED_STEPS
    step = series.grid.step
    match step.unit:
        case "month":
            return {1: 12, 3: 8}.get(step.count, 5)
        case "weekday":
            return 10
    if step.count >= WEEK:
        return 8
    return 14 if step.count >= DAY else 24 if step.count >= HOUR else 60


def _steps_until(series: RegularSeries, horizon: Horizon) -> int | None:
    """Count the steps until the horizon's date; None for more than MAX_STEPS."""
    assert horizon.until is not None
    if series.grid is None or series.last is None:
        raise InputError("the forecast should end at a date, but the series has no dates: say how many steps instead")
    last = len(series.values) - 1
    if horizon.until <= series.grid.at(last + 1):
        raise InputError(
            f"the forecast should end before {horizon.until:%Y-%m-%d}, but the series itself ends at "
            f"{series.last:%Y-%m-%d %H:%M:%S}"
        )
    ahead = range(1, MAX_STEPS + 2)
    return next((number - 1 for number in ahead if series.grid.at(last + number) >= horizon.until), None)


def _steps_counted(series: RegularSeries, horizon: Horizon) -> int | None:
    grid, period = series.grid, horizon.period
    if grid is None or period is None or horizon.count < 1:
        return horizon.count
    # If the series has no weekends, a horizon of n days means n weekdays.
    if grid.step.unit == "weekday" and period == DAILY:
        return horizon.count
    if grid.step.unit == period.unit:
        return -(-horizon.count * period.count // grid.step.count)
    return _steps_within(grid, len(series.values) - 1, period, horizon.count)


def _steps_within(grid: TimeGrid, last: int, period: Period, count: int) -> int | None:
    """Count the steps of `grid` within `count` periods after the step at index `last`, at least one; None for more than
    MAX_STEPS."""
    try:
        end = period.after(grid.at(last), count)
    except OverflowError:
        return None
    for index in range(1, MAX_STEPS + 2):
        if grid.at(last + index) > end:
            return max(1, index - 1)
    return None
