"""Encodes server-sent events. No other module knows their encoding."""

from collections.abc import Mapping

import pydantic_core
from pydantic import BaseModel

DONE = b"data: [DONE]\n\n"
"""Last event of a stream; OpenAI's clients expect it."""


def encode_event(*data: bytes, name: bytes = b"") -> bytes:
    """Return the event whose JSON consists of the pieces `data`, which contain no line break. If `name` is empty, the
    event has no name."""
    head = b"event: %b\ndata: " % name if name else b"data: "
    return b"".join((head, *data, b"\n\n"))


def encode_model(model: BaseModel) -> bytes:
    return encode_event(model.__pydantic_serializer__.to_json(model))


def encode_error(body: Mapping[str, object]) -> bytes:
    return encode_event(pydantic_core.to_json(body), name=b"error")


def encode_progress(stage: str, done: int, total: int) -> bytes:
    """Return progress as a comment line; clients that do not know it skip it."""
    return b": progress " + pydantic_core.to_json({"stage": stage, "done": done, "total": total}) + b"\n\n"
