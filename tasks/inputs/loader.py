"""Opens sources as documents and recordings."""

import asyncio

from models.workers.pool import Workers
from tasks.errors import InputError
from tasks.inputs import media_types
from tasks.inputs.av.audio import AudioDecoder, Recording
from tasks.inputs.decode.budget import DecodedBudget
from tasks.inputs.decode.files import decode, open_file
from tasks.inputs.document import Document
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import SUPPORTED
from tasks.inputs.office.bounds import encrypted
from tasks.inputs.readers import READERS
from tasks.inputs.reading import SourceReader, Uploads
from tasks.inputs.source import Blob, Source
from tasks.inputs.text.text_file import read_text

_OLD_KINDS = {
    "WordDocument": ("doc", "docx"),
    "PowerPoint Document": ("ppt", "pptx"),
    "Workbook": ("xls", "xlsx"),
    "Book": ("xls", "xlsx"),
}
"""Streams that identify an office file of the old kind, each with the suffixes of the old format and of the format in
which to save the file."""
DECODERS = ("tasks.inputs.blame", "tasks.inputs.readers", "tasks.inputs.picture", "tasks.inputs.pdf.document")
"""Modules that decode usual files."""


def ole_refusal(blob: Blob) -> InputError:
    """Return the error for an OLE file: `encrypted_document` ([MS-OFFCRYPTO] 2.3.4), or else
    `unsupported_media_type`."""
    if media_types.has_ole_entry(blob.data, "EncryptedPackage"):
        return encrypted(blob)
    why = f"is an OLE compound file, which cannot be read as a document. Supported: {SUPPORTED}."
    if kind := next((kind for kind in _OLD_KINDS if media_types.has_ole_entry(blob.data, kind)), None):
        old, new = _OLD_KINDS[kind]
        why = f"is an office file in the old format ({old}), which is not supported: save it as {new} or PDF."
    return blob.error(why, code="unsupported_media_type")


class MediaLoader(SourceReader):
    """Opens sources within `limits`, in `workers`. Closing the loader closes `fetcher` and `workers`."""

    def __init__(
        self,
        fetcher: Fetcher,
        limits: MediaLimits,
        workers: Workers | None = None,
        uploads: Uploads | None = None,
    ) -> None:
        super().__init__(fetcher, limits, uploads)
        self.workers = workers or Workers()
        self._budget = DecodedBudget(limits.decoded_bytes, largest=3 * limits.image_pixels)

    async def open(self, source: Source) -> Document:
        """Open `source` as a document.

        Raises what `load` raises; InputError for a type that is not a document (`unsupported_media_type`) and for a
        damaged, encrypted (`encrypted_pdf`, `encrypted_document`) or too large (`image_too_large`) file; InputTooLarge
        for one that unpacks to too much.
        """
        return await self.open_blob(await self.load(source))

    async def open_blob(self, blob: Blob) -> Document:
        """Open loaded bytes as a document. Raises what `open` raises."""
        if reader := READERS.get(blob.media_type):
            file = await open_file(self.workers, blob, reader, blob, self.limits)
            return await Document.of_file(blob, file, self._budget)
        if blob.media_type in media_types.TEXTS:
            text = await decode(self.workers, blob, read_text, blob, self.limits)
            return await asyncio.to_thread(Document.of_text, blob, text, self._budget)
        if blob.media_type == media_types.OLE:
            raise await decode(self.workers, blob, ole_refusal, blob)
        raise blob.error(
            f"is {blob.media_type}, which cannot be read as a document or image. Supported: {SUPPORTED}.",
            code="unsupported_media_type",
        )

    async def open_recording(self, source: Source) -> Recording:
        """Open the sound of an audio or video file.

        Raises what `load` raises; InputError for a type without sound (`unsupported_media_type`), a file without an
        audio track (`no_audio`) and a damaged one; InputTooLarge for one that is too long (`audio_too_long`).
        """
        blob = await self.load(source)
        if blob.media_type not in media_types.DEMUXERS:
            raise blob.error(
                f"is {blob.media_type}, which is neither audio nor video. Supported: {media_types.SUPPORTED_SOUND}.",
                code="unsupported_media_type",
            )
        file = await open_file(self.workers, blob, AudioDecoder, blob, self.limits)
        return await Recording.of_file(blob, file, self.limits, self._budget)

    async def close(self) -> None:
        await asyncio.gather(self._fetcher.close(), self.workers.close())
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
