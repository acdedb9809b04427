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
from numpy.typing import NDArray

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
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.085, 0.955, 0.125, 0.87
"""Edges of the axes in the picture of a series, as parts of its width and height. A layout that measures the labels
would take as long as drawing."""
_one_at_a_time = threading.Lock()


def wants_plot(words: str) -> bool:
    found = _WANTED.search(words)
    return found is not None and not _REFUSED.search(words[: found.start()])


def plot(series: Sequence[RegularSeries], outlooks: Sequence[Outlook]) -> str:
    """Draw the end of each series, its forecast and the interval around it as a PNG, and return a data URL. Safe from
    any thread. A series takes about 0.1 s; the first one takes seconds longer, because it loads matplotlib."""
    pictures = []
    for one, outlook in zip(series[:_MAX_SERIES], outlooks[:_MAX_SERIES], strict=True):
        # matplotlib's font cache and Python's warning filters are shared by all threads.
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about letters that its font lacks
            pictures.append(_drawn(one, outlook))
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.concatenate(pictures)).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _drawn(series: RegularSeries, outlook: Outlook) -> NDArray[np.uint8]:
    """Return the picture of one series, height × width × 3."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI)
    figure.subplots_adjust(left=_LEFT, right=_RIGHT, bottom=_BOTTOM, top=_TOP)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    count, ahead = len(series.values), len(outlook.value)
    first = max(0, count - max(_LEAST_SHOWN, _SHOWN * ahead))
    # The forecast's line starts at the last known value, so that the plot has no gap.
    value, lower, upper = (
        np.concatenate([series.values[-1:], line]) for line in (outlook.value, outlook.lower, outlook.upper)
    )
    known, coming = (
        _axis_positions(series, places) for places in (range(first, count), range(count - 1, count + ahead))
    )
    axes.plot(known, series.values[first:], color="#1f4e79", linewidth=1.4, label="observed")
    axes.fill_between(coming, lower, upper, color="#d95f0e", alpha=0.2, linewidth=0, label="80 %")
    axes.plot(coming, value, color="#d95f0e", linewidth=1.6, label="forecast")
    # Dollar signs in the name of a series do not begin formulas.
    axes.set_title(series.name, loc="left", fontsize=10, parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8, frameon=False)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    return np.asarray(pixels)[..., :3].copy()


def _axis_positions(series: RegularSeries, places: range) -> list[Any]:
    """Return the dates at `places`, or the numbers of the values if the series has no dates."""
    return [at + 1 if series.grid is None else series.grid.at(at) for at in places]
