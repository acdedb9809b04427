"""A request's body within its limit, and an answer's: JSON of any size or multipart/form-data, piece by piece as it
comes, and server-sent events."""

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import IO, ClassVar

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import GOOD_BYE_S, ApiError, BadRequest, PayloadTooLarge, shutting_down, told
from app.middleware import ClientGone, until_disconnect
from app.services import Services
from app.telemetry import Stages
from tasks.inputs.limits import megabytes

_FRESH = ("x-interfaze-bypass-cache", "x-bypass-cache", "x-interfaze-zdr")


def is_on(request: Request, header: str) -> bool:
    return request.headers.get(header, "").strip().lower() == "true"


def asks_to_be_forgotten(request: Request) -> bool:
    """Nothing of earlier requests is to be used for it, and nothing left for later ones."""
    return any(is_on(request, name) for name in _FRESH)


_LARGE = 1024 * 1024
"""Bytes of a body from which on only so many are read at a time, and of an answer from which on it leaves in pieces."""
_PIECE = 256 * 1024
MOST_IN_MEMORY = 64 * 1024 * 1024
"""Bytes of large answers that wait for their readers in memory, all together; more wait in files."""


async def read_body(request: Request, max_bytes: int) -> bytearray:
    """The whole body. Raises as `body_pieces`."""
    body = bytearray()
    async with aclosing(body_pieces(request, max_bytes)) as pieces:
        async for piece in pieces:
            body += piece
    return body


async def body_pieces(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes; a large one when it is the turn of its key. Raises PayloadTooLarge by the announced length,
    or as soon as more has come, ClientGone when the caller hangs up in the middle, and EngineOverloaded."""
    services: Services = request.app.state.services
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(int(announced), max_bytes)
    received = 0
    give_back: Callable[[], None] | None = None
    try:
        async for piece in request.stream():
            if received <= _LARGE < received + len(piece):
                # Until then the rest waits at the client.
                give_back = await services.bodies.take()
            received += len(piece)
            if received > max_bytes:
                raise _too_large(received, max_bytes)
            yield piece
    except ClientDisconnect:
        raise ClientGone from None
    finally:
        if give_back is not None:
            give_back()


def _too_large(size: int, max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The request's body is {megabytes(size)} or more; "
        f"the limit is {megabytes(max_bytes)} (OPENFAZE_MAX_REQUEST_MB)."
    )


async def json_response(content: bytes, headers: Mapping[str, str]) -> Response:
    """`content` as an answer. A large one leaves as fast as its reader takes it, from memory while there is room, else
    from a temporary file: slow readers hold so much in memory together, and a piece each beyond it."""
    if len(content) < _LARGE:
        return Response(content, headers=headers, media_type="application/json")
    if _Large.in_memory + len(content) <= MOST_IN_MEMORY:
        return _FromMemory(content, headers)
    return _FromFile(await asyncio.to_thread(_in_a_file, content), len(content), headers)


class _Large(Response):
    media_type = "application/json"
    in_memory: ClassVar[int] = 0
    """Bytes that wait there now."""

    def __init__(self, size: int, headers: Mapping[str, str]) -> None:
        super().__init__(headers={**headers, "content-length": str(size)})

    async def _send_all(self, send: Send, pieces: AsyncIterator[bytes]) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _FromMemory(_Large):
    def __init__(self, content: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(len(content), headers)
        self._content = content

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        _Large.in_memory += len(self._content)
        try:
            await self._send_all(send, self._pieces())
        finally:
            _Large.in_memory -= len(self._content)

    async def _pieces(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._content), _PIECE):
            yield self._content[at : at + _PIECE]


class _FromFile(_Large):
    def __init__(self, file: IO[bytes], size: int, headers: Mapping[str, str]) -> None:
        super().__init__(size, headers)
        self._file = file

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        with self._file:
            await self._send_all(send, self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(self._file.read, _PIECE):
            yield piece


def _in_a_file(content: bytes) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the answer
    file.write(content)
    file.seek(0)
    return file


class EventStream(Response):
    """Starts with the first piece: what fails before it is raised, and keeps its HTTP status; what fails after
    it is told in the stream. Hanging up ends the work."""

    media_type = "text/event-stream"

    def __init__(
        self,
        feed: contextlib.AbstractAsyncContextManager[object],
        pieces: AsyncGenerator[bytes, None],
        stages: Stages,
        failure: Callable[[ApiError], bytes],
    ) -> None:
        """`pieces` come while `feed` is open; `failure` is how a stream that has begun ends."""
        # `no` keeps nginx from holding pieces back.
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._pieces = pieces
        self._stages = stages
        self._failure = failure

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await until_disconnect(receive, self._send_all(send))

    async def _send_all(self, send: Send) -> None:
        async with self._feed, contextlib.aclosing(self._pieces) as pieces:
            first = await anext(pieces)
            self.headers["server-timing"] = self._stages.header
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _send_piece(send, first)
            try:
                async for piece in pieces:
                    await _send_piece(send, piece)
            except asyncio.CancelledError:
                # The server stops. To a caller who has left, this goes nowhere.
                await self._say_good_bye(send)
                raise
            except Exception as error:  # noqa: BLE001 - `told` logs what has to be
                public = told(error, "stream_failed")
                self._stages.failed, self._stages.rejected = public.status, public.rejected
                await _send_piece(send, self._failure(public))
        # Last of all: from here on, `receive` says that the caller has gone.
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _say_good_bye(self, send: Send) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOOD_BYE_S):
                await _send_piece(send, self._failure(shutting_down()))
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_piece(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


_FIELDS = 32
_FIELD_BYTES = 4096
_NAME_CHARS = 255
HEADER_BYTES = 16 * 1024
"""The most that one header of a part takes: the name of the file stands in it."""
_NAMED = re.compile(rb'[ ;]name="([^"]{1,40})"')


class UploadForm:
    """Small fields, and one file in the field `file`, whose bytes are handed on and not kept."""

    def __init__(self, content_type: str, needs: str = "purpose", field_bytes: int = _FIELD_BYTES) -> None:
        """`needs` is the field that must come along with the file. Raises BadRequest for what is no form."""
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise BadRequest(f"The body must be multipart/form-data with the fields 'file' and '{needs}'.")
        self._field_bytes = field_bytes
        self.values: dict[str, list[str]] = {}
        """The values of each field, in order; a field may come several times."""
        self.filename: str | None = None
        """As the client calls the file, without folders. None before it came."""
        self._headers: dict[bytes, bytes] = {}
        self._header = (b"", b"")
        self._field: str | None = None
        """None within the file."""
        self._value = b""
        self._file: list[bytes] = []
        self._ended = False
        with _Complaints():
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._part_ends,
                    "on_end": self._end,
                },
                max_header_size=HEADER_BYTES,
            )

    @property
    def fields(self) -> dict[str, str]:
        """The last value of each."""
        return {name: values[-1] for name, values in self.values.items()}

    def feed(self, piece: bytes) -> bytes:
        """What of `piece` belongs to the file. Raises BadRequest."""
        try:
            with _Complaints():
                self._parser.write(piece)
        except HeaderTooLong as error:
            found = _NAMED.search(self._header[1] + piece[error.offset :])
            name = found[1].decode("utf-8", "replace") if found else ""
            where = f"Field '{name}'" if name else "A part of the form"
            raise BadRequest(
                f"{where}: its header, in which a file's name stands, is longer than {HEADER_BYTES} bytes.",
                param=name or None,
            ) from None
        data = b"".join(self._file)
        self._file.clear()
        return data

    def finish(self) -> None:
        """Raises BadRequest where the body broke off, or held no file."""
        if not self._ended:
            raise BadRequest("The multipart body ends before its last boundary.")
        if self.filename is None:
            raise BadRequest("Field 'file': Field required", param="file")

    def _part_begins(self) -> None:
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name + data[start:end], value)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name, value + data[start:end])

    def _header_ends(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = (b"", b"")

    def _headers_end(self) -> None:
        disposition = self._headers.get(b"content-disposition")
        name = self._named(disposition, b"name")
        if name != "file":
            if sum(map(len, self.values.values())) >= _FIELDS:
                raise BadRequest(f"The form has more than {_FIELDS} fields.")
            self._field, self._value = name, b""
        elif self.filename is not None:
            raise BadRequest("One file an upload, please: there is more than one field 'file'.", param="file")
        else:
            self._field = None
            self.filename = _plain_name(self._named(disposition, b"filename"))

    @staticmethod
    def _named(disposition: bytes | None, option: bytes) -> str:
        return parse_options_header(disposition)[1].get(option, b"").decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._file.append(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > self._field_bytes:
            raise BadRequest(f"Field '{self._field[:40]}' is longer than {self._field_bytes} bytes.")

    def _part_ends(self) -> None:
        if self._field is not None:
            self.values.setdefault(self._field, []).append(self._value.decode("utf-8", "replace"))

    def _end(self) -> None:
        self._ended = True


class HeaderTooLong(Exception):
    """A part's header is longer than HEADER_BYTES, which shows at `offset` of what was written."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class _Complaints:
    """What the parser complains about is the client's mistake."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, MultipartParseError) and "header size" in str(error):
            raise HeaderTooLong(error.offset) from None
        if isinstance(error, FormParserError):
            raise BadRequest("The multipart body is malformed.") from None


def _plain_name(filename: str) -> str:
    """Without folders and what cannot be printed."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable())[-_NAME_CHARS:] or "file"
