"""A picture of series and their forecasts."""

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
from tasks.series.regular import Regular

_WANTED = re.compile(
    r"\b(?:plot|chart|graph|diagram|visuali[sz]|draw|picture of|zeichne|grafik|schaubild|graphique|trace[rz]?\b"
    r"|gráfic|grafic"
    r"|grafiek|график|диаграмм)|图表|图像|画图|グラフ|رسم بياني",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:no|without|don['’]t|do not|not?|kein\w*|ohne|sans|sin|senza|sem|zonder|без)\b[^.!?\n]{0,20}$", re.IGNORECASE
)
_MOST = 8
"""Series that are drawn, below each other."""
_SHOWN = 5
"""How many times as long as the forecast the part of the series before it is."""
_LEAST_SHOWN = 60
_WIDTH, _HEIGHT, _DPI = 9.0, 3.2, 100
_one_at_a_time = threading.Lock()


def wants_plot(words: str) -> bool:
    found = _WANTED.search(words)
    return found is not None and not _REFUSED.search(words[: found.start()])


def plot(series: Sequence[Regular], outlooks: Sequence[Outlook]) -> str:
    """A PNG as a data URL: the end of each series, its forecast and the interval around it. Takes a second at its first
    call, which loads matplotlib. From any thread."""
    # What matplotlib keeps of fonts is shared, and so are Python's warnings.
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that its font does not have
        png = _drawn(series[:_MOST], outlooks[:_MOST])
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _drawn(series: Sequence[Regular], outlooks: Sequence[Outlook]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(series)), dpi=_DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for number, (one, outlook) in enumerate(zip(series, outlooks, strict=True), start=1):
        axes = figure.add_subplot(len(series), 1, number)
        count, ahead = len(one.values), len(outlook.value)
        first = max(0, count - max(_LEAST_SHOWN, _SHOWN * ahead))
        # From the last value on, so that nothing is left open between them.
        value, lower, upper = (
            np.concatenate([one.values[-1:], line]) for line in (outlook.value, outlook.lower, outlook.upper)
        )
        known, coming = _axis(one, range(first, count)), _axis(one, range(count - 1, count + ahead))
        axes.plot(known, one.values[first:], color="#1f4e79", linewidth=1.4, label="observed")
        axes.fill_between(coming, lower, upper, color="#d95f0e", alpha=0.2, linewidth=0, label="80 %")
        axes.plot(coming, value, color="#d95f0e", linewidth=1.6, label="forecast")
        # A name is data: dollar signs in it are no formula.
        axes.set_title(one.name, loc="left", fontsize=10, parse_math=False)
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", fontsize=8, frameon=False)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    picture = PIL.Image.fromarray(np.asarray(pixels)).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _axis(series: Regular, places: range) -> list[Any]:
    """Dates, or the numbers of values without dates."""
    return [at + 1 if series.grid is None else series.grid.at(at) for at in places]
