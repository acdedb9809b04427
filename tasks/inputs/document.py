"""Represents opened inputs: documents with pages to look at, and texts."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Self

import structlog

from models.base import EngineUnavailable
from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.decode import DecodedBudget, OpenFile
from tasks.inputs.pages import DocumentContents, Kind, Pages, TextLayer
from tasks.inputs.printed_codes import PrintedCode
from tasks.inputs.source import Blob
from tasks.inputs.text.text_file import with_pictures
from tasks.markdown_text import escape_read_text, plain_form

_RGB = 3
"""Bytes per pixel."""
log = structlog.get_logger(__name__)


class Document(AbstractAsyncContextManager["Document"]):
    """A picture, a paged file, a video or a text. It is an async context manager that frees the file when the block
    ends:

        async with await loader.open(source) as document:
            for number in range(1, document.total_pages + 1):
                picture = await document.picture(number)

    The pages of a video are the frames chosen from it; the pages of a text are the pictures in its file, if there are
    any. Calls raise InputError for a page that is missing or cannot be decoded.
    """

    def __init__(
        self,
        blob: Blob,
        contents: DocumentContents,
        file: OpenFile[Pages] | None,
        budget: DecodedBudget,
    ) -> None:
        """Wrap the file. `file` is None for a text without pages."""
        self.kind: Kind = contents.kind
        self.media_type = blob.media_type
        self.param = blob.param
        self.label = blob.label
        """Name of the document in messages: its file name, or else the request's field."""
        self.text = None if contents.text is None else plain_form(with_pictures(contents.text, contents.places, {}))
        """Whole text of a text-like file, without the text of its pictures; None for other files."""
        self.total_pages = contents.total
        self.warnings = contents.warnings
        self._contents = contents
        self._file = file
        self._budget = budget

    @classmethod
    def of_text(cls, blob: Blob, text: str, budget: DecodedBudget) -> Self:
        return cls(blob, DocumentContents("text", 0, text), None, budget)

    @classmethod
    async def of_file(cls, blob: Blob, file: OpenFile[Pages], budget: DecodedBudget) -> Self:
        """Wrap `file`, which the document will close."""
        try:
            contents = await file.run(Pages.contents)
            if contents.text is None:
                return cls(blob, contents, file, budget)
            # Putting the text together may take long.
            return await asyncio.to_thread(cls, blob, contents, file, budget)
        except BaseException:
            await file.close()
            raise

    def timestamp(self, number: int) -> float | None:
        """Return the time of page `number` in seconds from the start of a video; None for other files."""
        return self._contents.times[number - 1] if self._contents.times else None

    def text_with(self, readings: Mapping[int, str]) -> str:
        """Return the text of a text-like file, with the texts read in its pictures inserted in the pictures' places.
        Characters that would be markup are marked with `ESCAPE`, also in the inserted texts."""
        escaped = {number: escape_read_text(reading) for number, reading in readings.items()}
        return with_pictures(self._contents.text or "", self._contents.places, escaped)

    async def size(self, number: int) -> tuple[int, int]:
        """Return width and height of the upright page in pixels, without decoding it; PDFs are measured at 144 DPI."""
        return await self._opened().run(Pages.size, number)

    async def text_layer(self, number: int) -> TextLayer:
        """Return the text that the file carries for this page; for a picture, this text is empty and not complete."""
        return await self._opened().run(Pages.text_layer, number)

    async def size_and_text(self, number: int) -> tuple[tuple[int, int], TextLayer]:
        """Return `size` and `text_layer` with a single wait for the other process."""
        return await self._opened().run(Pages.size_and_text, number)

    async def picture(self, number: int) -> Image:
        """Decode the page as it is seen: RGB, upright, of `size`. Each call decodes again.

        Raises Overloaded if the pictures of other documents leave no room.
        """
        file = self._opened()
        width, height = await self.size(number)
        return await self._budget.hold(width * height * _RGB, lambda: file.run(Pages.picture, number))

    async def codes(self, number: int) -> Sequence[PrintedCode]:
        """Return the barcodes and two-dimensional codes of a page.

        If the search fails, the page counts as having none, because its text can still be read.
        """
        try:
            return await self._opened().run(Pages.codes, number)
        except (InputError, EngineUnavailable) as error:
            log.warning("codes_not_searched", page=number, reason=str(error))
            return ()

    async def close(self) -> None:
        file, self._file = self._file, None
        if file:
            await file.close()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _opened(self) -> OpenFile[Pages]:
        if self._file is None:
            raise RuntimeError(f"{self.param}: the document is closed, or a text, which has no pages")
        return self._file
