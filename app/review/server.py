"""Serves the page of a review and answers its requests. It is a separate application, because the papers are on a
person's machine and not on a server.

Every path begins with a random token, so that no other page in the browser can send requests. Only requests under this
machine's own host names are accepted, as a protection against DNS rebinding.
"""

import json
import mimetypes
from collections.abc import Callable, Mapping
from typing import Any

import pydantic_core
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.errors import NotFound
from app.extract.client import CannotAsk
from app.extract.files import CannotWrite, TooManyRows
from app.extract.reviews import Json
from app.extract.state import ReviewConflict
from app.review.table_review import NotFitting, NotThere, TableReview
from app.routes.pages import PLAYGROUND, POLICY, page_response, playground_response

_MAX_BYTES = 1 << 20
"""A request's body has at most this many bytes."""
_MAX_CHARS = 32_767
"""A field has at most this many characters, because a cell of a workbook holds no more."""
_MAX_PAGE = 1_000_000
_CORNERS, _SIZES = ("top_left", "top_right", "bottom_right", "bottom_left"), ("width", "height")
_MAX_COORDINATE = 1_000_000
"""Largest absolute value of a coordinate, in pixels. Corners may lie slightly outside of a page."""
_SHOWN = ("application/pdf", "image/", "video/")
"""Media types that the page displays. Any other file is sent as text."""


class _Invalid(Exception):
    """Raised for a request that the page would not send. The message names the field, or says what is wrong with the
    body."""


_STATUSES: Mapping[type[Exception], int] = {
    _Invalid: 400, NotThere: 404, NotFound: 404, ReviewConflict: 409, NotFitting: 422, TooManyRows: 422,
    CannotWrite: 422, CannotAsk: 502, OSError: 500,
}  # fmt: skip


def review_app(desk: TableReview, token: str) -> Starlette:
    """Return the application; its page is at `/review/TOKEN/`."""
    base = f"/review/{token}"

    def page(request: Request) -> Response:
        return page_response(request, (PLAYGROUND / "review.html").read_text("utf-8"), POLICY)

    def file(request: Request) -> Response:
        return playground_response(request, request.path_params["name"])

    def overview(_: Request) -> Response:
        return _json(desk.overview() | {"schema": desk.schema})

    def paper(request: Request) -> Response:
        return _json(desk.paper(request.query_params.get("name", "")))

    def content(request: Request) -> Response:
        filename, data = desk.content(request.query_params.get("name", ""))
        kind = mimetypes.guess_type(filename)[0] or ""
        headers = {"content-security-policy": "sandbox", "content-disposition": "attachment", **_PRIVATE}
        return Response(data, headers=headers, media_type=kind if kind.startswith(_SHOWN) else "text/plain")

    def reading(request: Request) -> Response:
        return _json(desk.reading(request.query_params.get("name", "")))

    def following(body: Json) -> Any:
        current = body.get("current")
        if current is not None and not isinstance(current, str):
            raise _Invalid("'current' is not the name of a paper")
        return {"name": desk.next_paper(_text(body, "person", 64), current, -1 if body.get("back") is True else 1)}

    def review(body: Json) -> Any:
        value, place = body.get("value"), body.get("place")
        if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > _MAX_CHARS):
            raise _Invalid(f"'value' is not a text of at most {_MAX_CHARS:,} characters, a number, true, false or null")
        if place is not None:
            _check_place(place)
        texts = (_text(body, "paper"), _text(body, "pointer"))
        return {"number": desk.review(*texts, value, place, _text(body, "version", 64))}

    def undo(body: Json) -> Any:
        number = body.get("number")
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 63:
            raise _Invalid("'number' is not the number of a review")
        name, pointer, change = desk.undo(number)
        return {"paper": name, "pointer": pointer, "change": change}

    def add_row(body: Json) -> Any:
        at = body.get("at")
        if not isinstance(at, int) or isinstance(at, bool) or at < 0:
            raise _Invalid("'at' is not the number of a row")
        number, pointer = desk.add_row(_text(body, "paper"), _text(body, "pointer"), at, _text(body, "version", 64))
        return {"number": number, "pointer": pointer}

    def remove_row(body: Json) -> Any:
        return {"number": desk.remove_row(_text(body, "paper"), _text(body, "pointer"), _text(body, "version", 64))}

    def export(_: Json) -> Any:
        return {"written": [file.name for file in desk.export()]}

    def learn(_: Json) -> Any:
        desk.read_unreviewed()
        return {}

    reads: dict[str, Callable[[Request], Response]] = {
        "": page, "api/overview": overview, "api/paper": paper, "api/content": content, "api/reading": reading,
    }  # fmt: skip
    writes = {
        "next": following, "review": review, "add-row": add_row, "remove-row": remove_row, "undo": undo,
        "export": export, "learn": learn,
    }  # fmt: skip
    routes = [
        *(Route(f"{base}/{path}", endpoint, methods=["GET"]) for path, endpoint in reads.items()),
        *(Route(f"{base}/api/{path}", _json_endpoint(call), methods=["POST"]) for path, call in writes.items()),
        Route(f"{base}/playground/{{name:path}}", file, methods=["GET"]),
    ]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    return Starlette(routes=routes, middleware=[hosts], exception_handlers=dict.fromkeys(_STATUSES, _problem))


def _json_endpoint(call: Callable[[Json], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        # A form cannot send this type at all, and a script of another origin only after a CORS preflight, which this
        # server does not grant.
        if request.headers.get("content-type") != "application/json":
            raise _Invalid("the content type is not application/json")
        data = b""
        async for chunk in request.stream():
            data += chunk
            if len(data) > _MAX_BYTES:
                raise _Invalid(f"the body is longer than {_MAX_BYTES:,} bytes")
        try:
            # Infinite numbers and lone surrogates could not be encoded again.
            body = pydantic_core.from_json(data, allow_inf_nan=False)
            json.dumps(body, allow_nan=False)
        except ValueError:
            raise _Invalid("the body is not JSON that can be written again") from None
        if not isinstance(body, dict):
            raise _Invalid("the body is not an object")
        return _json(await run_in_threadpool(call, body))

    return endpoint


def _check_place(place: Any) -> None:
    """Raise _Invalid unless `place` can be a place in a paper (wire contract: `evidence`). A missing member is
    unknown."""
    if not (isinstance(place, dict) and place.keys() <= {"page", "bounds", "text"}):
        raise _Invalid("'place' is not an object with 'page', 'bounds' and 'text'")
    page, bounds, text = (place.get(name) for name in ("page", "bounds", "text"))
    if page is not None and not (type(page) is int and 1 <= page <= _MAX_PAGE):
        raise _Invalid(f"'place.page' is not the number of a page, from 1 to {_MAX_PAGE:,}")
    if text is not None and not (isinstance(text, str) and len(text) <= _MAX_CHARS):
        raise _Invalid(f"'place.text' is not a text of at most {_MAX_CHARS:,} characters")
    if bounds is None:
        return
    if not (isinstance(bounds, dict) and bounds.keys() == {*_CORNERS, *_SIZES}):
        raise _Invalid(f"'place.bounds' is not an object with {', '.join((*_CORNERS, *_SIZES))}")
    corners = [bounds[name] for name in _CORNERS]
    if not all(isinstance(corner, dict) and corner.keys() == {"x", "y"} for corner in corners):
        raise _Invalid("a corner of 'place.bounds' is not an object with 'x' and 'y'")
    numbers = [*(corner[axis] for corner in corners for axis in "xy"), *(bounds[name] for name in _SIZES)]
    if not all(type(number) in (int, float) and abs(number) <= _MAX_COORDINATE for number in numbers):
        raise _Invalid(f"'place.bounds' has a coordinate that is not a number up to {_MAX_COORDINATE:,}")


def _text(body: Json, name: str, limit: int = 4096) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > limit:
        raise _Invalid(f"'{name}' is not a text of at most {limit} characters")
    return value


_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def _json(value: Any) -> Response:
    return JSONResponse(value, headers=_PRIVATE)


def _problem(_: Request, error: Exception) -> Response:
    status = next(status for kind, status in _STATUSES.items() if isinstance(error, kind))
    message = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
    return JSONResponse({"error": {"message": message}}, status, headers=_PRIVATE)
