"""Writes server-sent events: the only place that knows how they look in bytes."""

from collections.abc import Mapping

import pydantic_core
from pydantic import BaseModel

PING = b": ping\n\n"
"""A comment line, which keeps a silent stream open."""
DONE = b"data: [DONE]\n\n"
"""The last event of a stream, as OpenAI's clients expect it."""


def encode_event(*data: bytes, name: bytes = b"") -> bytes:
    """An event with the JSON whose pieces are `data`, which hold no line break; with a `name` where it has one."""
    head = b"event: %b\ndata: " % name if name else b"data: "
    return b"".join((head, *data, b"\n\n"))


def encode_model(model: BaseModel) -> bytes:
    return encode_event(model.__pydantic_serializer__.to_json(model))


def encode_error(body: Mapping[str, object]) -> bytes:
    return encode_event(pydantic_core.to_json(body), name=b"error")


def encode_progress(stage: str, done: int, total: int) -> bytes:
    """Progress as a comment line, which clients that do not know it skip."""
    return b": progress " + pydantic_core.to_json({"stage": stage, "done": done, "total": total}) + b"\n\n"
