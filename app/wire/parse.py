"""Parses a request's body without blocking other threads.

A JSON parser keeps every other thread of the process waiting while it copies a 27 MB string. Most of a large body
consists of a few such strings (base64). This module finds them by their quotes and makes views of the body instead of
copies. The parser gets a text in which placeholders stand for these strings.
"""

import codecs
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pydantic_core
from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, PayloadTooLarge
from app.wire.problems import first_problem
from models.fair_executor import FairExecutor

LONG_BYTES = 16 * 1024
"""Strings of at least this size, in bytes, are taken out of the body."""
_PLACEHOLDER = 1024
"""A placeholder has at least this many characters. This is more than any field with a maximum length allows, so that a
string that is too long for its field is refused even as a placeholder."""
_PIECE = 64 * 1024
"""A body is scanned in pieces of this many bytes, between which other threads may run. A scan of a piece takes well
below a millisecond."""

_QUOTE = ord('"')
_FIRST_PRINTABLE, _FIRST_BEYOND_ASCII = 0x20, 0x80
_STRING_CONTENT = re.compile(rb'(?:[^"\\]++|\\u[0-9a-fA-F]{4}|\\[^u])*+', re.DOTALL)
"""Content of a JSON string, up to its end or to the end of a whole escape."""
_COLON_NEXT = re.compile(rb"[ \t\r\n]*:")
LARGE_BYTES = 256 * 1024
"""A body of at least this size, in bytes, is parsed in a thread and without its long strings."""
MAX_VALUES = 50_000
"""A large body may have at most this many values. A parsed value may take a hundred times the bytes that it has in
JSON. Parsing this many values takes 40 ms, and no other thread runs during this time."""


class TooManyValues(Exception):
    """Raised if the text contains more values than allowed."""


def least_quotes(piece: bytes | bytearray) -> int:
    """Return a lower bound of the number of quotation marks in `piece` that begin or end a string."""
    quotes = piece.count(b'"')
    return max(0, quotes - piece.count(b'\\"') - 1) if quotes > 1 else 0


def too_many_values(max_values: int = MAX_VALUES) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request's JSON has more than {max_values} values.")


@dataclass(frozen=True, slots=True)
class Shortened:
    """JSON text with a placeholder (a string that nobody can guess) for each of its long strings."""

    text: bytes | bytearray
    strings: dict[str, memoryview]
    """Long strings by placeholder, in UTF-8 and without escapes."""


def shorten(body: bytes | bytearray, *, max_values: int, long: int = LONG_BYTES, piece: int = _PIECE) -> Shortened:
    """Return `body` with placeholders for its strings of `long` bytes or more. Keys are not replaced.

    A string that is not valid JSON stays in the text, so that the parser finds the fault. The text is valid JSON if and
    only if `body` is, and means the same once the strings are put back. `body` must not change while the views of its
    strings exist.

    Raises TooManyValues for more than `max_values` strings, or for more than about `max_values` values of any kind,
    because a value that takes two bytes of JSON may take a hundred times as many once it is parsed.
    """
    secret = secrets.token_hex(16).ljust(_PLACEHOLDER, "-")
    kept: list[bytes | bytearray] = []
    strings: dict[str, memoryview] = {}
    copied = 0
    for count, (start, end, cuts) in enumerate(_strings(body, piece)):
        if count > max_values:
            raise TooManyValues
        if end - start < long or _COLON_NEXT.match(body, end + 1):
            continue
        view = _unescape(body, start, cuts) if cuts else _view_if_valid(body, start, end, piece)
        if view is not None:
            placeholder = f"{secret}{count}"
            strings[placeholder] = view
            kept += [body[copied:start], placeholder.encode()]
            copied = end
    text = b"".join([*kept, body[copied:]]) if kept else body
    if _has_more_values(text, max_values, piece):
        raise TooManyValues
    return Shortened(text, strings)


def _strings(body: bytes | bytearray, piece: int) -> Iterator[tuple[int, int, list[int]]]:
    """Yield the bounds of each string's content and, if the string has escapes, the ends of the pieces in which the
    escapes are to be replaced. Stop before a string that does not end."""
    position = 0
    while start := body.find(b'"', position) + 1:
        end = body.find(b'"', start)
        cuts: list[int] = []
        if end >= 0 and body.find(b"\\", start, end) >= 0:
            cuts = list(_cuts(body, start, piece))
            end = cuts[-1]
        if end < 0 or body[end : end + 1] != b'"':
            return
        yield start, end, cuts
        position = end + 1


def _cuts(body: bytes | bytearray, start: int, piece: int) -> Iterator[int]:
    """Yield the ends of a string's pieces, none of them within an escape or a character. The last end is the position
    of the closing quote, or of the first fault."""
    while match := _STRING_CONTENT.match(body, start, start + piece):
        cut = match.end()
        while start < cut < len(body) and _is_inside_a_character(body[cut]):
            cut -= 1
        yield cut
        if cut in (start, len(body)) or body[cut] == _QUOTE:
            return
        start = cut


def _is_inside_a_character(byte: int) -> bool:
    """True if `byte` continues a character of UTF-8."""
    return byte & 0xC0 == 0x80


def _view_if_valid(body: bytes | bytearray, start: int, end: int, piece: int) -> memoryview | None:
    """Return a view of the bytes; None if they are not valid in a JSON string."""
    view = memoryview(body)[start:end].toreadonly()
    codes = np.frombuffer(view, np.uint8)
    if codes.min() < _FIRST_PRINTABLE:
        return None
    if codes.max() >= _FIRST_BEYOND_ASCII:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for index in range(0, len(view), piece):
                decoder.decode(view[index : index + piece], final=index + piece >= len(view))
        except UnicodeDecodeError:
            return None
    return view


def _unescape(body: bytes | bytearray, start: int, cuts: list[int]) -> memoryview | None:
    """Return a copy of the string with its escapes replaced; None if an escape is invalid."""
    text = bytearray()
    try:
        for cut in cuts:
            text += str(pydantic_core.from_json(b'"' + body[start:cut] + b'"')).encode()
            start = cut
    except ValueError:
        return None
    return memoryview(text).toreadonly()


def _has_more_values(text: bytes | bytearray, limit: int, piece: int) -> bool:
    """True if `text` has more than about `limit` values, estimated by its commas and brackets."""
    count = 0
    for start in range(0, len(text), piece):
        part = text[start : start + piece]
        count += part.count(b",") + part.count(b"[") + part.count(b"{")
        if count > limit:
            return True
    return False


RequestT = TypeVar("RequestT", bound=BaseModel)


async def parse_off_loop(kind: type[RequestT], body: bytearray, threads: FairExecutor) -> RequestT:
    """Parse a body with `parse`, in `threads` if it is large."""
    return parse(kind, body) if len(body) < LARGE_BYTES else await threads.run(parse, kind, body)


def parse(kind: type[RequestT], body: bytes | bytearray, max_values: int = MAX_VALUES) -> RequestT:
    """Return the request of `kind` in `body`. Its media may be views of `body`, which must therefore not change
    afterwards.

    Raises BadRequest, naming the field and the bound, and PayloadTooLarge for a large body of more than about
    `max_values` values.
    """
    try:
        return _validate(kind, body) if len(body) < LARGE_BYTES else _without_long_strings(kind, body, max_values)
    except ValidationError as error:
        problem = first_problem(error)
        code = None if problem.is_json else "invalid_json"
        raise BadRequest(problem.message, code=code, param=problem.path) from None


def _without_long_strings(kind: type[RequestT], body: bytes | bytearray, max_values: int) -> RequestT:
    try:
        short = shorten(body, max_values=max_values)
    except TooManyValues:
        raise too_many_values(max_values) from None
    try:
        request = _validate(kind, short.text, short.strings)
    except ValidationError as error:
        if first_problem(error).is_json:
            raise
        return _validate(kind, body)  # the error about the whole body states the true position of the mistake
    restore_strings(request, short.strings)
    return request


def _validate(
    kind: type[RequestT], text: bytes | bytearray, strings: Mapping[str, memoryview] | None = None
) -> RequestT:
    return kind.model_validate_json(text, context=strings)


def restore_strings(value: Any, strings: Mapping[str, memoryview]) -> Any:
    """Return `value` with the long strings in place of those placeholders that validation has not replaced by views.
    Models, dicts and lists are changed in place."""
    match value:
        case str():
            return str(strings[value], "utf-8") if value in strings else value
        case BaseModel():
            for fields in filter(None, (value.__dict__, value.__pydantic_extra__)):
                restore_strings(fields, strings)
        case dict():
            for key in value:
                value[key] = restore_strings(value[key], strings)
        case list():
            value[:] = [restore_strings(item, strings) for item in value]
    return value
