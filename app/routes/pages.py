"""Pages for people: GET / is the playground, and GET /docs shows the API.

The pages need no key and load nothing from other hosts. GET /llms.txt describes the server to language models.
"""

import base64
import gzip
import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response

from app.access.key_file import CHAT
from app.assembly.services import Services
from app.errors import NotFound
from app.mcp.mount import MCP_PATH
from app.runnable_commands import adapt_for_client
from models.safety.guard import HAZARDS

_APP = Path(__file__).parents[1]
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
"""Files of Swagger UI from the package fastapi-swagger, with their types."""
_ASSETS_AGE_S = 3600
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)

PLAYGROUND = _APP / "playground"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "media-src": "blob:",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
"""Content security policy of the playground: a model's text can neither run as a script nor reach another host."""
_WORKER_POLICY = {"default-src": "'none'", "script-src": "'self' 'wasm-unsafe-eval'", "connect-src": "'self'"}
"""Content security policy of the worker that draws pages of PDFs. Its image decoders are WebAssembly; it cannot touch
the page."""
_WORKER = "pdfjs/pdf.worker.min.mjs"
_PATHS = {"docs": "/docs", "openapi": "/openapi.json", "ready": "/ready", "models": "/v1/models"}
"""Paths in the answer to programs that request `/`, by name."""
_CAPITALS = {"gui": "GUI", "ocr": "OCR"}

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def playground(request: Request) -> Response:
    """The playground for browsers; programs get a list of paths."""
    services: Services = request.app.state.services
    if request.method == "HEAD" or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"name": "openfaze", "version": version("openfaze"), **_PATHS}, headers={"vary": "accept"})
    if not services.settings.playground:
        raise NotFound("Unknown route: GET /")
    await services.runtime.look()
    filled = {
        "version": version("openfaze"),
        "key_hint": "This server asks for one" if services.keys.are_required else "Not needed here",
        "tasks": "\n".join(_options(services)),
        "codes": "\n".join(
            f'<label title="{html.escape(hazard)}"><input type="checkbox" value="{code}">{code}'
            f" {html.escape(hazard)}</label>"
            for code, hazard in HAZARDS.items()
        ),
    }
    return page_response(request, _fill_template(PLAYGROUND / "index.html", filled), POLICY)


@router.get("/playground/{name:path}")
def playground_file(request: Request, name: str) -> Response:
    """A file of the playground. Browsers revalidate it each time, so that page and modules are of one version."""
    services: Services = request.app.state.services
    if not services.settings.playground:
        raise NotFound("Unknown route: GET /playground/…")
    return playground_response(request, name)


def playground_response(request: Request, name: str) -> Response:
    """Return a file of the playground, or status 304 if the browser's copy is up to date. Raises NotFound."""
    if name not in _playground_files():
        raise NotFound("Unknown route: GET /playground/…")
    kept = _read_playground_file(name)
    headers = {"cache-control": "no-cache", "etag": kept.etag, "x-content-type-options": "nosniff"}
    if name == _WORKER:
        headers["content-security-policy"] = _policy_header(_WORKER_POLICY)
    if request.headers.get("if-none-match") == kept.etag:
        return Response(status_code=304, headers=headers)
    headers["vary"] = "accept-encoding"
    content = kept.content
    if "gzip" in request.headers.get("accept-encoding", "") and len(kept.packed) < len(content):
        headers["content-encoding"], content = "gzip", kept.packed
    return Response(content, headers=headers, media_type=_TYPES[Path(name).suffix])


@router.get("/docs")
async def docs_page(request: Request) -> Response:
    text = _text(_APP / "pages" / "docs.html")
    return page_response(request, text, POLICY | {"media-src": "'none'", **_inline_policy(text)})


@router.get("/docs/{name}")
async def docs_asset(name: str) -> Response:
    if name not in _ASSETS:
        raise NotFound(f"Unknown route: GET /docs/{name}")
    headers = {"cache-control": f"public, max-age={_ASSETS_AGE_S}", "x-content-type-options": "nosniff"}
    return FileResponse(_asset(name), media_type=_ASSETS[name], headers=headers)


@router.get("/llms.txt")
def llms_text(request: Request) -> Response:
    # Imported late, because making the types of all results takes a tenth of the time that the server needs to start.
    from app.mcp.tools import EXTRACT, offered

    services: Services = request.app.state.services
    tasks = [tool for tool in offered(services.public_tasks) if tool.name != EXTRACT]
    endpoints = [
        f"- `{method.upper()} {path}`: {_first_sentence(operation['description'])}"
        for path, operations in request.app.openapi()["paths"].items()
        for method, operation in operations.items()
    ]
    endpoints.append(f"- `POST {MCP_PATH}`: The tasks as tools of the Model Context Protocol.")
    filled = {
        "version": version("openfaze"),
        "tasks": "\n".join(f"- `{tool.name}`: {tool.description}" for tool in tasks),
        "endpoints": "\n".join(endpoints),
    }
    headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
    return PlainTextResponse(_fill_template(_APP / "pages" / "llms.txt", filled), headers=headers)


def _fill_template(path: Path, values: Mapping[str, str]) -> str:
    """Return the text of a page with its `{{names}}` replaced."""
    return re.sub(r"\{\{(\w+)\}\}", lambda place: values[place[1]], _text(path))


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", text.strip(), maxsplit=1)[0].replace("\n", " ")


@cache
def _asset(name: str) -> Path:
    with as_file(files("fastapi_swagger.resources") / name) as path:
        return path


@dataclass(frozen=True, slots=True)
class _PlaygroundFile:
    content: bytes
    packed: bytes
    etag: str


@cache
def _playground_files() -> frozenset[str]:
    """Return the paths of the playground's files below its folder."""
    found = (path for path in PLAYGROUND.rglob("*") if path.suffix in _TYPES)
    return frozenset(path.relative_to(PLAYGROUND).as_posix() for path in found)


@cache
def _read_playground_file(name: str) -> _PlaygroundFile:
    content = (PLAYGROUND / name).read_bytes()
    return _PlaygroundFile(content, gzip.compress(content, mtime=0), _etag(content))


def page_response(request: Request, text: str, policy: dict[str, str]) -> Response:
    content = text.encode()
    headers = {
        "content-security-policy": _policy_header(policy),
        "cache-control": "no-cache",
        "etag": _etag(content),
        "referrer-policy": "no-referrer",
        # Links may come from a model. The browser must not look up a link's host before somebody follows the link.
        "x-dns-prefetch-control": "off",
        "vary": "accept",
        "x-content-type-options": "nosniff",
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="text/html")


def _options(services: Services) -> Iterator[str]:
    """Yield an HTML option for each task, with a remedy if no engine here serves it."""
    remedies = {state.capability: state.remedy for state in services.runtime.states()}
    capabilities = {CHAT: "llm"} | {task: task for task in services.public_tasks}
    for name, capability in capabilities.items():
        remedy = remedies.get(capability)
        note = f"Nothing serves it here. {remedy}" if remedy else ""
        yield f'<option value="{name}" data-note="{html.escape(adapt_for_client(note))}">{_task_title(name)}</option>'


def _task_title(task: str) -> str:
    if task == CHAT:
        return "Ask the full model"
    first, *rest = task.split("_")
    return " ".join([_CAPITALS.get(first, first.capitalize()), *rest])


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _policy_header(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {allowed}" for directive, allowed in policy.items())


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8")


@cache
def _inline_policy(text: str) -> dict[str, str]:
    """Return the directives that permit the scripts and styles inside the page."""
    sources: dict[str, str] = {"script": "'self'", "style": "'self'"}
    for kind, content in _INLINE.findall(text):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        sources[kind] += f" 'sha256-{digest}'"
    return {f"{kind}-src": allowed for kind, allowed in sources.items()}
