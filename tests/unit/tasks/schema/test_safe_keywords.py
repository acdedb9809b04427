"""That the unfolded metaschemas accept and refuse what the published ones do."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import (
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    FormatChecker,
)
from jsonschema.protocols import Validator

from tasks.schema.checker import metaschema_validator
from tasks.schema.safe_keywords import SchemaRefused, counting

DRAFTS = [Draft4Validator, Draft6Validator, Draft7Validator, Draft201909Validator, Draft202012Validator]
VALUES: list[Any] = [
    None, True, -1, 0, 1.5, "a", "#a", "string", [], [1], ["a"], ["a", "a"], ["string", "null"], [{}], [{"type": 5}],
    {}, {"a": {}}, {"a": True}, {"a": 5}, {"a": ["b"]}, {"a": {"type": 5}}, {"type": "integer"}, {"properties": 5},
]  # fmt: skip


def schemas(draft: type[Validator]) -> Iterator[dict[str, Any]]:
    """Each keyword of the draft with each value, at the root and below."""
    for keyword in draft.VALIDATORS.keys() | {"$id", "id", "$anchor", "$comment", "$defs", "definitions", "title"}:
        for value in VALUES:
            yield {keyword: value}
            yield {"properties": {"a": {"not": {keyword: value}}}}


@pytest.mark.deep
@pytest.mark.parametrize("draft", DRAFTS)
def test_it_judges_as_the_published_one(draft: type[Validator]) -> None:
    published = draft(draft.META_SCHEMA, format_checker=FormatChecker(formats=()))
    unfolded = metaschema_validator(draft)
    verdicts = set()
    for schema in schemas(draft):
        verdict = published.is_valid(schema)
        with counting():
            assert unfolded.is_valid(schema) == verdict, schema
        verdicts.add(verdict)
    assert verdicts == {True, False}


@pytest.mark.parametrize("draft", DRAFTS)
def test_every_draft_is_a_schema_of_itself(draft: type[Validator]) -> None:
    with counting():
        assert metaschema_validator(draft).is_valid(draft.META_SCHEMA)


def test_comparisons_also_count_in_the_block_around() -> None:
    validator = metaschema_validator(DRAFTS[0])
    with counting(1000) as left:
        for _ in range(2):
            with counting():
                assert validator.is_valid({"type": "string"})
        assert 0 < left[0] < 1000
        with pytest.raises(SchemaRefused), counting():
            validator.is_valid({"allOf": [{"type": "string"}] * 1000})
    with counting(1000):
        assert validator.is_valid({"type": "string"})
