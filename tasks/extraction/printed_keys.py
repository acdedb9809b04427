"""Fills objects whose keys the schema leaves open (`dict[str, float]`) with printed labels and their values."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import Any, NamedTuple

from tasks.extraction.column_values import UNREADABLE, values_of_column
from tasks.extraction.features import types_of
from tasks.extraction.fields import MAX_FIELDS, WantedField, fields_of
from tasks.extraction.folding import fold
from tasks.extraction.labelled_values import layout_of
from tasks.extraction.names import Names, names_of, words_of_key
from tasks.extraction.passages import passages_to_search
from tasks.extraction.printed_types import MAX_LINES
from tasks.extraction.written_tables import tables_in
from tasks.notation.currencies import is_currency
from tasks.precontext import Entry
from tasks.schema.checker import prepared_checker
from tasks.schema.paths import JsonPath, resolved, steps_of_pointer

_COPIED = {"string", "number", "integer"}
_LONGEST_KEY = 60
"""A label of more characters than this is a text."""


class LabelledText(NamedTuple):
    label: str
    text: str
    """The text beside the label."""


def open_objects(schema: Mapping[str, Any]) -> dict[JsonPath, Mapping[str, Any]]:
    """Return the schemas of the objects whose keys the schema leaves open, by path: the answer itself, or its direct
    fields."""
    whole = resolved(schema, schema)
    nodes = {(name,): resolved(schema, part) for name, part in (whole.get("properties") or {}).items()}
    # An answer of which the schema says nothing else is `{}`.
    found: dict[JsonPath, Mapping[str, Any]] = {(): whole} if whole.get("additionalProperties") else {}
    return {path: node for path, node in (found | nodes).items() if _is_open(node)}


def _is_open(node: Mapping[str, Any]) -> bool:
    is_object = types_of(node) == {"object"} and not node.get("properties")
    return is_object and node.get("additionalProperties") is not False


def with_printed_keys(
    schema: Mapping[str, Any], read: Sequence[Entry]
) -> tuple[Mapping[str, Any], dict[JsonPath, Any]]:
    """Return a schema in which the only open object of texts or numbers has the printed labels as the names of its
    fields, and the values of these fields by path.

    The labels are the first column of tables of two columns, or else what ends with a colon. Labels without a value
    of the object's type are left out, and so are those of other fields of the schema, and those that are printed
    several times, whose values are those of records.
    """
    objects = open_objects(schema)
    if len(objects) != 1:
        return schema, {}
    [(path, node)] = objects.items()
    value = resolved(schema, node.get("additionalProperties"))
    if not (types_of(value) and types_of(value) <= _COPIED):
        return schema, {}
    others = {name for one in fields_of(schema) for name in names_of(one.path, one.schema).own}
    fits = prepared_checker(schema).of_part(value).accepts
    wanted = WantedField(path, value, Names(), fits)
    are_texts = "string" in types_of(value)
    own_names = set(names_of(path, node).own)
    for found in (
        _pairs_of_members(read, own_names),
        _pairs_of_tables(read, has_header=are_texts),
        _pairs_of_lines(read),
    ):
        pairs = [one for one in found if len(one.label) <= _LONGEST_KEY and tuple(fold(one.label)) not in others]
        pairs = [one for one in pairs if are_texts or _is_quantity(one.text)]
        values = values_of_column([one.text for one in pairs], wanted, comma_likely=False)
        counts = Counter(one.label for one in pairs)
        readable = (
            (pair.label, value)
            for pair, value in zip(pairs, values, strict=True)
            if value is not None and value is not UNREADABLE and counts[pair.label] == 1
        )
        if own := dict(islice(readable, MAX_FIELDS)):
            named = {**node, "properties": dict.fromkeys(own, node["additionalProperties"])}
            filled = {(*path, label): value for label, value in own.items()}
            return _replaced(schema, path, named), filled
    return schema, {}


def _is_quantity(text: str) -> bool:
    """True if `text` begins with a number or a currency, unlike the code `INV-4711`."""
    before = "".join(takewhile(lambda sign: not sign.isdigit(), text))
    return not any(map(str.isalpha, before)) or is_currency(before.strip(" -−–+("))


def _replaced(schema: Mapping[str, Any], path: JsonPath, part: Mapping[str, Any]) -> Mapping[str, Any]:
    if not path:
        return part
    whole = resolved(schema, schema)
    return {**whole, "properties": {**whole["properties"], str(path[0]): part}}


def _pairs_of_tables(read: Sequence[Entry], *, has_header: bool) -> Iterator[LabelledText]:
    """Yield the rows below the header of tables of two columns. With `has_header`, only tables of a known header count:
    among texts, nothing else shows that the first row is none."""
    for _, table in tables_in(read):
        if len(table.rows[0]) == 2 and (table.header or not has_header):
            yield from (LabelledText(label, text) for label, text in table.texts[table.header :] if label and text)


def _pairs_of_members(read: Sequence[Entry], names: Collection[tuple[str, ...]]) -> Iterator[LabelledText]:
    """Yield the members of an object in data that has one of these names."""
    for passage in passages_to_search(read):
        for line in passage.lines:
            *_, around, name = ("", *steps_of_pointer(line.place.get("path", "")))
            _, colon, text = line.written.partition(": ")
            if colon and words_of_key(around) in names:
                yield LabelledText(name, text)


def _pairs_of_lines(read: Sequence[Entry]) -> Iterator[LabelledText]:
    """Yield the labels that end with a colon, each with the words beside it."""
    for passage in passages_to_search(read):
        if len(passage.lines) <= MAX_LINES:
            pairs = {pair.values: pair for pair in layout_of(passage).pair_of.values() if pair.has_colon}
            for words, pair in sorted(pairs.items()):
                yield LabelledText(pair.label, " ".join([passage.words[word] for word in words]))
