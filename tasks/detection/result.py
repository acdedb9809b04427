"""What the `object_detection` task answers. The order of the keys is part of the contract."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from models.vision.detection.detector import Detection
from tasks.bounds import Bounds, Corner, bounds_of
from tasks.detection.outline import png_of, polygon_of
from tasks.detection.wishes import Wishes


class DetectedObject(TypedDict):
    label: str
    bounds: Bounds
    confidence: float
    """0 to 1, two decimals, as the engine measured it."""
    polygon: NotRequired[list[Corner]]
    """The outline of its largest part."""
    mask: NotRequired[str]
    """A base64 PNG, as large as `bounds`: white pixels belong to the object."""
    page: NotRequired[int]
    """Counts from 1, through all inputs; absent where the only input is one picture or a video."""
    timestamp: NotRequired[float]
    """Seconds from the start of the video that shows it, two decimals."""


class DetectionResult(TypedDict):
    detected_objects: list[DetectedObject]


def objects_of(
    found: Sequence[Detection], width: int, height: int, wishes: Wishes, *, page: int | None, timestamp: float | None
) -> list[DetectedObject]:
    """`found` in a picture of `width` × `height`, the most confident first."""
    ordered = sorted(found, key=lambda one: (-one.score, one.label, one.box))
    return [
        shown
        for one in ordered
        if (shown := _object(one, width, height, wishes, page=page, timestamp=timestamp)) is not None
    ]


def _object(
    one: Detection, width: int, height: int, wishes: Wishes, *, page: int | None, timestamp: float | None
) -> DetectedObject | None:
    """None for a box that nothing of is inside the picture."""
    x0, y0, x1, y1 = one.box
    bounds = bounds_of(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), width, height)
    if not bounds["width"] or not bounds["height"]:
        return None
    shown: DetectedObject = {"label": one.label, "bounds": bounds, "confidence": round(one.score, 2)}
    if one.mask is not None and wishes.polygon:
        shown["polygon"] = polygon_of(one.mask)
    if one.mask is not None and wishes.mask:
        first, last = bounds["top_left"], bounds["bottom_right"]
        shown["mask"] = png_of(one.mask, first["x"], first["y"], last["x"], last["y"])
    if page is not None:
        shown["page"] = page
    if timestamp is not None:
        shown["timestamp"] = round(timestamp, 2)
    return shown
