"""Finds which cells of a sheet lie below its shapes and pictures (ECMA-376, part 1, 20.5)."""

from collections.abc import Iterator

from lxml import etree

from tasks.inputs.office import fills
from tasks.inputs.office.colors import Theme
from tasks.inputs.office.conditional_formats import MAX_COLUMNS, Box
from tasks.inputs.office.measures import EMU

_HALF_HEIGHT = 7 * EMU
"""About half the height of a usual row."""
_HALF_WIDTH = 24 * EMU
"""Half the width of a usual column."""


def areas_of_shapes(root: etree._Element, theme: Theme) -> Iterator[Box]:
    """Yield the first and the last row, and the first and the last column, of the cells on which each picture or filled
    shape of a sheet lies that is placed by its corners.

    The cells in which a shape begins or ends count if it covers more than half of them, were they of the usual size.
    """
    for anchor in root.iterchildren("{*}twoCellAnchor"):
        is_filled = any(fills.of_shape(shape, theme, ()) for shape in anchor.iter("{*}sp"))
        if not is_filled and next(anchor.iter("{*}pic"), None) is None:
            continue
        top, bottom = (_cell_at(anchor, corner, "row", _HALF_HEIGHT) for corner in ("from", "to"))
        left, right = (_cell_at(anchor, corner, "col", _HALF_WIDTH) for corner in ("from", "to"))
        if top < bottom and left < right:
            yield top + 1, bottom, left + 1, min(right, MAX_COLUMNS)


def _cell_at(anchor: etree._Element, corner: str, side: str, half: int) -> int:
    """Return the number of the row or column, from 0, whose beginning is nearest to a corner."""
    number, offset = (anchor.findtext(f"{{*}}{corner}/{{*}}{name}", "").strip() for name in (side, f"{side}Off"))
    if not number.isdecimal() or len(number) > 7:
        return 0
    return int(number) + (offset.isdecimal() and (len(offset) > 9 or int(offset) > half))
