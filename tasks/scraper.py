"""The `scraper` task, which reads web pages."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Annotated, Any, NotRequired, cast
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import Field
from typing_extensions import TypedDict

from models.base import EngineUnavailable, ModelError
from models.concurrency import side_by_side
from models.language.capability import LLM
from models.language.llm import Llm
from models.workers.pool import Workers
from tasks.base import Parts, Redact, Specialist, Task, TaskRequest
from tasks.errors import InputError
from tasks.inputs import media_types
from tasks.inputs.fetch.fetcher import Fetched
from tasks.inputs.fetch.politeness import Politeness
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import media_type_named, media_type_of_file, sniff
from tasks.inputs.source import Arrival, Blob, Source
from tasks.result import Result, ResultLine, json_text, pieces_under, texts_in
from tasks.scrape.browser import REMEDY, Renderer
from tasks.scrape.feed import is_feed
from tasks.scrape.matching import WORDS, RecordMatch, Row, fill_fields
from tasks.scrape.page_file import PageReading, read_file
from tasks.scrape.parsing import ParsedPage
from tasks.tools import Tool
from tasks.wording.options import TaskOptions, ends_of
from tasks.wording.page_range import OcrOptions
from tasks.wording.transcripts import SpeechOptions

_ASKED = re.compile(
    r"\b(?:extract|scrape|get|grab|list|collect|pull)\s++"
    r"(?P<fields>[^.:;?!\n]{2,200}?)(?<!\s)\s++(?:from|on|at|in)\b[^.;?!\n]{0,80}?https?://",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\b(?:fields|columns)\b\s*+:?\s*+(?P<fields>[^.;?!\n]{2,300}|\w)", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?<!\s)\s*+(?:,|;|&|\+|/|\band\b|\bwith\b|\bplus\b)\s*", re.IGNORECASE)
_NOISE = re.compile(
    r"\b(?:all|the|a|an|any|every|each|of|number|their|its|please|me|top|first|latest|current|corresponding|\d+)\b",
    re.IGNORECASE,
)
_NOT_IN_NAME = re.compile(r"^(?:the )?(?:number|amount|count) of | of .*", re.IGNORECASE)
"""Pattern of words in a field's phrase that are not part of the field's name: "number of" in "number of reviews", "of
the events" in "dates of the events"."""
_WORD = re.compile(r"[^\W_]+")
MAX_FIELDS = 20
_PAGES_AT_ONCE = 4
BROWSER_REMEDY = f"The page has no text until its scripts have run. {REMEDY}"


def fields_asked(text: str) -> tuple[str, ...]:
    """Return the fields that `text` names, as keys: `("title", "points")`. The result is empty if it asks for the page
    as a whole."""
    match = _ASKED.search(text) or _LISTED.search(text)
    if match is None:
        return ()
    phrases = [
        _WORD.findall(_NOISE.sub(" ", _NOT_IN_NAME.sub("", phrase)).lower())
        for phrase in _SEPARATOR.split(match["fields"])
    ]
    phrases = [phrase for phrase in phrases if phrase and phrase[-1] not in WORDS["asked"]["page"]][:MAX_FIELDS]
    short = [_singular(phrase[-1]) for phrase in phrases]
    # In "post titles and points", the first word names the things that are listed. It is kept only if it distinguishes
    # two fields.
    keys = [
        key if short.count(key) == 1 else "_".join([*phrase[:-1], key])
        for key, phrase in zip(short, phrases, strict=True)
    ]
    return tuple(dict.fromkeys(keys))


def _singular(word: str) -> str:
    if word in WORDS["asked"]["kept"] or len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1]


log = structlog.get_logger(__name__)


class ScrapedLink(TypedDict):
    text: str
    url: str


class ScrapedPage(TypedDict):
    url: str
    """Final address of the page, after redirects."""
    title: str
    description: str
    text: str
    markdown: str
    links: list[ScrapedLink]
    metadata: dict[str, Any]
    """Metadata that the page declares. For pages with scripts, `rendered` is true if the scripts were run."""
    language: NotRequired[str]
    data: NotRequired[list[Row]]
    """One row per record on the page that has some of the requested fields; absent if no fields were requested."""


@dataclass(frozen=True)
class ScraperResult(Result[ScrapedPage | list[ScrapedPage]]):
    """The result for one page, or a list for several."""

    unread: tuple[str, ...] = ()
    """The reasons why further pages could not be read."""

    def warnings(self) -> Iterator[str]:
        return (f"A page was not read: {reason}" for reason in self.unread)

    def text(self) -> str:
        return "\n\n".join(page["text"] for page in self._pages)

    def markdown(self) -> str:
        return "\n\n".join(page["markdown"] or page["text"] for page in self._pages)

    def _result_lines(self) -> Iterator[ResultLine]:
        for page in self._pages:
            heading = f"{page['title']} <{page['url']}>".strip()
            rows = [ResultLine(f"data: {json_text(page['data'])}", heading)] if "data" in page else []
            pieces = chain(rows, pieces_under(heading, page["description"], page["markdown"] or page["text"]))
            yield next(pieces, ResultLine("(no text)", heading))
            yield from pieces

    def texts_for_guard(self) -> Iterator[str]:
        return texts_in(self.data, frozenset({"markdown"}))

    @property
    def _pages(self) -> Sequence[ScrapedPage]:
        return self.data if isinstance(self.data, list) else (self.data,)


@dataclass(frozen=True, slots=True)
class ScraperParts:
    """The objects that the task works with."""

    politeness: Politeness
    workers: Workers
    """Processes that parse pages."""
    find_task: Callable[[str], Task]
    """Function that returns a task for files that are not pages (`ocr`, `speech_to_text`). Raises EngineUnavailable."""
    llm: Callable[[], Llm] | None = None
    """Function that returns the LLM. Raises EngineUnavailable."""
    browser: Callable[[], Awaitable[Renderer | None]] | None = None
    """Function that returns the browser, or None if there is none yet."""
    limits: MediaLimits = field(default_factory=MediaLimits)


class ScraperOptions(TaskOptions):
    fields: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=60)], ...], Field(max_length=MAX_FIELDS)] = ()
    """Names of the fields of the records on the page, such as title and price, to return as rows. Default: none."""


class ScraperTask:
    """Reads the pages that the request links to: one result for one page, a list for several.

    The task follows redirects, but does not follow links on a page.
    """

    name = "scraper"

    def __init__(self, parts: ScraperParts) -> None:
        self._parts = parts

    async def run(self, request: TaskRequest[ScraperOptions]) -> ScraperResult:
        """Read the pages. Raises InputError (no URL, `url_not_allowed`, `fetch_failed`, an unreadable file),
        InputTooLarge, EngineUnavailable (no text without scripts and no browser; a PDF and no OCR) and the errors of
        those engines."""
        sources = [source for source in request.sources if source.url is not None]
        if not sources:
            raise InputError("task 'scraper' needs the URL of a page: put it in the text")
        fields = request.options.fields
        report = partial(request.progress, self.name)

        async def scraped(source: Source) -> ScrapedPage | InputError:
            try:
                return await self._scraped(source, request, fields)
            except InputError as error:
                return error

        outcomes = await side_by_side(scraped, sources, at_most=_PAGES_AT_ONCE, done=report)
        failures = [outcome for outcome in outcomes if isinstance(outcome, InputError)]
        pages = [outcome for outcome in outcomes if not isinstance(outcome, InputError)]
        if not pages:
            raise failures[0]
        unread = tuple(failure.message for failure in failures)
        return ScraperResult(pages[0] if len(outcomes) == 1 else pages, unread)

    async def _scraped(
        self, source: Source, request: TaskRequest[ScraperOptions], fields: tuple[str, ...]
    ) -> ScrapedPage:
        fetched = await self._fetched(source)
        kind = await asyncio.to_thread(_media_type_of, fetched)
        if kind != media_types.HTML and not is_feed(fetched.data):
            return await self._read_by_a_task(source, fetched, kind, request, fields)
        blob = Blob(fetched.data, kind, None, source.param, fetched.charset)
        reading = await read_file(self._parts.workers, blob, self._parts.limits, fetched.url, fields)
        rendered = await self._rendered(fetched.url, reading, source, fields) if reading.waits else None
        url, reading = rendered or (fetched.url, reading)
        page = reading.page
        if reading.has_scripts:
            page = replace(page, metadata={**page.metadata, "rendered": rendered is not None})
        return _scraped_page(url, page, await self._data(page, reading.match, fields, request.redact))

    async def _rendered(
        self, url: str, reading: PageReading, source: Source, fields: tuple[str, ...]
    ) -> tuple[str, PageReading] | None:
        """Render the page in a browser, and return its final address and content.

        If there is no browser, or if it fails, the result depends on `reading`, which was made without scripts. If
        `reading` has text, return None; otherwise raise the browser's error or EngineUnavailable. Return None, too, if
        only `reading` has text.
        """
        has_text = bool(reading.page.text)
        renderer = await self._parts.browser() if self._parts.browser else None
        if renderer is None:
            if has_text:
                return None
            raise EngineUnavailable("browser", BROWSER_REMEDY)
        try:
            rendered = await renderer.render(url, param=source.param)
        except (InputError, ModelError) as error:
            if not has_text:
                raise
            log.warning("scraper_not_rendered", error=str(error))
            return None
        blob = Blob(rendered.html, media_types.HTML, None, source.param, "utf-8")
        shown = await read_file(self._parts.workers, blob, self._parts.limits, rendered.url, fields)
        return (rendered.url, shown) if shown.page.text or not has_text else None

    async def _fetched(self, source: Source) -> Fetched:
        arrival = Arrival(source.total, source.param)
        fetched = await self._parts.politeness.fetch(
            str(source.url),
            param=source.param,
            max_bytes=self._parts.limits.fetch_bytes,
            arrived=arrival.grow,
        )
        arrival.grow(len(fetched.data))
        return fetched

    async def _data(
        self, page: ParsedPage, match: RecordMatch | None, fields: tuple[str, ...], redact: Redact
    ) -> list[Row] | None:
        """Extract the rows for `fields`; None if no fields were requested.

        The page's structure is used if it has all fields, because it neither invents nor omits values. Otherwise the
        LLM extracts them. Without an LLM, or if it finds nothing, the result is what the structure yields, which may be
        nothing.
        """
        if not fields:
            return None
        if match is None or match.missing:
            llm = self._llm()
            filled = []
            if llm is not None:
                plain = replace(page, text=await redact(page.text), markdown=await redact(page.markdown))
                filled = await fill_fields(llm, plain, fields)
            if filled:
                return filled
        return list(match.rows) if match is not None else []

    def _llm(self) -> Llm | None:
        """Return the LLM, or None if there is no capable one. A weak LLM would return text of the page that was not
        requested."""
        try:
            llm = self._parts.llm() if self._parts.llm is not None else None
        except EngineUnavailable:
            return None
        return llm if llm is not None and llm.is_capable else None

    async def _read_by_a_task(
        self, source: Source, fetched: Fetched, kind: str, request: TaskRequest[ScraperOptions], fields: tuple[str, ...]
    ) -> ScrapedPage:
        """Read a file that is not a page with the task for its type."""
        name = "speech_to_text" if kind in media_types.DEMUXERS else "ocr"
        filename = _filename_in(fetched.url)
        fetched_source = replace(source, url=None, data=fetched.data, filename=filename, format=kind, total=None)
        options = SpeechOptions() if name == "speech_to_text" else OcrOptions()
        result = await self._parts.find_task(name).run(TaskRequest(options, (fetched_source,), request.progress))
        text = result.text()
        metadata: dict[str, Any] = {"media_type": kind}
        if "total_pages" in result.data:
            metadata["total_pages"] = result.data["total_pages"]
        page = ParsedPage(title=filename or "", description="", text=text, markdown=text, metadata=metadata)
        return _scraped_page(fetched.url, page, await self._data(page, None, fields, request.redact))


def _media_type_of(fetched: Fetched) -> str:
    """Return the media type by the bytes, or else by the server's header, or else by the file name, or else HTML, as
    browsers assume."""
    named = media_type_named(fetched.media_type)
    declared = named or media_type_of_file(_filename_in(fetched.url)) or media_types.HTML
    return sniff(fetched.data, text=declared in media_types.TEXTS) or declared


def _filename_in(url: str) -> str | None:
    return unquote(urlsplit(url).path.rpartition("/")[2]) or None


def _scraped_page(url: str, page: ParsedPage, data: list[Row] | None) -> ScrapedPage:
    found = {"url": url, **asdict(page), "data": data}
    return cast(ScrapedPage, {name: value for name, value in found.items() if value is not None})


def parse_scraper(words: str, _has_sources: bool = False) -> ScraperOptions:
    return ScraperOptions(fields=fields_asked(ends_of(words)))


def _build(parts: Parts) -> ScraperTask:
    loader, llm = parts.loader, partial(parts.engines.use, LLM)
    return ScraperTask(
        ScraperParts(parts.politeness, loader.workers, parts.find_task, llm, parts.browser, loader.limits)
    )


TASK = Specialist(
    ScraperTask.name,
    _build,
    ScraperOptions,
    parse_scraper,
    Tool("Read a web page: its text, Markdown, links, and named fields of its records.", ScrapedPage, input="url"),
    reads=frozenset({"page"}),
    is_web=True,
    uses=(LLM,),
    sees_names=True,
    order=50,
)
