"""Server-sent events, to the byte."""

from collections.abc import Mapping

import pydantic_core
from pydantic import BaseModel

PING = b": ping\n\n"
DONE = b"data: [DONE]\n\n"


def data(chunk: BaseModel) -> bytes:
    return b"data: " + chunk.__pydantic_serializer__.to_json(chunk) + b"\n\n"


def error(body: Mapping[str, object]) -> bytes:
    return b"event: error\ndata: " + pydantic_core.to_json(body) + b"\n\n"


def progress(stage: str, done: int, total: int) -> bytes:
    """A comment line, which clients that do not know it skip."""
    return b": progress " + pydantic_core.to_json({"stage": stage, "done": done, "total": total}) + b"\n\n"
