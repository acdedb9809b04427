"""Reads amounts that a sentence lists after a colon: `Meters: electricity 48,112 kWh, water 377.4 m³` and `Handed over:
4 hall keys, 2 remote controls, 1 letter box key`."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.passages import Passage
from tasks.extraction.table_lists import is_plain_text
from tasks.extraction.units import unit_of
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_of, text_of
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Part = Literal["name", "amount", "unit"]

FEWEST_WITH_UNIT: Final = 2
FEWEST: Final = 3
"""A sentence lists amounts with units if it has at least FEWEST_WITH_UNIT of them, and counts if it has at least
FEWEST."""
MOST: Final = 40
"""A sentence lists at most this many amounts."""
LONGEST_ROW: Final = 400
"""A row with a list has at most this many characters."""
LONGEST_LABEL: Final = 60
"""The text before the colon has at most this many characters."""

_SEPARATOR = re.compile(r"[;,] | (?:und|and|et|y|e|en|och|oraz|i) ")
_SENTENCE = re.compile(r"\.(?= [^\W\d_a-z]|$)|; (?=[^\W\d_]{1,20} [^\W\d_]{1,20} [^\W\d_])")
_NUMBER = r"[-+−]?\d(?:[\d.,'’]|\s(?=\d{3}(?!\d))){0,14}"
_AFTER = re.compile(
    rf"(?P<name>[^\W\d_][^\d:]{{0,40}}?)\s(?P<amount>{_NUMBER})\s?(?P<unit>[^\W\d_]\S{{0,9}}(?: m[²³])?|%)"
)
"""Pattern of a name before an amount with a unit: `water 377.4 m³`."""
_BEFORE = re.compile(r"(?P<amount>\d{1,4})(?:\s?[x×])?\s(?P<name>[^\W\d_][^\d:]{2,60})")
"""Pattern of a count before what is counted: `4 hall keys`."""


def listed_amounts(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield a table for each list of names with amounts and units, or of names with counts, and each sentence that
    lists them. Yield None after each slice of work."""
    wanted = [(fields, parts) for fields in lists if (parts := _parts_of(fields))]
    for row in rows_of(passage) if wanted else ():
        yield None
        known: dict[bool, list[re.Match[str]]] = {}
        for fields, parts in wanted:
            has_unit = "unit" in parts.values() or _is_of_text(fields, parts)
            if has_unit not in known:
                known[has_unit] = _items(passage, row, has_unit=has_unit)
            items = known[has_unit]
            if not items:
                continue
            header = [ReadCell(" ".join(fields[index].names.own[0])) for index in parts]
            cell = cell_of(passage, row)
            body = [
                [_cell(cell, found, part, is_whole="unit" not in parts.values()) for part in parts.values()]
                for found in items
            ]
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _parts_of(fields: Sequence[WantedField]) -> dict[int, Part]:
    """Return the part of an item that each field of a list asks for, by the field's index; empty if the list wants
    anything else."""
    found: dict[int, Part] = {}
    for index, one in enumerate(fields):
        is_amount = _is_count(one) or bool(types_of(one.schema) & {"number", "integer"})
        if "unit" in one.names.concepts:
            found[index] = "unit"
        elif is_amount:
            found[index] = "amount"
        elif is_plain_text(one):
            found[index] = "name"
    parts = list(found.values())
    if len(found) < len(fields) or len(set(parts)) < len(parts) or not {"name", "amount"} <= set(parts):
        return {}
    # Without a unit, an amount is a count, or a text with its unit.
    amount = fields[next(index for index, part in found.items() if part == "amount")]
    return found if "unit" in parts or _is_count(amount) else {}


def _is_count(field: WantedField) -> bool:
    """True if a field asks for a quantity. In a list of keys, `count` alone is one."""
    return "quantity" in field.names.concepts or any("quantity" in concepts_of(own) for own in field.names.own)


def _is_of_text(fields: Sequence[WantedField], parts: dict[int, Part]) -> bool:
    return any(part == "amount" and is_plain_text(fields[index]) for index, part in parts.items())


def _items(passage: Passage, row: Sequence[WordOnPage], *, has_unit: bool) -> list[re.Match[str]]:
    """Return the items of the list in a row; none if it has no list."""
    text = text_of(passage, row)
    label, colon, rest = text.partition(": ")
    if not colon or len(label) > LONGEST_LABEL or len(text) > LONGEST_ROW:
        return []
    sentence = _SENTENCE.split(rest, maxsplit=1)[0].strip()
    items = [part.strip() for part in _SEPARATOR.split(sentence)]
    if not (FEWEST_WITH_UNIT if has_unit else FEWEST) <= len(items) <= MOST:
        return []
    found = [one for item in items if (one := (_AFTER if has_unit else _BEFORE).fullmatch(item))]
    units = [one["unit"] for one in found] if has_unit else []
    return found if len(found) == len(items) and all(unit_of(re.split(r"[/\s]", unit)[0]) for unit in units) else []


def _cell(row: ReadCell, item: re.Match[str], part: Part, *, is_whole: bool) -> ReadCell:
    own = item.groupdict()
    text = own.get(part) or ""
    if part == "amount" and is_whole and own.get("unit"):
        text = f"{text} {own['unit']}"
    return row._replace(text=text.strip(), source=item[0]) if text else NO_CELL
