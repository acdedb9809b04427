"""Request headers that switch something on."""

from starlette.requests import Request


def is_on(request: Request, header: str) -> bool:
    return request.headers.get(header, "").strip().lower() == "true"
