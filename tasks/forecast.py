"""The `forecast` task, which continues series of numbers."""

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NotRequired

import numpy as np
from typing_extensions import TypedDict

from models.concurrency import EngineAdmission, side_by_side
from models.series.capability import FORECAST
from models.series.forecaster import Floats, Forecaster, Outlook, Series
from tasks.base import Parts, Specialist, TaskRequest
from tasks.errors import InputError
from tasks.inputs.source import Source
from tasks.result import Result, ResultLine
from tasks.series.columns import COLUMNS, ObservedSeries
from tasks.series.horizon import Horizon
from tasks.series.options import ForecastOptions, check_size, parse_forecast
from tasks.series.plot import plot
from tasks.series.reading import SeriesReader
from tasks.series.regular import RegularSeries, regularize_all, seasons_of, steps_ahead
from tasks.tools import Tool

_MIDNIGHT = " 00:00:00"
_DIGITS = 6
"""Significant digits of the largest value in a series."""
MAX_SERIES = 32
"""A request has at most this many series. A table with more columns is rarely meant as a whole."""
MAX_POINTS = 100_000
"""A series has at most this many steps, including missing ones between the first and the last. A series of this length
takes 2 s of work."""
_SOURCES_AT_ONCE = 4
_SERIES_AT_ONCE = 4


class Prediction(TypedDict):
    date: str
    """Date such as `2026-01-02 00:00:00`; for a series without dates, the number of the value, counted from 1."""
    value: float
    """The predicted value: an integer if all observed values are integers."""
    lower: float
    upper: float
    """Upper bound of the 80 % prediction interval. `lower` is its lower bound."""
    series: NotRequired[str]
    """Name of the series; absent if the result holds only one."""


class ForecastData(TypedDict):
    predictions: list[Prediction]
    filled: NotRequired[int]
    """Number of missing values between the first and the last that were interpolated; absent if there were none."""
    notes: list[str]
    """Sentences on how the series was prepared and which method forecast it."""
    plot: NotRequired[str]
    """Data URL of a PNG plot, if the request asks for one."""


class ForecastResult(Result[ForecastData]):
    def _result_lines(self) -> Iterator[ResultLine]:
        rows = self.data["predictions"]
        heading = " | ".join(rows[0])
        unsaid = _MIDNIGHT if all(row["date"].endswith(_MIDNIGHT) for row in rows) else ""
        for row in rows:
            values: Prediction = {**row, "date": row["date"].removesuffix(unsaid)}
            yield ResultLine(" | ".join(map(str, values.values())), heading)


def predictions_of(series: RegularSeries, outlook: Outlook, *, named: bool) -> list[Prediction]:
    """Return the predictions of one series, with its name if `named`."""
    lines = [_without_negatives(line, series.values) for line in (outlook.value, outlook.lower, outlook.upper)]
    found = []
    for step, (value, lower, upper) in enumerate(zip(*lines, strict=True)):
        prediction: Prediction = {
            "date": date_of(series, len(series.values) + step),
            "value": _round_value(value, series),
            "lower": _round_value(lower, series),
            "upper": _round_value(upper, series),
        }
        if named:
            prediction["series"] = series.name
        found.append(prediction)
    return found


def date_of(series: RegularSeries, step: int) -> str:
    return f"{series.grid.at(step):%Y-%m-%d %H:%M:%S}" if series.grid else str(step + 1)


def notes_of(series: RegularSeries, outlook: Outlook, *, named: bool) -> list[str]:
    notes = [*series.notes, f"Forecast by {outlook.method}."]
    return [f"{series.name}: {note}" for note in notes] if named else notes


def _without_negatives(line: Floats, observed: Floats) -> Sequence[float]:
    """Return `line` without negative values if the series, such as one of counts or prices, has never been negative."""
    bounded: list[float] = (np.maximum(line, 0.0) if float(observed.min()) >= 0 else line).tolist()
    return bounded


def _round_value(value: float, series: RegularSeries) -> float:
    if series.whole:
        return round(value)
    largest = float(np.abs(series.values).max())
    places = _DIGITS - 1 - math.floor(math.log10(largest)) if largest > 0 else _DIGITS
    return round(value, max(0, places)) + 0.0


class ForecastTask:
    """Forecasts series of numbers: those in the files and URLs of a request, or else the one in its text.

    If the options name series ("the sales of Berlin"), only these are forecast. Without a horizon, it is the usual one
    for the series' step.
    """

    name = "forecast"

    def __init__(
        self,
        forecaster: Callable[[], Forecaster],
        reader: SeriesReader,
        *,
        max_series: int = MAX_SERIES,
    ) -> None:
        self._forecaster = forecaster
        self._reader = reader
        self._max_series = max_series

    async def run(self, request: TaskRequest[ForecastOptions]) -> ForecastResult:
        """Forecast the request's series. Raises InputError (nothing to forecast, fewer than 5 values, an impossible
        horizon, an unusable source, `too_many_series`, `too_many_points`), EngineOverloaded, EngineUnavailable and
        EngineFailed."""
        options, found, note = request.options, list[ObservedSeries](), ""
        if request.sources:

            async def read(source: Source) -> list[ObservedSeries]:
                chosen, column_names = await self._reader.read(source, options.names)
                if not chosen:
                    described = _describe_columns(column_names)
                    raise InputError(
                        f"'{source.label}' has no column of numbers that could be forecast{described}",
                        param=source.param,
                    )
                return [replace(one, param=source.param) for one in chosen]

            by_source = await side_by_side(read, request.sources, at_most=_SOURCES_AT_ONCE)
            found = [one for several in by_source for one in several]
        else:
            check_size(options.text)
            message, found = await self._reader.message(options.text, options.names)
            note = message.note
        if not found:
            raise InputError(
                "task 'forecast' needs a series: attach a CSV, TSV, JSON or XLSX file, put its URL in the text, or "
                "write the numbers into the text"
            )
        self._check_number(found)
        horizon = options.asked_horizon
        series, notes = await self._reader.workers.run_sized(
            sum(one.count for one in found), regularize_all, found, horizon, MAX_POINTS
        )
        notes = [*notes, note] if note else notes
        return await self._forecast(series, horizon, notes, request, draws=options.plot)

    async def _forecast(
        self,
        series: Sequence[RegularSeries],
        horizon: Horizon | None,
        notes: Sequence[str],
        request: TaskRequest[ForecastOptions],
        *,
        draws: bool,
    ) -> ForecastResult:
        queries = [Series(one.values, steps_ahead(one, horizon), seasons_of(one)) for one in series]
        forecaster, admission = self._forecaster(), EngineAdmission()
        outlooks = await side_by_side(
            lambda query: forecaster.forecast(query, wait=admission.waits()),
            queries,
            at_most=_SERIES_AT_ONCE,
            done=partial(request.progress, self.name),
        )
        data = await asyncio.to_thread(_forecast_data, series, outlooks, notes)
        if draws:
            data["plot"] = await asyncio.to_thread(plot, series, outlooks)
        return ForecastResult(data)

    def _check_number(self, found: Sequence[ObservedSeries]) -> None:
        if len(found) > self._max_series:
            example = next((one.name for one in found if one.name), "")
            hint = f" Name the ones that you mean, for example '{example}'." if example else ""
            raise InputError(
                f"there are {len(found)} series; the limit is {self._max_series} a request.{hint}",
                code="too_many_series",
                param=found[0].param,
            )


def _forecast_data(series: Sequence[RegularSeries], outlooks: Sequence[Outlook], notes: Sequence[str]) -> ForecastData:
    named = len(series) > 1
    data: ForecastData = {"predictions": [], "notes": []}
    for one, outlook in zip(series, outlooks, strict=True):
        data["predictions"] += predictions_of(one, outlook, named=named)
        data["notes"] += notes_of(one, outlook, named=named)
    data["notes"] += notes
    if filled := sum(one.filled for one in series):
        data["filled"] = filled
    return data


def _describe_columns(names: Sequence[str]) -> str:
    """Describe, for an error, the columns of tables that contain nothing to forecast."""
    named = [f"'{name}'" for name in names[:COLUMNS]]
    more = ", …" if len(names) > COLUMNS else ""
    return f": its columns are {', '.join(named)}{more}" if named else ""


def _build(parts: Parts) -> ForecastTask:
    return ForecastTask(partial(parts.engines.use, FORECAST), SeriesReader(parts.loader))


TASK = Specialist(
    ForecastTask.name,
    _build,
    ForecastOptions,
    parse_forecast,
    Tool(
        "Forecast how a series of numbers continues, with prediction intervals.", ForecastData, input="source or text"
    ),
    reads=frozenset({"table", "page", "document"}),
    uses=(FORECAST,),
    order=80,
)
