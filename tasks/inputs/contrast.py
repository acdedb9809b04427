"""Judges whether a text of one colour is seen on another one. Office files and HTML share the rule."""

from collections.abc import Iterable
from typing import Final

Color = tuple[float, float, float]
"""Red, green and blue from 0 to 1, in sRGB."""
BLACK: Final[Color] = (0.0, 0.0, 0.0)
WHITE: Final[Color] = (1.0, 1.0, 1.0)
_LEAST_CONTRAST = 1.1
"""Text with less contrast is unseen. White has 1.06 to F8F8F8, and 1.12 to F2F2F2, the lightest grey in use."""
_SAME_HUE = 0.25
"""Colours with a larger difference of red, green or blue are distinct without a contrast, such as yellow and white."""


def is_seen(color: Color, grounds: Iterable[Color]) -> bool:
    """True if text of this colour differs enough from one of the grounds."""
    return any(
        contrast(color, ground) >= _LEAST_CONTRAST
        or any(abs(one - other) > _SAME_HUE for one, other in zip(color, ground, strict=True))
        for ground in grounds
    )


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours from 1 to 21 (WCAG 2.2, contrast ratio)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mixed(color: Color, other: Color, share: float) -> Color:
    """Return a colour with this share, and the rest of the other one."""
    red, green, blue = (share * a + (1 - share) * b for a, b in zip(color, other, strict=True))
    return red, green, blue


def _luminance(color: Color) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
