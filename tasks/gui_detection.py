"""Finding buttons, fields and icons in screenshots: the `gui_detection` task."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.vision.gui.elements import GuiDetector, GuiElement, GuiGrounder
from models.vision.text import Image, PageReader, TextLine
from tasks.base import Progress, TaskRequest
from tasks.errors import InputError
from tasks.gui.grounding import grounded
from tasks.gui.result import GuiResult, ShownElement, shown
from tasks.inputs.loader import MediaLoader
from tasks.seen_pages import Page, is_alone, opened_documents, pages_to_search
from tasks.side_by_side import side_by_side
from tasks.wording.gui_elements import Wording

_PAGES_AT_ONCE = 4
"""Enough to keep the engines busy; each holds a decoded picture in memory."""
_MOST_LOOKED_AT = 16
"""Pages and frames of one request that a grounder is asked about: each is a call of an LLM."""


class GuiDetectionTask:
    """Elements of user interfaces in pictures, pages of documents and frames of videos, with their types and texts.

    What the text says of one element ("the Add to cart button") restricts the result to it: by its words alone, and
    by an LLM that looks at the screen, where there is one and words do not tell. Several sources are
    searched as one document, as by `ocr`: page numbers run on, in the result as in hints ("page 3"). A picture or a
    video that comes alone has none.
    """

    name = "gui_detection"

    def __init__(
        self,
        detector: Callable[[], GuiDetector],
        reader: Callable[[], PageReader],
        loader: MediaLoader,
        grounder: Callable[[], GuiGrounder | None] = lambda: None,
    ) -> None:
        self._detector = detector
        self._reader = reader
        self._loader = loader
        self._grounder = grounder

    async def run(self, request: TaskRequest) -> GuiResult:
        """Raises InputError (no source, one that cannot be used, pages that are not there, `too_many_pages`),
        EngineOverloaded, EngineUnavailable and EngineFailed."""
        if not request.sources:
            raise InputError(f"task '{self.name}' needs a screenshot: attach one, or put its URL in the text")
        async with opened_documents(self._loader, request.sources) as documents:
            limits = self._loader.limits
            text = request.wording(limits.wording_chars)
            pages = await asyncio.to_thread(pages_to_search, self.name, text, documents, limits.pages)
            wording = await asyncio.to_thread(Wording.of, text)
            return {"gui_elements": await self._searched(pages, wording, request.progress, is_alone(documents))}

    async def _searched(
        self, pages: Sequence[Page], wording: Wording, progress: Progress, alone: bool
    ) -> list[ShownElement]:
        screens = _Screens(self._detector, self._reader)
        looks = wording.names_an_element and len(pages) <= _MOST_LOOKED_AT
        grounder = self._grounder() if looks else None
        done = 0

        async def searched(page: Page) -> list[ShownElement]:
            nonlocal done
            picture = await page.document.picture(page.number)
            height, width = picture.shape[:2]
            found = await _meant(wording, await screens.search(picture), grounder)
            done += 1
            progress(self.name, done, len(pages))
            place, timestamp = None if alone else page.place, page.document.timestamp(page.number)
            return await asyncio.to_thread(shown, found, width, height, page=place, timestamp=timestamp)

        return [one for found in await side_by_side(searched, pages, at_most=_PAGES_AT_ONCE) for one in found]


@dataclass(frozen=True, slots=True, eq=False)
class _Screen:
    picture: Image
    lines: Sequence[TextLine]
    elements: Sequence[GuiElement]


async def _meant(wording: Wording, screen: _Screen, grounder: GuiGrounder | None) -> list[GuiElement]:
    height, width = screen.picture.shape[:2]
    by_words = grounded(wording, screen.elements, width, height)
    if grounder is None or (len(by_words) == 1 and not grounder.always):
        return by_words
    seen = await grounder.ground(wording.said, screen.picture, screen.elements, screen.lines)
    return by_words if seen is None else seen


class _Screens:
    """Reads and searches the pictures of one request: the first is refused if the reader is overloaded, so that the
    client hears of it at once; the rest wait their turn, so that no work is thrown away."""

    def __init__(self, detector: Callable[[], GuiDetector], reader: Callable[[], PageReader]) -> None:
        self._detector = detector
        self._reader = reader
        self._admitted = False

    async def search(self, picture: Image) -> _Screen:
        wait, self._admitted = self._admitted, True
        lines = await self._reader().read(picture, wait=wait)
        return _Screen(picture, lines, await self._detector().detect(picture, lines, wait=True))
