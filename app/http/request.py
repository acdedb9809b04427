"""Reads what a caller sends: the headers that switch options on, the body, in chunks and within limits of bytes and
time, and the end of the connection, which ends the work for this caller."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from app.errors import BadRequest, BodyTooLarge, took_too_long
from app.wire.parse import but_not
from tasks.inputs.limits import megabytes

T = TypeVar("T")

ZDR_HEADER = "x-interfaze-zdr"
PROGRESS_HEADER = "x-interfaze-progress"
PRECONTEXT_HEADER = "x-show-additional-info"
_FRESH = ("x-interfaze-bypass-cache", "x-bypass-cache", ZDR_HEADER)
_SKIP_PLANNING = ("x-interfaze-bypass-moa", "x-bypass-moe")
_SWITCHES = frozenset({PROGRESS_HEADER, PRECONTEXT_HEADER, *_FRESH, *_SKIP_PLANNING})
_ON = ("true", "1", "yes", "on")
_OFF = ("false", "0", "no", "off", "")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = 40
"""A message quotes at most this many characters of a header."""
MAX_AHEAD = 64 * 1024
"""At most about this many bytes of a body are read before its request begins."""


def check_switches(headers: Headers) -> None:
    """Raise BadRequest if a header that switches an option on has an unknown value, because a misspelt wish for privacy
    must not be ignored."""
    for header, value in headers.items():
        if header in _SWITCHES:
            _is_true(header, value)


def is_on(request: Request, header: str) -> bool:
    """True if `header` switches its option on. Raises BadRequest for an unknown value."""
    return any(_is_true(header, value) for value in request.headers.getlist(header))


def asks_to_be_forgotten(request: Request) -> bool:
    """True if the request must use no data of earlier requests and leave none for later ones."""
    return any(is_on(request, name) for name in _FRESH)


def skips_planning(request: Request) -> bool:
    """True if the request goes straight to the LLM."""
    return any(is_on(request, name) for name in _SKIP_PLANNING)


def permits_traces(headers: Headers) -> bool:
    """True if traces may contain the request's content. An unknown value of the header counts as a refusal."""
    return all(value.strip().lower() in _OFF for value in headers.getlist(ZDR_HEADER))


def _is_true(header: str, value: str) -> bool:
    word = value.strip().lower()
    if word not in _ON and word not in _OFF:
        raise BadRequest(f"Header '{header}': should be 'true' or 'false'{but_not(value)}", param=header)
    return word in _ON


async def read_body(request: Request, max_bytes: int) -> bytearray:
    """Return the whole JSON body of a request. Raises what `body_chunks` raises."""
    body = bytearray()
    async with aclosing(body_chunks(request, max_bytes)) as pieces:
        async for piece in pieces:
            body += piece
    if body.startswith(_BYTE_ORDER_MARK):
        # PowerShell writes it before a text in UTF-8. Parsers of JSON refuse it.
        del body[: len(_BYTE_ORDER_MARK)]
    return body


async def body_chunks(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the body in chunks as they arrive. Their bytes count at the door until the request ends.

    Raises BadRequest if the body is compressed, BodyTooLarge if the announced length or the received size is above
    `max_bytes`, ClientGone if the caller hangs up before the end, and Unavailable if the bodies of all requests have
    too many bytes or the request's time is over.
    """
    refuse_compressed(request)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(int(announced), max_bytes)
    received = 0
    async with within_time(request):
        async for piece in request.stream():
            received += len(piece)
            if received > max_bytes:
                raise _too_large(received, max_bytes)
            request.state.place.hold(len(piece))
            yield piece


@asynccontextmanager
async def within_time(request: Request) -> AsyncIterator[None]:
    """Read a body in the block. Raises ClientGone if the caller hangs up before its end, and Unavailable if the
    request's time is over."""
    limit_s: float = request.app.state.services.settings.request_timeout_s
    spent_s: float = request.state.stages.seconds
    try:
        async with asyncio.timeout(limit_s - spent_s) as limit:
            yield
    except ClientDisconnect:
        raise ClientGone from None
    except TimeoutError:
        if not limit.expired():
            raise
        raise took_too_long(limit_s) from None


def refuse_compressed(request: Request) -> None:
    """Raise BadRequest if the body is compressed. The limits on its size count the bytes that arrive, so no body is
    decompressed."""
    coding = ", ".join(request.headers.getlist("content-encoding")).strip()
    if coding.lower() not in ("", "identity"):
        raise BadRequest(
            f"The header Content-Encoding is '{coding[:_SHOWN]}'. Send the body uncompressed, without this header."
        )


def _too_large(size: int, max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request's body is {megabytes(size)} or more; the limit is {megabytes(max_bytes)}.")


class ClientGone(Exception):
    """Raised when the caller has hung up, so nobody receives an answer."""


class ReadAhead:
    """The messages of a request's connection, which can be read before the application asks for them, in order to
    notice that the caller hangs up."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: deque[Message] = deque()
        self._size = 0

    async def __call__(self) -> Message:
        return self._read.popleft() if self._read else await self._receive()

    async def ahead(self) -> Message:
        """Return the next message, and keep it for the application. Never return again once MAX_AHEAD bytes are read:
        the end of a connection with a longer body is noticed when the application reads the body."""
        if self._size >= MAX_AHEAD:
            await asyncio.get_running_loop().create_future()
        message = await self._receive()
        self._read.append(message)
        self._size += len(message.get("body", b""))
        return message


async def within(seconds: float, work: Awaitable[T], spent_s: float = 0.0) -> T:
    """Return what `work` returns: the work for a request that may take `seconds`, of which `spent_s` have passed.

    Raises what the work raises, and Unavailable if the time is over.
    """
    try:
        async with asyncio.timeout(seconds - spent_s) as limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        raise took_too_long(seconds) from None
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # A part of the work was cancelled on its own. The caller must not mistake this for its own cancellation.
        raise RuntimeError("a part of the work was cancelled") from error


async def until_disconnect(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` and return its result. If the caller hangs up, cancel `work` and raise ClientGone.

    The request's body must already have been read, so that the next message is the disconnection. The framework itself
    does not cancel a handler when the caller hangs up.
    """
    task = asyncio.current_task()
    assert task is not None
    cancelled_before = task.cancelling()
    has_left = False

    async def end_when_gone() -> None:
        nonlocal has_left
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        task.cancel()

    watching = asyncio.create_task(end_when_gone())
    try:
        return await work
    finally:
        watching.cancel()
        if has_left and task.uncancel() <= cancelled_before:
            raise ClientGone from None
