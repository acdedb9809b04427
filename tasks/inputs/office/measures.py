"""Lengths of office files, in points."""

import re

from tasks.inputs.office.colors import SMALLEST_POINTS

TWIPS = 20
"""Number of twentieths of a point in a point."""
HALF_POINTS = 2
EMU = 12_700
"""Number of English Metric Units in a point."""
LETTER_WIDTH = 0.55
"""The average width of letters and digits, for a size of 1."""
_LENGTH = re.compile(r"([+-]?\d{1,12}(?:\.\d{0,12})?)(pt|in|cm|mm|pc|pi|px)?", re.ASCII)
_UNITS = {"pt": 1.0, "in": 72.0, "cm": 72 / 2.54, "mm": 72 / 25.4, "pc": 12.0, "pi": 12.0, "px": 0.75}


def points(value: str | None, per_point: float) -> float | None:
    """Return a length in points; None for none. A number without a unit has this many to the point."""
    found = _LENGTH.fullmatch((value or "").strip())
    if found is None:
        return None
    return float(found[1]) * _UNITS[found[2]] if found[2] else float(found[1]) / per_point


def is_tiny(size: float) -> bool:
    """True if text of this size in points, or in a place as high or wide as this, is too small to be seen."""
    return size <= SMALLEST_POINTS


def is_overprinted(spacing: float, size: float) -> bool:
    """True if letters of this size lie on each other for the space between them, both in points.

    Letters are about half as wide as high.
    """
    return spacing <= -size / 2
