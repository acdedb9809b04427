"""What the `forecast` task answers. The order of the keys is part of the contract."""

import math
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import numpy as np

from models.series.forecaster import Floats, Outlook
from tasks.series.regular import Regular

_DIGITS = 6
"""Significant ones of the largest value."""


class Prediction(TypedDict):
    date: str
    """`2026-01-02 00:00:00`; for a series without dates, the number of the value, counted from 1."""
    value: float
    """An integer where all observed values are."""
    lower: float
    upper: float
    """With `lower`, the interval that holds 80 % of what comes."""
    series: NotRequired[str]
    """Which one, where there are several."""


class ForecastResult(TypedDict):
    predictions: list[Prediction]
    filled: NotRequired[int]
    """Values between the first and the last that were missing, and interpolated; absent where none was."""
    notes: list[str]
    """What was done to the series, and by which method it is forecast."""
    plot: NotRequired[str]
    """A data URL of a PNG, where one was asked for."""


def predictions_of(series: Regular, outlook: Outlook, *, named: bool) -> list[Prediction]:
    """`named`: with the name of the series."""
    lines = [_bounded(line, series.values) for line in (outlook.value, outlook.lower, outlook.upper)]
    found = []
    for step, (value, lower, upper) in enumerate(zip(*lines, strict=True)):
        prediction: Prediction = {
            "date": date_of(series, len(series.values) + step),
            "value": _shown(value, series),
            "lower": _shown(lower, series),
            "upper": _shown(upper, series),
        }
        if named:
            prediction["series"] = series.name
        found.append(prediction)
    return found


def date_of(series: Regular, place: int) -> str:
    return f"{series.grid.at(place):%Y-%m-%d %H:%M:%S}" if series.grid else str(place + 1)


def notes_of(series: Regular, outlook: Outlook, *, named: bool) -> list[str]:
    notes = [*series.notes, f"Forecast by {outlook.method}."]
    return [f"{series.name}: {note}" for note in notes] if named else notes


def _bounded(line: Floats, known: Floats) -> Sequence[float]:
    """What has never been negative, as counts and prices, is not forecast to be."""
    bounded: list[float] = (np.maximum(line, 0.0) if float(known.min()) >= 0 else line).tolist()
    return bounded


def _shown(value: float, series: Regular) -> float:
    if series.whole:
        return round(value)
    largest = float(np.abs(series.values).max())
    places = _DIGITS - 1 - math.floor(math.log10(largest)) if largest > 0 else _DIGITS
    return round(value, max(0, places)) + 0.0
