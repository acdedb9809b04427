"""Finds the JSON in the text of a model, and describes its faults.

Models wrap their JSON in code fences and sentences. Such wrapping is accepted if it is clear which JSON value is meant.
The JSON itself is never repaired.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydantic_core

from tasks.schema.checker import MAX_DEPTH, SchemaChecker, is_deeper

MAX_ANSWER_CHARS = 1_000_000

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_BRACKET = re.compile(r"[\[{]")
_INSIDE = re.compile(r'[\[\]{}]|"(?:[^"\\]|\\.)*+"|"', re.DOTALL)
"""Pattern of the tokens that determine where a bracket ends: brackets, whole strings, and the quote of a string without
an end."""
_MEANT_AS_OBJECT = re.compile(r'\{\s*["}]')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class AnswerInvalid(Exception):
    """Raised if the text is not a valid answer. The message tells the model why, in one sentence of at most a few
    hundred characters."""


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    value: Any
    text: str
    """The JSON as the model wrote it, without a fence or sentence around it."""


def parse_answer(text: str, schema: SchemaChecker | None) -> JsonAnswer:
    """Return the only JSON value in `text` that satisfies `schema`; without a schema (`json_object`), the only object.

    Raises AnswerInvalid if there is no JSON, if several values are suitable, if the JSON is incomplete or has duplicate
    keys or NaN, and if it does not satisfy the schema. Raises InputError for a schema that cannot be checked.
    """
    text = text.strip().removeprefix("\ufeff").strip()
    if len(text) > MAX_ANSWER_CHARS:
        raise AnswerInvalid(f"The answer is longer than {MAX_ANSWER_CHARS} characters.")
    if not text:
        raise AnswerInvalid("The answer is empty; it must be JSON.")
    candidates = list(_candidates(text))
    problems = [_problem(answer.value, schema) for answer in candidates]
    valid = [answer for answer, problem in zip(candidates, problems, strict=True) if problem is None]
    if len({answer.text for answer in valid}) == 1:
        return valid[0]
    if valid:
        raise AnswerInvalid(f"The answer holds {len(valid)} JSON values; write exactly one and nothing else.")
    longest = max(range(len(candidates)), key=lambda index: len(candidates[index].text))
    raise AnswerInvalid(f"The JSON does not fit: {problems[longest]}.")


def whole_members(text: str) -> Any:
    """Return the JSON value in a text that was cut off, as far as its members are complete. Return None if there is no
    JSON.

    >>> whole_members('{"a": 1, "b": [2, {"c": 3}, {"c": 4')
    {'a': 1, 'b': [2, {'c': 3}, {}]}
    """
    opening = _BRACKET.search(text)
    if opening is None:
        return None
    # A number at the end is dropped, because its last digits may be missing.
    whole = text[opening.start() : 1 + max(map(text.rfind, ' \t\r\n[]{},:"'))]
    try:
        return pydantic_core.from_json(whole, allow_inf_nan=False, allow_partial=True)
    except ValueError:
        return None


def _problem(value: Any, schema: SchemaChecker | None) -> str | None:
    if schema is not None:
        return schema.problem(value)
    if not isinstance(value, dict):
        return "it must be a JSON object"
    return f"it is nested more than {MAX_DEPTH} levels deep" if is_deeper(value, MAX_DEPTH) else None


def _candidates(text: str) -> Iterator[JsonAnswer]:
    """Yield the JSON values in `text`. Raises AnswerInvalid if there are none."""
    try:
        yield _decoded(text)
        return
    except ValueError as error:
        first_error = error
    fenced = [match.group(1).strip() for match in _FENCE.finditer(text)]
    embedded = fenced or list(_embedded(text))
    found = False
    for piece in embedded:
        try:
            yield _decoded(piece)
            found = True
        except ValueError as error:
            # A piece that the model meant as JSON is refused. Any other piece in brackets is a remark in a sentence,
            # and is ignored.
            if fenced or _MEANT_AS_OBJECT.match(piece):
                raise AnswerInvalid(f"The answer is not valid JSON: {error}.") from None
    if not found:
        raise AnswerInvalid(f"The answer is not valid JSON: {first_error}.")


def _embedded(text: str) -> Iterator[str]:
    """Yield the outermost pieces of `text` in brackets. Raises AnswerInvalid for a bracket without an end."""
    position = 0
    while opening := _BRACKET.search(text, position):
        depth = 0
        for token in _INSIDE.finditer(text, opening.start()):
            if token.group() in ("{", "["):
                depth += 1
            elif token.group() in ("}", "]"):
                depth -= 1
            elif token.group() == '"':
                raise AnswerInvalid("The JSON breaks off within a string.")
            if depth == 0:
                position = token.end()
                break
        else:
            raise AnswerInvalid("The JSON breaks off before its last bracket.")
        yield text[opening.start() : position]


def _decoded(text: str) -> JsonAnswer:
    """Return `text` as JSON. Raises ValueError with a short reason."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it holds half of a surrogate pair") from None
    return JsonAnswer(value, text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice[:40]!r} appears twice")
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
