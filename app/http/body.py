"""Body of a request, read in chunks and limited in bytes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request

from app.errors import PayloadTooLarge
from app.http.disconnect import ClientGone
from app.request_memory import LARGE, RequestMemory
from app.wire.parse import LARGE as PARSED_ASIDE
from app.wire.parse import MAX_VALUES, least_quotes, too_many_values
from tasks.inputs.limits import megabytes


async def read_body(request: Request, max_bytes: int) -> bytearray:
    """Return the whole body of a request in JSON. Raises what `body_chunks` raises, and PayloadTooLarge as soon as it
    is certain that the body has more values than it may have."""
    body = bytearray()
    quotes = 0
    async with aclosing(body_chunks(request, max_bytes)) as pieces:
        async for piece in pieces:
            body += piece
            quotes += least_quotes(piece)
            if quotes > 2 * MAX_VALUES and len(body) >= PARSED_ASIDE:
                raise too_many_values()
    return body


async def body_chunks(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the body in chunks as they arrive. A large body waits until there is memory for it, which its request holds
    until it ends.

    Raises PayloadTooLarge if the announced length or the received size is above `max_bytes`, ClientGone if the caller
    hangs up before the end, EngineOverloaded and ShareUsedUp.
    """
    memory: RequestMemory = request.app.state.services.memory
    announced = request.headers.get("content-length", "")
    length = int(announced) if announced.isdigit() else None
    if length is not None and length > max_bytes:
        raise _too_large(length, max_bytes)
    held = await memory.hold(length) if length else None
    received = 0
    try:
        async for piece in request.stream():
            if length is None and received <= LARGE < received + len(piece):
                # Until then, the rest of the body stays at the client.
                held = await memory.hold(max_bytes)
            received += len(piece)
            if received > max_bytes:
                raise _too_large(received, max_bytes)
            yield piece
    except ClientDisconnect:
        raise ClientGone from None
    finally:
        if held is not None:
            held.keep(received)


def _too_large(size: int, max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The request's body is {megabytes(size)} or more; "
        f"the limit is {megabytes(max_bytes)} (OPENFAZE_MAX_REQUEST_MB)."
    )
