"""Body of a request, read in chunks and limited in bytes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self

from starlette.requests import ClientDisconnect, Request

from app.errors import BadRequest, BodyTooLarge
from app.http.disconnect import ClientGone
from app.wire.parse import MAX_VALUES, as_refusal, least_quotes, too_many_values
from models.loop_turns import LoopTurns
from models.request_memory import LARGE, HeldBytes, RequestMemory
from tasks.inputs.limits import megabytes

PACE_CHECK_S = 5.0
"""Time between two checks of the pace of a body, in seconds."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = 40
"""A message quotes at most this many characters of a header."""
STEP = LARGE
"""Number of bytes by which the memory of a slow body grows at a time."""


async def read_body(request: Request, max_bytes: int) -> bytearray:
    """Return the whole JSON body of a request. Raises what `body_chunks` raises, and PayloadTooLarge as soon as the
    body certainly has too many values."""
    body = bytearray()
    quotes = 0
    async with aclosing(body_chunks(request, max_bytes)) as pieces:
        async for piece in pieces:
            body += piece
            quotes += least_quotes(piece)
            if quotes > 2 * MAX_VALUES:
                raise as_refusal(too_many_values())
    if body.startswith(_BYTE_ORDER_MARK):
        # PowerShell writes it before a text in UTF-8. Parsers of JSON refuse it.
        del body[: len(_BYTE_ORDER_MARK)]
    return body


async def body_chunks(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the body in chunks as they arrive. A large body waits for memory, which the request holds until its end.
    Memory for the missing rest is held only while the body arrives quickly enough. A key with rivals has to send its
    bodies at a limited speed.

    Raises BadRequest if the body is compressed, BodyTooLarge if the announced length or the received size is above
    `max_bytes`, ClientGone if the caller hangs up before the end, EngineOverloaded, ShareUsedUp, and MemoryShort for a
    slow body if other requests have taken the memory for its rest.
    """
    refuse_compressed(request)
    memory: RequestMemory = request.app.state.services.memory
    announced = request.headers.get("content-length", "")
    length = int(announced) if announced.isdigit() else None
    if length is not None and length > max_bytes:
        raise _too_large(length, max_bytes)
    held = await _PacedMemory.of(memory, length) if length else None
    received, turns = 0, LoopTurns.of_running_loop()
    try:
        async for piece in request.stream():
            if length is None and received <= LARGE < received + len(piece):
                # While this call waits for memory, the client cannot send the rest of the body.
                held = await _PacedMemory.of(memory, max_bytes)
            received += len(piece)
            if received > max_bytes:
                raise _too_large(received, max_bytes)
            if held is not None:
                held.note(received)
            yield piece
            # Until then, the system does not take in more of the body than fits into its buffers.
            await turns.wait_for_bytes(len(piece))
    except ClientDisconnect:
        raise ClientGone from None
    finally:
        if held is not None:
            held.end()


def refuse_compressed(request: Request) -> None:
    """Raise BadRequest if the body is compressed. The limits on its size count the bytes that arrive, so no body is
    decompressed."""
    coding = ", ".join(request.headers.getlist("content-encoding")).strip()
    if coding.lower() not in ("", "identity"):
        raise BadRequest(
            f"The header Content-Encoding is '{coding[:_SHOWN]}'. Send the body uncompressed, without this header."
        )


class _PacedMemory:
    """Memory of a body. If the body arrives too slowly to be complete within the time limit of a request, the memory
    for its missing rest is given back. From then on, more memory is taken as bytes arrive."""

    def __init__(self, held: HeldBytes, request_s: float) -> None:
        self._held = held
        self._request_s = request_s
        self._expected = held.size
        self._received = 0
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._next_check = self._loop.call_later(PACE_CHECK_S, self._check_pace)

    @classmethod
    async def of(cls, memory: RequestMemory, size: int) -> Self | None:
        """Wait for memory for a body of `size` bytes. Return None for a body that is too small to be counted."""
        held = await memory.hold(size)
        return None if held is None else cls(held, memory.request_s)

    def note(self, received: int) -> None:
        """Record that `received` bytes have arrived so far. Raises MemoryShort."""
        self._received = received
        if received > self._held.size:
            self._held.resize(min(received + STEP, max(received, self._expected)))

    def end(self) -> None:
        """Keep memory for the received bytes, and no more."""
        self._next_check.cancel()
        self._held.resize(min(self._received, self._held.size))

    def _check_pace(self) -> None:
        seconds = self._loop.time() - self._began
        if self._received * self._request_s < self._expected * seconds:
            self._held.resize(min(self._received + STEP, self._held.size))
        self._next_check = self._loop.call_later(PACE_CHECK_S, self._check_pace)


def _too_large(size: int, max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The request's body is {megabytes(size)} or more; "
        f"the limit is {megabytes(max_bytes)} (OPENFAZE_MAX_REQUEST_MB)."
    )
