"""Reads the request headers that switch options on."""

from starlette.datastructures import Headers
from starlette.requests import Request

from app.errors import BadRequest
from app.wire.problems import but_not

ZDR_HEADER = "x-interfaze-zdr"
PROGRESS_HEADER = "x-interfaze-progress"
PRECONTEXT_HEADER = "x-show-additional-info"
_FRESH = ("x-interfaze-bypass-cache", "x-bypass-cache", ZDR_HEADER)
_SKIP_PLANNING = ("x-interfaze-bypass-moa", "x-bypass-moe")
_SWITCHES = frozenset({PROGRESS_HEADER, PRECONTEXT_HEADER, *_FRESH, *_SKIP_PLANNING})
_ON = ("true", "1", "yes", "on")
_OFF = ("false", "0", "no", "off", "")


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
