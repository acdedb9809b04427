"""Parses a request's body, in a thread if it is large.

While the parser runs, no other thread does. It is fast for long strings, such as base64, but slow for many values and
for numbers of many digits. These are limited before the parser runs.
"""

import asyncio
from collections.abc import Iterator
from typing import TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, PayloadTooLarge
from app.wire.problems import first_problem, json_fault

RequestT = TypeVar("RequestT", bound=BaseModel)

LARGE_BYTES, MANY_VALUES = 256 * 1024, 2_000
"""A body of at least LARGE_BYTES bytes or about MANY_VALUES values is large. An empty list takes three bytes, and
longer to parse than a hundred bytes of text."""
MAX_VALUES = 50_000
"""A large body may have at most this many values. Parsing so many takes 40 ms."""
MAX_DIGITS = 400
"""A number in a large body may have at most this many digits in a row. The time to parse a whole number grows with the
square of its digits. No number that a double holds has more than 309 digits before its point."""
_ANY_DIGIT_AS_0 = bytes.maketrans(b"123456789", b"0" * 9)
_TOO_MANY_DIGITS = b"0" * (MAX_DIGITS + 1)


class TooMuchJson(Exception):
    """Raised for JSON that would take too long to parse. The message completes a sentence whose subject is the
    JSON."""


def is_large(body: bytes | bytearray) -> bool:
    """True if a body is to be parsed in a thread."""
    return len(body) >= LARGE_BYTES or _count_signs(body) >= MANY_VALUES


async def parse_off_loop(kind: type[RequestT], body: bytes | bytearray) -> RequestT:
    """Parse a body with `parse`, in a thread if it is large."""
    return await asyncio.to_thread(parse, kind, body) if is_large(body) else parse(kind, body)


def parse(kind: type[RequestT], body: bytes | bytearray, max_values: int = MAX_VALUES) -> RequestT:
    """Return the request of `kind` in `body`.

    Raises BadRequest, which names the field and the bound, and PayloadTooLarge for JSON that would take too long to
    parse.
    """
    try:
        if is_large(body):
            check_size(body, max_values)
        return kind.model_validate_json(body)
    except TooMuchJson as error:
        raise PayloadTooLarge(f"The request's JSON {error}.") from None
    except ValidationError as error:
        problem = first_problem(error)
        if problem.is_json:
            raise BadRequest(problem.message, param=problem.path) from None
        raise BadRequest(problem.message, code="invalid_json") from None


def parse_json(body: bytes | bytearray, max_values: int = MAX_VALUES) -> object:
    """Return the value in `body`. Raises ValueError for text that is not JSON, and TooMuchJson."""
    if is_large(body):
        check_size(body, max_values)
    try:
        return pydantic_core.from_json(body)
    except ValueError as error:
        raise ValueError(json_fault(str(error))) from None


def check_size(body: bytes | bytearray, max_values: int = MAX_VALUES) -> None:
    """Raise TooMuchJson for JSON that would take too long to parse. The values are estimated by their commas and
    brackets."""
    outside = bytearray()
    for count, piece in enumerate(_beside_strings(body)):
        if count > 2 * max_values:  # a member has a name and a value
            raise TooMuchJson(f"has more than {max_values} values")
        outside += piece
    if _count_signs(outside) > max_values:
        raise TooMuchJson(f"has more than {max_values} values")
    if _TOO_MANY_DIGITS in outside.translate(_ANY_DIGIT_AS_0):
        raise TooMuchJson(f"has a number of more than {MAX_DIGITS} digits")


def _beside_strings(body: bytes | bytearray) -> Iterator[bytes | bytearray]:
    """Yield what is before, between and after the strings, up to a string without an end."""
    position = 0
    while (start := body.find(b'"', position)) >= 0:
        yield body[position:start]
        end = body.find(b'"', start + 1)
        while end >= 0 and _is_escaped(body, end):
            end = body.find(b'"', end + 1)
        if end < 0:
            return
        position = end + 1
    yield body[position:]


def _is_escaped(body: bytes | bytearray, place: int) -> bool:
    """True if an odd number of backslashes precedes `place`."""
    before = place
    while before and body[before - 1] == 0x5C:
        before -= 1
    return (place - before) % 2 == 1


def _count_signs(text: bytes | bytearray) -> int:
    """Return the number of commas and opening brackets in `text`."""
    return sum(map(text.count, b",[{"))
