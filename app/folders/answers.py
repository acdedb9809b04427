"""Places in an answer: paths, their JSON pointers, and their names for people."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]
JsonPath = tuple[str | int, ...]
"""Keys and indices from an answer's root to a field."""


def pointer_of(path: JsonPath) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def steps_of(pointer: str) -> list[str]:
    """Return the steps of a JSON pointer as texts: `/lines/0/price` → `lines`, `0`, `price`."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def value_at(answer: Any, path: JsonPath) -> Any:
    """Return the part of `answer` at `path`; None if there is none."""
    for step in path:
        if isinstance(answer, dict):
            answer = answer.get(str(step))
        elif isinstance(answer, list) and str(step).isdecimal() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return None
    return answer


def fields_of(value: Any, path: JsonPath = ()) -> Iterator[tuple[str, Any]]:
    """Yield the pointer and the value of each field that is neither an object nor a list."""
    if isinstance(value, dict | list):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from fields_of(child, (*path, step))
    elif path:
        yield pointer_of(path), value


def lists_of(part: Mapping[str, Any], value: Any, path: JsonPath = ()) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Yield the pointer, the number of rows, and the schema of each list in `value`, empty and null ones included.
    `part` is the plain schema of `value`; a list that it does not describe has an empty schema."""
    if isinstance(value, list) or (value is None and isinstance(part.get("items"), Mapping)):
        yield pointer_of(path), len(value or ()), part if "items" in part else {}
    if isinstance(value, dict | list):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from lists_of(child_part(part, step), child, (*path, step))


def child_part(part: Mapping[str, Any], step: str | int) -> Mapping[str, Any]:
    """Return the part of a plain schema for a field of an object or a row of a list; empty if there is none."""
    inner = part.get("properties", {}).get(step) if isinstance(step, str) else part.get("items")
    if inner is None:
        branches = [one for word in ("anyOf", "oneOf") for one in part.get(word, ())]
        inner = next((found for one in branches if (found := child_part(one, step))), None)
    return inner if isinstance(inner, Mapping) else {}


def name_of(pointer: str, answer: Any) -> str:
    """Return the name of a field for people, in which rows count from 1: `/lines/0/price` → `lines.1.price`."""
    names = []
    for step in steps_of(pointer):
        names.append(str(int(step) + 1) if isinstance(answer, list) and step.isdecimal() else step)
        answer = value_at(answer, (step,))
    return ".".join(names)
