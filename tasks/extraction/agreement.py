"""Compares a list with the same list filled in other ways: a value that several of them give a field is likelier right,
and one that another way gives another field is likelier wrong."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tasks.extraction.values import key_of

Rows = Sequence[Mapping[str, Any]]
"""The values of a list's objects by the names of their fields."""


class Agreement(NamedTuple):
    """Agreement of the other ways to fill a list with a value of a field."""

    compared: int = 0
    """Number of the other ways that fill the list."""
    agreed: int = 0
    """Number of them that give the value to the field, whatever the object."""
    elsewhere: int = 0
    """Number of them that give the value to other fields alone."""


NOT_COMPARED: Final = Agreement()


def agreements(rows: Rows, others: Collection[Rows]) -> list[dict[str, Agreement]]:
    """Return how `others`, the lists of other ways, agree with the values of a list, by the name of the field in each
    row."""
    fields_of_each = [_fields_by_value(one) for one in others if one]

    def agreement(name: str, value: Any) -> Agreement:
        found = [fields.get(key_of(value), frozenset()) for fields in fields_of_each]
        agreed = sum(name in names for names in found)
        return Agreement(len(found), agreed, sum(map(bool, found)) - agreed)

    return [{name: agreement(name, value) for name, value in row.items() if _is_compared(value)} for row in rows]


def _fields_by_value(rows: Rows) -> Mapping[Any, Collection[str]]:
    """Return the fields that have each value, by its key."""
    found: dict[Any, set[str]] = defaultdict(set)
    for row in rows:
        for name, value in row.items():
            if _is_compared(value):
                found[key_of(value)].add(name)
    return found


def _is_compared(value: Any) -> bool:
    return isinstance(value, str | int | float) and value != ""
