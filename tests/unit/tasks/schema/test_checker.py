"""What satisfies a schema, how a failure is described, and how a hostile schema is turned away."""

from typing import Any

import pytest

from tasks.errors import InputError
from tasks.schema.checker import SchemaChecker, prepared_checker
from tasks.schema.safe_keywords import SchemaRefused, counting
from tests.conftest import each_case

DECIMAL = r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"
"""Pattern of pydantic for a `Decimal`."""
RECEIPT = {
    "type": "object",
    "properties": {
        "company": {"type": "string", "maxLength": 80},
        "date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "total": {"type": "number", "minimum": 0},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
    },
    "required": ["company", "total"],
    "additionalProperties": False,
    "$defs": {"item": {"type": "object", "properties": {"price": {"type": ["number", "null"]}}, "required": ["price"]}},
}


def problem(schema: dict[str, Any], answer: Any) -> str | None:
    return SchemaChecker(schema).problem(answer)


def refused_at(schema: dict[str, Any]) -> str:
    """Return the path within the schema at which it is refused."""
    with pytest.raises(InputError) as caught:
        SchemaChecker(schema, "schema")
    return str(caught.value.param)


@each_case(
    ("answer", "place"),
    [
        ({"company": "A", "date": "2018-12-25", "total": 9, "items": [{"price": 9.0}, {"price": None}]}, None),
        ({"company": "A", "total": "abc"}, "at /total: "),
        ({"company": "A"}, "'total'"),
        ({"company": "A", "total": -1}, "at /total: -1"),
        ({"company": "A", "total": 1, "date": "x"}, "at /date: 'x'"),
        ({"company": "A", "total": 1, "tax": 2}, "properties that the schema does not allow: 'tax'"),
        ({"total": 1, "company": "A", "items": [{}]}, "at /items/0: 'price'"),
        ([], "[]"),
    ],
)
def test_a_problem_names_its_place(answer: Any, place: str | None) -> None:
    found = problem(RECEIPT, answer)
    assert found is None if place is None else str(found).startswith(place)
    assert SchemaChecker(RECEIPT).accepts(answer) == (found is None)


def test_a_long_value_is_not_repeated() -> None:
    assert len(str(problem(RECEIPT, {"company": ["secret " * 500], "total": 1}))) < 200


@each_case(
    ("schema", "good", "bad"),
    [
        ({"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True}, 2, 1),
        ({"$schema": "http://json-schema.org/draft-06/schema#", "contains": {"const": 1}}, [1], [2]),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "if": {}, "then": {"minLength": 2}}, "ab", "a"),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema", "items": [{"type": "string"}]}, ["a"], [1]),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{"type": "null"}]}, [None], [1]),
        ({"$schema": "https://json-schema.org/next#", "prefixItems": [{"type": "string"}]}, ["a"], [1]),
        ({"patternProperties": {"^a": {"type": "string"}}}, {"a": "x", "b": 1}, {"ab": 1}),
        ({"patternProperties": {"^a": {}}, "additionalProperties": False}, {"ab": 1}, {"b": 1}),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "string"}}, {"a": 1, "b": "x"}, {"b": 1}),
        ({"propertyNames": {"pattern": "^[a-z]+$"}}, {"ab": 1}, {"A": 1}),
        ({"uniqueItems": True}, [1, True, "1", [1], [True], {"a": 1}, {"a": True}], [{"a": [1]}, {"a": [1.0]}]),
        ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"a": 1}, {"b": 1}),
        ({"enum": ["a", None]}, None, "b"),
        ({"multipleOf": 0.1}, 0.3, 0.35),
        ({"multipleOf": 3}, 3 * 10**400, 10**400),
        ({"const": 1}, 1, True),
        ({"type": "integer"}, 1.0, 1.5),
        ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, 1, 3),
        ({"$id": "https://a.example/x", "$defs": {"b": {"$id": "b", "type": "string"}}, "$ref": "b"}, "x", 1),
        ({"$defs": {"b": {"$anchor": "here", "type": "string"}}, "$ref": "#here"}, "x", 1),
        ({"properties": {"more": {"$ref": "#"}, "n": {"type": "integer"}}}, {"more": {"n": 1}}, {"more": {"n": "1"}}),
        ({"format": "email"}, "nobody", None),
        ({"pattern": r"^(\w+\s?)*$"}, "a" * 100_000, "a" * 100_000 + "!"),
        ({"pattern": r"^[a-z ]*$"}, "a " * 400_000, "1"),
        ({"pattern": DECIMAL}, "-99.50", "."),
        ({"pattern": r"^(?=.*[A-Z]).+$"}, "aB", "ab"),
        ({"pattern": r"(?<![A-Z])INV-\d+\Z"}, "INV-4711", "XINV-4711"),
        ({"pattern": r"^(\w)\w*\1$"}, "abba", "abbé"),
        ({"pattern": r"^.{1,2000}$"}, "a" * 2000, "a" * 2001),
        ({"patternProperties": {"^(?!x_)": {"type": "integer"}}}, {"a": 1, "x_a": "b"}, {"a": "b"}),
        ({"$ref": "#/$defs/no", "$defs": {"no": {"not": {"const": 1}}}}, 2, 1),
    ],
)
def test_keywords(schema: dict[str, Any], good: Any, bad: Any) -> None:
    assert problem(schema, good) is None
    assert bad is None or problem(schema, bad) is not None


def test_a_text_that_a_pattern_takes_too_long_for_is_not_checked() -> None:
    assert problem({"pattern": "(?:(a)|(b))*(?=c)"}, "ab" * 500_000) is None


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


def tree(depth: int, width: int) -> dict[str, Any]:
    """Return a schema of objects that refer to the next level `width` times each."""
    levels: dict[str, Any] = {
        f"d{at}": {"properties": {f"p{number}": {"$ref": f"#/$defs/d{at + 1}"} for number in range(width)}}
        for at in range(depth)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**levels, f"d{depth}": {"type": "string"}}}


@each_case(
    ("schema", "place"),
    [
        ({"$schema": 5}, "schema.$schema"),
        ({"properties": {"total": {"type": "money"}}}, "schema.properties.total.type"),
        *[({"pattern": pattern}, "schema") for pattern in ("(?=a", "(?=a)" + "b" * 1000)],
        ({"patternProperties": {"[": {}}}, "schema"),
        ({"$ref": "#/elsewhere/deep", "elsewhere": {"deep": {"pattern": "(?!x"}}}, "schema"),
        ({"patternProperties": {f"a{n}": {} for n in range(65)}}, "schema"),
        *[({"items": {"$ref": to}}, "schema") for to in ("http://127.0.0.1:9/x.json", "file:///etc/passwd", "a.json")],
        ({"properties": {"a": {"$ref": "#/$defs/x"}}}, "schema"),
        ({"$ref": "#/default/x", "default": 5}, "schema"),
        ({"$id": "http://[x", "$ref": "a.json"}, "schema"),
        ({"$ref": "#/examples/0", "examples": ["text"]}, "schema"),
        ({"$ref": "#/examples/0", "examples": [{"type": 5}]}, "schema.type"),
        ({"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}}, "schema"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, "schema"),
        ({"description": "x" * 100_000}, "schema"),
        ({"anyOf": [{}] * 20_000}, "schema"),
        (nested(40), "schema"),
        (tree(12, 10), "schema"),
        (tree(5, 10), "schema"),
        ({"type": "array", "items": tree(5, 10)["$defs"]["d0"], "$defs": tree(5, 10)["$defs"]}, "schema"),
        ({"$ref": "#"}, "schema"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}},
            "schema",
        ),
        *[({"minimum": number}, "schema") for number in (float("inf"), float("nan"), 10**5000, -(10**5000))],
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: dict[str, Any], place: str) -> None:
    assert refused_at(schema) == place
    with pytest.raises(InputError):
        prepared_checker(schema, "schema")


@each_case(
    ("schema", "answer"),
    [
        ({"properties": {name: {"$ref": "#"} for name in ("mother", "father", "spouse")}}, {"mother": {"father": {}}}),
        (
            {"properties": {name: {"type": "array", "items": {"$ref": "#"}} for name in ("left", "right", "links")}},
            {"left": [{"right": []}]},
        ),
        ({"properties": {f"p{number}": {"type": "integer"} for number in range(1000)}}, {"p999": 1}),
    ],
)
def test_large_and_recursive_schemas_of_honest_clients_are_accepted(schema: dict[str, Any], answer: Any) -> None:
    assert problem(schema, answer) is None


def test_an_answer_has_a_largest_depth() -> None:
    answers: list[Any] = [1, 1]
    for place, depth in enumerate((60, 70)):
        for _ in range(depth):
            answers[place] = [answers[place]]
    assert problem({"items": {"$ref": "#"}}, answers[0]) is None
    assert problem({"items": {"$ref": "#"}}, answers[1]) is not None


def doubled() -> dict[str, Any]:
    """Return a schema in which each definition is two of the next."""
    two = {f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(40)}
    return {"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": {**two, "d40": {"type": "string"}}}


@each_case(
    ("schema", "answer"),
    [
        (doubled(), {"a": "text"}),
        ({"patternProperties": {f"((a?){{300}}b){number}": {} for number in range(64)}}, {"a" * 100_000: 1}),
        ({"items": {"pattern": "(?:(a)|(b))*(?=c)"}}, ["ab" * 500_000] * 100),
        ({"type": "object", "properties": {"x": {"not": {"$ref": "#/properties/x"}}}}, {"x": None}),
    ],
)
def test_a_check_that_would_take_too_long_is_the_schemas_fault(schema: dict[str, Any], answer: Any) -> None:
    with pytest.raises(InputError):
        problem(schema, answer)


def test_comparisons_also_count_in_the_block_around() -> None:
    checker = SchemaChecker({"items": {"type": "integer"}})
    with counting(1000) as left:
        assert checker.accepts([1, 2])
        assert 0 < left[0] < 1000
        with pytest.raises((SchemaRefused, InputError)):
            checker.accepts([1] * 2000)


def test_a_prepared_schema_is_kept() -> None:
    assert prepared_checker(RECEIPT) is prepared_checker(dict(RECEIPT))
    assert prepared_checker(RECEIPT, "another_field") is not prepared_checker(RECEIPT)


def test_a_part_is_checked_with_the_references_of_the_whole_schema() -> None:
    price = {"$ref": "#/$defs/amount", "maximum": 9}
    whole = SchemaChecker({"properties": {"price": price}, "$defs": {"amount": {"minimum": 1}}})
    assert [whole.of_part(price).accepts(value) for value in (0, 5, 10)] == [False, True, False]
    assert whole.of_part({"not": {"$ref": "#"}}).accepts({"price": 0})


def test_a_reference_that_only_another_part_has_is_refused() -> None:
    schema = {"$defs": {"inner": {"$id": "http://a.example/inner", "$defs": {"text": {"$anchor": "text"}}}}}
    with pytest.raises(InputError):
        SchemaChecker(schema).of_part({"$ref": "#text"}).problem("")
