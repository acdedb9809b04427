"""From a source to its bytes: each is read once."""

import weakref
from urllib.parse import unquote, urlsplit

from tasks.errors import InputError, InputTooLarge
from tasks.inputs import media_types
from tasks.inputs.blob import Blob
from tasks.inputs.data_url import decode_payload
from tasks.inputs.decode.threads import Worker
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import media_type_named, media_type_of_file
from tasks.inputs.once import Once
from tasks.inputs.sniff import sniff
from tasks.inputs.source import Source
from tasks.inputs.text.text_file import looks_like_text
from tasks.inputs.uploads import Uploads


class SourceReader:
    """Remembers what a source held for as long as the source itself lives."""

    def __init__(self, fetcher: Fetcher, limits: MediaLimits, worker: Worker, uploads: Uploads | None) -> None:
        self._fetcher = fetcher
        self._limits = limits
        self._worker = worker
        self._uploads = uploads
        self._read: weakref.WeakKeyDictionary[Source, Once[Blob]] = weakref.WeakKeyDictionary()

    async def read(self, source: Source) -> Blob:
        """The bytes of `source`, of whatever type.

        Raises InputError (malformed, empty, not fetched, `file_not_found`) and InputTooLarge.
        """
        once = self._read.get(source)
        if once is None:
            once = self._read[source] = Once()
        return await once.get(lambda: self._blob(source))

    async def _blob(self, source: Source) -> Blob:
        if source.url is not None:
            blob = await self._fetched(source.url, source)
        elif source.file_id is not None:
            blob = await self._uploaded(source.file_id, source)
        elif source.data is not None:
            blob = await self._worker.run(self._sent, source.data, source)
        else:
            blob = await self._worker.run(self._decoded, source)
            _take(source, len(blob.data))
        if not blob.data:
            raise blob.error("is empty (0 bytes).")
        return blob

    async def _fetched(self, url: str, source: Source) -> Blob:
        limit = self._limits.fetch_bytes
        if source.total is not None and source.total.left < limit:
            limit = source.total.left
        try:
            fetched = await self._fetcher.fetch(
                url, param=source.param, max_bytes=max(limit, 1), owner=source.owner, fresh=source.fresh
            )
        except InputTooLarge as error:
            if source.total is not None and limit < self._limits.fetch_bytes:
                raise source.total.passed(source.param) from error
            raise
        _take(source, len(fetched.data))
        filename = source.filename or unquote(urlsplit(fetched.url).path.rpartition("/")[2]) or None
        declared = (source.format, fetched.media_type)
        media_type = await self._worker.run(_identify, fetched.data, declared, filename)
        return Blob(fetched.data, media_type, filename, source.param, fetched.charset)

    async def _uploaded(self, file_id: str, source: Source) -> Blob:
        upload = await self._uploads.find(source.owner, file_id) if self._uploads and source.owner else None
        try:
            if upload is None or self._uploads is None:
                raise FileNotFoundError
            _take(source, upload.size)
            data = await self._uploads.read(upload)
        except FileNotFoundError:
            raise InputError(f"There is no file '{file_id}'.", code="file_not_found", param=source.param) from None
        filename = source.filename or upload.filename
        media_type = await self._worker.run(_identify, data, (source.format, upload.media_type), filename)
        return Blob(data, media_type, filename, source.param)

    def _sent(self, data: bytes, source: Source) -> Blob:
        return Blob(data, _identify(data, (source.format,), source.filename), source.filename, source.param)

    def _decoded(self, source: Source) -> Blob:
        payload = decode_payload(source, limit=self._limits.part_bytes)
        media_type = _identify(payload.data, (payload.media_type, source.format), source.filename)
        return Blob(payload.data, media_type, source.filename, source.param, payload.charset)


def _take(source: Source, size: int) -> None:
    if source.total is not None:
        source.total.take(size, source.param)


def _identify(data: bytes, declared: tuple[str | None, ...], filename: str | None) -> str:
    """What the bytes show, else what is declared first, else what the name says, else plain text or unknown.

    Audio and video always show it: what does not, and is text, is none, such as a server's word that there is no file.
    """
    names = (*map(media_type_named, declared), media_type_of_file(filename))
    named = next(filter(None, names), None)
    plain = "text/plain" if looks_like_text(data) else media_types.UNKNOWN
    if plain != media_types.UNKNOWN and named in media_types.DEMUXERS:
        named = None
    return sniff(data, text=named in media_types.TEXTS) or named or plain
