"""Searching the web: the `web_search` task."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import ClassVar, TypedDict

from models.language.capability import EMBEDDING
from models.language.embedding import Embedder
from tasks.base import Parts, Specialist, TaskRequest
from tasks.result import Piece, Result, text_lines, texts_in
from tasks.search.fall_over import FallOver, Hit
from tasks.search.result_pages import ResultPages, nearest
from tasks.side_by_side import side_by_side
from tasks.wording.search_query import parse_query

RESULTS = 10
PAGES = 5
"""Of the results, the first, whose pages are read."""
SNIPPETS = 3
"""Of a page."""
MAX_CONTENT_CHARS = 20_000


class FoundPage(TypedDict):
    title: str
    url: str
    description: str
    """As the search engine has it."""
    content: str
    """The main text of the page; "" where it was not read."""
    snippets: list[str]
    """Passages of `content`, nearest to the question first."""


class SearchResult(Result[list[FoundPage]]):
    def _pieces(self) -> Iterator[Piece]:
        for number, page in enumerate(self.data, 1):
            heading = f"{number}. {page['title']} <{page['url']}>"
            texts = [page["description"], page["content"], *page["snippets"]]
            lines = dict.fromkeys(line for text in texts for line in text_lines(text))
            yield from [Piece(line, heading) for line in lines] or [Piece("(no text)", heading)]

    def said(self) -> Iterator[str]:
        return texts_in(self.data, frozenset({"snippets"}))


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class WebSearchTask:
    """What the web says about the request's text. Of what it finds, nothing adds a URL to follow or an order."""

    search: FallOver
    pages: ResultPages
    embedder: Embedder | None = None
    today: Callable[[], date] = _today
    name: ClassVar[str] = "web_search"

    async def run(self, request: TaskRequest) -> SearchResult:
        """Raises InputError (nothing to search for) and EngineUnavailable (no provider answers, with the reasons)."""
        query = parse_query(request.text, self.today())
        hits = await self.search.search(query, RESULTS)
        read = hits[:PAGES]
        texts = await side_by_side(self._text, read, at_most=PAGES, done=partial(request.progress, self.name))
        snippets = await nearest(query.text, texts, self.embedder, most=SNIPPETS)
        unread = [""] * (len(hits) - len(read))
        return SearchResult(
            [
                FoundPage(title=hit.title, url=hit.url, description=hit.description, content=text, snippets=passages)
                for hit, text, passages in zip(hits, [*texts, *unread], [*snippets, *([] for _ in unread)], strict=True)
            ]
        )

    async def _text(self, hit: Hit) -> str:
        return (await self.pages.main_text(hit.url))[:MAX_CONTENT_CHARS]


def _build(parts: Parts) -> WebSearchTask:
    pages = ResultPages(parts.politeness, parts.loader.processes, parts.loader.limits)
    return WebSearchTask(parts.search, pages, parts.engines.find(EMBEDDING))


TASK = Specialist(WebSearchTask.name, _build, is_at_hand=lambda parts: bool(parts.search.providers), order=40)
