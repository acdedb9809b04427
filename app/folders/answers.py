"""Places in an answer: paths, their JSON pointers, and their names for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
JsonPath = tuple[str | int, ...]
"""Keys and indices from an answer's root to a field."""


def pointer_of(path: JsonPath) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def steps_of(pointer: str) -> list[str]:
    """Return the steps of a JSON pointer as texts: `/lines/0/price` → `lines`, `0`, `price`."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def value_at(answer: Any, path: Sequence[str | int]) -> Any:
    """Return the part of `answer` at `path`; None if there is none."""
    for step in path:
        if isinstance(answer, dict):
            answer = answer.get(str(step))
        elif isinstance(answer, list) and str(step).isdecimal() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return None
    return answer


def nodes_of(
    value: Any, part: Mapping[str, Any] | None = None, path: JsonPath = ()
) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Yield the pointer and the value of each part of an answer below its root, with its own part of the plain schema
    `part`, which is empty if there is none."""
    part = part or {}
    if path:
        yield pointer_of(path), value, part
    if isinstance(value, dict | list):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nodes_of(child, _child_part(part, step), (*path, step))


def fields_of(answer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the pointer and the value of each field that is neither an object nor a list."""
    return ((pointer, value) for pointer, value, _ in nodes_of(answer) if not isinstance(value, dict | list))


def _child_part(part: Mapping[str, Any], step: str | int) -> Mapping[str, Any]:
    inner = part.get("properties", {}).get(step) if isinstance(step, str) else part.get("items")
    branches = [one for word in ("anyOf", "oneOf") for one in part.get(word, ())]
    return inner or next((found for one in branches if (found := _child_part(one, step))), {})


def name_of(pointer: str, answer: Any) -> str:
    """Return the name of a field for people, in which rows count from 1: `/lines/0/price` → `lines.1.price`."""
    names = []
    for step in steps_of(pointer):
        names.append(str(int(step) + 1) if isinstance(answer, list) and step.isdecimal() else step)
        answer = value_at(answer, (step,))
    return ".".join(names)
