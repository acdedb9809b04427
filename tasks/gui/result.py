"""What the `gui_detection` task answers. The order of the keys is part of the contract."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from models.vision.gui.elements import GuiElement
from tasks.bounds import Bounds, bounds_of


class ShownElement(TypedDict):
    type: str
    """One of `models.vision.gui.elements.TYPES`."""
    bounds: Bounds
    confidence: NotRequired[float]
    """0 to 1, two decimals, as the engine measured it; absent where nothing has."""
    text: NotRequired[str]
    """What OCR reads in it; absent where that is nothing."""
    page: NotRequired[int]
    """Counts from 1, through all inputs; absent where the only input is one picture or a video."""
    timestamp: NotRequired[float]
    """Seconds from the start of the video that shows it, two decimals."""


class GuiResult(TypedDict):
    gui_elements: list[ShownElement]


def shown(
    found: Sequence[GuiElement], width: int, height: int, *, page: int | None, timestamp: float | None
) -> list[ShownElement]:
    """`found` in a picture of `width` × `height`, in the same order."""
    return [_shown(one, width, height, page, timestamp) for one in found]


def _shown(one: GuiElement, width: int, height: int, page: int | None, timestamp: float | None) -> ShownElement:
    x0, y0, x1, y1 = one.box
    bounds = bounds_of(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), width, height)
    element: ShownElement = {"type": one.type, "bounds": bounds}
    if one.score is not None:
        element["confidence"] = round(one.score, 2)
    if one.text:
        element["text"] = one.text
    if page is not None:
        element["page"] = page
    if timestamp is not None:
        element["timestamp"] = round(timestamp, 2)
    return element
