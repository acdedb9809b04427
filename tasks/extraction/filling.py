"""Filling of a schema's fields with the whole results of specialists and with values from the texts they read."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tasks.extraction.choice import choose_values, text_list_at
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import WantedField, fields_of, is_of_text, lists_of, texts_of
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import read_object_list
from tasks.extraction.probability import FieldScores
from tasks.extraction.text_lists import as_text
from tasks.extraction.values import with_form
from tasks.extraction.whole_results import TaskResults, copied
from tasks.precontext import Entry
from tasks.schema.checker import SchemaChecker
from tasks.schema.paths import JsonPath
from tasks.schema.remainder import LEFT_OUT

DEFINITIONS = ("$defs", "definitions")


@dataclass(frozen=True, slots=True)
class CopiedFields:
    """The fields of an answer that no LLM has to write."""

    values: Mapping[JsonPath, Any]
    """Value of each field by the field's path; LEFT_OUT for a field that the answer does not have."""
    scored: FieldScores | None = None
    """The extractor's scores, or None if the extractor did not run."""


async def copy_fields(
    schema: Mapping[str, Any], results: TaskResults, read: Sequence[Entry], extractor: Extractor | None
) -> CopiedFields:
    """Copy the fields of `schema` from `results` and the texts in `read`. Raises ModelError."""
    form = await asyncio.to_thread(_FormToFill.of, schema, results, read)
    if form is None:
        return CopiedFields({})
    scored: FieldScores | None = None
    if extractor is not None and form.wanted and form.read:
        scored = await extractor.score(form.read, form.wanted)
    return await asyncio.to_thread(form.filled, scored)


@dataclass(frozen=True, slots=True)
class _FormToFill:
    values: Mapping[JsonPath, Any]
    """Values from specialists' whole results and from the schema itself, by path."""
    wanted: Sequence[WantedField]
    """The fields that the extractor looks for."""
    lists: Sequence[JsonPath]
    """Paths of the lists of objects whose fields are wanted."""
    texts: Mapping[JsonPath, "_Fits"]
    """The lists of texts that are wanted, by path, each with the check of a value against its schema."""
    read: Sequence[Entry]
    """The entries in which fields are looked for."""

    @classmethod
    def of(cls, schema: Mapping[str, Any], results: TaskResults, read: Sequence[Entry]) -> "_FormToFill | None":
        """Find the fields that can be filled in, or return None if the schema has no such fields."""
        fields, listed, texts = fields_of(schema), lists_of(schema), texts_of(schema)
        if not (fields or listed or texts):
            return None
        names = {one.path: names_of(one.path, one.schema) for one in fields}
        values: dict[JsonPath, Any] = {}
        wanted = []
        for one in fields:
            fits = _Fits(one.schema)
            if "const" in one.schema:
                values[one.path] = one.schema["const"]
                continue
            said = copied(one.schema, names[one.path], results, list(names.values()))
            value = next(filter(fits, said), LEFT_OUT)
            if value is not LEFT_OUT:
                values[one.path] = value
            elif is_of_text(one.schema, names[one.path]):
                asked = with_form(one.schema, names[one.path])
                wanted.append(WantedField(one.path, asked, names[one.path], fits, not one.is_required))
        lists = {
            path: columns
            for path, columns in listed.items()
            if all(is_of_text(one.schema, names_of(one.path, one.schema)) for one in columns)
        }
        wanted += [
            WantedField(one.path, with_form(one.schema, named), named, _Fits(one.schema), not one.is_required, True)
            for columns in lists.values()
            for one in columns
            for named in (names_of(one.path, one.schema),)
        ]
        of_texts: dict[JsonPath, _Fits] = {}
        for one in texts:
            named, asked = names_of(one.path, one.schema), as_text(one.schema)
            if is_of_text(asked, named):
                of_texts[one.path] = _Fits({**{key: schema[key] for key in DEFINITIONS if key in schema}, **one.schema})
                wanted.append(WantedField(one.path, asked, named, _is_text, may_be_left_out=True))
        return cls(values, wanted, list(lists), of_texts, read)

    def _without(self, lists: Mapping[JsonPath, Any]) -> Iterator[tuple[JsonPath, Any]]:
        """Yield the lists of texts, each with its value if no item is found: null or empty.

        A list that may be neither is skipped unless it is in `lists`.
        """
        none: tuple[Any, ...] = (None, [])
        for path, fits in self.texts.items():
            nothing = next(filter(fits, none), LEFT_OUT)
            if path in lists or nothing is not LEFT_OUT:
                yield path, nothing

    def filled(self, scored: FieldScores | None) -> CopiedFields:
        """Return the fields with their chosen values."""
        values = {**self.values}
        choices = choose_values(scored) if scored else {}
        if scored:
            values |= {path: read_object_list(scored, path) for path in self.lists}
            found = {path: text_list_at(scored, choices[path]) for path in self.texts}
            lists = {path: one for path, one in found.items() if one and one.items and self.texts[path](one.texts)}
            scored = replace(scored, lists=lists)
            values |= {path: lists[path].texts if path in lists else none for path, none in self._without(lists)}
        for one in self.wanted:
            choice = choices.get(one.path)
            if choice is None or one.path in self.texts:
                continue
            if choice.value is None and not one.fits(None):
                values[one.path] = LEFT_OUT
            else:
                values[one.path] = choice.value
        return CopiedFields(values, scored)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


class _Fits:
    """Check of values against a field's schema, which is prepared at the first call."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    def __call__(self, value: Any) -> bool:
        return self._checker.problem(value) is None

    @cached_property
    def _checker(self) -> SchemaChecker:
        return SchemaChecker(self._schema)
