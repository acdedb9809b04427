"""Completes an answer with the emptiest values that its schema permits. Optional fields are left out; others become
null, or an empty text, list or object. A boolean or an enum gets one of its permitted values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from tasks.schema.checker import SchemaChecker
from tasks.schema.paths import ALTERNATIVES, JsonPath, resolved
from tasks.schema.remainder import DEEPEST, conditions_in, is_optional, is_plain, paths_above
from tasks.schema.safe_keywords import counting

FORMATS: Final = frozenset((
    *("date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6"),
    *("uri", "url", "uri-reference", "iri", "iri-reference", "uuid", "json-pointer", "regex"),
))  # fmt: skip
"""Formats of JSON Schema in which an empty text is never valid. They are listed here, because the checker of answers
ignores formats."""
MAX_STEPS: Final = 3_000_000
"""One answer is completed with at most this many comparisons of values with the schema. An empty text in each of 5,000
fields takes 10,000."""
UNDECIDED: Final = 0.5
"""A value that was chosen without any evidence has at most this probability."""


class NothingFits(Exception):
    """Raised if the schema demands a value for the field at `path` and permits no empty value."""

    def __init__(self, path: JsonPath) -> None:
        super().__init__(path)
        self.path = path


def may_be_empty(schema: Mapping[str, Any]) -> bool:
    """True if the `format` of the schema permits an empty text. An unknown format counts as permitting it."""
    return schema.get("format") not in FORMATS


@dataclass
class Completion:
    """An answer of known values, completed with empty values for the other fields that the schema requires."""

    schema: Mapping[str, Any]
    checker: SchemaChecker
    """Checker of `schema`."""
    values: Mapping[JsonPath, Any]
    """The known values, by path."""
    choose: Any
    """Function that chooses one of several permitted values if there is no evidence for any."""
    is_partial: bool = False
    """True if what needs a value, and has none, becomes null whatever the schema says."""
    undecided: dict[JsonPath, float] = field(default_factory=dict)
    """Probabilities of booleans and enums that must have a value although nothing decided them, by path."""
    empty: list[JsonPath] = field(default_factory=list)
    """Paths of the lists that are empty because nothing fills them."""
    unanswered: list[JsonPath] = field(default_factory=list)
    """Paths of the fields that are null or an empty text because nothing answers them."""

    _unfit: set[tuple[int, JsonPath]] = field(default_factory=set)
    """The branches that gave no value, by `id` and path. A branch that several others contain is thus tried only once
    for each path."""

    _known: set[JsonPath] = field(init=False)
    """Paths of the known values, and of the objects that contain them."""
    _found: set[JsonPath] = field(init=False)
    """Paths of the objects in which a value was found."""
    _steps_left: int = field(init=False)

    def __post_init__(self) -> None:
        self._known = {*self.values, *paths_above(self.values)}
        self._found = paths_above(path for path, value in self.values.items() if value not in (None, []))
        self._steps_left = MAX_STEPS

    def answer(self) -> Any:
        """Return the whole answer. Raises NothingFits unless it is partial, and InputError if too many comparisons are
        necessary."""
        return self._value(self.schema, (), 0)

    def _value(self, part: Any, path: JsonPath, depth: int) -> Any:
        if path in self.values:
            return self.values[path]
        node = resolved(self.schema, part)
        if is_plain(node) and depth <= DEEPEST and not (is_optional(node) and path not in self._found):
            return self._object(node, path, depth)
        if path in self._found and depth <= DEEPEST:
            branches = self._alternative_objects(node, path)
            for branch in branches:
                try:
                    value = self._object(branch, path, depth)
                except NothingFits:
                    continue
                if self._fits(self.checker.of_part(node), value):
                    return value
            if self.is_partial and branches:
                return self._object(branches[0], path, depth)
        return self._emptiest(node, path, depth)

    def _alternative_objects(self, node: Mapping[str, Any], path: JsonPath) -> list[Mapping[str, Any]]:
        """Return the alternatives of a part that are objects, first those of whose fields most were found."""
        branches = [resolved(self.schema, one) for word in ALTERNATIVES for one in node.get(word) or ()]
        found = self._found | {one for one, value in self.values.items() if value not in (None, [])}

        def worth(branch: Mapping[str, Any]) -> int:
            return sum(1 if (*path, name) in found else -1 for name in branch["properties"])

        return sorted(filter(is_plain, branches), key=worth, reverse=True)

    def _object(self, node: Mapping[str, Any], path: JsonPath, depth: int) -> dict[str, Any]:
        required = frozenset(node.get("required", ()))
        whole = {}
        for name, child in node["properties"].items():
            at = (*path, name)
            if name in required or at in self._known:
                whole[name] = self._value(child, at, depth + 1)
        if conditions_in(node) and not self._fits(self.checker.of_part(node), whole):
            # A condition such as `dependentRequired` demands further fields.
            for name in [name for name in node["properties"] if name not in whole]:
                whole[name] = self._value(node["properties"][name], (*path, name), depth + 1)
        return {name: whole[name] for name in node["properties"] if name in whole}

    def _emptiest(self, node: Mapping[str, Any], path: JsonPath, depth: int) -> Any:
        fits = partial(self._fits, self.checker.of_part(node))
        if "const" in node:
            return node["const"]
        if fits(None):
            self.unanswered.append(path)
            return None
        types = {node["type"]} if isinstance(node.get("type"), str) else set(node.get("type", ()))
        choices = list(node["enum"]) if isinstance(node.get("enum"), Sequence) else [False, True]
        if choices and ("enum" in node or types == {"boolean"}):
            if self.is_partial:
                return None
            if len(choices) > 1:
                self.undecided[path] = min(UNDECIDED, round(1 / len(choices), 2))
            given = node.get("default")
            return given if "default" in node and fits(given) else self.choose(choices)
        if "array" in types and fits([]):
            self.empty.append(path)
            return []
        if "string" in types and may_be_empty(node) and fits(""):
            self.unanswered.append(path)
            return ""
        if (not types or "object" in types) and fits({}):
            return {}
        # Branches within branches are tried, but the objects in them are not built, because a branch may contain the
        # schema itself.
        for keyword in ALTERNATIVES if depth <= DEEPEST + 1 else ():
            for branch in node.get(keyword) or ():
                if (id(branch), path) in self._unfit:
                    continue
                try:
                    value = self._value(branch, path, max(depth, DEEPEST))
                except NothingFits:
                    pass
                else:
                    if fits(value):
                        return value
                self._unfit.add((id(branch), path))
        if self.is_partial:
            return None
        raise NothingFits(path)

    def _fits(self, checker: SchemaChecker, value: Any) -> bool:
        with counting(self._steps_left) as left:
            try:
                return checker.accepts(value)
            finally:
                self._steps_left = left[0]
