"""Lays what people said of a paper's fields and rows over the answer that was read.

In a review, a row of a list keeps its name whatever is added or removed before it: `0`, `1` by its place in the answer
that was read, and `+1`, `+2` for rows that people added. Thus reviews of one list can be undone in any order.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tasks.schema.paths import JsonPath, pointer_of, steps_of_pointer

Json = dict[str, Any]
Change = Literal["value", "added", "removed"]
REVIEWED = "reviewed"
"""The `match` of a field's evidence once a person accepted or corrected it."""


@dataclass(frozen=True, slots=True)
class Review:
    """A statement of one person about a field or a row."""

    change: Change
    """The field was given its value, or the row was added or removed."""
    pointer: str
    """The field or the row, by the names of rows."""
    value: Any
    """The field's value. Of an added row, `row` is its content and `after` the name of the row before it, or None."""
    place: Json
    """The field's evidence: page, bounds, text."""
    is_correction: bool
    is_undone: bool


class _NamedRows:
    """The rows of a list by their names, in their order. Rows that were removed keep their places."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._order = [str(place) for place in range(len(rows))]
        self._rows = dict(zip(self._order, rows, strict=True))
        self._places: dict[str, int] | None = None

    @property
    def places(self) -> dict[str, int]:
        """The number of each row by its name."""
        if self._places is None:
            present = [name for name in self._order if name in self._rows]
            self._places = {name: place for place, name in enumerate(present)}
        return self._places

    @property
    def names(self) -> list[str]:
        return [*self.places]

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def __getitem__(self, name: str) -> Any:
        return self._rows[name]

    def __setitem__(self, name: str, row: Any) -> None:
        self._rows[name] = row
        self._places = None

    def insert(self, name: str, after: str | None) -> None:
        """Give the row `name`, which is not there yet, its place."""
        self._order.insert(self._order.index(after) + 1 if after in self._order else 0, name)

    def remove(self, name: str) -> None:
        self._rows.pop(name, None)
        self._places = None


class ReviewedAnswer:
    """An answer with its evidence, and the `reviews` of it in their order laid over."""

    def __init__(
        self, answer: Any, evidence: Mapping[str, Any], unsupported: Sequence[str], reviews: Sequence[Review]
    ) -> None:
        self._reviews = reviews
        self._root = _with_names(answer)
        self._evidence = dict(evidence)
        self._unsupported = [*unsupported]
        self._open: set[str] = set()
        self._has_correction = False
        for review in reviews:
            self._lay(review)

    @property
    def answer(self) -> Any:
        return _without_names(self._root)

    @property
    def evidence(self) -> Json:
        return {place: found for name, found in self._evidence.items() if (place := self._place_of(name)) is not None}

    @property
    def unsupported(self) -> list[str]:
        """Pointers of fields that nothing read supports; those of an added row until somebody filled or accepted
        them."""
        places = (self._place_of(name) for name in [*self._unsupported, *self._open])
        return [place for place in places if place is not None]

    @property
    def is_corrected(self) -> bool:
        """True if a person changed something, and no field of an added row is left to fill."""
        return self._has_correction and all(self._place_of(name) is None for name in self._open)

    def named(self, pointer: str) -> str:
        """Return `pointer` with the names of rows in place of their numbers."""
        node, path = self._root, list[str]()
        for step in map(str, _steps(pointer)):
            name = step
            if isinstance(node, _NamedRows) and step.isdecimal() and int(step) < len(node.places):
                name = node.names[int(step)]
            path.append(name)
            node = _child(node, name)
        return pointer_of(tuple(path))

    def place_of(self, name: str) -> str:
        """Return the pointer of what reviews know as `name`, or that of the list whose row is not there."""
        while (place := self._place_of(name)) is None:
            name = name.rpartition("/")[0]
        return place

    def version(self, pointer: str) -> str:
        """Return what changes whenever the field, row or list at `pointer` does, by a review, its undoing or a reading;
        also if it may have become another one, because its list got or lost a row."""
        name = self.named(pointer)
        own = [one for one in self._reviews if _is_within(one.pointer, name)]
        value = _without_names(self._at(name))
        return f"{_count(own)}-{self._count_rows(name)}-{_digest(value)}"

    def rows_version(self, pointer: str) -> str:
        """Return what changes whenever the list at `pointer` gets or loses a row, by a review or its undoing."""
        name = self.named(pointer)
        rows = self._at(name)
        return f"{self._count_rows(f'{name}/')}-{_digest(rows.names if isinstance(rows, _NamedRows) else None)}"

    def new_row(self, list_pointer: str, at: int) -> tuple[str, str | None]:
        """Return the names of a row that is to be number `at` of a list, and of the row before it."""
        name = self.named(list_pointer)
        rows = self._at(name)
        before = rows.names[at - 1] if at and isinstance(rows, _NamedRows) else None
        count = sum(one.change == "added" for one in self._reviews)
        return f"{name}/+{count + 1}", before

    def _lay(self, review: Review) -> None:
        *above, last = map(str, _steps(review.pointer))
        parent = self._at(pointer_of(tuple(above)))
        if review.change == "added":
            if parent is None and not review.is_undone:
                # The list was null.
                parent = _NamedRows([])
                self._put(above, parent)
            if not isinstance(parent, _NamedRows):
                return
            # Also where this was undone: another row may stand behind this one.
            parent.insert(last, review.value["after"])
            if not review.is_undone:
                parent[last] = _with_names(review.value["row"])
                self._open |= {pointer_of((*above, last, *path)) for path in _leaves(review.value["row"])}
        elif review.is_undone or not _has(parent, last):
            return
        elif review.change == "removed":
            if isinstance(parent, _NamedRows):
                parent.remove(last)
        else:
            parent[last] = review.value
            self._evidence[review.pointer] = {**review.place, "probability": 1.0, "match": REVIEWED}
            self._unsupported = [one for one in self._unsupported if one != review.pointer]
            self._open.discard(review.pointer)
        self._has_correction |= review.is_correction and not review.is_undone

    def _put(self, path: Sequence[str], value: Any) -> None:
        *above, last = path
        parent = self._at(pointer_of(tuple(above)))
        if _has(parent, last):
            parent[last] = value

    def _at(self, name: str) -> Any:
        node = self._root
        for step in _steps(name) if name else ():
            node = _child(node, str(step))
        return node

    def _place_of(self, name: str) -> str | None:
        """Return the pointer of what reviews know as `name`; None if its row is not there any more."""
        node, path = self._root, list[str | int]()
        for step in map(str, _steps(name)) if name else ():
            if isinstance(node, _NamedRows):
                if step not in node:
                    return None
                path.append(node.places[step])
            else:
                path.append(step)
            node = _child(node, step)
        return pointer_of(tuple(path))

    def _count_rows(self, name: str) -> str:
        """Return the number of rows that were ever added to or removed from the lists around `name`."""
        return _count(
            [one for one in self._reviews if one.change != "value" and _is_within(name, one.pointer.rpartition("/")[0])]
        )


def _with_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_names(child) for key, child in value.items()}
    return _NamedRows([_with_names(one) for one in value]) if isinstance(value, list) else value


def _without_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_names(child) for key, child in value.items()}
    return [_without_names(value[name]) for name in value.names] if isinstance(value, _NamedRows) else value


def _has(node: Any, name: str) -> bool:
    return isinstance(node, dict | _NamedRows) and name in node


def _child(node: Any, name: str) -> Any:
    return node[name] if _has(node, name) else None


def _leaves(value: Any, path: JsonPath = ()) -> Iterator[JsonPath]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(child, (*path, key))
    elif not isinstance(value, list):
        yield path


def _steps(pointer: str) -> JsonPath:
    return steps_of_pointer(f"#{pointer}")


def _is_within(pointer: str, whole: str) -> bool:
    return pointer == whole or pointer.startswith(f"{whole}/")


def _count(reviews: Sequence[Review]) -> str:
    return str(len(reviews) + sum(one.is_undone for one in reviews))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
