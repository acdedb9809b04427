"""From a request's body to what it says, without standing in anyone's way."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, PayloadTooLarge
from app.wire.large_string_extractor import TooManyValues, shorten
from app.wire.request import first_problem
from models.fair_executor import FairExecutor

LARGE = 256 * 1024
"""Bytes of a body from which on it is parsed in a thread, and without its long strings."""
MAX_VALUES = 200_000

RequestT = TypeVar("RequestT", bound=BaseModel)


async def parse_aside(kind: type[RequestT], body: bytearray, max_values: int, threads: FairExecutor) -> RequestT:
    """As `parse`; a large body in `threads`."""
    return parse(kind, body) if len(body) < LARGE else await threads.run(parse, kind, body, max_values)


def parse(kind: type[RequestT], body: bytes | bytearray, max_values: int = MAX_VALUES) -> RequestT:
    """The request of `kind` in `body`. Its media may be views of `body`, which must not change any more.

    Raises BadRequest naming the field and the bound, PayloadTooLarge for a large body of more than about
    `max_values` values.
    """
    try:
        return _validated(kind, body) if len(body) < LARGE else _without_long_strings(kind, body, max_values)
    except ValidationError as error:
        problem = first_problem(error)
        code = None if problem.is_json else "invalid_json"
        raise BadRequest(problem.message, code=code, param=problem.path) from None


def _without_long_strings(kind: type[RequestT], body: bytes | bytearray, max_values: int) -> RequestT:
    try:
        short = shorten(body, max_values=max_values)
    except TooManyValues:
        raise PayloadTooLarge(
            f"The request's JSON has more than {max_values} values (OPENFAZE_MAX_JSON_VALUES)."
        ) from None
    try:
        request = _validated(kind, short.text, short.strings)
    except ValidationError as error:
        if first_problem(error).is_json:
            raise
        return _validated(kind, body)  # for the place of the mistake: it is another in the shortened text
    _put_back(request, short.strings)
    return request


def _validated(
    kind: type[RequestT], text: bytes | bytearray, strings: Mapping[str, memoryview] | None = None
) -> RequestT:
    return kind.model_validate_json(text, context=strings)


def _put_back(value: Any, strings: Mapping[str, memoryview]) -> Any:
    """`value`, in which each placeholder that is no view yet is the string that it stands for."""
    match value:
        case str():
            return str(strings[value], "utf-8") if value in strings else value
        case BaseModel():
            for fields in filter(None, (value.__dict__, value.__pydantic_extra__)):
                _put_back(fields, strings)
        case dict():
            for key in value:
                value[key] = _put_back(value[key], strings)
        case list():
            value[:] = [_put_back(item, strings) for item in value]
    return value
