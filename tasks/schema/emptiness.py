"""Completes an answer with the emptiest values that its schema permits. Optional fields are left out; others become
null, or an empty text, list or object. A boolean or an enum gets one of its permitted values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tasks.schema.checker import SchemaChecker
from tasks.schema.paths import JsonPath, resolved
from tasks.schema.remainder import DEEPEST, LEFT_OUT, is_plain

_DEFINITIONS = ("$defs", "definitions")
_BRANCHES = ("anyOf", "oneOf")
_NEVER_EMPTY: Final = frozenset((
    *("date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6"),
    *("uri", "url", "uri-reference", "iri", "iri-reference", "uuid", "json-pointer", "regex"),
))  # fmt: skip
"""Formats of JSON Schema in which an empty text is never valid. They are listed here, because the checker of answers
ignores formats."""
UNDECIDED: Final = 0.5
"""A value that was chosen without any evidence has at most this probability."""


class NothingFits(Exception):
    """Raised if the schema demands a value for the field at `path` and permits no empty value."""

    def __init__(self, path: JsonPath) -> None:
        super().__init__(path)
        self.path = path


def may_be_empty(schema: Mapping[str, Any]) -> bool:
    """True if the `format` of the schema permits an empty text. An unknown format counts as permitting it."""
    return schema.get("format") not in _NEVER_EMPTY


@dataclass
class Completion:
    """An answer of known values, completed with empty values for the other fields that the schema requires."""

    schema: Mapping[str, Any]
    values: Mapping[JsonPath, Any]
    """The known values, by path; LEFT_OUT for a field that the answer does not have."""
    choose: Any
    """Function that chooses one of several permitted values if there is no evidence for any."""
    undecided: dict[JsonPath, float] = field(default_factory=dict)
    """Probabilities of booleans and enums that must have a value although nothing decided them, by path."""
    empty: list[JsonPath] = field(default_factory=list)
    """Paths of the lists that are empty because nothing fills them."""
    unanswered: list[JsonPath] = field(default_factory=list)
    """Paths of the fields that are null or an empty text because nothing answers them."""

    _unfit: set[tuple[int, JsonPath]] = field(default_factory=set)
    """The branches that gave no value, by `id` and path. A branch that several others contain is thus tried only once
    for each path."""

    def answer(self) -> Any:
        """Return the whole answer. Raises NothingFits."""
        return self._value(self.schema, (), 0)

    def _value(self, part: Any, path: JsonPath, depth: int) -> Any:
        if path in self.values:
            return self.values[path]
        node = resolved(self.schema, part)
        if is_plain(node) and depth <= DEEPEST:
            required = node.get("required", ())
            whole = {}
            for name, child in node["properties"].items():
                at = (*path, name)
                if name in required or self._is_known(at):
                    value = self._value(child, at, depth + 1)
                    if value is not LEFT_OUT:
                        whole[name] = value
            return whole
        return self._emptiest(node, path, depth)

    def _is_known(self, path: JsonPath) -> bool:
        return any(other[: len(path)] == path for other in self.values)

    def _emptiest(self, node: Mapping[str, Any], path: JsonPath, depth: int) -> Any:
        fits = self._checker(node)
        if "const" in node:
            return node["const"]
        if fits.problem(None) is None:
            self.unanswered.append(path)
            return None
        types = {node["type"]} if isinstance(node.get("type"), str) else set(node.get("type", ()))
        choices = list(node["enum"]) if isinstance(node.get("enum"), Sequence) else [False, True]
        if choices and ("enum" in node or types == {"boolean"}):
            if len(choices) > 1:
                self.undecided[path] = min(UNDECIDED, round(1 / len(choices), 2))
            given = node.get("default")
            return given if "default" in node and fits.problem(given) is None else self.choose(choices)
        if "array" in types and fits.problem([]) is None:
            self.empty.append(path)
            return []
        if "string" in types and may_be_empty(node) and fits.problem("") is None:
            self.unanswered.append(path)
            return ""
        if (not types or "object" in types) and fits.problem({}) is None:
            return {}
        # Branches within branches are tried, but the objects in them are not built, because a branch may contain the
        # schema itself.
        for keyword in _BRANCHES if depth <= DEEPEST + 1 else ():
            for branch in node.get(keyword) or ():
                if (id(branch), path) in self._unfit:
                    continue
                try:
                    value = self._value(branch, path, max(depth, DEEPEST))
                except NothingFits:
                    pass
                else:
                    if fits.problem(value) is None:
                        return value
                self._unfit.add((id(branch), path))
        raise NothingFits(path)

    def _checker(self, node: Mapping[str, Any]) -> SchemaChecker:
        return SchemaChecker({**{key: self.schema[key] for key in _DEFINITIONS if key in self.schema}, **node})
