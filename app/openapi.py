"""The OpenAPI description: what the routes say of themselves, made whole."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app.errors import ApiError
from app.middleware import PROBES

_SCHEMAS = "#/components/schemas/"
_DEFS = "#/$defs/"
_INTRODUCTION = """\
One OpenAI-compatible endpoint over local specialist models. Any OpenAI SDK works with this server's `/v1` as its
`base_url`.

Where the server has keys, **Authorize** with one of them first; without keys, send any or none.
"""
_TAGS = {
    "chat": "Run tasks and the full model: everything goes through here.",
    "audio": "Speech, in the form of OpenAI's audio routes.",
    "moderations": "What the guard makes of texts and pictures.",
    "files": "Upload once, name by id.",
    "models": "The names that a request may ask for.",
    "health": "Probes; they need no key.",
}


class Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = _described(self)
        return self.openapi_schema


def json_body(model: type[BaseModel], examples: Mapping[str, object]) -> dict[str, Any]:
    """A route's `openapi_extra` for a body that it reads by itself. `examples` are requests by what they are for."""
    named = {
        f"example-{number}": {"summary": name, "value": value}
        for number, (name, value) in enumerate(examples.items(), 1)
    }
    content = {"schema": model.model_json_schema(), "examples": named}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _described(app: FastAPI) -> dict[str, Any]:
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
            for content in operation.get("requestBody", {}).get("content", {}).values():
                content["schema"] = _shared(content["schema"], schemas)
            # Bad parameters are answered as all else is, and not as FastAPI would.
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"$ref": "#/components/responses/Error"}
            if path in PROBES:
                operation["security"] = []
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


def _shared(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A reference to `schema`, which moves to the components with all that it defines. Names of definitions begin with
    the schema's own: a request's `Message` is not an answer's."""
    title: str | None = schema.get("title")
    if title is None:
        return schema
    definitions = schema.get("$defs", {})
    whole = {key: value for key, value in schema.items() if key != "$defs"}
    for name, definition in {"": whole, **definitions}.items():
        schemas[title + name] = _renamed(definition, title)
    return {"$ref": f"{_SCHEMAS}{title}"}


def _renamed(value: Any, title: str) -> Any:
    """`value` with its references to definitions, and those of discriminators, led to the components."""
    match value:
        case dict():
            return {key: _renamed(item, title) for key, item in value.items()}
        case list():
            return [_renamed(item, title) for item in value]
        case str() if value.startswith(_DEFS):
            return f"{_SCHEMAS}{title}{value.removeprefix(_DEFS)}"
        case _:
            return value
