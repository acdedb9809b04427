"""Applies people's reviews of a paper's fields and rows to the answer that was read from it.

In reviews, each row of a list has a stable name, which does not change when other rows are added or removed. The names
of the rows in the answer that was read are their indexes: `0`, `1` …. The names of rows that people added are `+1`,
`+2` …. The reviews of a list can therefore be undone in any order.
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
"""Value of `match` in the evidence of a field that a person accepted or corrected."""


@dataclass(frozen=True, slots=True)
class Review:
    """One decision of a person about a field or a row."""

    change: Change
    """Kind of the decision: the field has this value, or the row was added or removed."""
    pointer: str
    """Pointer to the field or the row, with the names of rows instead of their numbers."""
    value: Any
    """Value of the field. For an added row, an object with its content (`row`) and the name of the row before it or
    None (`after`)."""
    place: Json
    """Evidence of the field: page, bounds, text."""
    is_correction: bool
    is_undone: bool


class _NamedRows:
    """The rows of a list by name, in order. A removed row keeps its place in the order."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._order = [str(index) for index in range(len(rows))]
        self._rows = dict(zip(self._order, rows, strict=True))
        self._places: dict[str, int] | None = None

    @property
    def places(self) -> dict[str, int]:
        """Index of each present row, by the row's name."""
        if self._places is None:
            present = [name for name in self._order if name in self._rows]
            self._places = {name: index for index, name in enumerate(present)}
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
        """Reserve a place for a new row, after the row `after` or at the beginning."""
        self._order.insert(self._order.index(after) + 1 if after in self._order else 0, name)

    def remove(self, name: str) -> None:
        self._rows.pop(name, None)
        self._places = None


class ReviewedAnswer:
    """An answer with its evidence, after `reviews` were applied to it in order."""

    def __init__(
        self, answer: Any, evidence: Mapping[str, Any], unsupported: Sequence[str], reviews: Sequence[Review]
    ) -> None:
        self._reviews = reviews
        self._root = _with_names(answer)
        self._evidence = dict(evidence)
        self._unsupported = [*unsupported]
        self._unfilled: set[str] = set()
        self._has_correction = False
        for review in reviews:
            self._apply(review)

    @property
    def answer(self) -> Any:
        return _without_names(self._root)

    @property
    def evidence(self) -> Json:
        return {place: found for name, found in self._evidence.items() if (place := self._place_of(name)) is not None}

    @property
    def unsupported(self) -> list[str]:
        """Pointers of fields that nothing in the paper supports, and of fields of added rows that nobody has filled or
        accepted yet."""
        places = (self._place_of(name) for name in [*self._unsupported, *self._unfilled])
        return [place for place in places if place is not None]

    @property
    def is_corrected(self) -> bool:
        """True if a person changed something, and all fields of added rows are filled or accepted."""
        return self._has_correction and all(self._place_of(name) is None for name in self._unfilled)

    def to_stable_pointer(self, pointer: str) -> str:
        """Return `pointer` with the names of rows instead of their numbers."""
        node, path = self._root, list[str]()
        for step in map(str, _steps(pointer)):
            name = step
            if isinstance(node, _NamedRows) and step.isdecimal() and int(step) < len(node.places):
                name = node.names[int(step)]
            path.append(name)
            node = _child(node, name)
        return pointer_of(tuple(path))

    def place_of(self, name: str) -> str:
        """Return the pointer for a stable pointer `name`; if its row was removed, the pointer of the list."""
        while (place := self._place_of(name)) is None:
            name = name.rpartition("/")[0]
        return place

    def version(self, pointer: str) -> str:
        """Return a version of the field, row or list at `pointer`.

        The version changes with each review, each undo, and each new reading that changes the part. It also changes
        whenever a list around the part gains or loses a row, because the pointer may then mean a different part.
        """
        name = self.to_stable_pointer(pointer)
        own = [one for one in self._reviews if _is_within(one.pointer, name)]
        value = _without_names(self._node_at(name))
        return f"{_count(own)}-{self._count_rows(name)}-{_digest(value)}"

    def rows_version(self, pointer: str) -> str:
        """Return a version of the rows of the list at `pointer`. It changes when a review or an undo adds or removes a
        row."""
        name = self.to_stable_pointer(pointer)
        rows = self._node_at(name)
        return f"{self._count_rows(f'{name}/')}-{_digest(rows.names if isinstance(rows, _NamedRows) else None)}"

    def new_row(self, list_pointer: str, index: int) -> tuple[str, str | None]:
        """Return the stable pointer of a new row at `index` of a list, and the name of the row before it."""
        name = self.to_stable_pointer(list_pointer)
        rows = self._node_at(name)
        previous = rows.names[index - 1] if index and isinstance(rows, _NamedRows) else None
        count = sum(review.change == "added" for review in self._reviews)
        return f"{name}/+{count + 1}", previous

    def _apply(self, review: Review) -> None:
        *above, last = map(str, _steps(review.pointer))
        parent = self._node_at(pointer_of(tuple(above)))
        if review.change == "added":
            if parent is None and not review.is_undone:
                # The list was null.
                parent = _NamedRows([])
                self._put(above, parent)
            if not isinstance(parent, _NamedRows):
                return
            # An undone addition keeps its place, too, because another row may follow it.
            parent.insert(last, review.value["after"])
            if not review.is_undone:
                parent[last] = _with_names(review.value["row"])
                self._unfilled |= {pointer_of((*above, last, *path)) for path in _leaves(review.value["row"])}
        elif review.is_undone or not _has(parent, last):
            return
        elif review.change == "removed":
            if isinstance(parent, _NamedRows):
                parent.remove(last)
        else:
            parent[last] = review.value
            self._evidence[review.pointer] = {**review.place, "probability": 1.0, "match": REVIEWED}
            self._unsupported = [one for one in self._unsupported if one != review.pointer]
            self._unfilled.discard(review.pointer)
        self._has_correction |= review.is_correction and not review.is_undone

    def _put(self, path: Sequence[str], value: Any) -> None:
        *above, last = path
        parent = self._node_at(pointer_of(tuple(above)))
        if _has(parent, last):
            parent[last] = value

    def _node_at(self, name: str) -> Any:
        node = self._root
        for step in _steps(name) if name else ():
            node = _child(node, str(step))
        return node

    def _place_of(self, name: str) -> str | None:
        """Return the pointer for a stable pointer `name`; None if its row was removed."""
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
        """Return the number of additions to and removals from the lists around `name`. Undone ones count twice, so that
        an undo changes the number, too."""
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
