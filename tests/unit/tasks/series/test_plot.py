"""Plots of forecasts, and words that ask for one."""

import base64
import io
from datetime import datetime, timedelta

import numpy as np
import PIL.Image
import pytest

from models.series.forecaster import Outlook
from tasks.series.columns import ObservedSeries
from tasks.series.plot import plot, wants_plot
from tasks.series.regular import regularize


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("and plot it", True),
        ("画图", True),
        ("Forecast", False),
        ("without a plot", False),
        ("don't draw anything", False),
    ],
)
def test_words_ask_for_a_picture_or_not(words: str, wanted: bool) -> None:
    assert wants_plot(words) is wanted


@pytest.mark.deep
def test_several_series_are_drawn_below_each_other() -> None:
    start = datetime(2024, 1, 1)
    times = [start + timedelta(days=day) for day in range(60)]
    series = [
        regularize(ObservedSeries(f"${name}$", times, [float(day % 7) for day in range(60)]), None, 1000)
        for name in "abc"
    ]
    ahead = np.full(12, 3.0)
    url = plot(series, [Outlook(ahead, ahead - 1, ahead + 1, "mean")] * 3)
    head, _, data = url.partition(",")
    assert head == "data:image/png;base64"
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(data)))
    assert (picture.size, picture.mode) == ((900, 960), "RGB")
    rows = np.asarray(picture).reshape(3, 320, 900, 3)
    # Blue is what was observed, and orange the forecast.
    assert all((row[..., 2] > row[..., 0].astype(int) + 50).any() for row in rows)
    assert all((row[..., 0] > row[..., 2].astype(int) + 100).any() for row in rows)
