"""Reads the request headers that turn options on."""

from starlette.requests import Request

_FRESH = ("x-interfaze-bypass-cache", "x-bypass-cache", "x-interfaze-zdr")


def is_on(request: Request, header: str) -> bool:
    return request.headers.get(header, "").strip().lower() == "true"


def asks_to_be_forgotten(request: Request) -> bool:
    """True if the request must use no data of earlier requests and leave none for later ones."""
    return any(is_on(request, name) for name in _FRESH)
