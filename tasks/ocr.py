"""The `ocr` task, which reads pictures and documents."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from models.concurrency import EngineAdmission, both, side_by_side
from models.vision.ocr.capability import OCR
from models.vision.text import Image, PageReader, PageText
from models.workers.pool import CHARS_OF_WORD, Workers
from tasks.base import Progress, Specialist, TaskRequest
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.document import Document
from tasks.inputs.loader import MediaLoader
from tasks.inputs.pages import TextLayer
from tasks.inputs.printed_codes import PrintedCode
from tasks.inputs.text.text_file import unread_note
from tasks.markdown_text import escape_read_text
from tasks.ocr_result import OcrData, OcrResult, document_result, picture_result
from tasks.page_layout import LaidOutPage, PageContent, lay_out
from tasks.seen_pages import PagePosition, check_number, count_pages, opened_documents, page_positions, pages_asked_for
from tasks.tools import Tool
from tasks.wording.page_range import OcrOptions, parse_ocr

MAX_SEARCHED = 10
"""A page whose whole text is in the file is searched for codes and boxes only if its number in the document is at most
this. Drawing and searching such a page takes 0.3 s, ten times as long as reading it."""


class OcrTask:
    """Reads words and lines with their places. `reader` is called only if there is a picture to read.

    Several sources are read as one document: page numbers continue from one source to the next, both in the result and
    in hints ("page 3"). A single picture is a section without a page number. Each frame taken from a video is a page
    with a timestamp.

    Text files have no pages. Their text is added to `extracted_text` in order, with the text of their pictures in the
    pictures' places. Each picture of a text file is a section, too: it is numbered after all pages, and hints cannot
    select it. A damaged picture is mentioned in the text and is not a section.
    """

    name = "ocr"

    def __init__(self, reader: Callable[[], PageReader], loader: MediaLoader) -> None:
        self._reader = reader
        self._loader = loader

    async def run(self, request: TaskRequest[OcrOptions]) -> OcrResult:
        """Read the request's sources. Raises InputError (no source, an unusable source, missing pages,
        `too_many_pages`), EngineOverloaded, EngineUnavailable and EngineFailed."""
        if not request.sources:
            raise InputError("task 'ocr' needs an image or a document: attach one, or put its URL in the text")
        pictures = _Pictures(self._reader)
        if any(source.is_picture for source in request.sources):
            # If the queue is full, a request that certainly contains a picture is refused before anything is decoded.
            self._reader().check_room()
        async with opened_documents(self._loader, request.sources) as documents:
            options = request.options
            pages = await asyncio.to_thread(self._asked_for, options.pages, documents)
            found = await self._read(pages, pictures, options, request.progress)
            return await asyncio.to_thread(lambda: _build_result(documents, pages, found).with_layout(options))

    def _asked_for(self, wanted: str, documents: Sequence[Document]) -> list[PagePosition]:
        """Return the `wanted` pages, and after them the pictures in texts, numbered after all pages."""
        paged = [document for document in documents if document.text is None]
        wanted_pages = [*paged, *(document for document in documents if document.text is not None)]
        total, end = count_pages(paged), count_pages(wanted_pages)
        limit = self._loader.limits.pages

        def check(number: int) -> None:
            if end > total:
                what = "pages and pictures in documents would have to be read"
                check_number(wanted_pages, limit, what, number + end - total, "Send fewer at a time.")
            else:
                check_number(wanted_pages, limit, "pages would have to be read", number)

        is_unasked = not total or _is_one_picture(documents)
        pages = pages_asked_for("" if is_unasked else wanted, paged, check)
        return pages + page_positions(wanted_pages, range(total + 1, end + 1))

    async def _read(
        self, pages: Sequence[PagePosition], pictures: "_Pictures", options: OcrOptions, progress: Progress
    ) -> list["LaidOutPage | None"]:
        """Read the pages, and return them in order. A damaged picture in a text becomes None instead of an error,
        because the rest of the text is still useful."""
        counted = _WordCount(self._loader.limits.words)

        async def read(page: PagePosition) -> LaidOutPage | None:
            try:
                found = await _read_section(page, pictures, options, counted, self._loader.workers)
            except InputError:
                if page.document.text is None:
                    raise
                return None
            counted.check(page, found.words)
            return found

        return await side_by_side(
            read, pages, at_most=self._loader.limits.pages_at_once, done=partial(progress, self.name)
        )


class _Pictures:
    """Reads the pictures of one request."""

    def __init__(self, reader: Callable[[], PageReader]) -> None:
        self._reader = reader
        self._admission = EngineAdmission()

    async def read(self, picture: Image) -> PageText:
        """Return the text of a picture."""
        return await self._reader().read(picture, wait=self._admission.waits())


class _WordCount:
    """Counts the words of one request's pages, because the limit on pages does not limit the words of a page."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._words: dict[int, int] = {}
        """Number of words on each page that has been read, by its place."""

    def check(self, page: PagePosition, words: int) -> None:
        """Set the number of `words` on `page`. Raises InputTooLarge if all pages together have too many words."""
        self._words[page.place] = words
        total = sum(self._words.values())
        if total > self._limit:
            read = len(self._words)
            raise InputTooLarge(
                f"'{page.document.label}' has too many words: {total} on the {read} pages of the request that were "
                f"read so far; the limit is {self._limit} words a request. Ask for fewer pages at a time, for example "
                "'page 1'.",
                param=page.document.param,
            )


async def _read_section(
    page: PagePosition, pictures: _Pictures, options: OcrOptions, counted: _WordCount, workers: Workers
) -> LaidOutPage:
    (width, height), layer = await page.document.size_and_text(page.number)
    counted.check(page, sum(len(line.words) for line in layer.lines))

    is_searched = _may_have_marks(page, layer, options)

    # The picture is fetched first. The search for codes then runs in a decode process while the picture is read here.
    picture = await page.document.picture(page.number) if is_searched or not layer.complete else None

    async def read_codes() -> Sequence[PrintedCode]:
        return await page.document.codes(page.number) if is_searched else ()

    content = PageContent(
        page.place, width, height, page.document.timestamp(page.number), layer, picture, PageText(), is_searched
    )
    section, codes = await both(_lay_out(content, pictures, options, workers), read_codes())
    return section._replace(layout=replace(section.layout, codes=codes))


async def _lay_out(page: PageContent, pictures: _Pictures, options: OcrOptions, workers: Workers) -> LaidOutPage:
    """Read the picture of a page, unless there is none or the text layer is complete. Return the page with its layout,
    without codes."""
    if page.picture is not None and not page.layer.complete:
        page = replace(page, read=await pictures.read(page.picture))
    size = CHARS_OF_WORD * sum(len(line.words) for line in (*page.layer.lines, *page.read))
    return await workers.run_sized(size, lay_out, page, options)


def _may_have_marks(page: PagePosition, layer: TextLayer, options: OcrOptions) -> bool:
    """True if a page is searched for codes and for boxes to be ticked."""
    if not options.is_for_llm or page.document.kind == "video" or not layer.has_drawings:
        return False
    return not layer.complete or page.number <= MAX_SEARCHED


def _is_one_picture(documents: Sequence[Document]) -> bool:
    return len(documents) == 1 and documents[0].kind == "image"


def _build_result(
    documents: Sequence[Document], pages: Sequence[PagePosition], read: Sequence[LaidOutPage | None]
) -> OcrResult:
    sections = [found.page for found in read if found is not None]
    layouts = [found.layout for found in read if found is not None]
    if _is_one_picture(documents):
        return picture_result(sections[0], layouts[0])
    texts: list[str] = []
    is_mixed = any(document.text is not None for document in documents)
    for document in documents:
        readings = {
            page.number: unread_note("damaged") if found is None else found.page["text"]
            for page, found in zip(pages, read, strict=True)
            if page.document is document
        }
        if document.text is not None:
            texts.append(document.text_with(readings))
            continue
        # If there are only pages, their Markdown is made from their lines, so the text needs no marks.
        lines = [escape_read_text(reading) if is_mixed else reading for reading in readings.values()]
        # A video often shows the same text in several consecutive frames.
        texts += [text for text, _ in groupby(lines)] if document.kind == "video" else lines
    unread = [warning for document in documents for warning in document.warnings]
    damaged = [page.document.label for page, found in zip(pages, read, strict=True) if found is None]
    unread += [f"'{label}': a picture was not read: damaged." for label in dict.fromkeys(damaged)]
    return document_result(texts, sections, count_pages(documents), layouts, unread)


TASK = Specialist(
    OcrTask.name,
    lambda parts: OcrTask(partial(parts.engines.use, OCR), parts.loader),
    OcrOptions,
    parse_ocr,
    Tool(
        "Read the text of a picture, a scan, a PDF or an office file, with the boxes of its lines and words.", OcrData
    ),
    reads=frozenset({"image", "document", "table", "video"}),
    uses=(OCR,),
    restore=OcrResult.restored,
    order=10,
)
