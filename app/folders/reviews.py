"""Changes that people make to the answer of a paper: to its fields, and to the rows of its lists. What is known of a
row's fields moves along with the row."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app.folders.answers import Json, fields_of, nodes_of, steps_of, value_at

Change = Literal["value", "added", "removed"]
"""Kind of a review: a field has this value, or a row was added or removed."""
REVIEWED = "reviewed"
"""Value of `match` in the evidence of a field that a person accepted or corrected."""


@dataclass(frozen=True, slots=True)
class PaperResult:
    """The answer to a paper with its evidence, or an error."""

    answer: Any = None
    evidence: Json = field(default_factory=dict)
    """Source of each field, by the field's JSON pointer (wire contract: `evidence`)."""
    unsupported: Sequence[str] = ()
    """Pointers of fields that nothing in the paper supports, and of fields of added rows that nobody has filled or
    accepted yet."""
    warnings: Sequence[str] = ()
    error: str | None = None

    def probability(self, pointer: str) -> float | None:
        """Return the probability of the field at `pointer`: 0 if nothing supports it, None if it is not known."""
        nothing = 0.0 if pointer in self.unsupported else None
        known: float | None = self.evidence.get(pointer, {}).get("probability", nothing)
        return known


def with_field(result: PaperResult, pointer: str, value: Any, place: Json) -> PaperResult:
    """Return the result in which a person has given the field at `pointer` its value. `place` is the evidence: page,
    bounds, text."""
    answer = _copy(result.answer)
    _put(answer, pointer, value)
    evidence = {**result.evidence, pointer: {**place, "probability": 1.0, "match": REVIEWED}}
    unsupported = [one for one in result.unsupported if one != pointer]
    # What was missing is not any more.
    error = result.error if unsupported else None
    return replace(result, answer=answer, evidence=evidence, unsupported=unsupported, error=error)


def with_row(result: PaperResult, pointer: str, at: int, row: Any) -> PaperResult:
    """Return the result with a new row at index `at` of the list at `pointer`, which may be null."""
    answer = _copy(result.answer)
    rows = value_at(answer, steps_of(pointer)) or []
    rows.insert(at, row)
    _put(answer, pointer, rows)
    own = f"{pointer}/{at}"
    fields = [own + below for below, _ in fields_of(row)] if isinstance(row, dict | list) else [own]
    moved = _renumbered(result, pointer, lambda index: index + (index >= at))
    return replace(moved, answer=answer, unsupported=[*moved.unsupported, *fields])


def without_row(result: PaperResult, pointer: str) -> PaperResult:
    """Return the result without the row at `pointer`."""
    above, _, last = pointer.rpartition("/")
    answer, removed = _copy(result.answer), int(last)
    del value_at(answer, steps_of(above))[removed]
    moved = _renumbered(result, above, lambda index: None if index == removed else index - (index > removed))
    return replace(moved, answer=answer)


def without_blank_rows(result: PaperResult) -> PaperResult:
    """Return the result without rows that have no value."""
    # Of several rows, the last is removed first, so that the pointers of the others stay.
    for pointer, value, _ in reversed([*nodes_of(result.answer)]):
        if isinstance(value_at(result.answer, steps_of(pointer.rpartition("/")[0])), list) and _is_blank(value):
            result = without_row(result, pointer)
    return result


def _is_blank(value: Any) -> bool:
    values = [one for _, one in fields_of(value)] if isinstance(value, dict | list) else [value]
    return all(one in (None, "") for one in values)


def _renumbered(result: PaperResult, pointer: str, number: Callable[[int], int | None]) -> PaperResult:
    """Return the result with the evidence of the rows of the list at `pointer` at their new places. `number` returns
    the new index of a row; None if it is removed."""
    prefix = f"{pointer}/"

    def moved(known: str) -> str | None:
        if not known.startswith(prefix):
            return known
        index, slash, below = known.removeprefix(prefix).partition("/")
        at = number(int(index))
        return None if at is None else f"{prefix}{at}{slash}{below}"

    evidence = {place: found for known, found in result.evidence.items() if (place := moved(known)) is not None}
    unsupported = [place for known in result.unsupported if (place := moved(known)) is not None]
    return replace(result, evidence=evidence, unsupported=unsupported)


def _put(answer: Any, pointer: str, value: Any) -> None:
    *above, last = steps_of(pointer)
    parent = value_at(answer, above)
    parent[int(last) if isinstance(parent, list) else last] = value


def _copy(answer: Any) -> Any:
    return json.loads(json.dumps(answer))
