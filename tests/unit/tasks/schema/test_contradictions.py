"""Schemas that contradict themselves, and those that only look like it."""

from typing import Any

import pytest

from app.chat.schema.shape import Shape
from app.wire.request import ResponseFormat
from tasks.errors import InputError
from tasks.schema.checker import SchemaChecker
from tasks.schema.contradictions import check_satisfiable
from tasks.schema.safe_keywords import SchemaRefused
from tests.conftest import each_case

CROSSED = {"type": "integer", "minimum": 5, "maximum": 3}
SOME: list[Any] = [None, True, 0, 4, 2.5, "", "a", [], [4], {}, {"a": 4}, {"a": {"b": 4}}, {"a": [4]}, {"b": "x"}]


def with_a(a: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": a}, "required": ["a"], **fields}


@each_case(
    ("schema", "place", "says"),
    [
        (CROSSED, "", "'minimum' 5 is above 'maximum' 3"),
        ({"type": "number", "exclusiveMinimum": 3, "maximum": 3}, "", "'exclusiveMinimum' 3 is not below 'maximum' 3"),
        ({"type": "number", "minimum": 3, "exclusiveMaximum": 3}, "", "'minimum' 3 is not below 'exclusiveMaximum' 3"),
        ({"type": "string", "minLength": 5, "maxLength": 3}, "", "'minLength' 5 is above 'maxLength' 3"),
        ({"type": "array", "minItems": 2, "maxItems": 1}, "", "'minItems' 2 is above 'maxItems' 1"),
        ({"type": "object", "minProperties": 2, "maxProperties": 1}, "", "'minProperties' 2 is above"),
        ({"type": "string", "enum": [1, None]}, "", "no value of its 'enum' is of its 'type', string"),
        ({"type": ["integer", "boolean"], "enum": [1.5, "a"]}, "", "'type', integer or boolean"),
        ({"type": "string", "const": 1}, "", "no value of its 'const' is of its 'type', string"),
        (with_a(CROSSED), "properties.a", "'minimum' 5 is above"),
        (with_a(False), "properties.a", "the schema 'false' allows no value"),
        (
            with_a({"type": "integer"}, required=["a", "b"], additionalProperties=False),
            "",
            "'b' is 'required', but not among",
        ),
        (with_a({"type": "array", "minItems": 1, "items": CROSSED}), "properties.a.items", "'minimum' 5"),
        (with_a({"$ref": "#/$defs/x~1y"}, **{"$defs": {"x/y": CROSSED}}), "$defs.x/y", "'minimum' 5"),
        ({"allOf": [{"type": "integer"}, CROSSED]}, "allOf[1]", "'minimum' 5"),
        ({"anyOf": [CROSSED, {"type": "string", "enum": [1]}]}, "anyOf[0]", "'minimum' 5"),
        ({"type": ["integer", "string"], "minimum": 5, "maximum": 3, "minLength": 2, "maxLength": 1}, "", "is above"),
    ],
)
def test_a_contradiction_is_named_with_its_place(schema: dict[str, Any], place: str, says: str) -> None:
    checker = SchemaChecker(schema)
    assert all(checker.problem(answer) for answer in SOME)
    with pytest.raises(SchemaRefused) as refused:
        check_satisfiable(schema)
    assert refused.value.path == place
    assert says in refused.value.reason


@each_case(
    ("schema", "answer"),
    [
        ({"minimum": 5, "maximum": 3}, "text"),
        ({"type": ["integer", "null"], "minimum": 5, "maximum": 3}, None),
        ({"type": "integer", "minimum": 3, "maximum": 3}, 3),
        ({"type": "integer", "enum": [1.0]}, 1),
        ({"type": "object", "properties": {"a": CROSSED}}, {}),
        ({"type": "array", "items": CROSSED}, []),
        ({"type": "array", "minItems": 1, "prefixItems": [{}], "items": CROSSED}, [1]),
        (with_a({}, required=["b"], patternProperties={"^b$": {}}, additionalProperties=False), {"b": 1}),
        ({"type": "object", "required": ["b"], "properties": {"a": {}}}, {"b": 1}),
        ({"anyOf": [CROSSED, {"type": "string"}]}, "text"),
        (with_a({"anyOf": [{"type": "null"}, {"$ref": "#"}]}), {"a": {"a": None}}),
        ({"$schema": "http://json-schema.org/draft-07/schema#", **with_a({"$ref": "#/definitions/n", "minimum": 9})}
         | {"definitions": {"n": {"type": "integer", "maximum": 3}}}, {"a": 2}),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "type": "number", "minimum": 3, "maximum": 4,
          "exclusiveMinimum": True}, 4),
        ({"not": CROSSED}, 1),
    ],
)  # fmt: skip
def test_what_an_answer_satisfies_is_no_contradiction(schema: dict[str, Any], answer: Any) -> None:
    assert SchemaChecker(schema).problem(answer) is None
    check_satisfiable(schema)


def test_a_schema_that_refers_to_itself_ends() -> None:
    check_satisfiable(with_a({"$ref": "#"}))
    links = {f"l{at}": {"$ref": f"#/$defs/l{at + 1}"} for at in range(5000)}
    check_satisfiable({"$ref": "#/$defs/l0", "$defs": links})


def test_it_is_an_error_of_the_request() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": with_a(CROSSED)}}
    with pytest.raises(InputError) as refused:
        Shape.of(ResponseFormat.model_validate(form))
    assert refused.value.param == "response_format.json_schema.schema.properties.a"
    assert refused.value.message.endswith("no answer can satisfy it: 'minimum' 5 is above 'maximum' 3.")
