"""The parts of a schema for the fields of an answer."""

from typing import Any

import pytest

from tasks.schema import paths
from tasks.schema.paths import PartsOfSchema, schema_at


def test_a_field_is_found_in_the_first_alternative_that_has_it() -> None:
    first = {"properties": {"a": {"title": "first"}}, "prefixItems": [{"title": "item 1"}]}
    second = {"properties": {"a": {"title": "second"}, "b": {"title": "b"}}, "items": {"title": "item"}}
    schema = {"anyOf": [{"$ref": "#/$defs/first"}], "allOf": [second], "$defs": {"first": first}}
    parts = PartsOfSchema(schema)
    assert [parts.at((step,)).get("title") for step in ("a", "b", 0, 1, "c")] == ["first", "b", "item 1", "item", None]
    assert schema_at({**schema, "properties": {"a": {"title": "own"}}}, ("a",)) == {"title": "own"}


def test_alternatives_that_repeat_are_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[Any] = []
    resolved = paths.resolved
    monkeypatch.setattr(paths, "resolved", lambda root, part: followed.append(part) or resolved(root, part))
    two = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}, {"$ref": f"#/$defs/d{at + 1}"}]} for at in range(12)}
    schema = {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": {**two, "d12": {"type": "array"}}}
    parts = PartsOfSchema(schema)
    for index in range(100):
        assert parts.at(("a", index)) == {}
    assert len(followed) <= 3 * 100 + 2 * 12
