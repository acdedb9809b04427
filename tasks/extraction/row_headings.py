"""Gives the headings above rows to the field of a list that has no column: the panel of a laboratory's values, the
category of goods."""

from collections.abc import Mapping, Sequence
from typing import Final

from tasks.extraction.column_values import is_plain_text
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.table_readings import HeadedTable
from tasks.extraction.yes_and_no import EnumValues
from tasks.read_table import ReadCell

GROUPS: Final = frozenset(("category", "department"))
"""Concepts of fields that name a group of items."""
FEWEST_COLUMNS: Final = 2
"""A table has headings above its rows only if it has columns of at least this many fields."""
SHORTEST_CHOICE: Final = 4
"""A value of an enum that is only a part of a word has at least this many letters."""


def field_of_headings(
    fields: Sequence[WantedField], chosen: Mapping[int, int], reading: HeadedTable
) -> dict[int, Sequence[ReadCell]]:
    """Return the headings of a table's rows as the cells of the field that they answer, if there is one: of an enum
    whose values they mean; of a text that names a group; or of the only text that must have a value and has no column.

    The title of a table whose rows have no headings answers an enum alone."""
    without = [index for index in range(len(fields)) if index not in chosen]
    headings = reading.sections
    if len(chosen) < FEWEST_COLUMNS:
        return {}
    if not any(heading.text for heading in headings):
        title = reading.table.heading
        for index in without:
            values = fields[index].schema.get("enum") or ()
            if title and not fields[index].fits(None) and (value := _value_in(values, title)):
                return {index: [ReadCell(value, source=title)] * len(headings)}
        return {}
    for index in without:
        if "enum" in fields[index].schema and (meant := _meant_by(fields[index].schema["enum"], headings)):
            return {index: [heading._replace(text=meant[heading.text], source=heading.text) for heading in headings]}
    texts = [index for index in without if is_plain_text(fields[index])]
    named = [index for index in texts if not GROUPS.isdisjoint(fields[index].names.concepts)]
    demanded = [index for index in texts if not fields[index].fits(None)]
    for candidates in (named, demanded):
        if len(candidates) == 1:
            return {candidates[0]: headings}
    return {}


def _meant_by(values: Sequence[object], headings: Sequence[ReadCell]) -> dict[str, str]:
    """Return the value that each heading means, by the heading's text; nothing unless each means one, and together
    they mean two at least."""
    meant = {text: _value_in(values, text) for text in dict.fromkeys(heading.text for heading in headings)}
    return meant if all(meant.values()) and len({*meant.values()}) > 1 else {}


def _value_in(values: Sequence[object], text: str) -> str:
    """Return the value that a heading means, or the only value that is a part of one of its words: `part` in
    `Partslist`; empty if there is none."""
    found = EnumValues(values).meant_by(text)
    if isinstance(found, str):
        return found
    words = fold(text)
    parts = [
        one
        for one in values
        if isinstance(one, str) and len(one) >= SHORTEST_CHOICE and any("".join(fold(one)) in word for word in words)
    ]
    return parts[0] if len(parts) == 1 else ""
