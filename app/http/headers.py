"""Headers that switch on options of a request."""

from starlette.requests import Request

_FRESH = ("x-interfaze-bypass-cache", "x-bypass-cache", "x-interfaze-zdr")


def is_on(request: Request, header: str) -> bool:
    return request.headers.get(header, "").strip().lower() == "true"


def asks_to_be_forgotten(request: Request) -> bool:
    """True if the request must use nothing of earlier requests, and leave nothing for later requests."""
    return any(is_on(request, name) for name in _FRESH)
