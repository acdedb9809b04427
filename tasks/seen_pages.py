"""The pictures, pages and frames that a task looks at."""

from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import NotRequired

from typing_extensions import TypedDict

from models.concurrency import side_by_side
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.document import Document
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.wording.page_range import selected_pages

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
    """Open `sources` as documents, in order, for the duration of the block. Raises InputError, and InputTooLarge if
    their texts together are longer than a single text may be."""
    chars = 0
    async with AsyncExitStack() as stack:

        async def opened(source: Source) -> Document:
            nonlocal chars
            document = await stack.enter_async_context(await loader.open(source))
            chars += len(document.text or "")
            if chars > loader.limits.text_chars:
                raise InputTooLarge(
                    f"The texts of the request's files, up to '{document.label}', have {chars} characters together; "
                    f"the limit is {loader.limits.text_chars}.",
                    code="request_too_large",
                    param=document.param,
                )
            return document

        yield await side_by_side(opened, sources, at_most=_DOCUMENTS_AT_ONCE)


def pages_to_search(task: str, wanted: str, documents: Sequence[Document], limit: int) -> list[PagePosition]:
    """Return the `wanted` pages in their short form, or else all pages, counted through the documents.

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
    check = partial(check_number, documents, limit, "pages would have to be searched")
    return pages_asked_for("" if is_alone(documents) else wanted, documents, check)


def count_pages(documents: Iterable[Document]) -> int:
    return sum(document.total_pages for document in documents)


def pages_asked_for(pages: str, documents: Sequence[Document], check: Callable[[int], None]) -> list[PagePosition]:
    """Return the pages named in the short form, or else all pages, counted through the documents. `check` is
    called with the number of these pages before they are listed, because a small file can claim a million pages. Raises
    the errors of `check`, and InputError for a missing page."""
    total = count_pages(documents)
    wanted = selected_pages(pages, total, check)
    if wanted is None:
        check(total)
    return page_positions(documents, range(1, total + 1) if wanted is None else wanted)


def page_positions(documents: Sequence[Document], places: Iterable[int]) -> list[PagePosition]:
    """Return the pages at `places`, counted through all of `documents` from 1."""
    ends = list(accumulate(document.total_pages for document in documents))
    found = []
    for place in places:
        index = bisect_left(ends, place)
        document = documents[index]
        found.append(PagePosition(document, place - ends[index] + document.total_pages, place))
    return found


def check_number(documents: Sequence[Document], limit: int, what: str, number: int, remedy: str = "") -> None:
    """Raise InputError (`too_many_pages`) for a `number` of more than `limit` pages. `what` is the end of a sentence
    that says what would be done with them: "pages would have to be searched"."""
    if number > limit:
        raise InputError(
            f"{number} {what}; the limit is {limit} a request (OPENFAZE_MAX_PAGES). "
            + (remedy or f"Ask for fewer, for example 'pages 1-{limit}'."),
            code="too_many_pages",
            param=next(document.param for document in documents if document.total_pages),
        )


def is_alone(documents: Sequence[Document]) -> bool:
    """True if the only input is one picture or a video, whose frames are identified by time."""
    return len(documents) == 1 and documents[0].kind in ("image", "video")
