"""Applies people's reviews of a paper's fields and rows to the answer that was read from it.

In reviews, each row of a list has a stable name, which does not change when other rows are added or removed. The names
of the rows in the answer that was read are their indexes: `0`, `1` …. The names of rows that people added are `+1`,
`+2` …. The reviews of a list can therefore be undone in any order.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.folders.answers import Json, fields_of, pointer_of, steps_of

Change = Literal["value", "added", "removed"]
REVIEWED = "reviewed"
"""Value of `match` in the evidence of a field that a person accepted or corrected."""


@dataclass(frozen=True, slots=True)
class PaperResult:
    """The answer to a paper with its evidence, or an error."""

    answer: Any = None
    evidence: Json = field(default_factory=dict)
    """Source of each field, by the field's JSON pointer (wire contract: `evidence`)."""
    unsupported: Sequence[str] = ()
    """Pointers of fields that nothing in the paper supports."""
    warnings: Sequence[str] = ()
    error: str | None = None


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


class _NamedRows(dict[str, Any]):
    """The rows of a list by their names, in order. Hidden rows are among them, because other rows may follow them."""

    def insert(self, name: str, after: str | None, row: Any) -> None:
        rows = [*self.items()]
        at = [*self].index(after) + 1 if after in self else 0
        self.clear()
        self.update([*rows[:at], (name, row), *rows[at:]])


class ReviewedAnswer:
    """The answer of `result` after `reviews` were applied to it in order. Rows that were removed, and rows whose
    addition was undone, are hidden."""

    def __init__(self, result: PaperResult, reviews: Sequence[Review]) -> None:
        self._reviews = reviews
        self._root = _with_names(result.answer)
        self._evidence = dict(result.evidence)
        self._unsupported = [*result.unsupported]
        self._added: dict[str, list[str]] = {}
        """The stable pointers of the fields of each added row, by the row's, as long as nobody has reviewed them."""
        self._hidden: set[str] = set()
        self._has_correction = False
        for review in reviews:
            self._apply(review)
        self._look()

    def hide_blank_rows(self) -> None:
        """Hide each added row that has no value."""
        for name in self._added:
            if all(value in (None, "") for _, value in fields_of(_without_names(self._node_at(name)))):
                self._hidden.add(name)
        self._look()

    @property
    def evidence(self) -> Json:
        return {self._places[name]: found for name, found in self._evidence.items() if name in self._places}

    @property
    def unsupported(self) -> list[str]:
        """Pointers of fields that nothing in the paper supports, and of fields of added rows that nobody has filled or
        accepted yet."""
        return [self._places[name] for name in [*self._unsupported, *self._unfilled()] if name in self._places]

    @property
    def is_corrected(self) -> bool:
        """True if a person changed something, and all fields of added rows are filled or accepted."""
        return self._has_correction and not any(name in self._places for name in self._unfilled())

    @property
    def version(self) -> str:
        """Version of the answer, which each review, each undo, and each new reading changes."""
        count = len(self._reviews) + sum(one.is_undone for one in self._reviews)
        return f"{count}-{hashlib.sha256(json.dumps(self.answer, sort_keys=True).encode()).hexdigest()[:12]}"

    def stable_pointer(self, pointer: str) -> str:
        """Return `pointer` with the names of rows instead of their numbers. There may be nothing at `pointer`."""
        above, _, last = pointer.rpartition("/")
        return self._names[pointer] if pointer in self._names else f"{self.stable_pointer(above)}/{last}"

    def place_of(self, name: str) -> str:
        """Return the pointer for a stable pointer `name`; if its row is hidden, the pointer of the list."""
        return self._places[name] if name in self._places else self.place_of(name.rpartition("/")[0])

    def new_row(self, list_pointer: str, index: int) -> tuple[str, str | None]:
        """Return the stable pointer of a new row at `index` of a list, and the name of the row before it."""
        above = self.stable_pointer(f"{list_pointer}/{index - 1}") if index else None
        count = sum(review.change == "added" for review in self._reviews)
        return f"{self.stable_pointer(list_pointer)}/+{count + 1}", above and above.rpartition("/")[2]

    def _unfilled(self) -> Iterator[str]:
        for names in self._added.values():
            yield from names

    def _look(self) -> None:
        """Take the answer from the rows that are not hidden, and note its places."""
        self._places: dict[str, str] = {}
        self.answer = self._visible(self._root, "", "")
        self._names = {place: name for name, place in self._places.items()}

    def _visible(self, node: Any, name: str, place: str) -> Any:
        self._places[name] = place
        if not isinstance(node, dict):
            return node
        below = [(step, f"{name}{pointer_of((step,))}") for step in node]
        if isinstance(node, _NamedRows):
            shown = [one for one in below if one[1] not in self._hidden]
            return [self._visible(node[step], path, f"{place}/{index}") for index, (step, path) in enumerate(shown)]
        return {step: self._visible(node[step], path, f"{place}{pointer_of((step,))}") for step, path in below}

    def _apply(self, review: Review) -> None:
        pointer, is_undone = review.pointer, review.is_undone
        above, last = pointer.rpartition("/")[0], steps_of(pointer)[-1]
        parent = self._node_at(above)
        if review.change == "added":
            if parent is None and not is_undone:
                # The list was null.
                parent = self._put(above, _NamedRows())
            if not isinstance(parent, _NamedRows):
                return
            row = review.value["row"]
            parent.insert(last, review.value["after"], _with_names(row))
            if is_undone:
                self._hidden.add(pointer)
            else:
                blank = [pointer] if not isinstance(row, dict | list) else []
                self._added[pointer] = blank + [pointer + path for path, _ in fields_of(row)]
        elif is_undone or not isinstance(parent, dict) or last not in parent:
            return
        elif review.change == "removed":
            self._hidden.add(pointer)
        else:
            parent[last] = review.value
            self._evidence[pointer] = {**review.place, "probability": 1.0, "match": REVIEWED}
            self._unsupported = [one for one in self._unsupported if one != pointer]
            for names in self._added.values():
                names[:] = [one for one in names if one != pointer]
        self._has_correction |= review.is_correction and not is_undone

    def _put(self, pointer: str, value: Any) -> Any:
        parent, last = self._node_at(pointer.rpartition("/")[0]), steps_of(pointer)[-1]
        if isinstance(parent, dict) and last in parent:
            parent[last] = value
        return value

    def _node_at(self, name: str) -> Any:
        node = self._root
        for step in steps_of(name):
            node = node.get(step) if isinstance(node, dict) else None
        return node


def _with_names(value: Any) -> Any:
    if isinstance(value, list):
        return _NamedRows((str(index), _with_names(row)) for index, row in enumerate(value))
    return {key: _with_names(child) for key, child in value.items()} if isinstance(value, dict) else value


def _without_names(value: Any) -> Any:
    if isinstance(value, _NamedRows):
        return [_without_names(row) for row in value.values()]
    return {key: _without_names(child) for key, child in value.items()} if isinstance(value, dict) else value
