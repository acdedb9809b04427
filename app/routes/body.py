"""Reading a request's body within its limit."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request

from app.disconnect import ClientGone
from app.errors import PayloadTooLarge
from tasks.media.limits import megabytes


async def read_body(request: Request, max_bytes: int) -> bytearray:
    """The whole body. Raises as `body_pieces`."""
    body = bytearray()
    async with aclosing(body_pieces(request, max_bytes)) as pieces:
        async for piece in pieces:
            body += piece
    return body


async def body_pieces(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes. Raises PayloadTooLarge by the announced length, or as soon as more has come, and ClientGone
    when the caller hangs up in the middle."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(int(announced), max_bytes)
    received = 0
    try:
        async for piece in request.stream():
            received += len(piece)
            if received > max_bytes:
                raise _too_large(received, max_bytes)
            yield piece
    except ClientDisconnect:
        raise ClientGone from None


def _too_large(size: int, max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The request's body is {megabytes(size)} or more; "
        f"the limit is {megabytes(max_bytes)} (OPENFAZE_MAX_REQUEST_MB)."
    )
