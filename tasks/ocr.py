"""The `ocr` task, which reads pictures and documents."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.concurrency import EngineAdmission, both, side_by_side
from models.fair_executor import FairExecutor, Slices, all_of
from models.vision.ocr.capability import OCR
from models.vision.page_geometry import PageGeometry
from models.vision.text import Image, PageReader, PageText, Quad, Ruling, TextLine, Word
from tasks.base import Progress, ReadingCachePolicy, Specialist, TaskRequest
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.document import Document
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.pages import PdfField, TextLayer
from tasks.inputs.printed_codes import PrintedCode
from tasks.inputs.text.text_file import unread_note
from tasks.layout.drawn_combs import CombSheet
from tasks.layout.lines import line_of
from tasks.layout.rulings import rulings_in
from tasks.layout.tick_boxes import tick_boxes_in
from tasks.layout.ticked_lines import UprightBox, lines_with_ticks
from tasks.layout.upright_grey import UprightGrey
from tasks.layout.upright_ink import UprightInk
from tasks.markdown_text import escape_read_text
from tasks.ocr_result import OcrResult, PageLayout, PageSection, document_result, page_section_in_slices, picture_result
from tasks.seen_pages import PagePosition, check_number, count_pages, opened_documents, page_positions, pages_asked_for
from tasks.wording.page_range import Form, page_hints, requested_form

T = TypeVar("T")

MAX_SEARCHED = 10
"""A page whose whole text is in the file is searched for codes and boxes only if its number in the document is at most
this. Drawing and searching such a page takes 0.3 s, ten times as long as reading it."""
_WORDS_AT_ONCE = 64
_TYPED_AT_ONCE = 4_096
"""Numbers of recognised words, and of words of the text layer, that are compared at a time. Words are taken from top to
bottom, so they come from few lines, and only a few words of the layer can cover them."""
_MOST_COMPARISONS = 50_000_000
"""Number of comparisons between recognised words and words of the layer on a page, which take 3 s. Of 20,000 words on
either side of a page, each is compared with a few hundred. Words that were not compared are kept."""
_MOST_DOUBLINGS = 16
"""Words of 2^15 pixels and more, which is half of a picture's longest side, are of one group."""

_LARGE_PAGE_WORDS = 3_000
"""Pages with more words than this are laid out one after the other.
Laying out a page takes 0.1 to 0.3 ms a word, so a page of 60,000 words takes several seconds, and a few of them would
occupy all threads. Pages of newspapers have about 3,000 words."""
_REPEATED_WORDS = 5_000
"""A request remembers pictures with at most this many words together, so that an equal picture is not read again. A
kilobyte of PDF can have hundreds of equal pages, and reading each of them would be expensive."""


def combined(layer: Sequence[TextLine], read: Sequence[TextLine]) -> Slices[list[TextLine]]:
    """Merge a page's text layer with the lines that OCR recognised in its picture.

    A recognised word is dropped if words of the layer at the same height cover at least half of its width. The layer is
    the exact text; OCR can misread.
    """
    if not layer:
        return list(read)
    words = [word for line in read for word in line.words]
    lacking = iter((yield from _find_uncovered(words, [word for line in layer for word in line.words])))
    rest = [[word for word in line.words if next(lacking)] for line in read]
    parts = zip(read, rest, strict=True)
    return [*layer, *(line if len(kept) == len(line.words) else line_of(kept) for line, kept in parts if kept)]


def _find_uncovered(words: Sequence[Word], layer: Sequence[Word]) -> Slices[NDArray[np.bool_]]:
    """Return for each recognised word if the layer does not cover it."""
    read = yield from _box_edges(words)
    typed = yield from _box_edges(layer)
    typed_groups = [typed[:, group] for group in _groups_of_a_height(typed)]
    uncovered = np.ones(len(words), np.bool_)
    comparisons = 0
    for group in _groups_of_a_height(read):
        for start in range(0, len(group), _WORDS_AT_ONCE):
            chunk = group[start : start + _WORDS_AT_ONCE]
            boxes = read[:, chunk]
            covered = np.zeros(len(chunk))
            for near in _boxes_near(boxes, typed_groups):
                comparisons += len(chunk) * near.shape[1]
                if comparisons > _MOST_COMPARISONS:
                    return uncovered
                covered += _covered_width(boxes, near)
                yield
            uncovered[chunk] = 2 * covered < boxes[2] - boxes[0]
    return uncovered


def _groups_of_a_height(boxes: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return the indices of boxes, in groups whose heights differ by a factor of two at most. Each group is in the
    order of the boxes' middles. Boxes lower than a pixel are one group."""
    _, top, _, bottom = boxes
    classes = np.frexp(bottom - top)[1].clip(0, _MOST_DOUBLINGS)
    order = np.lexsort((top + bottom, classes))
    return [group for group in np.split(order, np.flatnonzero(np.diff(classes[order])) + 1) if len(group)]


def _boxes_near(boxes: NDArray[np.float64], groups: Iterable[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
    """Yield the boxes of each group that may be at the same height as one of `boxes`, `_TYPED_AT_ONCE` at a time."""
    _, top, _, bottom = boxes
    for group in groups:
        middles = (group[1] + group[3]) / 2
        # The middle of one box lies within the other one, so both are at most half of the higher one apart.
        reach = max((bottom - top).max(), (group[3] - group[1]).max()) / 2 + 1
        middle = (top + bottom) / 2
        first = int(np.searchsorted(middles, middle.min() - reach))
        end = int(np.searchsorted(middles, middle.max() + reach, "right"))
        for start in range(first, end, _TYPED_AT_ONCE):
            yield group[:, start : min(start + _TYPED_AT_ONCE, end)]


def _covered_width(read: NDArray[np.float64], typed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of each `read` box's width `typed` boxes at the same height cover, in pixels."""
    left, top, right, bottom = read[:, :, None]
    typed_left, typed_top, typed_right, typed_bottom = typed[:, None, :]
    middle, typed_middle = (top + bottom) / 2, (typed_top + typed_bottom) / 2
    # The middle of one box must lie within the height of the other. Equal heights cannot be required, because boxes of
    # the layer are tight, while boxes of a detector are generous.
    level = ((typed_top <= middle) & (middle <= typed_bottom)) | ((top <= typed_middle) & (typed_middle <= bottom))
    shared = np.minimum(right, typed_right) - np.maximum(left, typed_left)
    covered: NDArray[np.float64] = np.where(level, shared.clip(min=0), 0).sum(axis=1)
    return covered


def _box_edges(words: Sequence[Word]) -> Slices[NDArray[np.float64]]:
    """Return the left, top, right and bottom edges of the words' upright bounding boxes, as an array of 4 × n."""
    parts = []
    for start in range(0, len(words), _TYPED_AT_ONCE):
        corners = np.array([word.quad for word in words[start : start + _TYPED_AT_ONCE]], np.float64)
        parts.append(np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).T)
        yield
    return np.concatenate([np.empty((4, 0)), *parts], axis=1)


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

    def __init__(
        self, reader: Callable[[], PageReader], loader: MediaLoader, layout_executor: FairExecutor | None = None
    ) -> None:
        self._reader = reader
        self._loader = loader
        self._threads = _LayoutThreads(layout_executor or FairExecutor("layout"))

    async def run(self, request: TaskRequest) -> OcrResult:
        """Read the request's sources. Raises InputError (no source, an unusable source, missing pages,
        `too_many_pages`), EngineOverloaded, EngineUnavailable and EngineFailed."""
        if not request.sources:
            raise InputError("task 'ocr' needs an image or a document: attach one, or put its URL in the text")
        pictures = _Pictures(self._reader)
        if any(source.is_picture for source in request.sources):
            # If the queue is full, a request that certainly contains a picture is refused before anything is decoded.
            self._reader().check_room()
        async with opened_documents(self._loader, request.sources) as documents:
            wording = request.wording(self._loader.limits.wording_chars)
            form = request.form | await asyncio.to_thread(requested_form, wording)
            pages = await asyncio.to_thread(self._asked_for, wording, documents)
            found = await self._read(pages, pictures, form, request.progress)
            return await asyncio.to_thread(lambda: _build_result(documents, pages, found).in_form(form))

    def _asked_for(self, text: str, documents: Sequence[Document]) -> list[PagePosition]:
        """Return the pages that `text` asks for, and after them the pictures in texts, numbered after all pages."""
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
        pages = pages_asked_for("" if is_unasked else text, paged, check)
        return pages + page_positions(wanted_pages, range(total + 1, end + 1))

    async def _read(
        self, pages: Sequence[PagePosition], pictures: "_Pictures", form: Form, progress: Progress
    ) -> list["_Section | None"]:
        """Read the pages, and return them in order. A damaged picture in a text becomes None instead of an error,
        because the rest of the text is still useful."""
        counted = _WordCount(self._loader.limits.words)

        async def read(page: PagePosition) -> _Section | None:
            try:
                found = await _read_section(page, pictures, form, counted, self._threads)
            except InputError:
                if page.document.text is None:
                    raise
                return None
            counted.check(page, found.words)
            return found

        return await side_by_side(
            read, pages, at_most=self._loader.limits.pages_at_once, done=partial(progress, self.name)
        )


class _LayoutThreads:
    """Threads in which pages are laid out: any thread for pages of usual size, and one thread for large pages and for
    those that are searched for boxes and combs."""

    def __init__(self, large: FairExecutor) -> None:
        self._large = large

    async def run(self, work: Callable[[], Slices[T]], words: int, *, is_searched: bool = False) -> T:
        """Return the result of `work` on `words` words.

        Raises the exceptions of `work`; EngineOverloaded if too many pages wait for the one thread.
        """
        if is_searched or words > _LARGE_PAGE_WORDS:
            return await self._large.run(work)
        return await asyncio.to_thread(lambda: all_of(work()))


class _Pictures:
    """Reads the pictures of one request."""

    def __init__(self, reader: Callable[[], PageReader]) -> None:
        self._reader = reader
        self._admission = EngineAdmission()
        self._known: dict[tuple[tuple[int, ...], bytes], PageText] = {}
        """Text that was read in each picture, by the shape and digest of the picture."""
        self._being_read: defaultdict[tuple[tuple[int, ...], bytes], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._known_words = 0

    async def read(self, picture: Image) -> PageText:
        """Return the text of a picture. A picture that occurs on several pages is read only once, as long as the
        remembered pictures have at most _REPEATED_WORDS words together."""
        key = picture.shape, await asyncio.to_thread(_digest, picture)
        async with self._being_read[key]:
            if (text := self._known.get(key)) is None:
                text = await self._read(picture)
                words = sum(len(line.words) for line in text)
                if self._known_words + words <= _REPEATED_WORDS:
                    self._known[key] = text
                    self._known_words += words
            return text

    async def _read(self, picture: Image) -> PageText:
        wait = self._admission.waits()
        return await self._reader().read(picture, wait=wait)


def _digest(picture: Image) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()


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


class _Section(NamedTuple):
    page: PageSection
    layout: PageLayout
    words: int
    """Number of words of the page."""


async def _read_section(
    page: PagePosition, pictures: _Pictures, form: Form, counted: _WordCount, threads: _LayoutThreads
) -> _Section:
    (width, height), layer = await page.document.size_and_text(page.number)
    counted.check(page, sum(len(line.words) for line in layer.lines))

    is_searched = _may_have_marks(page, layer, form)

    # The picture is fetched first. The search for codes then runs in a decode process while the picture is read here.
    picture = await page.document.picture(page.number) if is_searched or not layer.complete else None

    async def read_codes() -> Sequence[PrintedCode]:
        return await page.document.codes(page.number) if is_searched else ()

    section, codes = await both(
        _lay_out(page, width, height, layer, picture, pictures, form, threads, is_searched=is_searched), read_codes()
    )
    return section._replace(layout=replace(section.layout, codes=codes))


async def _lay_out(
    page: PagePosition,
    width: int,
    height: int,
    layer: TextLayer,
    picture: Image | None,
    pictures: _Pictures,
    form: Form,
    threads: _LayoutThreads,
    *,
    is_searched: bool,
) -> _Section:
    """Read the picture of a page, unless there is none or the text layer is complete. Return the page with its layout,
    without codes."""
    read = PageText() if picture is None or layer.complete else await pictures.read(picture)
    boxes_of_form = [UprightBox(one.quad, one.is_ticked, 1.0) for one in layer.fields if one.is_ticked is not None]

    def placed() -> Slices[
        tuple[list[TextLine], PageGeometry, UprightGrey | None, UprightInk | None, CombSheet | None]
    ]:
        lines = yield from combined(layer.lines, _outside_fields(read, layer.fields))
        yield
        lines = lines_with_ticks(lines, boxes_of_form) if boxes_of_form else lines
        geometry = PageGeometry.of_lines(lines)
        grey = None if picture is None else UprightGrey(picture, geometry)
        if grey is None or not is_searched:
            return lines, geometry, grey, None, None
        yield
        ink = UprightInk.of_grey(grey, lines)
        yield
        return lines, geometry, grey, ink, None if layer.complete else CombSheet.of_page(ink)

    words = sum(len(line.words) for line in (*layer.lines, *read))
    # Laying out thousands of words would block the event loop.
    lines, geometry, grey, ink, sheet = await threads.run(placed, words, is_searched=is_searched)
    sheet_lines = await pictures.read(sheet.picture) if sheet is not None else ()

    def laid_out() -> Slices[_Section]:
        all_lines = lines if sheet is None else sheet.applied(lines, sheet_lines)
        rulings: Sequence[Ruling] = layer.rulings
        if grey is not None and not layer.complete:
            # Searching for ruled lines takes up to a third of a second on a large scan.
            rulings = rulings_in(grey, all_lines) if form.needs_tables else ()
        timestamp = page.document.timestamp(page.number)
        # A picture's rulings are searched for only on request. They are not used here, because the text must not depend
        # on the request.
        section = yield from page_section_in_slices(
            all_lines, page.place, width, height, timestamp, geometry, layer.rulings
        )
        yield
        boxes = (yield from tick_boxes_in(ink, all_lines)) if ink is not None else []
        is_known = _are_in([box.quad for box in boxes], layer.fields)
        boxes = [box for box, is_field in zip(boxes, is_known, strict=True) if not is_field]
        own_words = sum(len(line["words"]) for line in section["lines"])
        return _Section(section, PageLayout(rulings, geometry, (), boxes, read.is_illegible), own_words)

    return await threads.run(laid_out, words, is_searched=is_searched)


def _outside_fields(read: Iterable[TextLine], fields: Sequence[PdfField]) -> list[TextLine]:
    """Return the lines without the words in fields of a form whose text is known from the file."""
    read = list(read)
    are_known = iter(
        _are_in([word.quad for line in read for word in line.words], [one for one in fields if one.is_read])
    )
    rest = [[word for word in line.words if not next(are_known)] for line in read]
    return [
        line if len(kept) == len(line.words) else line_of(kept) for line, kept in zip(read, rest, strict=True) if kept
    ]


def _are_in(quads: Sequence[Quad], fields: Sequence[PdfField]) -> NDArray[np.bool_]:
    """Return for each quad if its centre is in the place of a field."""
    x, y = np.array(quads, np.float64).reshape(-1, 4, 2).mean(axis=1).T
    are_in = np.zeros(len(quads), np.bool_)
    for field in fields:
        (left, top), (right, bottom) = np.min(field.quad, axis=0), np.max(field.quad, axis=0)
        are_in |= (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
    return are_in


def _may_have_marks(page: PagePosition, layer: TextLayer, form: Form) -> bool:
    """True if a page is searched for codes and for boxes to be ticked."""
    if not form.is_read or page.document.kind == "video" or not layer.has_drawings:
        return False
    return not layer.complete or page.number <= MAX_SEARCHED


def _is_one_picture(documents: Sequence[Document]) -> bool:
    return len(documents) == 1 and documents[0].kind == "image"


def _build_result(
    documents: Sequence[Document], pages: Sequence[PagePosition], read: Sequence[_Section | None]
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


def _reading_key(request: TaskRequest, limits: MediaLimits) -> list[object]:
    """Return the parts of a request on which a reading depends in addition to the files."""
    wording = request.wording(limits.wording_chars)
    form = request.form | requested_form(wording)
    return [page_hints(wording), form.tables, form.markdown, form.is_read]


TASK = Specialist(
    OcrTask.name,
    lambda parts: OcrTask(partial(parts.engines.use, OCR), parts.loader, parts.layout_executor),
    uses=(OCR,),
    reading=ReadingCachePolicy(_reading_key, OcrResult.restored),
    order=10,
)
