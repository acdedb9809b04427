"""Parses a request's body without blocking other threads.

A JSON parser keeps every other thread of the process waiting while it copies a 27 MB string. Most of a large body
consists of a few such strings (base64). This module finds them by their quotes and makes views of the body instead of
copies. The parser gets a text in which placeholders stand for these strings.
"""

import codecs
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import pydantic_core
from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, PayloadTooLarge
from app.wire.problems import first_problem
from models.fair_executor import FairExecutor
from tasks.inputs.limits import MB, megabytes

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
_FIRST_BEYOND_LATIN_1, _FIRST_BEYOND_16_BITS = 0xC4, 0xF0
"""Lowest first bytes, in UTF-8, of the characters from U+0100 and from U+10000 on."""
_STRING_CONTENT = re.compile(
    rb'(?:[^"\\]++'
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4}"
    rb"|\\u(?![dD][89abAB])[0-9a-fA-F]{4}"
    rb"|\\[^u])*+",
    re.DOTALL,
)
"""Content of a JSON string, up to its end or to the end of a whole escape. Two escapes that are one character together
count as one escape."""
_COLON_NEXT = re.compile(rb"[ \t\r\n]*:")
_POSITION = re.compile(r"at line (\d+) column (\d+)$")
"""End of a parser's message. Columns count bytes."""
LARGE_BYTES, MANY_VALUES = 256 * 1024, 2_000
"""A body of at least LARGE_BYTES bytes or about MANY_VALUES values is large: it is parsed in a thread and without its
long strings. An empty list takes three bytes, and longer to parse than a hundred bytes of text."""
MAX_VALUES = 50_000
"""A large body may have at most this many values. A parsed value may take a hundred times the bytes that it has in
JSON. Parsing this many values takes 40 ms, and no other thread runs during this time."""
MAX_SHORT_BYTES = 8 * MB
"""A large body may have at most this many bytes beside its long strings. Parsing so many bytes of escapes takes 40 ms,
and no other thread runs during this time."""
MAX_DIGITS = 400
"""A number in a large body may have at most this many digits in a row. The time to parse a whole number grows with the
square of its digits. No number that a double holds has more than 309 digits before its point."""
VALUE_BYTES = 1024
"""A value of a large body counts as this many bytes: a message of few characters, with the item that it was made of,
takes 2 kB for its three values."""
TEXT_COPIES = 2
"""A text may be in memory as often: as it was sent, and without directives or between others."""
_ANY_DIGIT_AS_0 = bytes.maketrans(b"123456789", b"0" * 9)
_TOO_MANY_DIGITS = b"0" * (MAX_DIGITS + 1)


def is_large(body: bytes | bytearray, values: int = 0) -> bool:
    """True if a body is to be parsed in a thread, after `values` values that were parsed for the same request."""
    return len(body) >= LARGE_BYTES or values + _count_values(body, MANY_VALUES) >= MANY_VALUES


def count_values(text: bytes | bytearray) -> int:
    """Return about the number of values in a JSON text: its commas and opening brackets outside of strings."""
    outside = _outside_strings(text, _PIECE)
    return _count_values(outside, len(outside))


class TooMuchJson(Exception):
    """Raised if JSON has more values, more digits in a number, or more bytes beside its long strings, than allowed. The
    message completes a sentence whose subject is the JSON."""


def least_quotes(piece: bytes | bytearray) -> int:
    """Return a lower bound of the number of quotation marks in `piece` that begin or end a string."""
    if b'"' not in piece:  # ten times as fast as to count, and most pieces of a large body are base64
        return 0
    quotes = piece.count(b'"')
    return max(0, quotes - piece.count(b'\\"') - 1) if quotes > 1 else 0


def too_many_values(max_values: int = MAX_VALUES) -> TooMuchJson:
    return TooMuchJson(f"has more than {max_values} values")


def as_refusal(error: TooMuchJson) -> PayloadTooLarge:
    """Return the refusal of a request whose JSON is too much."""
    return PayloadTooLarge(f"The request's JSON {error}.")


@dataclass(frozen=True, slots=True)
class Shortened:
    """JSON text with a placeholder (a string that nobody can guess) for each of its long strings."""

    text: bytes | bytearray
    strings: dict[str, memoryview] = field(default_factory=dict)
    """Long strings by placeholder, in UTF-8 and without escapes."""
    removed: Sequence[tuple[int, int]] = ()
    """Position of each placeholder in `text`, with the number of bytes by which its string is longer in the body."""

    def fault(self, message: str) -> str:
        """Return a parser's message about `text` with the position of the fault in the whole body."""
        found = _POSITION.search(message)
        if found is None or not self.removed:
            return message
        line, column = int(found[1]), int(found[2])
        begin = 0
        if line > 1:
            # No long string has a line break, so a fault is in the same line of the body.
            begin = int(np.flatnonzero(np.frombuffer(self.text, np.uint8) == ord("\n"))[line - 2]) + 1
        missing = sum(size for position, size in self.removed if begin <= position < begin + column)
        return f"{message[: found.start()]}at line {line} column {column + missing}"


def shorten(
    body: bytes | bytearray,
    *,
    max_values: int,
    max_short: int = MAX_SHORT_BYTES,
    long: int = LONG_BYTES,
    piece: int = _PIECE,
) -> Shortened:
    """Return `body` with placeholders for its strings of `long` bytes or more. Keys are not replaced.

    The text is valid JSON if and only if `body` is, and means the same once the strings are put back. `body` must not
    change while the views of its strings exist.

    Raises ValueError for a long string that is not valid JSON, and for a string without an end. Raises TooMuchJson for
    more than `max_short` bytes beside the long strings, for a number of more than MAX_DIGITS digits, for more than
    `max_values` strings, and for more than about `max_values` values of any kind, because a value that takes two bytes
    of JSON may take a hundred times as many once it is parsed.
    """
    secret = secrets.token_hex(16).ljust(_PLACEHOLDER, "-")
    kept: list[bytes | bytearray] = []
    strings: dict[str, memoryview] = {}
    removed: list[tuple[int, int]] = []
    copied = short = length = 0
    for count, (start, end, cuts) in enumerate(_strings(body, piece)):
        if count > max_values:
            raise too_many_values(max_values)
        if short + start - copied > max_short:
            raise _too_many_bytes(max_short, long)
        is_ended = body[end : end + 1] == b'"'
        if is_ended and (end - start < long or _COLON_NEXT.match(body, end + 1)):
            continue
        placeholder = f"{secret}{count}"
        strings[placeholder] = _unescaped(body, start, end, cuts, piece)
        kept += [body[copied:start], placeholder.encode()]
        short += start - copied
        length += start - copied
        removed.append((length, end - start - len(placeholder)))
        length += len(placeholder)
        copied = end
    if short + len(body) - copied > max_short:
        raise _too_many_bytes(max_short, long)
    text = b"".join([*kept, body[copied:]]) if kept else body
    # Signs in strings count for nothing, but most texts have few enough even with these, which is quicker to see.
    if _has_more_values(text, max_values, piece) and _has_more_values(_outside_strings(text, piece), max_values, piece):
        raise too_many_values(max_values)
    refuse_long_numbers(text, piece)
    return Shortened(text, strings, removed)


def refuse_long_numbers(text: bytes | bytearray, piece: int = _PIECE) -> None:
    """Raise TooMuchJson if `text` has a number of more than MAX_DIGITS digits in a row."""
    if _has_many_digits(text, piece) and _has_many_digits(_outside_strings(text, piece), piece):
        raise TooMuchJson(f"has a number of more than {MAX_DIGITS} digits")


def _too_many_bytes(max_short: int, long: int) -> TooMuchJson:
    return TooMuchJson(f"has more than {megabytes(max_short)} beside its texts of {long // 1024} kB or more")


def _strings(body: bytes | bytearray, piece: int) -> Iterator[tuple[int, int, list[int]]]:
    """Yield the bounds of each string's content and, if the string has escapes or does not end, the ends of the pieces
    in which the escapes are to be replaced. If a string is invalid, it is the last one, and its end is the position of
    the fault, or that of a fault behind other faults."""
    position = 0
    while start := body.find(b'"', position) + 1:
        end = body.find(b'"', start)
        cuts: list[int] = []
        if end < 0 or body.find(b"\\", start, end) >= 0:
            cuts = list(_cuts(body, start, piece))
            end = cuts[-1]
        yield start, end, cuts
        if body[end : end + 1] != b'"':
            return
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


def _unescaped(body: bytes | bytearray, start: int, end: int, cuts: Sequence[int], piece: int) -> memoryview:
    """Return the string with its escapes replaced: a view of the body if the string has none, and otherwise a copy.
    Raises ValueError, with the place of the fault, for an invalid string."""
    if not cuts:
        view = memoryview(body)[start:end].toreadonly()
        if _is_valid(view, piece):
            return view
        cuts = list(_cuts(body, start, piece))
    parts: list[bytes] = []
    for cut in cuts:
        parts.append(_unescaped_piece(body, start, body[start:cut] + b'"').encode())
        start = cut
    if body[start : start + 1] != b'"':
        rest = body[start : start + piece]
        _unescaped_piece(body, start, rest if start + piece >= len(body) else rest + b'"')
        raise ValueError("invalid string")
    # Other threads run while bytes are joined, but not while a bytearray grows.
    return memoryview(b"".join(parts))


def _unescaped_piece(body: bytes | bytearray, start: int, piece: bytes | bytearray) -> str:
    """Return the text of `piece`, which stands at `start` in the body. Raises ValueError with the place of a fault."""
    try:
        return str(pydantic_core.from_json(b'"' + piece))
    except ValueError as error:
        message = str(error)
        if found := _POSITION.search(message):
            line, column = int(found[1]), int(found[2])
            if line == 1:
                # The piece was parsed with a quote before it.
                column += start - 1 - (body.rfind(b"\n", 0, start) + 1)
            line += sum(body.count(b"\n", at, min(at + _PIECE, start)) for at in range(0, start, _PIECE))
            message = f"{message[: found.start()]}at line {line} column {column}"
        raise ValueError(message) from None


def _is_valid(view: memoryview, piece: int) -> bool:
    """True if the bytes, which have no quotes and no backslashes, are valid in a JSON string."""
    codes = np.frombuffer(view, np.uint8)
    if codes.min() < _FIRST_PRINTABLE:
        return False
    if codes.max() >= _FIRST_BEYOND_ASCII:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            for index in range(0, len(view), piece):
                decoder.decode(view[index : index + piece], final=index + piece >= len(view))
        except UnicodeDecodeError:
            return False
    return True


def _has_more_values(text: bytes | bytearray, limit: int, piece: int) -> bool:
    """True if `text` has more than about `limit` values, by `_count_values`."""
    return _count_values(text, limit + 1, piece) > limit


def _count_values(text: bytes | bytearray, most: int, piece: int = _PIECE) -> int:
    """Return about the number of values in `text`, and no more than `most`. They are estimated by commas and brackets,
    those in strings included."""
    count = 0
    for start in range(0, len(text), piece):
        part = text[start : start + piece]
        count += part.count(b",") + part.count(b"[") + part.count(b"{")
        if count >= most:
            return most
    return count


def _has_many_digits(text: bytes | bytearray, piece: int) -> bool:
    """True if `text` has more than MAX_DIGITS digits in a row, in a number or in a string."""
    return any(
        _TOO_MANY_DIGITS in text[start : start + piece + MAX_DIGITS].translate(_ANY_DIGIT_AS_0)
        for start in range(0, len(text), piece)
    )


def _outside_strings(text: bytes | bytearray, piece: int) -> bytearray:
    """Return `text` with all of its strings empty, up to its first invalid string."""
    outside = bytearray()
    copied = 0
    for start, end, _ in _strings(text, piece):
        outside += text[copied:start]
        copied = end
        if text[end : end + 1] != b'"':
            return outside
    return outside + text[copied:]


RequestT = TypeVar("RequestT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[RequestT]):
    """A request whose long strings are not all restored yet."""

    request: RequestT
    strings: Mapping[str, memoryview] = field(default_factory=dict)
    """Long strings by placeholder."""
    size: int = 0
    """Number of bytes that the values and texts of a large body take once the request is restored, in addition to the
    body; 0 for other bodies."""

    def restore(self) -> RequestT:
        """Return the request with its long strings in place of their placeholders."""
        if self.strings:
            restore_strings(self.request, self.strings)
        return self.request


async def parse_off_loop(
    kind: type[RequestT], body: bytearray, threads: FairExecutor, hold: Callable[[int], Awaitable[object]]
) -> RequestT:
    """Parse a body with `parse`, in `threads` if it is large.

    `hold` is awaited with the bytes that the values and texts of a large body take, before its long texts are decoded.
    """
    if not is_large(body):
        return parse(kind, body)
    parsed = await threads.run(parse_hollow, kind, body)
    await hold(parsed.size)
    return await threads.run(parsed.restore)


def parse(
    kind: type[RequestT],
    body: bytes | bytearray,
    max_values: int = MAX_VALUES,
    max_short: int = MAX_SHORT_BYTES,
) -> RequestT:
    """Return the request of `kind` in `body`. Its media may be views of `body`, which must therefore not change
    afterwards.

    Raises what `parse_hollow` raises.
    """
    return parse_hollow(kind, body, max_values, max_short).restore()


def parse_hollow(
    kind: type[RequestT],
    body: bytes | bytearray,
    max_values: int = MAX_VALUES,
    max_short: int = MAX_SHORT_BYTES,
) -> Parsed[RequestT]:
    """Return the request of `kind` in `body`, whose long strings, except media, are to be restored.

    Raises BadRequest, naming the field and the bound, and PayloadTooLarge for a large body of more than about
    `max_values` values, of more than `max_short` bytes beside its long strings, or with a number of more than
    MAX_DIGITS digits.
    """
    try:
        large = is_large(body)
        short = shorten(body, max_values=max_values, max_short=max_short) if large else Shortened(body)
        request = kind.model_validate_json(short.text, context=short.strings if large else None)
    except TooMuchJson as error:
        raise as_refusal(error) from None
    except ValidationError as error:
        problem = first_problem(error)
        if problem.is_json:
            raise BadRequest(problem.message, param=problem.path) from None
        raise BadRequest(short.fault(problem.message), code="invalid_json") from None
    except ValueError as error:
        raise BadRequest(f"Invalid JSON: {error}", code="invalid_json") from None
    size = 0
    if large:
        size = VALUE_BYTES * _count_values(short.text, max_values) + TEXT_COPIES * (
            _width_in_json(short.text) * len(short.text) + restored_size(request, short.strings)
        )
    return Parsed(request, short.strings, size)


def restored_size(value: Any, strings: Mapping[str, memoryview]) -> int:
    """Return the number of bytes that the long strings take as texts once `restore_strings` has put them in place."""
    size = 0
    if not strings:
        return size

    def add(text: str) -> str:
        nonlocal size
        if text in strings:
            size += _decoded_size(strings[text])
        return text

    _replace_strings(value, add)
    return size


def restore_strings(value: Any, strings: Mapping[str, memoryview]) -> Any:
    """Return `value` with the long strings in place of those placeholders that validation has not replaced by views.
    Models, dicts and lists are changed in place."""
    return _replace_strings(value, lambda text: str(strings[text], "utf-8") if text in strings else text)


def _replace_strings(value: Any, replace: Callable[[str], str]) -> Any:
    match value:
        case str():
            return replace(value)
        case BaseModel():
            for fields in filter(None, (value.__dict__, value.__pydantic_extra__)):
                _replace_strings(fields, replace)
        case dict():
            for key in value:
                value[key] = _replace_strings(value[key], replace)
        case list():
            value[:] = [_replace_strings(item, replace) for item in value]
    return value


def _decoded_size(view: memoryview, piece: int = _PIECE) -> int:
    """Return the number of bytes that a text in UTF-8 takes in Python, where the highest character decides how many
    bytes each of them takes."""
    codes = np.frombuffer(view, np.uint8)
    highest = codes.max(initial=0)
    if highest < _FIRST_BEYOND_ASCII:
        return len(codes)
    inside = sum(
        int(np.count_nonzero(codes[start : start + piece] & 0xC0 == 0x80)) for start in range(0, len(codes), piece)
    )
    return _width_of(int(highest)) * (len(codes) - inside)


def _width_in_json(text: bytes | bytearray) -> int:
    """Return the largest number of bytes that a character of the strings in a JSON text takes in Python."""
    if b"\\u" in text:
        return 4
    return _width_of(int(np.frombuffer(text, np.uint8).max(initial=0)))


def _width_of(highest: int) -> int:
    """Return the number of bytes of each character in Python, for a text whose highest byte in UTF-8 is `highest`."""
    return 1 if highest < _FIRST_BEYOND_LATIN_1 else 2 if highest < _FIRST_BEYOND_16_BITS else 4
