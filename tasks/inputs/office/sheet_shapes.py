"""Finds which cells of a sheet lie below its shapes and pictures (ECMA-376, part 1, 20.5)."""

from collections.abc import Iterator

from lxml import etree

from tasks.inputs.office import fills
from tasks.inputs.office.cell_grid import Axis, Grid
from tasks.inputs.office.colors import Theme
from tasks.inputs.office.conditional_formats import MAX_COLUMNS, Box
from tasks.inputs.office.measures import EMU, points

_DIGIT = 5.25
"""The width in points of a digit in the usual font of workbooks."""
_FRAME = ("from", "to", "pos", "ext", "clientData")
"""Parts of an anchor that say where its objects are."""
_SEE_THROUGH = ("sp", "cxnSp")
"""Objects of which nothing covers a cell if they have no fill."""


def areas_of_shapes(root: etree._Element, theme: Theme, grid: Grid) -> Iterator[Box]:
    """Yield the first and the last row, and the first and the last column, of the cells on which each picture, filled
    shape, chart or other object of a sheet lies.

    The cells in which one begins or ends count if it covers more than half of them.
    """
    for anchor in root.iterchildren("{*}twoCellAnchor", "{*}oneCellAnchor", "{*}absoluteAnchor"):
        if _is_clear(anchor, theme):
            continue
        top, bottom = _extent(anchor, grid.rows, ("row", "cy", "y"), 1.0)
        left, right = _extent(anchor, grid.columns, ("col", "cx", "x"), _DIGIT)
        if top < bottom and left < right:
            yield top, bottom - 1, left, min(right - 1, MAX_COLUMNS)


def _is_clear(anchor: etree._Element, theme: Theme) -> bool:
    """True if cells are seen through all that is anchored."""
    objects = [one for one in anchor.iterchildren(etree.Element) if etree.QName(one).localname not in _FRAME]
    return all(etree.QName(one).localname in _SEE_THROUGH and not fills.of_shape(one, theme, ()) for one in objects)


def _extent(anchor: etree._Element, axis: Axis, names: tuple[str, str, str], unit: float) -> tuple[int, int]:
    """Return the numbers of the rows or columns, of which `names` has those in the file, that begin nearest to the
    beginning and to the end of an anchor. `unit` is the axis' one in points."""
    name, size, position = names
    first = _corner(anchor, "from", axis, name, unit)
    if first is None:
        first = _length(anchor.find("{*}pos"), position) / unit
    last = _corner(anchor, "to", axis, name, unit)
    if last is None:
        last = first + _length(anchor.find("{*}ext"), size) / unit
    return axis.at(first), axis.at(last)


def _corner(anchor: etree._Element, corner: str, axis: Axis, name: str, unit: float) -> float | None:
    """Return the distance of a corner from the sheet's; None if the anchor does not have it."""
    place = anchor.find(f"{{*}}{corner}")
    if place is None:
        return None
    number, offset = (place.findtext(f"{{*}}{one}", "").strip() for one in (name, f"{name}Off"))
    index = int(number) if number.isdecimal() and len(number) <= 7 else 0
    within = (points(offset, EMU) or 0.0) / unit
    return axis.start(index + 1) + min(max(within, 0.0), axis.size(index + 1))


def _length(element: etree._Element | None, name: str) -> float:
    """Return a length in points."""
    return 0.0 if element is None else points(element.get(name), EMU) or 0.0
