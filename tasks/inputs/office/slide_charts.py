"""Tells whether the texts of a chart are seen as they are saved (ECMA-376, part 1, 21.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from tasks.inputs.contrast import Color, is_seen, mixed
from tasks.inputs.office import fills
from tasks.inputs.office.colors import Grounds, Theme
from tasks.inputs.office.measures import points
from tasks.inputs.office.usual_slides import CHARTS

_HUNDREDTHS = 100
_SMALL = 4.0
"""Smaller text, in points, is perhaps not seen."""
_LONGEST_CODE = 255
"""Number formats of Excel are not longer."""
_INSIDE = ("ctr", "inEnd", "inBase")
"""Positions of labels within the bars or pieces that they belong to."""
_WITHOUT_LITERALS = re.compile(r'"[^"\d]*"|\\\D|\[[^\]]*\]|[_*]\D')
_OTHER_FIGURES = re.compile(r'["1-9]|[0#?],+(?![0#?,])')
"""Figures that a number format adds, and commas by which it divides the number by a thousand."""


def is_seen_as_saved(space: etree._Element, theme: Theme, under: Grounds) -> bool:
    """True if all markup of a `c:chartSpace` is usual, and its texts are large and unlike their grounds. `under` are
    the colours behind the chart."""
    if next(CHARTS.unusual(space), None) is not None or not all(map(_is_plain, _number_formats(space))):
        return False
    grounds = _Grounds(space, theme, under)
    usual = theme.named("tx1")
    has_color = space.find("{*}txPr/{*}p/{*}pPr/{*}defRPr/{*}solidFill") is not None
    if usual is not None and not has_color and not _is_seen_on((usual, 1.0), grounds.of_chart):
        return False
    for properties in space.iter("{*}defRPr", "{*}rPr"):
        size = points(properties.get("sz"), _HUNDREDTHS)
        if size is not None and size < _SMALL:
            return False
        for fill in fills.among(properties):
            color = theme.read(fill) if fill.tag.endswith("}solidFill") else None
            if color is None or not _is_seen_on(color, grounds.of_text(properties)):
                return False
    return True


class _Grounds:
    """The grounds that texts of a chart may have. Each has one colour, or several that are all below the text."""

    def __init__(self, space: etree._Element, theme: Theme, under: Grounds) -> None:
        self._theme = theme
        own = _fill_of(space, theme, under)
        self.of_chart: list[Grounds] = [(one,) for one in under] if own is None else [own]
        plots = (_fill_of(area, theme, under) for area in space.iterfind("{*}chart/{*}plotArea"))
        plot = next(plots, None)
        self._of_plot: list[Grounds] = self.of_chart if plot is None else [plot]
        accents = (theme.named(f"accent{number}") for number in range(1, 7))
        self._accents = tuple(one for one in accents if one is not None)

    def of_text(self, properties: etree._Element) -> list[Grounds]:
        labels = next(properties.iterancestors("{*}dLbls"), None)
        series = None if labels is None else labels.getparent()
        if labels is None or series is None:
            return self.of_chart
        own = next(properties.iterancestors("{*}dLbl"), labels)
        places = [one.get("val") for owner in (own, labels) for one in owner.iterchildren("{*}dLblPos")]
        pieces = self._of_pieces(series)
        if not places:
            return [*self._of_plot, *pieces]
        return pieces if places[0] in _INSIDE else self._of_plot

    def _of_pieces(self, series: etree._Element) -> list[Grounds]:
        fill = next((fills.within(one, self._theme, ()) for one in series.iterchildren("{*}spPr")), None)
        return [self._accents] if fill is None else [fill] if fill else self._of_plot


def _fill_of(owner: etree._Element, theme: Theme, under: Grounds) -> Grounds | None:
    """Return the colours that a part of a chart is filled with; None if it is not."""
    found = [fills.within(one, theme, under) for one in owner.iterchildren("{*}spPr")]
    return found[0] if found and found[0] != under else None


def _is_seen_on(found: tuple[Color, float], grounds: list[Grounds]) -> bool:
    color, opacity = found
    return any(all(is_seen(mixed(color, one, opacity), (one,)) for one in ground) for ground in grounds)


def _number_formats(space: etree._Element) -> Iterator[str]:
    yield from (one.get("formatCode", "") for one in space.iter("{*}numFmt", "{*}pt") if "formatCode" in one.attrib)
    yield from (one.text or "" for one in space.iter("{*}formatCode"))


def _is_plain(code: str) -> bool:
    """True if a number format shows a number itself, and no other figures."""
    rest = _WITHOUT_LITERALS.sub("", code[:_LONGEST_CODE])
    shows = all(re.search("[0#?dmyhs@]|General", section) for section in rest.split(";")[:2])
    return code.lower() == "general" or (len(code) <= _LONGEST_CODE and shows and not _OTHER_FIGURES.search(rest))
