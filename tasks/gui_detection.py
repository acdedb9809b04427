"""Finding buttons, fields and icons in screenshots: the `gui_detection` task."""

import asyncio
from collections.abc import Callable, Sequence

from models.vision.gui.elements import GuiDetector, GuiElement
from models.vision.text import Image, PageReader
from tasks.base import Progress, TaskRequest
from tasks.errors import InputError
from tasks.gui.grounding import grounded
from tasks.gui.result import GuiResult, ShownElement, shown
from tasks.gui.wording import Wording
from tasks.media.loader import MediaLoader
from tasks.seen_pages import Page, is_alone, opened_documents, pages_to_search
from tasks.side_by_side import side_by_side

_PAGES_AT_ONCE = 4
"""Enough to keep the engines busy; each holds a decoded picture in memory."""


class GuiDetectionTask:
    """Elements of user interfaces in pictures, pages of documents and frames of videos, with their types and texts.

    What the text says of one element ("the Add to cart button") restricts the result to it. Several sources are
    searched as one document, as by `ocr`: page numbers run on, in the result as in hints ("page 3"). A picture or a
    video that comes alone has none.
    """

    name = "gui_detection"

    def __init__(
        self, detector: Callable[[], GuiDetector], reader: Callable[[], PageReader], loader: MediaLoader
    ) -> None:
        self._detector = detector
        self._reader = reader
        self._loader = loader

    async def run(self, request: TaskRequest) -> GuiResult:
        """Raises InputError (no source, one that cannot be used, pages that are not there, `too_many_pages`),
        EngineOverloaded, EngineUnavailable and EngineFailed."""
        if not request.sources:
            raise InputError(f"task '{self.name}' needs a screenshot: attach one, or put its URL in the text")
        async with opened_documents(self._loader, request.sources) as documents:
            pages = pages_to_search(self.name, request.text, documents, self._loader.limits.pages)
            alone = is_alone(documents)
            return {"gui_elements": await self._searched(pages, Wording.of(request.text), request.progress, alone)}

    async def _searched(
        self, pages: Sequence[Page], wording: Wording, progress: Progress, alone: bool
    ) -> list[ShownElement]:
        screens = _Screens(self._detector, self._reader)
        done = 0

        async def searched(page: Page) -> list[ShownElement]:
            nonlocal done
            picture = await page.document.picture(page.number)
            height, width = picture.shape[:2]
            found = grounded(wording, await screens.search(picture), width, height)
            done += 1
            progress(self.name, done, len(pages))
            place, timestamp = None if alone else page.place, page.document.timestamp(page.number)
            return await asyncio.to_thread(shown, found, width, height, page=place, timestamp=timestamp)

        return [one for found in await side_by_side(searched, pages, at_most=_PAGES_AT_ONCE) for one in found]


class _Screens:
    """Reads and searches the pictures of one request: the first is refused if the reader is overloaded, so that the
    client hears of it at once; the rest wait their turn, so that no work is thrown away."""

    def __init__(self, detector: Callable[[], GuiDetector], reader: Callable[[], PageReader]) -> None:
        self._detector = detector
        self._reader = reader
        self._admitted = False

    async def search(self, picture: Image) -> list[GuiElement]:
        wait, self._admitted = self._admitted, True
        lines = await self._reader().read(picture, wait=wait)
        return await self._detector().detect(picture, lines, wait=True)
