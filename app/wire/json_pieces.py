"""Encodes long texts as JSON in pieces.

While the encoder escapes a text, which takes 0.1 s for 20 MB, all other threads of the process have to wait.
"""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import pydantic_core

from app.wire.response import ChatCompletion

PIECE = 64 * 1024
"""Texts are encoded in pieces of this many characters, between which other threads may run."""
PAUSE_S = 1e-5
"""Length of the pause after each piece, in seconds."""


def object_pieces(value: Any) -> Iterator[bytes]:
    """Yield the JSON of `value`. A dict is encoded member by member, and long texts in it piece by piece."""
    if not isinstance(value, dict) or not any(map(_is_long, value.values())):
        yield pydantic_core.to_json(value)
        return
    before = b"{"
    for name, member in value.items():
        yield before + pydantic_core.to_json(name) + b":"
        yield from _text_pieces(member) if _is_long(member) else (pydantic_core.to_json(member),)
        before = b","
    yield b"}"


def completion_json(answer: ChatCompletion) -> bytes:
    """Return the JSON of an answer. If its text is long, the text is encoded in pieces."""
    [choice] = answer.choices
    content = choice.message.content
    if content is None or not _is_long(content):
        return pydantic_core.to_json(answer)
    placeholder = secrets.token_hex(16)
    message = choice.message.model_copy(update={"content": placeholder})
    hollow = answer.model_copy(update={"choices": [choice.model_copy(update={"message": message})]})
    before, _, after = pydantic_core.to_json(hollow).partition(f'"{placeholder}"'.encode())
    return b"".join([before, *_text_pieces(content), after])


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value) > PIECE


def _text_pieces(text: str) -> Iterator[bytes]:
    yield b'"'
    for start in range(0, len(text), PIECE):
        yield pydantic_core.to_json(text[start : start + PIECE])[1:-1]
        # Without a pause, another thread would wait for Python's whole switch interval each time that it needs Python's
        # lock.
        time.sleep(PAUSE_S)
    yield b'"'
