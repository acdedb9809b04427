"""From a source to its bytes, and from its bytes to a document."""

import asyncio
from urllib.parse import unquote, urlsplit

from tasks.media import media_types
from tasks.media.blob import Blob
from tasks.media.document import Document
from tasks.media.fetch import Fetcher
from tasks.media.limits import MediaLimits
from tasks.media.media_types import media_type_named, media_type_of_file
from tasks.media.payload import decode_payload
from tasks.media.pdf import PdfPages
from tasks.media.picture import PicturePages
from tasks.media.sniff import sniff
from tasks.media.source import Source
from tasks.media.text_file import decode_text, looks_like_text
from tasks.media.threads import Worker

__all__ = ["Blob", "MediaLoader"]

_DECODERS = 4
"""Threads that decode pictures and text: two requests with large pictures must not hold up the small ones."""


class MediaLoader:
    """Reads sources within `limits`, in its own threads. Owns `fetcher`: closing the loader closes it."""

    def __init__(self, fetcher: Fetcher, limits: MediaLimits) -> None:
        self.limits = limits
        self._fetcher = fetcher
        self._decoding = Worker("media", threads=_DECODERS)
        self._pdfium = Worker("pdfium", threads=1)

    async def load(self, source: Source) -> Blob:
        """The bytes of `source`, of whatever type.

        Raises InputError (malformed, empty, not fetched) and InputTooLarge.
        """
        if source.url is not None:
            blob = await self._fetched(source.url, source)
        else:
            blob = await self._decoding.run(self._decoded, source)
        if not blob.data:
            raise blob.error("is empty (0 bytes).")
        return blob

    async def open(self, source: Source) -> Document:
        """`source` as a document.

        Raises InputError: as `load`; for a type that is no document (`unsupported_media_type`); for one that is
        damaged, encrypted (`encrypted_pdf`) or too large (`image_too_large`).
        """
        return await self.open_blob(await self.load(source))

    async def open_blob(self, blob: Blob) -> Document:
        """Bytes that are loaded already as a document. Raises as `open`."""
        if blob.media_type in media_types.TEXTS:
            text = await self._decoding.run(decode_text, blob, self.limits)
            return Document.of_text(blob, text)
        if blob.media_type == media_types.PDF:
            pdf = await self._pdfium.acquire(PdfPages, blob, self.limits)
            return Document.of_pages(blob, "paged", pdf, self._pdfium)
        if blob.media_type in media_types.IMAGES:
            frames = await self._decoding.acquire(PicturePages, blob, self.limits)
            return Document.of_pages(blob, "image" if frames.total == 1 else "paged", frames, self._decoding)
        raise blob.error(
            f"is {blob.media_type}, which cannot be read as a document or image. Supported: {media_types.SUPPORTED}.",
            code="unsupported_media_type",
        )

    async def close(self) -> None:
        await asyncio.gather(self._fetcher.close(), self._decoding.close(), self._pdfium.close())

    async def _fetched(self, url: str, source: Source) -> Blob:
        fetched = await self._fetcher.fetch(url, param=source.param, max_bytes=self.limits.fetch_bytes)
        filename = source.filename or unquote(urlsplit(fetched.url).path.rpartition("/")[2]) or None
        declared = (source.format, fetched.media_type)
        media_type = await self._decoding.run(_identify, fetched.data, declared, filename)
        return Blob(fetched.data, media_type, filename, source.param, fetched.charset)

    def _decoded(self, source: Source) -> Blob:
        payload = decode_payload(source, limit=self.limits.part_bytes)
        media_type = _identify(payload.data, (payload.media_type, source.format), source.filename)
        return Blob(payload.data, media_type, source.filename, source.param, payload.charset)


def _identify(data: bytes, declared: tuple[str | None, ...], filename: str | None) -> str:
    """What the bytes show, else what is declared first, else what the name says, else plain text or unknown."""
    names = (*map(media_type_named, declared), media_type_of_file(filename))
    named = next(filter(None, names), None)
    plain = "text/plain" if looks_like_text(data) else media_types.UNKNOWN
    return sniff(data, text=named in media_types.TEXTS) or named or plain
