"""The `web_search` task, which searches the web."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from textwrap import wrap
from typing import ClassVar

import structlog
from typing_extensions import TypedDict

from models.base import ModelError
from models.concurrency import side_by_side
from models.embedding.capability import EMBEDDING, MINILM
from models.embedding.embedder import Embedder
from models.workers.pool import Workers
from tasks.base import Parts, Specialist, TaskRequest
from tasks.errors import InputError, Overloaded
from tasks.inputs import media_types
from tasks.inputs.fetch.politeness import Politeness
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.media_types import media_type_named, sniff
from tasks.inputs.source import Blob
from tasks.result import Result, ResultLine, text_lines, texts_in
from tasks.scrape.page_file import read_file
from tasks.search.failover import Hit, SearchFailover
from tasks.tools import Tool
from tasks.wording.search_query import WebSearchOptions, parse_web_search

log = structlog.get_logger(__name__)

PASSAGE_CHARS = 400
"""A passage has at most this many characters, which are about 100 of the 256 tokens that the embedding takes."""
_SHORT_LINE = 80
_CONSIDERED = 12
"""At most this many passages per page are compared by meaning: those that share the most words with the question. Each
costs 4 ms on a core."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
FETCH_S = 3.0
"""Time limit for fetching a page, in seconds, including the host's robots.txt and the wait for its turn."""
READ_S = 10.0
"""Time limit for parsing a page, in seconds. A page usually takes 50 ms, but the first one takes seconds, because the
process has to start first."""
_MAX_BYTES = 4 * MB
RESULTS = 10
PAGES = 5
"""The pages of this many results, from the top, are read."""
SNIPPETS = 3
"""Largest number of snippets per page."""
MAX_CONTENT_CHARS = 20_000


async def nearest(question: str, texts: Sequence[str], embedder: Embedder | None, *, count: int) -> list[list[str]]:
    """Return, for each of `texts`, at most `count` passages, the most relevant first. The passages are chosen by
    `embedder`, or by the words that they share with `question` if `embedder` is None or fails."""
    likely = [await asyncio.to_thread(_likely_passages, question, text) for text in texts]
    all_passages = [passage for passages in likely for passage in passages]
    if embedder is None or not all_passages:
        return [passages[:count] for passages in likely]
    try:
        vectors = await embedder.embed([question, *all_passages])
    except ModelError as error:
        log.warning("snippets_without_embedding", error=type(error).__name__)
        return [passages[:count] for passages in likely]
    closeness = iter((vectors[1:] @ vectors[0]).tolist())
    ranked = []
    for passages in likely:
        scored = [(next(closeness), passage) for passage in passages]
        ranked.append([passage for _, passage in sorted(scored, key=lambda pair: -pair[0])][:count])
    return ranked


def passages_of(text: str) -> list[str]:
    """Split `text` into passages of at most PASSAGE_CHARS, preferably between lines, then sentences, then words."""
    passages: list[str] = []
    for line in text.splitlines():
        pieces = [piece for sentence in _SENTENCE_END.split(line) for piece in wrap(sentence, PASSAGE_CHARS)]
        for index, piece in enumerate(pieces):
            # A heading or another short line belongs to the line that follows.
            continues = index > 0 or (bool(passages) and len(passages[-1]) < _SHORT_LINE)
            if continues and len(passages[-1]) + 1 + len(piece) <= PASSAGE_CHARS:
                passages[-1] += f" {piece}"
            else:
                passages.append(piece)
    return passages


def _likely_passages(question: str, text: str) -> list[str]:
    """Return the passages of `text` that share the most words with `question`, earlier ones first among equals."""
    wanted_words = set(_WORD.findall(question.casefold()))
    passages = passages_of(text)
    shared = [len(wanted_words.intersection(_WORD.findall(passage.casefold()))) for passage in passages]
    best = sorted(range(len(passages)), key=lambda index: -shared[index])[:_CONSIDERED]
    return [passages[index] for index in best]


@dataclass(frozen=True, slots=True)
class ResultPages:
    politeness: Politeness
    workers: Workers
    limits: MediaLimits

    async def main_text(self, url: str) -> str:
        """Return the main text of the page at `url`, or "" if robots may not read it, or if it is missing, too slow,
        too large or not HTML. A search continues without such a page. Links on the page are not followed."""
        try:
            return await self._read(url)
        except (InputError, ModelError, Overloaded, TimeoutError) as error:
            log.info("search_page_unread", error=type(error).__name__, code=getattr(error, "code", None))
            return ""

    async def _read(self, url: str) -> str:
        async with asyncio.timeout(FETCH_S):
            fetched = await self.politeness.fetch(url, max_bytes=_MAX_BYTES)
        declared = media_type_named(fetched.media_type) or media_types.HTML
        if (sniff(fetched.data, text=True) or declared) != media_types.HTML:
            return ""
        blob = Blob(fetched.data, media_types.HTML, None, "web_search", fetched.charset)
        async with asyncio.timeout(READ_S):
            return (await read_file(self.workers, blob, self.limits, fetched.url)).page.text


class FoundPage(TypedDict):
    title: str
    url: str
    description: str
    """Description by the search engine."""
    content: str
    """Main text of the page; "" if it was not read."""
    snippets: list[str]
    """Passages of `content`, the most relevant to the question first."""


class SearchResult(Result[list[FoundPage]]):
    def _result_lines(self) -> Iterator[ResultLine]:
        for number, page in enumerate(self.data, 1):
            heading = f"{number}. {page['title']} <{page['url']}>"
            texts = [page["description"], page["content"], *page["snippets"]]
            lines = dict.fromkeys(line for text in texts for line in text_lines(text))
            yield from [ResultLine(line, heading) for line in lines] or [ResultLine("(no text)", heading)]

    def texts_for_guard(self) -> Iterator[str]:
        return texts_in(self.data, frozenset({"snippets"}))


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class WebSearchTask:
    """Searches the web for the text of the request. Text in the results is never taken for an instruction or a URL to
    follow."""

    search: SearchFailover
    pages: ResultPages
    embedder: Embedder | None = None
    today: Callable[[], date] = _today
    name: ClassVar[str] = "web_search"

    async def run(self, request: TaskRequest[WebSearchOptions]) -> SearchResult:
        """Search the web. Raises InputError (nothing to search for) and EngineUnavailable (no provider answers, with
        the reasons)."""
        query = request.options.as_query(self.today())
        hits = await self.search.search(query, RESULTS)
        read = hits[:PAGES]
        texts = await side_by_side(self._text, read, at_most=PAGES, done=partial(request.progress, self.name))
        snippets = await nearest(query.text, texts, self.embedder, count=SNIPPETS)
        unread = len(hits) - len(read)
        contents = [*texts, *([""] * unread)]
        snippets += [[] for _ in range(unread)]
        return SearchResult(
            [
                FoundPage(title=hit.title, url=hit.url, description=hit.description, content=text, snippets=passages)
                for hit, text, passages in zip(hits, contents, snippets, strict=True)
            ]
        )

    async def _text(self, hit: Hit) -> str:
        return (await self.pages.main_text(hit.url))[:MAX_CONTENT_CHARS]


def _parse(words: str, _has_sources: bool = False) -> WebSearchOptions:
    return parse_web_search(words, _today())


def _build(parts: Parts) -> WebSearchTask:
    pages = ResultPages(parts.politeness, parts.loader.workers, parts.loader.limits)
    return WebSearchTask(parts.search, pages, parts.engines.find(EMBEDDING, MINILM))


TASK = Specialist(
    WebSearchTask.name,
    _build,
    WebSearchOptions,
    _parse,
    Tool("Search the web for what is recent or not known.", list[FoundPage], input="text"),
    is_web=True,
    is_at_hand=lambda parts: bool(parts.search.providers),
    order=40,
)
