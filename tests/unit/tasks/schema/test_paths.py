"""The parts of a schema for the fields of an answer."""

from typing import Any

from tasks.schema.paths import MAX_MERGED, PartsOfSchema, resolved, with_null
from tests.conftest import each_case

TEXT, NUMBER, NULL = {"type": "string"}, {"type": "number"}, {"type": "null"}


def test_a_field_is_found_in_the_first_alternative_that_has_it() -> None:
    first = {"properties": {"a": {"title": "first"}}, "prefixItems": [{"title": "item 1"}]}
    second = {"properties": {"a": {"title": "second"}, "b": {"title": "b"}}, "items": {"title": "item"}}
    schema = {"anyOf": [{"$ref": "#/$defs/first"}, second], "$defs": {"first": first}}
    parts = PartsOfSchema(schema)
    assert [parts.at((step,)).get("title") for step in ("a", "b", 0, 1, "c")] == ["first", "b", "item 1", "item", None]
    assert PartsOfSchema({**schema, "properties": {"a": {"title": "own"}}}).at(("a",)) == {"title": "own"}


@each_case(
    ("part", "merged"),
    [
        ({"anyOf": [TEXT, NULL], "title": "A"}, {"type": ["string", "null"], "title": "A"}),
        ({"oneOf": [NULL, {"$ref": "#/$defs/choice"}]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"anyOf": [{"anyOf": [TEXT]}, NULL]}, {"type": ["string", "null"]}),
        ({"allOf": [{"$ref": "#/$defs/choice"}], "title": "A"}, {"type": "string", "enum": ["a"], "title": "A"}),
        ({"oneOf": [{"const": 1, "title": "one"}, {"const": 2}]}, {"enum": [1, 2]}),
        ({"anyOf": [{"enum": [1]}, {"enum": [2, 3]}, NULL]}, {"enum": [1, 2, 3, None]}),
        ({"anyOf": [TEXT, {"type": "number", "minimum": 0}]}, {"type": "number", "minimum": 0}),
        ({"anyOf": [{"type": "integer"}, TEXT]}, TEXT),
        ({"$ref": "choice"}, {"type": "string", "enum": ["a"]}),
        ({"$ref": "#/$defs/a%20list/items/0"}, TEXT),
        (
            {"allOf": [{"properties": {"a": TEXT}, "required": ["a"]}, {"properties": {"b": TEXT}, "required": ["b"]}]},
            {"properties": {"a": TEXT, "b": TEXT}, "required": ["a", "b"]},
        ),
    ],
)
def test_a_part_is_one_schema_where_its_pieces_are(part: dict[str, Any], merged: dict[str, Any]) -> None:
    root = {"$defs": {"choice": {"type": "string", "enum": ["a"]}, "a list": {"items": [TEXT]}}}
    assert resolved(root, part) == merged


@each_case(
    "part",
    [
        {"anyOf": [{"type": "object"}, {"type": "array"}]},
        {"anyOf": [NULL]},
        {"anyOf": [{"not": TEXT}, NULL]},
        {"oneOf": [{"const": index} for index in range(MAX_MERGED + 1)]},
        {"anyOf": [{"type": "boolean"}, TEXT]},
    ],
)
def test_alternatives_that_are_not_one_schema_stay(part: dict[str, Any]) -> None:
    assert resolved({}, part) == part


def test_parts_that_refer_to_themselves_and_double_are_followed_so_far() -> None:
    twice = {f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2, "title": f"{at}"} for at in range(50)}
    assert resolved({"$defs": twice}, {"$ref": "#/$defs/d0"}) == {"title": "0"}
    circle = {"anyOf": [{"$ref": "#"}], "title": "A"}
    assert resolved(circle, circle)["title"] == "A"


def test_null_is_added_once() -> None:
    assert with_null(with_null(TEXT)) == {"type": ["string", "null"]}
    assert with_null({"title": "anything"}) == {"title": "anything"}
