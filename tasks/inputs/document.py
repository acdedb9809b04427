"""An opened input: pages one can look at, or a text."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Self

from models.vision.text import Image, Ruling, TextLine
from tasks.inputs.decode.budget import DecodedBudget
from tasks.inputs.decode.channel import Session
from tasks.inputs.source import Blob
from tasks.inputs.text.text_file import PicturePlace, with_pictures

Kind = Literal["image", "paged", "text", "video"]


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text that a page carries as text, in pixels of the page's picture. Confidences are 1.0."""

    lines: tuple[TextLine, ...] = ()
    """In no particular order."""
    complete: bool = False
    """False when the page shows text that is not in `lines`, or may: it has to be read by OCR too."""
    rulings: tuple[Ruling, ...] = ()
    """Straight lines that the file draws, where the layer is complete: else the picture shows them."""


@dataclass(frozen=True, slots=True)
class DocumentContents:
    """What a document knows of itself once it is open."""

    kind: Kind
    total: int
    """Pages."""
    text: str | None
    times: tuple[float, ...] = ()
    places: tuple[PicturePlace, ...] = ()


class Pages(ABC):
    """An opened file. Pages count from 1.

    Constructed as `factory(blob, limits)`, which raises InputError for a file that cannot be opened. Each call raises
    InputError for a page that is not there or cannot be decoded. Calls are reads that may be repeated: after a crash
    the file is opened anew in another process, and the call made again.
    """

    kind: Kind
    total: int
    text: str | None = None
    """The whole text of a text-like file, None for anything else."""
    times: tuple[float, ...] = ()
    """Seconds from the start of a video at which each page is seen; empty for anything else."""
    places: tuple[PicturePlace, ...] = ()
    """Where in a text the pictures stand that are its pages."""

    def contents(self) -> DocumentContents:
        return DocumentContents(self.kind, self.total, self.text, self.times, self.places)

    @abstractmethod
    def size(self, number: int) -> tuple[int, int]:
        """Width and height in pixels of the upright page. Nothing is decoded."""

    @abstractmethod
    def text_layer(self, number: int) -> TextLayer: ...

    def size_and_text(self, number: int) -> tuple[tuple[int, int], TextLayer]:
        """Both together, in one call of another process."""
        return self.size(number), self.text_layer(number)

    @abstractmethod
    def picture(self, number: int) -> Image: ...

    @abstractmethod
    def close(self) -> None: ...


_RGB = 3
"""Bytes of a pixel."""


class Document(AbstractAsyncContextManager["Document"]):
    """A picture, a paged file, a video or a text. An async context manager: leaving it frees the file.

        async with await loader.open(source) as document:
            for number in range(1, document.total_pages + 1):
                picture = await document.picture(number)

    The pages of a video are the frames that were chosen from it; those of a text are the pictures that its file holds,
    if any. Calls raise InputError for a page that is not there or cannot be decoded.
    """

    def __init__(
        self, blob: Blob, contents: DocumentContents, session: Session[Pages] | None, budget: DecodedBudget
    ) -> None:
        """`session` is None for a text without pages."""
        self.kind: Kind = contents.kind
        self.media_type = blob.media_type
        self.param = blob.param
        self.label = blob.label
        """How messages name the document: its filename, else the field it came in."""
        self.text = None if contents.text is None else with_pictures(contents.text, contents.places, {})
        """The whole text of a text-like file without that of its pictures, None for anything else."""
        self.total_pages = contents.total
        self._contents = contents
        self._session = session
        self._budget = budget

    @classmethod
    def of_text(cls, blob: Blob, text: str, budget: DecodedBudget) -> Self:
        return cls(blob, DocumentContents("text", 0, text), None, budget)

    @classmethod
    async def of_session(cls, blob: Blob, session: Session[Pages], budget: DecodedBudget) -> Self:
        """`session`, which the document closes from now on."""
        try:
            return cls(blob, await session.run(Pages.contents), session, budget)
        except BaseException:
            await session.close()
            raise

    def timestamp(self, number: int) -> float | None:
        """Seconds from the start of a video at which page `number` is seen; None for anything else."""
        return self._contents.times[number - 1] if self._contents.times else None

    def text_with(self, readings: Mapping[int, str]) -> str:
        """The text of a text-like file with what was read on its pages, its pictures, where they stand in it."""
        return with_pictures(self._contents.text or "", self._contents.places, readings)

    async def size(self, number: int) -> tuple[int, int]:
        """Width and height in pixels of the upright page; a PDF's at 144 DPI. Nothing is decoded."""
        return await self._opened().run(Pages.size, number)

    async def text_layer(self, number: int) -> TextLayer:
        """The text that the file itself carries for this page: empty and not complete for a picture."""
        return await self._opened().run(Pages.text_layer, number)

    async def size_and_text(self, number: int) -> tuple[tuple[int, int], TextLayer]:
        """`size` and `text_layer`, for who needs both: what another process is asked for waits for its turn once."""
        return await self._opened().run(Pages.size_and_text, number)

    async def picture(self, number: int) -> Image:
        """The page as it is seen: RGB, upright, of `size`. Decoded anew at each call.

        Raises Overloaded when the pictures of other documents leave no room for it.
        """
        session = self._opened()
        width, height = await self.size(number)
        return await self._budget.hold(width * height * _RGB, lambda: session.run(Pages.picture, number))

    async def close(self) -> None:
        session, self._session = self._session, None
        if session:
            await session.close()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _opened(self) -> Session[Pages]:
        if self._session is None:
            raise RuntimeError(f"{self.param}: the document is closed, or a text, which has no pages")
        return self._session
