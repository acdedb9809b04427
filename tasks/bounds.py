"""Where something stands in a picture, as every task reports it."""

from math import hypot
from typing import Literal, TypedDict

from models.vision.text import Quad

CORNERS: tuple[Literal["top_left", "top_right", "bottom_right", "bottom_left"], ...] = (
    "top_left",
    "top_right",
    "bottom_right",
    "bottom_left",
)


class Corner(TypedDict):
    x: int
    y: int


class Bounds(TypedDict):
    """A quadrilateral in pixels of the source picture; the order of the keys is part of the contract.

    A dictionary and not a class because a page has hundreds: built and serialised, dictionaries take a third
    of the time of dataclasses.
    """

    top_left: Corner
    top_right: Corner
    bottom_right: Corner
    bottom_left: Corner
    width: float
    """The mean of the top and the bottom side, in steps of 0.5; an `int` where whole."""
    height: float
    """The mean of the left and the right side, likewise."""


def bounds_of(quad: Quad, width: int, height: int) -> Bounds:
    """`quad` on the pixel grid of a picture of `width` × `height`; what sticks out is moved to the edge."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = [(round(x), round(y)) for x, y in quad]
    if not (min(ax, bx, cx, dx) >= 0 and max(ax, bx, cx, dx) <= width):
        ax, bx, cx, dx = [min(max(x, 0), width) for x in (ax, bx, cx, dx)]
    if not (min(ay, by, cy, dy) >= 0 and max(ay, by, cy, dy) <= height):
        ay, by, cy, dy = [min(max(y, 0), height) for y in (ay, by, cy, dy)]
    return {
        "top_left": {"x": ax, "y": ay},
        "top_right": {"x": bx, "y": by},
        "bottom_right": {"x": cx, "y": cy},
        "bottom_left": {"x": dx, "y": dy},
        "width": _mean(hypot(bx - ax, by - ay), hypot(cx - dx, cy - dy)),
        "height": _mean(hypot(dx - ax, dy - ay), hypot(cx - bx, cy - by)),
    }


def edges_of(bounds: Bounds) -> str:
    """Left, top, right and bottom, as they are told to a language model."""
    corners = [bounds[name] for name in CORNERS]
    xs, ys = [corner["x"] for corner in corners], [corner["y"] for corner in corners]
    return f"({min(xs)}, {min(ys)}, {max(xs)}, {max(ys)})"


def _mean(one: float, other: float) -> float:
    twice = round(one + other)
    return twice / 2 if twice % 2 else twice // 2
