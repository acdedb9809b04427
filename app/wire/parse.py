"""Parses a request's body, in a thread if it is large, and describes what is wrong with it.

While the parser runs, no other thread does. It is fast for long strings, such as base64, but slow for many values and
for numbers of many digits. These are limited before the parser runs.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, NotFound, PayloadTooLarge
from app.wire.model_names import ALIASES, MODEL
from tasks.errors import field_path

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
UNION_MARK = "·"
"""First character of the tags of unions. Pydantic puts the tags into an error's location; a field's path omits them."""
MAX_NESTING = 201
"""A body has at most this many levels of nested lists and objects, because the parser accepts no more."""
_LONGEST = 40
"""A value is quoted, and the name of a field compared with others, only if it has at most this many characters."""
_MOST_COUNTED = 1000
"""A message states the length of a string only up to this many characters, because a longer one may be the placeholder
of a string that was taken out of a large body."""
_LIKENESS_OF_SENT = 0.8
_MAX_OBJECTS, _MAX_COMPARED = 1000, 16
"""At most `_MAX_OBJECTS` objects of a request, and as many fields of an object, are examined. At most `_MAX_COMPARED`
fields are compared with known names, because a comparison takes up to half a millisecond."""
_LIKENESS = 0.85
"""Two names are alike if their ratio by difflib is at least this. It is 0.95 for `temprature` and `temperature`, and
0.8 for `top_k` and `top_p`, which are different options."""
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_LONGEST_MODEL = 80
"""An error message quotes at most this many characters of an unknown model."""


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


def check_model(name: str, param: str | None = None, *models: str) -> None:
    """Check the name of a model.

    Raises NotFound unless the name is in `models`. If `models` is empty, `name` must be the chat model's name or an
    alias of it.
    """
    if name not in (models or (MODEL, *ALIASES)):
        shown = name if len(name) <= _LONGEST_MODEL else f"{name[:_LONGEST_MODEL]}…"
        available = models[0] if models else MODEL
        raise NotFound(
            f"The model '{shown}' does not exist. Available: {available}", code="model_not_found", param=param
        )


@dataclass(frozen=True, slots=True)
class Problem:
    message: str
    path: str | None
    """Path of the field; None if the problem is not about one field."""
    is_json: bool
    """True if the body is JSON at all."""


def json_fault(message: str) -> str:
    """Return the parser's message about invalid JSON, with the limit if the nesting is too deep."""
    return message.replace("recursion limit exceeded", f"nested more than {MAX_NESTING} levels deep")


def first_problem(error: ValidationError) -> Problem:
    """Return the first problem of a body."""
    problem = error.errors(include_url=False)[0]
    # A check of the whole request names the field itself.
    place = problem["loc"] or [step for step in (problem.get("ctx", {}).get("field"),) if step]
    path = field_path(step for step in place if not str(step).startswith(UNION_MARK)) or None
    reason = reason_of(problem)
    message = f"Field '{path}': {reason}" if path else reason
    return Problem(message, path, is_json=problem["type"] != "json_invalid")


def reason_of(problem: Mapping[str, Any]) -> str:
    """Return Pydantic's message about a value, followed by the value that was sent. For a missing field, suggest a sent
    field with a similar name."""
    reason, given = str(problem["msg"]), problem["input"]
    match problem["type"]:
        case "json_invalid":
            return json_fault(reason)
        case "too_short" | "too_long" as kind:
            context = problem["ctx"]
            least = kind == "too_short"
            bound = context["min_length" if least else "max_length"]
            items = f"{'at least' if least else 'at most'} {bound} item{'' if bound == 1 else 's'}"
            return f"Expected {items}, not {len(given)}"
        case "string_too_short" | "string_too_long":
            return reason + (f", not {len(given)}" if len(given) <= _MOST_COUNTED else "")
        case "item" | "tool" | "content_part":
            return reason + (_unknown_type(given) if isinstance(given, dict) else but_not(given))
        case "missing":
            return reason + _misspelt(str(problem["loc"][-1]), given)
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            # A number in a query or a form is a string.
            return reason + (f", not {given}" if _is_short(given) else "")
        case "literal_error" | "enum" | "kind" | "language" | "finite_number":
            return reason + but_not(given)
        case str(kind) if kind.endswith(("_type", "_parsing")):
            # Pydantic's addition "unable to parse …" is removed, because the quoted value shows that it cannot be
            # parsed.
            return reason.partition(", unable to")[0] + but_not(given)
    return reason


def but_not(given: object) -> str:
    """Return the end of a message that says what a value should be. The end says what the value is instead. Long values
    are not quoted.

    >>> "Input should be 'POST'" + but_not("GET")
    "Input should be 'POST', not 'GET'"
    """
    match given:
        case None:
            shown = "null"
        case bool():
            shown = str(given).lower()
        case str() | int() | float() if _is_short(given):
            shown = repr(given)
        case str():
            shown = f"a string of more than {_LONGEST} characters"
        case dict():
            shown = "an object"
        case list() | tuple():
            shown = "an array"
        case _:
            return ""
    return f", not {shown}"


def _is_short(given: object) -> bool:
    return isinstance(given, str | int | float) and len(str(given)) <= _LONGEST


def _unknown_type(given: object) -> str:
    kind = given.get("type") if isinstance(given, dict) else None
    return f", not '{kind}'" if isinstance(kind, str) and len(kind) <= _LONGEST else ""


def _misspelt(name: str, given: object) -> str:
    keys = islice((key for key in given if len(key) <= _LONGEST), _MAX_COMPARED) if isinstance(given, dict) else ()
    close = get_close_matches(name, keys, n=1, cutoff=_LIKENESS_OF_SENT)
    return f". Is '{close[0]}' a misspelling of it?" if close else ""


def find_misspelt(request: BaseModel, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a warning for each unknown field of the request, or of an object in it, if the field's name resembles that
    of a known field that was not sent.

    `known` lists additional fields that objects may have.
    """
    objects = (one for one in islice(_objects(request, ""), _MAX_OBJECTS) if one[1].model_extra)
    compared = (pair for path, sent in objects for pair in _unknown(path, sent, known.get(path, ())))
    for name, absent, place in islice(compared, _MAX_COMPARED):
        for similar in get_close_matches(_normalise_name(name), absent, n=1, cutoff=_LIKENESS):
            yield f"Field '{place}{name}' is not known and has no effect. Did you mean '{place}{absent[similar]}'?"


def _objects(value: Any, path: str) -> Iterator[tuple[str, BaseModel]]:
    """Yield the request and the objects in it, with their paths."""
    if isinstance(value, BaseModel):
        yield path, value
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set:
                yield from _objects(getattr(value, name), f"{path}.{field.alias or name}".lstrip("."))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _objects(one, f"{path}[{index}]")


def _unknown(path: str, sent: BaseModel, known: Sequence[str]) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield each unknown field of an object, the known fields that were not sent (by their normalised names), and the
    object's path."""
    extra = sent.model_extra or {}
    declared = {field.alias or name: name in sent.model_fields_set for name, field in type(sent).model_fields.items()}
    places = {name: declared.get(name, name in extra) for name in (*declared, *known)}
    absent = {_normalise_name(name): name for name, is_there in places.items() if not is_there}
    for name in islice(extra, _MAX_OBJECTS):
        if name not in places and len(name) <= _LONGEST:
            yield name, absent, f"{path}." if path else ""


def _normalise_name(name: str) -> str:
    """Return a field's name in lower case and without separators: `maxTokens`, `max-tokens` and `max_tokens` are then
    equal."""
    return _SEPARATORS.sub("", name.lower())
