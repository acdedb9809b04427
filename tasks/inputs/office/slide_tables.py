"""Tells which colours the cells of a table on a slide, and their text, have by the table's style (ECMA-376, part 1,
20.1.4.2 and 21.1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from typing import NamedTuple

from lxml import etree

from tasks.inputs.contrast import Color
from tasks.inputs.office import colors, fills, usual_slides
from tasks.inputs.office.colors import Grounds, Theme

_PLAIN = ("", "{2D5ABB26-0587-4C30-8999-92F81FD0307C}", "{5940675A-B579-460E-94D1-54222C63F5DA}")
"""Styles of tables whose cells have no colour; without one, with and without lines."""
_USUAL = "{5C22544A-7EE6-4342-B048-85BDC9FD1C3A}"
"""The style of new tables, Medium Style 2, which programs know without its definition."""
_MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
_ON = ("1", "true")
_BANDS = {"bandRow": ["band1H", "band2H"], "bandCol": ["band1V", "band2V"]}
"""Parts for bands by the attributes that switch them on."""
_CORNERS = {
    "seCell": {"lastRow", "lastCol"},
    "swCell": {"lastRow", "firstCol"},
    "neCell": {"firstRow", "lastCol"},
    "nwCell": {"firstRow", "firstCol"},
}


def _part(name: str, ink: str, fill: str) -> str:
    return (
        f'<{name}><tcTxStyle><schemeClr val="{ink}"/></tcTxStyle><tcStyle><fill><solidFill><schemeClr val="accent1">'
        f"{fill}</schemeClr></solidFill></fill></tcStyle></{name}>"
    )


_DEFINITION = etree.fromstring(
    f'<tblStyle xmlns="{_MAIN}">'
    + _part("wholeTbl", "dk1", '<tint val="20000"/>')
    + "".join(_part(band, "dk1", '<tint val="40000"/>') for band in ("band1H", "band1V"))
    + "".join(_part(edge, "lt1", "") for edge in ("lastCol", "firstCol", "lastRow", "firstRow"))
    + "</tblStyle>"
)


class CellLook(NamedTuple):
    """The colours that a style gives a cell."""

    ink: tuple[Color, float] | None
    """The colour of its text and the opacity; None for one that is not known."""
    fill: Grounds
    """The colours of its fill, none if it has no fill."""


class SlideTableStyles:
    """The styles of the tables in a presentation."""

    def __init__(self, xml: bytes | None) -> None:
        """`xml` is the part with the styles."""
        self._styles = {_USUAL: _DEFINITION, **dict.fromkeys(_PLAIN, etree.Element("plain"))}
        if xml:
            root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
            self._styles |= {one.get("styleId", ""): one for one in root.iterchildren("{*}tblStyle")}

    def of_table(self, table: etree._Element, theme: Theme, under: Grounds) -> TableLook | None:
        """Return how a table looks by its style; None if that is not known. `under` are the colours behind it."""
        name = next((one.text or "" for one in table.iterfind("{*}tblPr/{*}tableStyleId")), "").strip()
        style = self._styles.get(name)
        return None if style is None else TableLook(table, style, theme, under)


class TableLook:
    """The look of a table's cells by its style."""

    def __init__(self, table: etree._Element, style: etree._Element, theme: Theme, under: Grounds) -> None:
        self._style, self._theme, self._under = style, theme, under
        self._is_usual = usual_slides.is_usual(style)
        self._switches = {name for one in table.iterchildren("{*}tblPr") for name, on in one.items() if on in _ON}
        self._rows = {row: at for at, row in enumerate(table.iterchildren("{*}tr"))}
        self._known: dict[tuple[str, ...], list[CellLook]] = {}

    def of_cell(self, cell: etree._Element) -> list[CellLook]:
        """Return the looks that a cell may have, for it may be in any band."""
        row = cell.getparent()
        if row is None:
            return []
        sides = {
            "lastCol": next(cell.itersiblings("{*}tc"), None) is None,
            "firstCol": next(cell.itersiblings("{*}tc", preceding=True), None) is None,
            "lastRow": self._rows.get(row) == len(self._rows) - 1,
            "firstRow": self._rows.get(row) == 0,
        }
        edges = tuple(side for side, is_there in sides.items() if is_there and side in self._switches)
        if edges not in self._known:
            self._known[edges] = list(self._looks(edges))
        return self._known[edges]

    def _looks(self, edges: tuple[str, ...]) -> Iterator[CellLook]:
        """Yield what the parts of a style make of a cell at these edges. Each part replaces those before it."""
        corners = [name for name, sides in _CORNERS.items() if sides <= set(edges)]
        rows, columns = (bands if switch in self._switches else [""] for switch, bands in _BANDS.items())
        for column, row in product(columns, rows):
            yield self._look(["tblBg", "wholeTbl", column, row, *edges, *corners])

    def _look(self, names: list[str]) -> CellLook:
        if not self._is_usual:
            return CellLook(None, colors.UNKNOWN)
        text = self._theme.named("tx1")
        ink: tuple[Color, float] | None = None if text is None else (text, 1.0)
        fill: Grounds = ()
        for part in (part for name in filter(None, names) for part in self._style.iterchildren(f"{{*}}{name}")):
            for color in part.iterfind("{*}tcTxStyle/*"):
                if etree.QName(color).localname.endswith("Clr"):
                    ink = self._theme.read(_holder(color))
            for owner in (part, *part.iterchildren("{*}tcStyle")):
                for one in owner.iterchildren("{*}fill"):
                    found = fills.within(one, self._theme, self._under)
                    fill = fill if found is None else () if found == self._under else found
                for one in owner.iterchildren("{*}fillRef"):
                    fill = fills.of_reference(one, self._theme, self._under)
        return CellLook(ink, fill)


def _holder(color: etree._Element) -> etree._Element:
    """Return an element that has nothing but a copy of this colour."""
    holder = etree.Element("holder")
    holder.append(deepcopy(color))
    return holder
