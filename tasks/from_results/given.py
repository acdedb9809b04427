"""Copies fields of a schema from the results of tasks, and the others from the texts that were read."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.examples import Example
from tasks.extraction.extract import copy_fields
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import fields_of
from tasks.extraction.given_values import GivenValues
from tasks.extraction.names import names_of
from tasks.extraction.trace import Trace
from tasks.from_results.specialist_lists import specialist_lists
from tasks.from_results.whole_results import TaskResults, values_from_results
from tasks.precontext import Entry
from tasks.schema.checker import prepared_checker
from tasks.schema.paths import JsonPath


def copy_with_results(
    schema: Mapping[str, Any],
    results: TaskResults,
    read: Sequence[Entry],
    extractor: Extractor | None,
    examples: Sequence[Example] = (),
    trace: Trace | None = None,
) -> CopiedFields:
    """Copy the fields of `schema` from `results` and the texts in `read`. `trace` records how. Raises ModelError."""
    return copy_fields(schema, given_values(schema, results), read, extractor, examples, trace)


def given_values(schema: Mapping[str, Any], results: TaskResults) -> GivenValues:
    """Return the values of fields of `schema` that whole results, their numbers and their lists are."""
    checker = prepared_checker(schema)
    fields = fields_of(schema)
    names = {one.path: names_of(one.path, one.schema) for one in fields}
    singles: dict[JsonPath, Any] = {}
    for one in fields:
        fits = checker.of_part(one.schema).accepts
        for value in values_from_results(one.schema, names[one.path], results, list(names.values())):
            if fits(value):
                singles[one.path] = value
                break
    return GivenValues(specialist_lists(schema, checker, results), singles)
