"""Divides the rows of a table among several lists: charges and payments of one account, earnings and contributions of
one payslip.

A row belongs to the list whose own columns it fills. A column of numbers is a list's own if the other lists of the
table have no field for it. Where this leaves rows open, the section in which they stand decides: the rows
between two sums.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from tasks.extraction.assign import Assignment
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.likeness import LEAST_LIKENESS
from tasks.notation.cells import is_missing
from tasks.schema.paths import JsonPath


def divided_rows(
    assignments: Sequence[Assignment], lists: Mapping[JsonPath, Sequence[WantedField]]
) -> Mapping[JsonPath, frozenset[int]]:
    """Return the rows of one table that belong to each of several lists, as indices of the table's rows. The result is
    empty unless each list gets rows, and no row fills the own columns of two lists."""
    if len(assignments) < 2:
        return {}
    own = [
        _own_columns(one, lists[one.path], [other for other in assignments if other is not one]) for one in assignments
    ]
    without = [index for index, columns in enumerate(own) if not columns]
    if len(without) > 1:
        return {}
    owners: dict[int, int] = {}
    for at, texts in _rows_of(assignments):
        filling = [
            index for index, columns in enumerate(own) if any(not is_missing(texts[column]) for column in columns)
        ]
        if len(filling) > 1:
            return {}
        owners[at] = filling[0] if filling else -1
    if without:
        _give_section(owners, assignments, without[0])
    rows = {
        one.path: frozenset(at for at, owner in owners.items() if owner == index)
        for index, one in enumerate(assignments)
    }
    return rows if all(rows.values()) else {}


def _own_columns(one: Assignment, fields: Sequence[WantedField], others: Sequence[Assignment]) -> set[int]:
    """Return the columns that a list's numbers have by their headers, and that no field of the other lists has."""
    named = {
        column
        for index, column in one.columns.items()
        if one.likeness[index, column] > LEAST_LIKENESS and types_of(fields[index].schema) & {"number", "integer"}
    }
    return named - {column for other in others for column in other.columns.values()}


def _rows_of(assignments: Sequence[Assignment]) -> list[tuple[int, Sequence[str]]]:
    """Return the rows that are items by all readings of the table, each with its index."""
    bodies = [{*map(id, one.reading.body)} for one in assignments]
    table = assignments[0].reading.table
    return [(at, table.texts[at]) for at, row in enumerate(table.rows) if all(id(row) in body for body in bodies)]


def _give_section(owners: dict[int, int], assignments: Sequence[Assignment], without: int) -> None:
    """Give the rows without an owner to the list that has most rows of their section. The first section that no list
    has rows of goes to the list at the index `without`, which has no columns of its own."""
    is_given = False
    for _, group in groupby(_sections(owners, assignments[0]), key=lambda pair: pair[0]):
        section = [at for _, at in group]
        counts = Counter(owners[at] for at in section if owners[at] >= 0)
        if counts:
            owner = counts.most_common(1)[0][0]
        else:
            owner = -1 if is_given else without
            is_given = True
        owners.update((at, owner) for at in section if owners[at] < 0)


def _sections(rows: Mapping[int, int], one: Assignment) -> list[tuple[int, int]]:
    """Return each row with the number of its section. A row of several cells that is not an item, such as a sum, ends a
    section."""
    number, found = 0, []
    for at, texts in enumerate(one.reading.table.texts):
        if at in rows:
            found.append((number, at))
        elif sum(map(bool, texts)) > 1:
            number += 1
    return found
