"""Describes, in a sentence, the first fault of a body that does not validate."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any

from pydantic import ValidationError

from tasks.errors import field_path

UNION_MARK = "·"
"""First character of the tags of unions. Pydantic puts the tags into an error's location; a field's path omits them."""
MAX_NESTING = 201
"""A body has at most this many levels of nested lists and objects, because the parser accepts no more."""
_LONGEST = 40
"""A value is quoted only if it has at most this many characters."""
MAX_COMPARED = 16
"""The name of a missing field is compared with the names of at most this many sent fields."""
_MOST_COUNTED = 1000
"""A message states the length of a string only up to this many characters, because a longer one may be the placeholder
of a string that was taken out of a large body."""
_LIKENESS = 0.8


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
    path = field_path(step for step in problem["loc"] if not str(step).startswith(UNION_MARK)) or None
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
    keys = islice((key for key in given if len(key) <= _LONGEST), MAX_COMPARED) if isinstance(given, dict) else ()
    close = get_close_matches(name, keys, n=1, cutoff=_LIKENESS)
    return f". Is '{close[0]}' a misspelling of it?" if close else ""
