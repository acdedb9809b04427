"""Reading a request's body within its limit."""

from starlette.requests import ClientDisconnect, Request

from app.disconnect import ClientGone
from app.errors import PayloadTooLarge
from tasks.media.limits import megabytes


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body. Raises PayloadTooLarge by the announced length, or as soon as more has come, and ClientGone
    when the caller hangs up in the middle."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(int(announced), max_bytes)
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > max_bytes:
                raise _too_large(len(body), max_bytes)
    except ClientDisconnect:
        raise ClientGone from None
    return bytes(body)


def _too_large(size: int, max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The request's body is {megabytes(size)} or more; "
        f"the limit is {megabytes(max_bytes)} (OPENFAZE_MAX_REQUEST_MB)."
    )
