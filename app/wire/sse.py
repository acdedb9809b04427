"""Encodes server-sent events. No other module knows their encoding."""

from collections.abc import Iterable, Mapping

import pydantic_core
from pydantic import BaseModel

PING = b": ping\n\n"
"""Comment line that keeps a silent stream open."""
DONE = b"data: [DONE]\n\n"
"""Last event of a stream; OpenAI's clients expect it."""
_LARGE = 64 * 1024
"""A piece of a stream that has at least this many bytes is not copied."""


def event_pieces(*data: bytes, name: bytes = b"") -> tuple[bytes, ...]:
    """Return the pieces of an event whose JSON consists of the pieces `data`. No piece may contain a line break. If
    `name` is empty, the event has no name."""
    head = b"event: %b\ndata: " % name if name else b"data: "
    return (head, *data, b"\n\n")


def encode_event(*data: bytes, name: bytes = b"") -> bytes:
    """Return the event of `event_pieces` in one piece."""
    return b"".join(event_pieces(*data, name=name))


def join_small(pieces: Iterable[bytes]) -> list[bytes]:
    """Return the stream of `pieces` in fewer pieces. Large ones stay as they are, so that they are in memory once."""
    joined: list[bytes] = []
    small: list[bytes] = []
    for piece in pieces:
        if len(piece) < _LARGE:
            small.append(piece)
        else:
            joined += [b"".join(small), piece]
            small = []
    return list(filter(None, [*joined, b"".join(small)]))


def encode_model(model: BaseModel) -> bytes:
    return encode_event(model.__pydantic_serializer__.to_json(model))


def encode_error(body: Mapping[str, object]) -> bytes:
    return encode_event(pydantic_core.to_json(body), name=b"error")


def encode_progress(stage: str, done: int, total: int) -> bytes:
    """Return progress as a comment line; clients that do not know it skip it."""
    return b": progress " + pydantic_core.to_json({"stage": stage, "done": done, "total": total}) + b"\n\n"
