"""From a source to its bytes, and from its bytes to a document."""

import asyncio
from collections.abc import Callable, Iterable

from tasks.errors import InputError
from tasks.inputs import media_types
from tasks.inputs.av.audio import AudioDecoder, Recording
from tasks.inputs.av.video import VideoFrames
from tasks.inputs.blob import Blob
from tasks.inputs.decode.budget import DecodedBudget
from tasks.inputs.decode.lane import DecodeLimits, native_sessions
from tasks.inputs.decode.threads import Worker
from tasks.inputs.document import Document, Pages
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import SUPPORTED
from tasks.inputs.reading import SourceReader, Uploads
from tasks.inputs.sessions import Sessions
from tasks.inputs.source import Source
from tasks.inputs.text.text_file import read_text

Reader = Callable[[Blob, MediaLimits], Pages]


# Decoders are loaded when the first file asks for them: the server's own process never loads PDFium, and no decode
# process loads Pillow for a PDF. A class whose module is light by itself needs no function here.


def _pdf(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.pdf.document import PdfPages

    return PdfPages(blob, limits)


def _picture(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.picture import PicturePages

    return PicturePages(blob, limits)


def _docx(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.office.document import OfficeFile
    from tasks.inputs.office.docx import docx_to_markdown

    return OfficeFile(blob, limits, docx_to_markdown)


def _pptx(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.office.document import OfficeFile
    from tasks.inputs.office.pptx import pptx_to_markdown

    return OfficeFile(blob, limits, pptx_to_markdown)


def _xlsx(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.office.document import OfficeFile
    from tasks.inputs.office.xlsx import xlsx_to_markdown

    return OfficeFile(blob, limits, xlsx_to_markdown)


def _html(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.text.html_file import HtmlFile

    return HtmlFile(blob, limits)


# In threads of this process: the decoders of plain pictures are fast, and fuzzed by every browser.
_IN_THREADS: Iterable[tuple[Reader, Iterable[str]]] = (
    (_picture, ("image/jpeg", "image/png", "image/webp", "image/bmp")),
)
# In processes of their own: decoders that may crash or hang on a hostile file. libtiff is among them for its record.
_IN_PROCESSES: Iterable[tuple[Reader, Iterable[str]]] = (
    (_pdf, (media_types.PDF,)),
    (_picture, ("image/tiff", "image/heic", "image/heif")),
    (VideoFrames, media_types.VIDEOS),
    (_docx, (media_types.DOCX,)),
    (_pptx, (media_types.PPTX,)),
    (_xlsx, (media_types.XLSX,)),
    (_html, (media_types.HTML,)),
)

IN_THREADS: dict[str, Reader] = {name: reader for reader, names in _IN_THREADS for name in names}
IN_PROCESSES: dict[str, Reader] = {name: reader for reader, names in _IN_PROCESSES for name in names}


_KINDS = (
    ("EncryptedPackage", None),
    ("WordDocument", ("doc", "docx")),
    ("PowerPoint Document", ("ppt", "pptx")),
    ("Workbook", ("xls", "xlsx")),
    ("Book", ("xls", "xlsx")),
)
"""Streams that such a file has by its kind: the old extension, and the one to save it as."""


def ole_refusal(blob: Blob) -> InputError:
    """What to tell the client: `encrypted_document` ([MS-OFFCRYPTO] 2.3.4), else `unsupported_media_type`."""
    for stream, extensions in _KINDS:
        if stream.encode("utf-16-le") + b"\0\0" in blob.data:
            if extensions is None:
                return blob.error("is protected with a password: send it without one.", code="encrypted_document")
            old, new = extensions
            return blob.error(
                f"is an office file of the old kind ({old}), which is not read: save it as {new} or PDF.",
                code="unsupported_media_type",
            )
    return blob.error(
        f"is an OLE compound file, which cannot be read as a document. Supported: {SUPPORTED}.",
        code="unsupported_media_type",
    )


__all__ = ["Blob", "MediaLoader"]

_DECODERS = 4
"""Threads that decode pictures and text: two requests with large pictures must not hold up the small ones."""


class MediaLoader:
    """Reads sources within `limits`, in its own threads and in processes that `decoding` limits. Owns `fetcher`:
    closing the loader closes it."""

    def __init__(
        self,
        fetcher: Fetcher,
        limits: MediaLimits,
        decoding: DecodeLimits | None = None,
        uploads: Uploads | None = None,
    ) -> None:
        self.limits = limits
        self._fetcher = fetcher
        self._decoding = Worker("media", threads=_DECODERS)
        self._reader = SourceReader(fetcher, limits, self._decoding, uploads)
        self.processes: Sessions = native_sessions(decoding or DecodeLimits())
        self._budget = DecodedBudget(limits.decoded_bytes, largest=3 * limits.image_pixels)

    async def load(self, source: Source) -> Blob:
        """The bytes of `source`, of whatever type. They are read once, and remembered for as long as `source` lives.

        Raises InputError (malformed, empty, not fetched, `file_not_found`) and InputTooLarge.
        """
        return await self._reader.read(source)

    async def open(self, source: Source) -> Document:
        """`source` as a document.

        Raises InputError: as `load`; for a type that is no document (`unsupported_media_type`); for one that is
        damaged, encrypted (`encrypted_pdf`, `encrypted_document`) or too large (`image_too_large`);
        InputTooLarge for one that unpacks to too much.
        """
        return await self.open_blob(await self.load(source))

    async def open_blob(self, blob: Blob) -> Document:
        """Bytes that are loaded already as a document. Raises as `open`."""
        places: tuple[tuple[Sessions, dict[str, Reader]], ...] = (
            (self._decoding, IN_THREADS),
            (self.processes, IN_PROCESSES),
        )
        for place, readers in places:
            if blob.media_type in readers:
                session = await place.open(readers[blob.media_type], blob, self.limits)
                return await Document.of_session(blob, session, self._budget)
        if blob.media_type in media_types.TEXTS:
            text = await self._decoding.run(read_text, blob, self.limits)
            return Document.of_text(blob, text, self._budget)
        if blob.media_type == media_types.OLE:
            raise ole_refusal(blob)
        raise blob.error(
            f"is {blob.media_type}, which cannot be read as a document or image. Supported: {media_types.SUPPORTED}.",
            code="unsupported_media_type",
        )

    async def open_recording(self, source: Source) -> Recording:
        """The sound of `source`, an audio or video file.

        Raises InputError: as `load`; for a type that has no sound (`unsupported_media_type`), for one without an audio
        track (`no_audio`), one that is damaged; InputTooLarge for one that is too long (`audio_too_long`).
        """
        return await self.open_recording_blob(await self.load(source))

    async def open_recording_blob(self, blob: Blob) -> Recording:
        """Bytes that are loaded already as a recording. Raises as `open_recording`."""
        if blob.media_type not in media_types.DEMUXERS:
            raise blob.error(
                f"is {blob.media_type}, which is no audio or video. Supported: {media_types.SUPPORTED_SOUND}.",
                code="unsupported_media_type",
            )
        session = await self.processes.open(AudioDecoder, blob, self.limits)
        return await Recording.of_session(blob, session, self.limits, self._budget)

    async def close(self) -> None:
        await asyncio.gather(self._fetcher.close(), self._decoding.close(), self.processes.close())
