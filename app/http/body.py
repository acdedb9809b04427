"""Body of a request, read in chunks and limited in bytes."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request

from app.errors import PayloadTooLarge
from app.http.disconnect import ClientGone
from app.wire.parse import LARGE, MAX_VALUES, least_quotes, too_many_values
from models.scheduler import FairSlots
from tasks.inputs.limits import megabytes

_LARGE = 1024 * 1024
"""Size, in bytes, above which a body waits for its turn, so that only a few large bodies are read at a time."""


async def read_body(request: Request, max_bytes: int) -> bytearray:
    """Return the whole body of a request in JSON. Raises what `body_chunks` raises, and PayloadTooLarge as soon as it
    is certain that the body has more values than it may have."""
    body = bytearray()
    quotes = 0
    async with aclosing(body_chunks(request, max_bytes)) as pieces:
        async for piece in pieces:
            body += piece
            quotes += least_quotes(piece)
            if quotes > 2 * MAX_VALUES and len(body) >= LARGE:
                raise too_many_values()
    return body


async def body_chunks(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the body in chunks as they arrive. The rest of a large body waits for its key's turn.

    Raises PayloadTooLarge if the announced length or the received size is above `max_bytes`, ClientGone if the caller
    hangs up before the end, and EngineOverloaded.
    """
    large_bodies: FairSlots = request.app.state.services.bodies
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(int(announced), max_bytes)
    received = 0
    give_back: Callable[[], None] | None = None
    try:
        async for piece in request.stream():
            if received <= _LARGE < received + len(piece):
                # Until then, the rest of the body stays at the client.
                give_back = await large_bodies.take()
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
