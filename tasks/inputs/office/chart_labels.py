"""Tells what of a chart's data is written in it: beside its axes, in its legend or at its points.

A chart's file has the names of its series, its categories and its values, whether they are shown or not (ECMA-376,
part 1, 21.2).
"""

from collections import Counter
from functools import cached_property
from itertools import islice

from lxml import etree

_AXES = ("{*}catAx", "{*}dateAx", "{*}valAx", "{*}serAx")
_PIES = ("pieChart", "pie3DChart", "ofPieChart", "doughnutChart")


class ChartLabels:
    """The labels of a chart."""

    def __init__(self, space: etree._Element) -> None:
        """`space` is the `c:chartSpace`."""
        self._space = space

    @cached_property
    def have_title(self) -> bool:
        """True if the title of the chart, where it has one, is shown."""
        return not any(_is_on(one) for one in self._space.iterfind("{*}chart/{*}autoTitleDeleted"))

    @cached_property
    def title_is_name(self) -> bool:
        """True if the title is the name of the only series."""
        is_empty = any(one.find("{*}tx") is None for one in self._space.iterfind("{*}chart/{*}title"))
        series = self._space.iterfind("{*}chart/{*}plotArea/*/{*}ser")
        return is_empty and self.have_title and len(list(islice(series, 2))) == 1

    @cached_property
    def legend(self) -> set[str | None] | None:
        """The numbers of the entries that are missing in the legend; None if there is no legend."""
        for legend in self._space.iterfind("{*}chart/{*}legend"):
            entries = legend.iterchildren("{*}legendEntry")
            hidden = (one for one in entries if any(map(_is_on, one.iterchildren("{*}delete"))))
            return {number.get("val") for one in hidden for number in one.iterchildren("{*}idx")}
        return None

    @cached_property
    def axes(self) -> dict[str | None, str]:
        """The kinds of the axes that have labels, by their numbers. Programs disagree on an axis that does not say
        whether it is deleted."""
        return {
            number.get("val"): str(etree.QName(axis).localname)
            for area in self._space.iterfind("{*}chart/{*}plotArea")
            for axis in area.iterchildren(*_AXES)
            if [_is_on(one) for one in axis.iterchildren("{*}delete")] == [False]
            and all(one.get("val") != "none" for one in axis.iterchildren("{*}tickLblPos"))
            for number in axis.iterchildren("{*}axId")
        }


class PlotLabels:
    """The labels of one plot of a chart, such as those of its bars."""

    def __init__(self, chart: ChartLabels, plot: etree._Element) -> None:
        """`plot` is an element such as `c:barChart`."""
        self._chart = chart
        numbers = {one.get("val") for one in plot.iterchildren("{*}axId")}
        self._axes = Counter(chart.axes[number] for number in numbers if number in chart.axes)
        series = list(islice(plot.iterchildren("{*}ser"), 2))
        # The legend of a plot in which each point has a colour lists the categories.
        is_varied = len(series) == 1 and any(map(_is_on, plot.iterchildren("{*}varyColors")))
        self._lists_categories = is_varied or etree.QName(plot).localname in _PIES
        self._at_points = _shown_at_points(plot) or set()
        self._first = series[0] if series else None

    @property
    def have_categories(self) -> bool:
        """True if the categories of the plot are shown. Those of a plot whose axes both have values are numbers."""
        return (
            bool(self._axes["catAx"] or self._axes["dateAx"] or self._axes["valAx"] > 1)
            or (self._lists_categories and self._chart.legend == set())
            or (self._first is not None and "showCatName" in self._at_points_of(self._first))
        )

    def have_name(self, series: etree._Element) -> bool:
        """True if the name of a series is shown."""
        legend = self._chart.legend
        if legend is not None and not self._lists_categories:
            return all(one.get("val") not in legend for one in series.iterchildren("{*}idx"))
        return self._chart.title_is_name or "showSerName" in self._at_points_of(series)

    def have_values(self, series: etree._Element) -> bool:
        """True if the values of a series are at its points, or can be read from an axis."""
        return self._axes["valAx"] > 0 or "showVal" in self._at_points_of(series)

    def _at_points_of(self, series: etree._Element) -> set[str]:
        own = _shown_at_points(series)
        return self._at_points if own is None else own


def _shown_at_points(owner: etree._Element) -> set[str] | None:
    """Return the names of what is shown at all points of a plot or a series; None if that does not say so itself."""
    for labels in owner.iterchildren("{*}dLbls"):
        return set.intersection(*(_switched_on(one) for one in (labels, *labels.iterchildren("{*}dLbl"))))
    return None


def _switched_on(labels: etree._Element) -> set[str]:
    names = {str(etree.QName(one).localname) for one in labels.iterchildren("{*}*") if _is_on(one)}
    return set() if "delete" in names else names


def _is_on(element: etree._Element) -> bool:
    return element.get("val", "1") in ("1", "true")
