"""Tells how the fields of a schema can be filled by copying: from given values, from tables, by the network, or by a
choice."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.extraction.column_values import NO_VALUE, emptiest_value
from tasks.extraction.fields import (
    MAX_FIELDS,
    Fits,
    FormField,
    WantedField,
    choice_lists_of,
    column_path,
    count_left_out,
    fields_of,
    is_choice,
    lists_of,
    may_be_copied,
    remembered,
    text_lists_of,
)
from tasks.extraction.given_values import GivenValues
from tasks.extraction.names import Names, names_of
from tasks.extraction.text_lists import as_text
from tasks.extraction.values import with_form
from tasks.schema.checker import SchemaChecker, prepared_checker
from tasks.schema.paths import JsonPath


@dataclass(frozen=True, slots=True)
class FieldsToFill:
    """The fields of a schema that can be filled by copying, by the way in which they are filled."""

    values: Mapping[JsonPath, Any]
    """Values that are given, and those that the schema itself states, by path."""
    wanted: Sequence[WantedField]
    """Fields that the extractor searches for."""
    lists: Mapping[JsonPath, Sequence[WantedField]]
    """Fields for which nothing can be copied, by the path of the list of objects that has them. Only lists that also
    have wanted fields are here."""
    listed: Collection[JsonPath]
    """The paths of all lists of objects."""
    texts: Mapping[JsonPath, Fits]
    """Wanted lists of texts, by path, each with the check of a value against its schema."""
    choices: Mapping[JsonPath, tuple[FormField, Names]]
    """Booleans and enums of words, by path."""
    choice_lists: Mapping[JsonPath, tuple[Sequence[str], Names]]
    """The lists of choices, by path, each with the values of its items."""
    beyond: int
    """Number of fields and of columns of lists that exceed the bound and are not searched for."""


def fields_to_fill(
    schema: Mapping[str, Any],
    checker: SchemaChecker,
    given: GivenValues,
    listed: Mapping[JsonPath, Sequence[WantedField]],
    whole: Collection[JsonPath],
) -> FieldsToFill | None:
    """Find the fields that can be filled in, or return None if the schema has none.

    `checker` is that of `schema`. `listed` are the fields of the lists of objects that are not `given`. `whole` are the
    paths of the lists that an exact table fills.
    """
    fields = fields_of(schema)
    texts = [one for one in text_lists_of(schema) if one.path not in given.lists]
    choice_lists = [(one, allowed) for one, allowed in choice_lists_of(schema) if one.path not in given.lists]
    if not (fields or listed or texts or choice_lists or given.lists):
        return None
    names = {one.path: names_of(one.path, one.schema) for one in fields}
    values: dict[JsonPath, Any] = {path: one.items for path, one in given.lists.items()}
    wanted = []
    choices: dict[JsonPath, tuple[FormField, Names]] = {}
    for one in fields:
        fits = checker.of_part(one.schema).accepts
        if "const" in one.schema:
            values[one.path] = one.schema["const"]
            continue
        if one.path in given.singles:
            values[one.path] = given.singles[one.path]
        elif may_be_copied(one.schema, names[one.path]):
            own_schema = with_form(one.schema, names[one.path])
            wanted.append(WantedField(one.path, own_schema, names[one.path], fits, not one.is_required))
        elif is_choice(one.schema):
            choices[one.path] = one, names[one.path]
            wanted.append(WantedField(one.path, as_text(one.schema), names[one.path], _is_text, True))
    lists: dict[JsonPath, Sequence[WantedField]] = {}
    fields_left, beyond = MAX_FIELDS, count_left_out(schema)
    for path, columns in listed.items():
        copied = [one for one in columns if may_be_copied(one.schema, one.names)]
        not_copied = [one for one in columns if one not in copied]
        may_be_empty = all(emptiest_value(one) is not NO_VALUE or one.may_be_left_out for one in not_copied)
        # The network does not search for a list that an exact table fills, because such a table is the whole list.
        # In a table that was found by the places of words, cells may be torn apart.
        if len(copied) > len(not_copied) and may_be_empty and path not in whole:
            fields_left -= len(copied)
            if fields_left < 0:
                beyond += len(copied)
                continue
            lists[path] = not_copied
            wanted += copied
    text_fits: dict[JsonPath, Fits] = {}
    for one in texts:
        named, own_schema = names_of(one.path, one.schema), as_text(one.schema)
        if may_be_copied(own_schema, named):
            text_fits[one.path] = checker.of_part(one.schema).accepts
            wanted.append(WantedField(one.path, own_schema, named, _is_text, may_be_left_out=True))
    choice_values = {one.path: (allowed, names_of(one.path, one.schema)) for one, allowed in choice_lists}
    return FieldsToFill(
        values=values,
        wanted=wanted,
        lists=lists,
        listed=listed,
        texts=text_fits,
        choices=choices,
        choice_lists=choice_values,
        beyond=beyond,
    )


def lists_to_fill(
    schema: Mapping[str, Any],
) -> tuple[SchemaChecker, dict[JsonPath, list[WantedField]]]:
    """Return the checker of `schema`, and the fields of its lists of objects by the path of their list."""
    checker = prepared_checker(schema)
    listed: dict[JsonPath, list[WantedField]] = {}
    for path, columns in lists_of(schema).items():
        listed[path] = [_in_list(path, one, checker) for one in columns]
    return checker, listed


def _in_list(list_path: JsonPath, field: FormField, checker: SchemaChecker) -> WantedField:
    names, path = names_of(field.path, field.schema), column_path(list_path, field.path)
    fits = remembered(checker.of_part(field.schema).accepts)
    return WantedField(path, with_form(field.schema, names), names, fits, not field.is_required, True)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
