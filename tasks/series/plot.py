"""Draws series and their forecasts, and determines whether a request asks for a plot."""

import base64
import io
import re
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image

from models.series.forecaster import Outlook
from tasks.series.regular import RegularSeries

_WANTED = re.compile(
    r"\b(?:plot|chart|graph|diagram|visuali[sz]|draw|picture of|zeichne|grafik|schaubild|graphique|trace[rz]?\b"
    r"|gráfic|grafic"
    r"|grafiek|график|диаграмм)|图表|图像|画图|グラフ|رسم بياني",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:no|without|don['’]t|do not|not?|kein\w*|ohne|sans|sin|senza|sem|zonder|без)\b[^.!?\n]{0,20}$", re.IGNORECASE
)
_MAX_SERIES = 8
"""A plot has at most this many series, one below the other."""
_SHOWN = 5
"""Length of the plotted past, as a multiple of the forecast's length."""
_LEAST_SHOWN = 60
"""At least this many values of the past are plotted."""
_WIDTH, _HEIGHT, _DPI = 9.0, 3.2, 100
"""Width of the plot and height of each series in inches, and pixels per inch."""
_one_at_a_time = threading.Lock()


def wants_plot(words: str) -> bool:
    found = _WANTED.search(words)
    return found is not None and not _REFUSED.search(words[: found.start()])


def plot(series: Sequence[RegularSeries], outlooks: Sequence[Outlook]) -> str:
    """Draw the end of each series, its forecast and the interval around it as a PNG, and return a data URL. Safe from
    any thread. The first call takes a second, because it loads matplotlib."""
    # matplotlib's font cache and Python's warning filters are shared by all threads.
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about letters that its font lacks
        png = _draw_png(series[:_MAX_SERIES], outlooks[:_MAX_SERIES])
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _draw_png(series: Sequence[RegularSeries], outlooks: Sequence[Outlook]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(series)), dpi=_DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for number, (one, outlook) in enumerate(zip(series, outlooks, strict=True), start=1):
        axes = figure.add_subplot(len(series), 1, number)
        count, ahead = len(one.values), len(outlook.value)
        first = max(0, count - max(_LEAST_SHOWN, _SHOWN * ahead))
        # The forecast's line starts at the last known value, so that the plot has no gap.
        value, lower, upper = (
            np.concatenate([one.values[-1:], line]) for line in (outlook.value, outlook.lower, outlook.upper)
        )
        known, coming = _axis_positions(one, range(first, count)), _axis_positions(one, range(count - 1, count + ahead))
        axes.plot(known, one.values[first:], color="#1f4e79", linewidth=1.4, label="observed")
        axes.fill_between(coming, lower, upper, color="#d95f0e", alpha=0.2, linewidth=0, label="80 %")
        axes.plot(coming, value, color="#d95f0e", linewidth=1.6, label="forecast")
        # Dollar signs in the name of a series do not begin formulas.
        axes.set_title(one.name, loc="left", fontsize=10, parse_math=False)
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", fontsize=8, frameon=False)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    picture = PIL.Image.fromarray(np.asarray(pixels)).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _axis_positions(series: RegularSeries, places: range) -> list[Any]:
    """Return the dates at `places`, or the numbers of the values if the series has no dates."""
    return [at + 1 if series.grid is None else series.grid.at(at) for at in places]
