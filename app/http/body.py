"""Body of a request, read in chunks and limited in bytes and in time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request

from app.errors import BadRequest, BodyTooLarge, took_too_long
from app.http.disconnect import ClientGone
from tasks.inputs.limits import megabytes

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN = 40
"""A message quotes at most this many characters of a header."""


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
    limit_s: float = request.app.state.services.settings.request_timeout_s
    spent_s: float = request.state.stages.seconds
    received = 0
    try:
        async with asyncio.timeout(limit_s - spent_s) as limit:
            async for piece in request.stream():
                received += len(piece)
                if received > max_bytes:
                    raise _too_large(received, max_bytes)
                request.state.place.hold(len(piece))
                yield piece
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
    return BodyTooLarge(
        f"The request's body is {megabytes(size)} or more; "
        f"the limit is {megabytes(max_bytes)} (OPENFAZE_MAX_REQUEST_MB)."
    )
