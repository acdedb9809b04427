"""GET / says what this server is, GET /docs shows its API: pages for people, without a key and without another host."""

import base64
import hashlib
import html
import re
from functools import cache
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from app import calling
from app.errors import NotFound
from app.services import Services

_PAGES = Path(__file__).parents[1] / "pages"
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
"""Swagger UI's files, as the package fastapi-swagger has them."""
_ASSETS_AGE_S = 3600
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_PLAIN_URL = re.compile(r"https?://[\w.:\[\]/-]+", re.ASCII)

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def front_page(request: Request) -> Response:
    """For browsers; other clients have nothing to do here."""
    if "text/html" not in request.headers.get("accept", ""):
        raise NotFound("Unknown route: GET /")
    services: Services = request.app.state.services
    keyed = services.keys.asked_for
    base_url = _base_url(request)
    return _page(
        "front.html",
        version=version("openfaze"),
        base_url=base_url,
        curl=calling.as_curl(base_url, keyed=keyed),
        keys="This server asks for a key: put one of them into OPENFAZE_API_KEY." if keyed else "",
        api_key='"<your key>"' if keyed else '"not needed"',
    )


@router.api_route("/docs", methods=["GET", "HEAD"])
async def docs_page() -> Response:
    return _page("docs.html")


@router.api_route("/docs/{name}", methods=["GET", "HEAD"])
async def docs_asset(name: str) -> Response:
    if name not in _ASSETS:
        raise NotFound(f"Unknown route: GET /docs/{name}")
    headers = {"cache-control": f"public, max-age={_ASSETS_AGE_S}", "x-content-type-options": "nosniff"}
    return FileResponse(_asset(name), media_type=_ASSETS[name], headers=headers)


@cache
def _asset(name: str) -> Path:
    with as_file(files("fastapi_swagger.resources") / name) as path:
        return path


def _page(name: str, **values: str) -> HTMLResponse:
    text, policy = _read(name)
    filled = re.sub(r"\{\{(\w+)\}\}", lambda place: html.escape(values[place[1]], quote=False), text)
    return HTMLResponse(
        filled,
        headers={
            "content-security-policy": policy,
            "cache-control": "no-cache",
            "referrer-policy": "no-referrer",
            "vary": "accept",
            "x-content-type-options": "nosniff",
        },
    )


@cache
def _read(name: str) -> tuple[str, str]:
    """A page's text, and the policy by which a browser runs and shows only what stands in it and comes from here."""
    text = (_PAGES / name).read_text()
    sources: dict[str, str] = {"script": "'self'", "style": "'self'"}
    for kind, content in _INLINE.findall(text):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        sources[kind] += f" 'sha256-{digest}'"
    policy = {
        "default-src": "'none'",
        "script-src": sources["script"],
        "style-src": sources["style"],
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return text, "; ".join(f"{directive} {allowed}" for directive, allowed in policy.items())


def _base_url(request: Request) -> str:
    """As the caller reached this server, unless that is nothing to put into a shell's line."""
    url = str(request.base_url).rstrip("/")
    if _PLAIN_URL.fullmatch(url):
        return url
    host, port = request.scope["server"]
    return f"http://{host}:{port}"
