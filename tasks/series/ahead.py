"""From the words for a horizon to a number of steps."""

from tasks.errors import InputError
from tasks.series.grid import Grid
from tasks.series.periods import DAILY, DAY, HOUR, WEEK, Period
from tasks.series.regular import Regular
from tasks.wording.horizon import Horizon

MOST_STEPS = 256
"""The longest horizon (the HTTP contract)."""
_UNDATED = 10


def steps_ahead(series: Regular, horizon: Horizon | None) -> int:
    """1 to MOST_STEPS. A horizon that ends between two steps ends with the former, after the first.

    Raises InputError: none at all, more than MOST_STEPS, a date for a series without dates, one that it has passed.
    """
    if horizon is None:
        return max(1, min(_usual(series), len(series.values) // 2))
    if horizon.until is not None and not horizon.firm and (series.last is None or horizon.until <= series.last):
        return steps_ahead(series, None)
    steps = _until(series, horizon) if horizon.until is not None else _counted(series, horizon)
    if steps is None or steps > MOST_STEPS:
        shown = f"{steps}" if steps is not None else f"more than {MOST_STEPS}"
        each = f" of one {series.grid.step.name} each" if series.grid else ""
        raise InputError(f"the forecast would be {shown} steps{each}; the limit is {MOST_STEPS}. Ask for fewer.")
    if steps < 1:
        raise InputError("the horizon of the forecast is 0; it must be at least 1")
    return steps


def _usual(series: Regular) -> int:
    """What people look ahead by where they do not say: a year of months, two weeks of days."""
    if series.grid is None:
        return _UNDATED
    step = series.grid.step
    match step.unit:
        case "month":
            return {1: 12, 3: 8}.get(step.count, 5)
        case "weekday":
            return 10
    if step.count >= WEEK:
        return 8
    return 14 if step.count >= DAY else 24 if step.count >= HOUR else 60


def _until(series: Regular, horizon: Horizon) -> int | None:
    """None for more than MOST_STEPS."""
    assert horizon.until is not None
    if series.grid is None or series.last is None:
        raise InputError(
            "the forecast is to reach until a date, and the series has no dates: say how many steps instead"
        )
    last = len(series.values) - 1
    if horizon.until <= series.grid.at(last + 1):
        raise InputError(
            f"the forecast is to reach until before {horizon.until:%Y-%m-%d}, and the series itself ends at "
            f"{series.last:%Y-%m-%d %H:%M:%S}"
        )
    ahead = range(1, MOST_STEPS + 2)
    return next((number - 1 for number in ahead if series.grid.at(last + number) >= horizon.until), None)


def _counted(series: Regular, horizon: Horizon) -> int | None:
    grid, period = series.grid, horizon.period
    if grid is None or period is None or horizon.count == 0 or _means_steps(grid.step, period):
        return horizon.count
    if grid.step.unit == period.unit:
        return -(-horizon.count * period.count // grid.step.count)
    return _within(grid, len(series.values) - 1, period, horizon.count)


def _means_steps(step: Period, period: Period) -> bool:
    """Who asks for days of a series without weekends counts its days."""
    return step.unit == "weekday" and period == DAILY


def _within(grid: Grid, last: int, period: Period, count: int) -> int | None:
    """Steps of `grid` up to so many periods after its place `last`, at least one; None for more than MOST_STEPS."""
    try:
        end = period.after(grid.at(last), count)
    except OverflowError:
        return None
    for number in range(1, MOST_STEPS + 2):
        if grid.at(last + number) > end:
            return max(1, number - 1)
    return None
