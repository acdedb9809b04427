"""Encodes long texts and large results as JSON in pieces.

While the encoder escapes a text, which takes 0.1 s for 20 MB, or writes the words of pages, which takes as long for
100,000 of them, all other threads of the process have to wait.
"""

import codecs
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Self

import pydantic_core
from pydantic import BaseModel

from app.wire.response import ChatCompletion, PrecontextEntry
from models.fair_executor import Slices

PIECE = 64 * 1024
"""Texts are encoded in pieces of this many characters, between which other threads may run."""
PAUSE_S = 1e-5
"""Length of the pause after each piece, in seconds."""
_ITEMS_AT_ONCE = 50
"""At most this many items of a list are encoded together, such as the lines of a page."""
_LEVELS = 3
"""A result has a list of sections, and each section a list of lines."""


@dataclass(frozen=True, slots=True)
class LongText:
    """A long text whose JSON is made once, however many values contain the text."""

    placeholder: str
    """Text that nobody can guess and that stands for the long text in values."""
    json: bytes

    @classmethod
    def of(cls, text: str) -> Slices[Self]:
        """Return `text`, encoded in slices."""
        pieces: list[bytes] = []
        for piece in _text_pieces(text):
            pieces.append(piece)
            yield
        return cls(secrets.token_hex(16), b"".join(pieces))

    def in_json_of(self, value: Any) -> Iterator[bytes]:
        """Yield the pieces of the JSON of `value`, which contains the placeholder once. One of them is the long text,
        which is not copied."""
        return _replaced(nested_pieces(value), self.placeholder, [self.json])


def _replaced(pieces: Iterable[bytes], placeholder: str, json: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `pieces`, with the pieces `json` in the place of the text `placeholder`, which they contain once."""
    for piece in pieces:
        before, found, after = piece.partition(f'"{placeholder}"'.encode())
        yield before
        if found:
            yield from json
            yield after


def object_pieces(value: Any) -> Iterator[bytes]:
    """Yield the JSON of `value`, whose dicts have names of text. A large dict is encoded member by member, a large list
    a few items at a time, and a long text piece by piece, because no other thread runs while one is encoded."""
    if not _is_large(value):
        yield pydantic_core.to_json(value)
    elif isinstance(value, str):
        yield from _text_pieces(value)
    elif isinstance(value, dict):
        before = b"{"
        for name, member in value.items():
            yield before + pydantic_core.to_json(name) + b":"
            yield from object_pieces(member)
            before = b","
        yield b"}"
    else:
        yield from _list_pieces(value)


def _list_pieces(items: list[Any]) -> Iterator[bytes]:
    before = b"["
    for are_large, run in groupby(items, lambda item: _is_large(item, _LEVELS - 1)):
        while some := list(islice(run, 1 if are_large else _ITEMS_AT_ONCE)):
            yield before
            yield from object_pieces(some[0]) if are_large else (pydantic_core.to_json(some)[1:-1],)
            before = b","
    yield b"]"


def _is_large(value: Any, levels: int = _LEVELS) -> bool:
    """True for a long text, a list of many items, or one that contains such a value within `levels` levels."""
    match value:
        case str():
            return is_long(value)
        case dict():
            return levels > 0 and any(_is_large(member, levels - 1) for member in value.values())
        case list():
            return len(value) > _ITEMS_AT_ONCE or (levels > 0 and any(_is_large(item, levels - 1) for item in value))
    return False


def nested_pieces(value: Any) -> Iterator[bytes]:
    """Yield the JSON of `value`, which consists of models, dicts, lists and plain values. Long texts anywhere in it are
    encoded piece by piece, and so are large results of specialists. A text may also be a view of its UTF-8."""
    placeholder = ""
    left_out: list[Iterator[bytes]] = []

    def leave_out(pieces: Iterator[bytes]) -> str:
        nonlocal placeholder
        left_out.append(pieces)
        # Only a few values have a long text, and to ask the system for random bytes takes longer than the rest.
        placeholder = placeholder or secrets.token_hex(16)
        return placeholder

    def hollow(part: Any) -> Any:
        match part:
            case str() | memoryview() if len(part) > PIECE:
                return leave_out(_text_pieces(part))
            case memoryview():
                return str(part, "utf-8")
            case dict():
                return {name: hollow(member) for name, member in part.items()}
            case list():
                return [hollow(item) for item in part]
            case PrecontextEntry(result=result):
                return (
                    part.model_copy(update={"result": leave_out(object_pieces(result))}) if _is_large(result) else part
                )
            case BaseModel():
                # In the order of the JSON.
                return part.model_copy(update={name: hollow(getattr(part, name)) for name in type(part).model_fields})
        return part

    json = pydantic_core.to_json(hollow(value))
    first, *others = json.split(f'"{placeholder}"'.encode()) if left_out else [json]
    yield first
    for pieces, after in zip(left_out, others, strict=True):
        yield from pieces
        yield after


def completion_json(answer: ChatCompletion, texts: Sequence[str] = ()) -> Slices[list[bytes]]:
    """Return the JSON of an answer in pieces, encoded in slices. If there are `texts`, they are the pieces of its text.

    They are never joined, because no other thread runs while a text of megabytes is copied.
    """
    if not texts:
        return listed_in_slices(nested_pieces(answer))
    placeholder = secrets.token_hex(16)
    [choice] = answer.choices
    message = choice.message.model_copy(update={"content": placeholder})
    hollow = answer.model_copy(update={"choices": [choice.model_copy(update={"message": message})]})
    return listed_in_slices(_replaced(nested_pieces(hollow), placeholder, _text_pieces(texts)))


def listed_in_slices(pieces: Iterable[bytes]) -> Slices[list[bytes]]:
    """Return a list of `pieces`, and pause after each."""
    found = []
    for piece in pieces:
        found.append(piece)
        yield
    return found


def joined_in_slices(pieces: Iterable[bytes]) -> Slices[bytes]:
    """Return `pieces` as one, and pause after each."""
    return b"".join((yield from listed_in_slices(pieces)))


def is_long(value: object) -> bool:
    """True for a text that is encoded in pieces."""
    return isinstance(value, str) and len(value) > PIECE


def _text_pieces(text: str | memoryview | Sequence[str]) -> Iterator[bytes]:
    """Yield the JSON of a text, which may be a view of its UTF-8 or a sequence of its pieces."""
    yield b'"'
    decoder = codecs.getincrementaldecoder("utf-8")()
    for part in (text,) if isinstance(text, str | memoryview) else text:
        for start in range(0, len(part), PIECE):
            piece = part[start : start + PIECE]
            yield pydantic_core.to_json(piece if isinstance(piece, str) else decoder.decode(piece))[1:-1]
            # Without a pause, another thread would wait for Python's whole switch interval each time that it needs
            # Python's lock.
            time.sleep(PAUSE_S)
    yield b'"'
