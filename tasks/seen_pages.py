"""The pictures, pages and frames that a task looks at."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NotRequired

from typing_extensions import TypedDict

from models.concurrency import side_by_side
from tasks.errors import InputError
from tasks.inputs.document import Document
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.wording.page_range import requested_pages

_DOCUMENTS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class PagePosition:
    document: Document
    number: int
    """Page number within its document, from 1."""
    place: int
    """Page number counted through all documents, from 1."""


class Sighting(TypedDict):
    """The page and time at which something is seen."""

    page: NotRequired[int]
    """Page number counted through all inputs, from 1; absent if the only input is one picture or a video."""
    timestamp: NotRequired[float]
    """Time of the video's frame in seconds, two decimals."""


def seen_on(page: PagePosition, *, alone: bool) -> Sighting:
    seen: Sighting = {} if alone else {"page": page.place}
    timestamp = page.document.timestamp(page.number)
    if timestamp is not None:
        seen["timestamp"] = round(timestamp, 2)
    return seen


@asynccontextmanager
async def opened_documents(loader: MediaLoader, sources: Sequence[Source]) -> AsyncIterator[list[Document]]:
    """Open `sources` as documents, in order, for the duration of the block. Raises InputError."""
    async with AsyncExitStack() as stack:

        async def opened(source: Source) -> Document:
            return await stack.enter_async_context(await loader.open(source))

        yield await side_by_side(opened, sources, at_most=_DOCUMENTS_AT_ONCE)


def pages_to_search(task: str, text: str, documents: Sequence[Document], limit: int) -> list[PagePosition]:
    """Return the pages that `text` asks for ("page 3"), or else all pages, counted through the documents.

    Raises InputError for a document without pages, for missing pages and for more than `limit` pages
    (`too_many_pages`).
    """
    for document in documents:
        if document.total_pages == 0:
            raise InputError(
                f"'{document.label}' is {document.media_type}, which has no pictures that task '{task}' could search: "
                "it needs an image, a PDF or a video",
                code="unsupported_media_type",
                param=document.param,
            )
    pages = all_pages(documents)
    if not is_alone(documents):
        pages = asked_for(text, pages)
    check_number(pages, limit, "pages would have to be searched")
    return pages


def all_pages(documents: Iterable[Document]) -> list[PagePosition]:
    """Return the pages of `documents`, counted through all of them."""
    numbers = ((document, number + 1) for document in documents for number in range(document.total_pages))
    return [PagePosition(document, number, place) for place, (document, number) in enumerate(numbers, start=1)]


def asked_for(text: str, pages: list[PagePosition]) -> list[PagePosition]:
    """Return the `pages` that `text` asks for ("page 3"), or else all. Raises InputError for a missing page."""
    wanted = requested_pages(text, len(pages))
    return pages if wanted is None else [pages[place - 1] for place in wanted]


def check_number(pages: Sequence[PagePosition], limit: int, what: str, remedy: str = "") -> None:
    """Raise InputError (`too_many_pages`) for more than `limit` pages. `what` says what would be done with them."""
    if len(pages) > limit:
        raise InputError(
            f"{len(pages)} {what}; the limit is {limit} a request (OPENFAZE_MAX_PAGES). "
            + (remedy or f"Ask for fewer, for example 'pages 1-{limit}'."),
            code="too_many_pages",
            param=pages[0].document.param,
        )


def is_alone(documents: Sequence[Document]) -> bool:
    """True if the only input is one picture or a video, whose frames are identified by time."""
    return len(documents) == 1 and documents[0].kind in ("image", "video")
