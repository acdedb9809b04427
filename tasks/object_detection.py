"""Finding things in pictures: the `object_detection` task."""

import asyncio
from collections.abc import Sequence

from models.vision.detection.detector import Detection
from models.vision.text import Image
from tasks.base import Progress, TaskRequest
from tasks.detection.result import DetectedObject, DetectionResult, objects_of
from tasks.detection.search import Engines, Search, Searches
from tasks.errors import InputError
from tasks.inputs.loader import MediaLoader
from tasks.seen_pages import Page, is_alone, opened_documents, pages_to_search
from tasks.side_by_side import side_by_side

_PAGES_AT_ONCE = 4
"""Enough to keep an engine's batches full; each holds a decoded picture in memory."""


class ObjectDetectionTask:
    """Labels and places of objects in pictures, pages of documents and frames of videos.

    What the text names restricts the search ("find the cars and the dogs"). Several sources are searched as one
    document, as by `ocr`: page numbers run on, in the result as in hints ("page 3"). A picture or a video that comes
    alone has none.
    """

    name = "object_detection"

    def __init__(self, engines: Engines, loader: MediaLoader) -> None:
        self._searches = Searches(engines)
        self._loader = loader

    async def run(self, request: TaskRequest) -> DetectionResult:
        """Raises InputError (no source, one that cannot be used, pages that are not there, `too_many_pages`),
        EngineOverloaded, EngineUnavailable and EngineFailed."""
        if not request.sources:
            raise InputError(
                f"task '{self.name}' needs an image, a PDF or a video: attach one, or put its URL in the text"
            )
        async with opened_documents(self._loader, request.sources) as documents:
            limits = self._loader.limits
            text = request.wording(limits.wording_chars)
            pages = await asyncio.to_thread(pages_to_search, self.name, text, documents, limits.pages)
            search = await self._searches.for_text(text)
            return {"detected_objects": await self._searched(pages, search, request.progress, is_alone(documents))}

    async def _searched(
        self, pages: Sequence[Page], search: Search, progress: Progress, alone: bool
    ) -> list[DetectedObject]:
        pictures = _Pictures(search)
        done = 0

        async def searched(page: Page) -> list[DetectedObject]:
            nonlocal done
            picture = await page.document.picture(page.number)
            found = await pictures.search(picture)
            done += 1
            progress(self.name, done, len(pages))

            def shown() -> list[DetectedObject]:
                height, width = picture.shape[:2]
                timestamp = page.document.timestamp(page.number)
                place = None if alone else page.place
                return objects_of(found, width, height, search.wishes, page=place, timestamp=timestamp)

            # Outlines of many objects keep the processor busy for longer than the event loop should stand still.
            return await asyncio.to_thread(shown) if search.wishes.outlined else shown()

        return [one for found in await side_by_side(searched, pages, at_most=_PAGES_AT_ONCE) for one in found]


class _Pictures:
    """Searches the pictures of one request: the first is refused if the engine is overloaded, so that the client
    hears of it at once; the rest wait their turn, so that no work is thrown away."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._admitted = False

    async def search(self, picture: Image) -> list[Detection]:
        wait, self._admitted = self._admitted, True
        return await self._search.run(picture, wait=wait)
