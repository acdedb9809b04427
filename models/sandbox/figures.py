"""The matplotlib backend of the sandbox. It is Agg, except that `plt.show()` saves each open figure as
`figure-N.png`."""

from itertools import count
from pathlib import Path
from typing import Any

from matplotlib import pyplot
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg


class FigureManager(FigureManagerBase):
    @classmethod
    def pyplot_show(cls, *_: Any, **__: Any) -> None:
        names = (Path(f"figure-{number}.png") for number in count(1))
        for figure in map(pyplot.figure, pyplot.get_fignums()):
            figure.savefig(next(name for name in names if not name.exists()))
        pyplot.close("all")


class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager
