"""Serves the page of a review and answers its requests. It is a separate application, because the papers are on a
person's machine and not on a server.

Every path begins with a random token, so that no other page in the browser can send requests. Only requests under this
machine's own host names are accepted, as a protection against DNS rebinding.
"""

import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app.folders.desk import TableReview
from app.folders.failures import Failed, Rejected

_STATIC = Path(__file__).parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of the page: the text of a paper can neither run as a script nor reach another host."""
_WORKER = "pdf.worker.min.mjs"
_WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
"""Content security policy of the worker that draws pages of PDFs, whose image decoders are WebAssembly."""
_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


def review_app(desk: TableReview, token: str, playground: Path) -> FastAPI:
    """Return the application; its page is at `/review/TOKEN/`. `playground` is the folder of the modules and styles
    that the page shares with the server's playground."""

    def content(name: str) -> Response:
        filename, data = desk.content(name)
        headers = _PRIVATE | {"content-security-policy": "sandbox", "content-disposition": "attachment"}
        return Response(data, headers=headers, media_type=mimetypes.guess_type(filename)[0])

    def own_file(name: str = "review.html") -> Response:
        return _file(_STATIC, name)

    def shared_file(name: str) -> Response:
        return _file(playground, name)

    router = APIRouter(prefix=f"/review/{token}", default_response_class=_PrivateResponse)
    reads: dict[str, Callable[..., Any]] = {
        "api/overview": desk.overview, "api/paper": desk.paper, "api/reading": desk.reading, "api/content": content,
        "playground/{name:path}": shared_file, "{name}": own_file, "": own_file,
    }  # fmt: skip
    writes: dict[str, Callable[..., Any]] = {
        "next": desk.next_paper, "review": desk.review, "add-row": desk.add_row, "remove-row": desk.remove_row,
        "undo": desk.undo, "export": desk.export,
    }  # fmt: skip
    for path, endpoint in reads.items():
        router.get(f"/{path}", response_model=None)(endpoint)
    for path, change in writes.items():
        router.post(f"/api/{path}", response_model=None, dependencies=[Depends(_require_json)])(change)
    problems = dict.fromkeys((Rejected, Failed, OSError, RequestValidationError), _problem)
    app = FastAPI(openapi_url=None, exception_handlers=problems)  # type: ignore[arg-type]
    app.include_router(router)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    return app


class _PrivateResponse(JSONResponse):
    """JSON that no browser keeps."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        super().init_headers({**(headers or {}), **_PRIVATE})


def _require_json(request: Request) -> None:
    """Refuse other content types. A form cannot send this one at all, and a script of another page only after a CORS
    preflight, which this server does not grant."""
    if request.headers.get("content-type") != "application/json":
        raise Rejected(400, "the content type is not application/json")


def _file(folder: Path, name: str) -> Response:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise Rejected(404, f"there is no file {name}")
    policy = _WORKER_POLICY if path.name == _WORKER else _POLICY
    return FileResponse(path, headers=_PRIVATE | {"content-security-policy": policy})


def _problem(_: Request, error: Exception) -> Response:
    match error:
        case Rejected():
            status, message = error.status, str(error)
        case RequestValidationError():
            first = error.errors()[0]
            status, message = 400, f"'{first['loc'][-1]}': {first['msg']}"
        case OSError():
            status, message = 500, f"{error.filename}: {error.strerror}"
        case _:
            status, message = 422, str(error)
    return _PrivateResponse({"error": {"message": message}}, status)
