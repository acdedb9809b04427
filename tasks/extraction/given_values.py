"""Values of fields that are known before any text is searched, such as the results of tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.schema.paths import JsonPath


@dataclass(frozen=True, slots=True)
class GivenList:
    """The items of a list of a schema."""

    items: list[Any]
    unanswered: Sequence[str]
    """Names of the items' fields that have no value."""


@dataclass(frozen=True, slots=True)
class GivenValues:
    """The values of fields that are not searched for. All of them satisfy the schema."""

    lists: Mapping[JsonPath, GivenList] = field(default_factory=dict)
    """Lists by path, perhaps with no items."""
    singles: Mapping[JsonPath, Any] = field(default_factory=dict)
    """Values of single fields by path."""
