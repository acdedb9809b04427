"""The `object_detection` task, which finds things in pictures."""

import asyncio
import base64
import io
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import NotRequired

import numpy as np
import PIL.Image
from typing_extensions import TypedDict

from models.concurrency import EngineAdmission, side_by_side
from models.embedding.capability import EMBEDDING, MINILM
from models.vision.detection.capability import OBJECT_DETECTION, OPEN_VOCABULARY
from models.vision.detection.detector import Detection, Mask
from tasks.base import Parts, Progress, Specialist, TaskRequest
from tasks.detection.search import DetectionEngines, DetectionOptions, Search, Searches, parse_detection
from tasks.errors import InputError
from tasks.inputs.loader import MediaLoader
from tasks.result import Bounds, Corner, Result, ResultLine, bounds_of, edges_of
from tasks.seen_pages import PagePosition, Sighting, is_alone, opened_documents, pages_to_search, seen_on
from tasks.tools import Tool

_OUTLINE_TOLERANCE = 0.004
"""A polygon deviates from the mask's edge by at most this, as a share of the edge's length."""


def polygon_of(mask: Mask) -> list[Corner]:
    """Return the outline of the mask's largest part in pixels of the picture; empty for an empty mask."""
    import cv2

    contours, _ = cv2.findContours(mask.pixels.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return []
    largest = max(contours, key=cv2.contourArea)
    corners = cv2.approxPolyDP(largest, _OUTLINE_TOLERANCE * cv2.arcLength(largest, closed=True), closed=True)[:, 0]
    return [{"x": int(x) + mask.left, "y": int(y) + mask.top} for x, y in corners]


def png_of(mask: Mask, left: int, top: int, right: int, bottom: int) -> str:
    """Encode the mask from (left, top) to (right, bottom) as a base64 PNG with one bit per pixel; white is the
    object."""
    canvas = np.zeros((bottom - top, right - left), bool)
    rows, columns = mask.pixels.shape
    x0, y0 = max(left, mask.left), max(top, mask.top)
    x1, y1 = min(right, mask.left + columns), min(bottom, mask.top + rows)
    if x1 > x0 and y1 > y0:
        inside = mask.pixels[y0 - mask.top : y1 - mask.top, x0 - mask.left : x1 - mask.left]
        canvas[y0 - top : y1 - top, x0 - left : x1 - left] = inside
    buffer = io.BytesIO()
    PIL.Image.fromarray(canvas).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


class DetectedObject(Sighting):
    label: str
    bounds: Bounds
    confidence: float
    """The engine's confidence from 0 to 1, rounded to two decimals."""
    polygon: NotRequired[list[Corner]]
    """Outline of the object's largest part."""
    mask: NotRequired[str]
    """Base64 PNG of the size of `bounds`, in which white pixels belong to the object."""


class DetectionData(TypedDict):
    detected_objects: list[DetectedObject]


class DetectionResult(Result[DetectionData]):
    def _result_lines(self) -> Iterator[ResultLine]:
        """Yield one line per label and page, because "how many" is the usual question."""
        by_label: dict[tuple[str, str], list[str]] = {}
        for one in self.data["detected_objects"]:
            page = f"[page {one['page']}]" if "page" in one else ""
            confidence = f" {one['confidence']}" if "confidence" in one else ""
            by_label.setdefault((page, one["label"]), []).append(edges_of(one["bounds"]) + confidence)
        for (page, label), places in by_label.items():
            yield ResultLine(f"{label} ×{len(places)} at {', '.join(places)}", page)


def objects_of(
    found: Sequence[Detection], width: int, height: int, options: DetectionOptions, seen: Sighting
) -> list[DetectedObject]:
    """Return `found` in the form of a result, the most confident first, for a picture of `width` × `height`."""
    ordered = sorted(found, key=lambda one: (-one.score, one.label, one.box))
    shown = (_detected_object(one, width, height, options) for one in ordered)
    return [{**one, **seen} for one in shown if one is not None]


def _detected_object(detection: Detection, width: int, height: int, options: DetectionOptions) -> DetectedObject | None:
    """Return the object in the form of a result, or None if its box lies outside the picture."""
    x0, y0, x1, y1 = detection.box
    bounds = bounds_of(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), width, height)
    if not bounds["width"] or not bounds["height"]:
        return None
    shown: DetectedObject = {"label": detection.label, "bounds": bounds, "confidence": round(detection.score, 2)}
    if detection.mask is not None and options.polygon:
        shown["polygon"] = polygon_of(detection.mask)
    if detection.mask is not None and options.mask:
        first, last = bounds["top_left"], bounds["bottom_right"]
        shown["mask"] = png_of(detection.mask, first["x"], first["y"], last["x"], last["y"])
    return shown


class ObjectDetectionTask:
    """Finds objects, with labels and places, in pictures, pages of documents and frames of videos.

    The labels in the options restrict the search. Several sources are
    searched as one document, as in `ocr`: page numbers continue from one source to the next, both in the result and in
    the options. A single picture or video has no page numbers.
    """

    name = "object_detection"

    def __init__(self, engines: DetectionEngines, loader: MediaLoader) -> None:
        self.searches = Searches(engines)
        self._loader = loader

    async def run(self, request: TaskRequest[DetectionOptions]) -> DetectionResult:
        """Find the objects. Raises InputError (no source, an unusable source, missing pages, `too_many_pages`),
        EngineOverloaded, EngineUnavailable and EngineFailed."""
        if not request.sources:
            raise InputError(
                f"task '{self.name}' needs an image, a PDF or a video: attach one, or put its URL in the text"
            )
        async with opened_documents(self._loader, request.sources) as documents:
            limits = self._loader.limits
            wanted = request.options.pages
            pages = await asyncio.to_thread(pages_to_search, self.name, wanted, documents, limits.pages)
            search = await self.searches.of(request.options)
            found = await self._searched(pages, search, request.progress, is_alone(documents))
            return DetectionResult({"detected_objects": found})

    async def _searched(
        self, pages: Sequence[PagePosition], search: Search, progress: Progress, alone: bool
    ) -> list[DetectedObject]:
        admission = EngineAdmission()

        async def searched(page: PagePosition) -> list[DetectedObject]:
            picture = await page.document.picture(page.number)
            found = await search.run(picture, wait=admission.waits())

            def shown() -> list[DetectedObject]:
                height, width = picture.shape[:2]
                return objects_of(found, width, height, search.options, seen_on(page, alone=alone))

            # Tracing many outlines would block the event loop.
            return await asyncio.to_thread(shown) if search.options.outlined else shown()

        report = partial(progress, self.name)
        return [
            *chain.from_iterable(
                await side_by_side(searched, pages, at_most=self._loader.limits.pages_at_once, done=report)
            )
        ]


def _build(parts: Parts) -> ObjectDetectionTask:
    use = parts.engines.use
    engines = DetectionEngines(
        partial(use, OBJECT_DETECTION),
        partial(use, OPEN_VOCABULARY),
        partial(parts.engines.find, EMBEDDING, MINILM),
    )
    return ObjectDetectionTask(engines, parts.loader)


TASK = Specialist(
    ObjectDetectionTask.name,
    _build,
    DetectionOptions,
    parse_detection,
    Tool("Find objects in a picture, and return their boxes.", DetectionData),
    reads=frozenset({"image"}),
    uses=(OBJECT_DETECTION, OPEN_VOCABULARY),
    order=20,
)
