"""The `gui_detection` task, which finds buttons, fields and icons in screenshots."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import NotRequired

from rapidfuzz import fuzz
from typing_extensions import TypedDict

from models.concurrency import EngineAdmission, side_by_side
from models.vision.gui.capability import GUI_DETECTION, GUI_GROUNDING
from models.vision.gui.elements import GuiDetector, GuiElement, GuiGrounder
from models.vision.ocr.capability import OCR
from models.vision.text import Image, PageReader, TextLine
from tasks.base import Parts, Progress, Specialist, TaskRequest
from tasks.errors import InputError
from tasks.inputs.loader import MediaLoader
from tasks.result import Bounds, Result, ResultLine, bounds_of, edges_of, texts_in
from tasks.seen_pages import PagePosition, Sighting, is_alone, opened_documents, pages_to_search, seen_on
from tasks.tools import Tool
from tasks.wording.gui_elements import GuiOptions, parse_gui

_LEAST_SIMILARITY = 80.0
"""A text counts as the text in the request if the similarity of the two, on a scale from 0 to 100, is at least this,
because OCR may misread a letter or two."""
_IGNORED_DIFFERENCE = 3.0
"""Texts whose similarities differ by at most this count as equally similar."""
_LONGEST_WANTED, _LONGEST_SHOWN = 200, 1_000
"""At most this many characters of a wanted text, and of an element's text, are compared."""
_MAX_LOOKED_AT = 16
"""The grounder sees the pages and frames of a request only if they are at most this many, because each one costs a call
of an LLM."""


def matching_elements(options: GuiOptions, elements: Sequence[GuiElement], width: int, height: int) -> list[GuiElement]:
    """Return the `elements` that `options` means, in their order, or all elements if it restricts nothing.

    The text on an element counts most. A type that contradicts the text is ignored, because users name types loosely.
    If no element has the text, the result depends on the request. It is empty if the text is quoted. Otherwise it has
    the elements of the named type (icons have no text), or all elements if no type is named.
    """
    found = list(elements)
    if options.text:
        similar = _with_similar_text(options.text, found)
        if not similar and not options.types:
            return [] if options.is_exact else found
        if similar:
            found = similar
        elif options.is_exact:
            return []
    if options.types:
        found = [one for one in found if one.type in options.types] or (found if options.text else [])
    if options.order is not None and found:
        place = options.order
        return [found[place]] if -len(found) <= place < len(found) else []
    if options.places and len(found) > 1 and (options.types or options.text):
        return _at_place(options, found, width, height)
    return found


def _with_similar_text(written: str, elements: Sequence[GuiElement]) -> list[GuiElement]:
    """Return the elements whose text is most similar to `written`, if it is similar enough."""
    wanted = _normalize(written[:_LONGEST_WANTED])
    likeness = [_similarity(wanted, _normalize(one.text[:_LONGEST_SHOWN])) for one in elements]
    best = max(likeness, default=0.0)
    if best < _LEAST_SIMILARITY:
        return []
    return [one for one, alike in zip(elements, likeness, strict=True) if alike >= best - _IGNORED_DIFFERENCE]


def _similarity(wanted: str, text: str) -> float:
    """Return the similarity of two texts (0 to 100). A longer text that contains `wanted` scores slightly lower."""
    if not wanted or not text:
        return 0.0
    whole = fuzz.ratio(wanted, text)
    part_similarity = fuzz.partial_ratio(wanted, text) if 3 <= len(wanted) <= len(text) else 0.0
    # "cart" should match "Add to cart" but not a paragraph that mentions it.
    return max(whole, 0.95 * part_similarity - 10 * (1 - len(wanted) / len(text)))


def _at_place(options: GuiOptions, elements: Sequence[GuiElement], width: int, height: int) -> list[GuiElement]:
    """Return all elements in the named part of the screen if the request means several ("all", "buttons"), or else only
    the element furthest in that direction."""

    def distance(one: GuiElement) -> float:
        x, y = (one.box[0] + one.box[2]) / 2 / max(1, width), (one.box[1] + one.box[3]) / 2 / max(1, height)
        distances = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y, "middle": abs(x - 0.5) + abs(y - 0.5)}
        return max(distances[place] for place in options.places)

    if options.several:
        return [one for one in elements if distance(one) < 0.5]
    return [min(elements, key=distance)]


def _normalize(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


class ShownElement(Sighting):
    type: str
    """Type of the element, one of `models.vision.gui.elements.TYPES`."""
    bounds: Bounds
    confidence: NotRequired[float]
    """The engine's confidence from 0 to 1, rounded to two decimals; absent if the engine gives none."""
    text: NotRequired[str]
    """Text that OCR reads on the element; absent if there is none."""


class GuiData(TypedDict):
    gui_elements: list[ShownElement]


class GuiResult(Result[GuiData]):
    def _result_lines(self) -> Iterator[ResultLine]:
        for one in self.data["gui_elements"]:
            text = " " + json.dumps(one["text"], ensure_ascii=False) if one.get("text") else ""
            yield ResultLine(f"{one['type']}{text} at {edges_of(one['bounds'])}")

    def texts_for_guard(self) -> Iterator[str]:
        return texts_in(self.data["gui_elements"], frozenset({"type"}))


def shown(found: Sequence[GuiElement], width: int, height: int, seen: Sighting) -> list[ShownElement]:
    """Return `found` in the form of a result, in the same order, for a picture of `width` × `height`."""
    return [{**_shown_element(one, width, height), **seen} for one in found]


def _shown_element(one: GuiElement, width: int, height: int) -> ShownElement:
    x0, y0, x1, y1 = one.box
    bounds = bounds_of(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), width, height)
    element: ShownElement = {"type": one.type, "bounds": bounds}
    if one.score is not None:
        element["confidence"] = round(one.score, 2)
    if one.text:
        element["text"] = one.text
    return element


class GuiDetectionTask:
    """Finds elements of user interfaces in pictures, pages of documents and frames of videos, with their types and
    texts.

    A description of one element ("the Add to cart button") restricts the result to this element. If the words are not
    sufficient to find it, an LLM looks at the screen, if there is one. Several sources are searched as one document, as
    in `ocr`: page numbers continue from one source to the next, both in the result and in the options. A single
    picture or video has no page numbers.
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

    async def run(self, request: TaskRequest[GuiOptions]) -> GuiResult:
        """Find the elements. Raises InputError (no source, an unusable one, missing pages, `too_many_pages`),
        EngineOverloaded, EngineUnavailable and EngineFailed."""
        if not request.sources:
            raise InputError(f"task '{self.name}' needs a screenshot: attach one, or put its URL in the text")
        async with opened_documents(self._loader, request.sources) as documents:
            limits = self._loader.limits
            options = request.options
            pages = await asyncio.to_thread(pages_to_search, self.name, options.pages, documents, limits.pages)
            found = await self._searched(pages, options, request.progress, is_alone(documents))
            return GuiResult({"gui_elements": found})

    async def _searched(
        self, pages: Sequence[PagePosition], options: GuiOptions, progress: Progress, alone: bool
    ) -> list[ShownElement]:
        admission = EngineAdmission()
        looks = options.names_an_element and len(pages) <= _MAX_LOOKED_AT
        grounder = self._grounder() if looks else None

        async def searched(page: PagePosition) -> list[ShownElement]:
            picture = await page.document.picture(page.number)
            height, width = picture.shape[:2]
            lines = await self._reader().read(picture, wait=admission.waits())
            elements = await self._detector().detect(picture, lines, wait=True)
            found = await _select_elements(options, picture, lines, elements, grounder)
            return await asyncio.to_thread(shown, found, width, height, seen_on(page, alone=alone))

        report = partial(progress, self.name)
        return [
            *chain.from_iterable(
                await side_by_side(searched, pages, at_most=self._loader.limits.pages_at_once, done=report)
            )
        ]


async def _select_elements(
    options: GuiOptions,
    picture: Image,
    lines: Sequence[TextLine],
    elements: Sequence[GuiElement],
    grounder: GuiGrounder | None,
) -> list[GuiElement]:
    height, width = picture.shape[:2]
    by_words = await asyncio.to_thread(matching_elements, options, elements, width, height)
    if grounder is None or (len(by_words) == 1 and not grounder.always):
        return by_words
    seen = await grounder.ground(options.description, picture, elements, lines)
    return by_words if seen is None else seen


def _build(parts: Parts) -> GuiDetectionTask:
    engines = parts.engines
    return GuiDetectionTask(
        partial(engines.use, GUI_DETECTION),
        partial(engines.use, OCR),
        parts.loader,
        partial(engines.find, GUI_GROUNDING),
    )


TASK = Specialist(
    GuiDetectionTask.name,
    _build,
    GuiOptions,
    parse_gui,
    Tool("Find buttons, inputs, links and icons in a screenshot.", GuiData),
    reads=frozenset({"image"}),
    uses=(GUI_DETECTION, GUI_GROUNDING, OCR),
    order=30,
)
