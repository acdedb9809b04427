"""The pictures, pages and frames that a task is asked to look at."""

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
    """In its document, from 1."""
    place: int
    """Among the pages of all documents, from 1."""


class Sighting(TypedDict):
    """Where something is seen."""

    page: NotRequired[int]
    """Counts from 1, through all inputs; absent where the only input is one picture or a video."""
    timestamp: NotRequired[float]
    """Seconds from the start of the video that shows it, two decimals."""


def seen_on(page: PagePosition, *, alone: bool) -> Sighting:
    seen: Sighting = {} if alone else {"page": page.place}
    timestamp = page.document.timestamp(page.number)
    if timestamp is not None:
        seen["timestamp"] = round(timestamp, 2)
    return seen


@asynccontextmanager
async def opened_documents(loader: MediaLoader, sources: Sequence[Source]) -> AsyncIterator[list[Document]]:
    """`sources` as documents, in order, until the block ends. Raises InputError."""
    async with AsyncExitStack() as stack:

        async def opened(source: Source) -> Document:
            return await stack.enter_async_context(await loader.open(source))

        yield await side_by_side(opened, sources, at_most=_DOCUMENTS_AT_ONCE)


def pages_to_search(task: str, text: str, documents: Sequence[Document], limit: int) -> list[PagePosition]:
    """All pages, counted through the documents, or those that `text` asks for ("page 3").

    Raises InputError: a document without pages, pages that are not there, more of them than `limit`
    (`too_many_pages`).
    """
    for document in documents:
        if document.total_pages == 0:
            raise InputError(
                f"'{document.label}' is {document.media_type}, which shows nothing that task '{task}' could search: "
                "it needs an image, a PDF or a video",
                code="unsupported_media_type",
                param=document.param,
            )
    pages = all_pages(documents)
    if not is_alone(documents):
        pages = asked_for(text, pages)
    check_number(pages, limit, "pages are to be searched")
    return pages


def all_pages(documents: Iterable[Document]) -> list[PagePosition]:
    """The pages of `documents`, counted through them."""
    numbers = ((document, number + 1) for document in documents for number in range(document.total_pages))
    return [PagePosition(document, number, place) for place, (document, number) in enumerate(numbers, start=1)]


def asked_for(text: str, pages: list[PagePosition]) -> list[PagePosition]:
    """Those of `pages` that `text` asks for ("page 3"), or all. Raises InputError for one that is not there."""
    wanted = requested_pages(text, len(pages))
    return pages if wanted is None else [pages[place - 1] for place in wanted]


def check_number(pages: Sequence[PagePosition], limit: int, what: str, remedy: str = "") -> None:
    """Raises InputError (`too_many_pages`) for more than `limit` pages. `what` says what is to happen to them."""
    if len(pages) > limit:
        raise InputError(
            f"{len(pages)} {what}, and the limit is {limit} a request (OPENFAZE_MAX_PAGES). "
            + (remedy or f"Ask for fewer, for example 'pages 1-{limit}'."),
            code="too_many_pages",
            param=pages[0].document.param,
        )


def is_alone(documents: Sequence[Document]) -> bool:
    """Whether the only input is a picture, or a video, whose frames have their times."""
    return len(documents) == 1 and documents[0].kind in ("image", "video")
