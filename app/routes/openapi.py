"""Builds the OpenAPI description of all routes, and adds the parts that FastAPI cannot derive."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from typing import Any, ClassVar

import pydantic_core
from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from app.errors import ApiError
from app.middleware import PROBES
from models.concurrency import SharedRun

_SCHEMAS = "#/components/schemas/"
_DEFS = "#/$defs/"
_BODIES: dict[str, Callable[[], dict[str, Any]]] = {}
"""Functions that make the schemas of bodies that routes parse themselves, by the schemas' names."""
_INTRODUCTION = """\
One OpenAI-compatible endpoint over local specialist models. Any OpenAI SDK works with this server's `/v1` as its
`base_url`.

If the server has keys, **Authorize** with one of them first. If it has none, send any key or none.
"""
_TAGS = {
    "chat": "Run tasks and the full model: everything goes through here.",
    "responses": "The same as chat, in the form of OpenAI's newer API, with responses that are kept.",
    "embeddings": "Vectors of texts, to find what means the same.",
    "audio": "Speech, in the form of OpenAI's audio routes.",
    "moderations": "The guard's scores for texts and pictures.",
    "files": "Upload once, name by id.",
    "batches": "Many requests in one file, run while the server has time for them.",
    "models": "The names that a request may ask for.",
    "health": "Probes; they need no key.",
    "metrics": "For Prometheus.",
}


class Api(FastAPI):
    _describing: ClassVar = threading.Lock()
    """Lock for making the description: pydantic fails if two threads make schemas of the same models at once."""

    def setup(self) -> None:
        """Add the route that serves the description. Its bytes are made only once, in a thread, because this takes a
        second; FastAPI's own route encodes 75 kB for each request."""
        encoding = SharedRun(lambda: asyncio.to_thread(lambda: self._encoded))

        async def described(_: Request) -> Response:
            content = self._encoded if "_encoded" in vars(self) else await encoding.join()
            return Response(content, media_type="application/json")

        self.add_route("/openapi.json", described, include_in_schema=False)

    def openapi(self) -> dict[str, Any]:
        with self._describing:
            if self.openapi_schema is None:
                self.openapi_schema = _build_description(self)
            return self.openapi_schema

    @cached_property
    def _encoded(self) -> bytes:
        return pydantic_core.to_json(self.openapi())


class DirectRoute(APIRoute):
    """Route whose endpoint reads the body by itself (see `json_body`). The endpoint takes only the request, so FastAPI
    looks for no parameters."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


def json_body(model: type[BaseModel], examples: Mapping[str, object]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that reads its body by itself. `examples` are requests, by their titles."""
    named = {
        f"example-{number}": {"summary": name, "value": value}
        for number, (name, value) in enumerate(examples.items(), 1)
    }
    content = {"schema": body_schema(model.__name__, model.model_json_schema), "examples": named}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def body_schema(name: str, make: Callable[[], dict[str, Any]]) -> dict[str, str]:
    """Return a reference to the schema of a body that a route reads by itself.

    The schema is made when the description is requested, because making it takes up to a tenth of the time that the
    server needs to start.
    """
    _BODIES[name] = make
    return {"$ref": f"{_SCHEMAS}{name}"}


def _build_description(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title=app.title,
        version=app.version,
        description=_INTRODUCTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
    )
    schemas: dict[str, Any] = described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for operation in methods.values():
            # Invalid parameters are answered like all other errors, not in FastAPI's form.
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"$ref": "#/components/responses/Error"}
            if path in PROBES:
                operation["security"] = []
    for name, make in _BODIES.items():
        schemas |= _components(name, make())
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Error"] = ApiError.SCHEMA
    described["components"] |= {
        "responses": {
            "Error": {
                "description": "What went wrong, and what to do about it.",
                "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}Error"}}},
            }
        },
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "One of the server's keys."}},
    }
    described["security"] = [{"key": []}]
    return described


def _components(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return `schema` and its definitions by names that begin with `title`.

    A request's `Message` is thus distinguished from an answer's `Message`.
    """
    definitions = schema.get("$defs", {})
    whole = {key: value for key, value in schema.items() if key != "$defs"}
    return {title + name: _rename_references(one, title) for name, one in {"": whole, **definitions}.items()}


def _rename_references(value: Any, title: str) -> Any:
    """Return `value` with its references to definitions replaced by references to the components, including those in
    discriminators."""
    match value:
        case dict():
            return {key: _rename_references(item, title) for key, item in value.items() if item is not None}
        case list():
            return [_rename_references(item, title) for item in value]
        case str() if value.startswith(_DEFS):
            return f"{_SCHEMAS}{title}{value.removeprefix(_DEFS)}"
        case _:
            return value
