"""An opened input: pages one can look at, or a text."""

from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from models.vision.text import Image, TextLine
from tasks.media.blob import Blob
from tasks.media.threads import Worker

Kind = Literal["image", "paged", "text"]


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text that a page carries as text, in pixels of the page's picture. Confidences are 1.0."""

    lines: tuple[TextLine, ...] = ()
    """In no particular order."""
    complete: bool = False
    """False when the page shows text that is not in `lines`, or may: it has to be read by OCR too."""


class Pages(Protocol):
    """The synchronous side of a document: what its worker threads call. Pages count from 1.

    Each call raises InputError for a page that is not there or cannot be decoded.
    """

    total: int

    def size(self, number: int) -> tuple[int, int]: ...
    def text_layer(self, number: int) -> TextLayer: ...
    def picture(self, number: int) -> Image: ...
    def close(self) -> None: ...


class Document:
    """A picture, a paged file or a text. An async context manager: leaving it frees the file.

        async with await loader.open(source) as document:
            for number in range(1, document.total_pages + 1):
                picture = await document.picture(number)

    A text has no pages. Calls raise InputError for a page that is not there or cannot be decoded.
    """

    def __init__(self, blob: Blob, kind: Kind, *, text: str | None, pages: Pages | None, worker: Worker | None) -> None:
        self.kind: Kind = kind
        self.media_type = blob.media_type
        self.param = blob.param
        self.label = blob.label
        """How messages name the document: its filename, else the field it came in."""
        self.text = text
        """The whole text of a text-like file, None for anything else."""
        self.total_pages = pages.total if pages else 0
        self._pages = pages
        self._worker = worker

    @classmethod
    def of_text(cls, blob: Blob, text: str) -> Self:
        return cls(blob, "text", text=text, pages=None, worker=None)

    @classmethod
    def of_pages(cls, blob: Blob, kind: Literal["image", "paged"], pages: Pages, worker: Worker) -> Self:
        """`pages`, which only threads of `worker` may call."""
        return cls(blob, kind, text=None, pages=pages, worker=worker)

    async def size(self, number: int) -> tuple[int, int]:
        """Width and height in pixels of the upright page; a PDF's at 144 DPI. Nothing is decoded."""
        pages, worker = self._paged()
        return await worker.run(pages.size, number)

    async def text_layer(self, number: int) -> TextLayer:
        """The text that the file itself carries for this page: empty and not complete for a picture."""
        pages, worker = self._paged()
        return await worker.run(pages.text_layer, number)

    async def picture(self, number: int) -> Image:
        """The page as it is seen: RGB, upright, of `size`. Decoded anew at each call."""
        pages, worker = self._paged()
        return await worker.run(pages.picture, number)

    async def close(self) -> None:
        if self._pages and self._worker:
            pages, self._pages = self._pages, None
            await self._worker.release(pages)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _paged(self) -> tuple[Pages, Worker]:
        if self._pages is None or self._worker is None:
            raise RuntimeError(f"{self.param}: the document is closed, or a text, which has no pages")
        return self._pages, self._worker
