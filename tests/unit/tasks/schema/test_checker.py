"""What satisfies a schema, in whose words a failure is told, and how a hostile schema is turned away."""

import functools
import json
from typing import Any

import pydantic_core
import pytest

from tasks.errors import InputError
from tasks.schema import checker
from tasks.schema.checker import MAX_PREPARED, MAX_SCHEMA_BYTES, SchemaChecker, prepared_checker
from tasks.schema.safe_keywords import MAX_QUOTE
from tests.conftest import each_case

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


def refusal(schema: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        SchemaChecker(schema)
    assert caught.value.param is not None
    assert caught.value.param.startswith("response_format.json_schema.schema")
    return caught.value.message


def test_an_answer_that_fits_has_no_problem() -> None:
    answer = {"company": "A", "date": "2018-12-25", "total": 9, "items": [{"price": 9.0}, {"price": None}]}
    assert problem(RECEIPT, answer) is None


@pytest.mark.parametrize("types", ["string", "number", "integer", "boolean", "object", ["integer", "null"], []])
@pytest.mark.parametrize("more", [{}, {"minLength": 2}])
def test_it_accepts_what_has_no_problem(types: Any, more: dict[str, Any]) -> None:
    checker = SchemaChecker({"type": types, **more} if types else more)
    for answer in (None, True, 1, 1.0, 1.5, "a", "ab", [], {}):
        assert checker.accepts(answer) == (checker.problem(answer) is None)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"company": "A", "total": "abc"}, "at /total: 'abc' is not of type 'number'"),
        ({"company": "A"}, "'total' is a required property"),
        ({"company": "A", "total": -1}, "at /total: -1 is less than the minimum of 0"),
        ({"company": "A", "total": 1, "date": "x"}, r"at /date: 'x' does not match '^\\d{4}-\\d\\d-\\d\\d$'"),
        ({"company": "A", "total": 1, "tax": 2}, "properties that the schema does not allow: 'tax'"),
        ({"total": 1, "company": "A", "items": [{}]}, "at /items/0: 'price' is a required property"),
        ([], "[] is not of type 'object'"),
    ],
)  # fmt: skip
def test_the_problem_names_the_place_and_the_reason(answer: Any, words: str) -> None:
    assert problem(RECEIPT, answer) == words


def test_a_long_value_is_not_repeated() -> None:
    words = problem(RECEIPT, {"company": ["secret " * 500], "total": 1})
    assert words is not None
    assert words.startswith('at /company: ["secret')
    assert words.endswith("is not of type 'string'")
    assert len(words) < MAX_QUOTE


@pytest.mark.parametrize(
    ("draft", "schema", "good", "bad"),
    [
        ("http://json-schema.org/draft-04/schema#", {"minimum": 1, "exclusiveMinimum": True}, 2, 1),
        ("http://json-schema.org/draft-06/schema#", {"contains": {"const": 1}}, [1], [2]),
        ("http://json-schema.org/draft-07/schema#", {"if": {"type": "string"}, "then": {"minLength": 2}}, "ab", "a"),
        ("https://json-schema.org/draft/2019-09/schema", {"items": [{"type": "string"}]}, ["a"], [1]),
        ("https://json-schema.org/draft/2020-12/schema", {"prefixItems": [{"type": "string"}]}, ["a"], [1]),
    ],
)  # fmt: skip
def test_the_schema_chooses_its_draft(draft: str, schema: dict[str, Any], good: Any, bad: Any) -> None:
    checker = SchemaChecker({"$schema": draft, **schema})
    assert checker.problem(good) is None
    assert checker.problem(bad) is not None


@pytest.mark.parametrize("dialect", [{}, {"$schema": "https://json-schema.org/next#"}, {"$schema": "http://[x"}])
def test_without_a_known_draft_it_is_2020_12(dialect: dict[str, Any]) -> None:
    assert problem({**dialect, "prefixItems": [{"type": "string"}]}, [1]) is not None


def test_a_draft_that_is_no_text_is_refused() -> None:
    assert "5 is not of type 'string'" in refusal({"$schema": 5})


@each_case(
    ("schema", "good", "bad"),
    [
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
        ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, 1, 3),
        ({"$id": "https://a.example/x", "$defs": {"b": {"$id": "b", "type": "string"}}, "$ref": "b"}, "x", 1),
        ({"$defs": {"b": {"$anchor": "here", "type": "string"}}, "$ref": "#here"}, "x", 1),
        ({"properties": {"more": {"$ref": "#"}, "n": {"type": "integer"}}}, {"more": {"n": 1}}, {"more": {"n": "1"}}),
    ],
)  # fmt: skip
def test_keywords(schema: dict[str, Any], good: Any, bad: Any) -> None:
    checker = SchemaChecker(schema)
    assert checker.problem(good) is None
    assert checker.problem(bad) is not None


def test_format_is_not_asserted() -> None:
    assert problem({"format": "email"}, "nobody") is None


def test_a_pattern_is_searched_for_in_linear_time() -> None:
    checker = SchemaChecker({"pattern": r"^(\w+\s?)*$"})
    assert checker.problem("a" * 100_000 + "!") is not None


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", "[", r"a{2000}", r"\p{L}{900}"])
def test_a_pattern_without_a_bounded_automaton_is_refused_by_name(pattern: str) -> None:
    assert f"the pattern '{pattern}' cannot be used" in refusal({"properties": {"a": {"pattern": pattern}}})
    assert f"the pattern '{pattern}' cannot be used" in refusal({"patternProperties": {pattern: {}}})


def test_patterns_behind_a_reference_are_found_too() -> None:
    assert "cannot be used" in refusal({"$ref": "#/elsewhere/deep", "elsewhere": {"deep": {"pattern": "(?!x)"}}})


def test_too_many_patterns_are_refused() -> None:
    assert "more than 64 different patterns" in refusal({"patternProperties": {f"a{n}": {} for n in range(65)}})


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:9/schema.json", "file:///etc/passwd", "other.json", "urn:example:a"]
)
def test_a_remote_reference_is_refused_by_name(reference: str) -> None:
    message = refusal({"items": {"$ref": reference}})
    assert f"the reference '{reference}' leads out of the schema" in message


def test_a_reference_to_nothing_is_refused_by_name() -> None:
    assert "'#/$defs/x' points to nothing in the schema" in refusal({"properties": {"a": {"$ref": "#/$defs/x"}}})


def test_an_id_that_is_no_uri_is_refused() -> None:
    assert "not a URI (Invalid IPv6 URL)" in refusal({"$id": "http://[x", "$ref": "a.json"})


def test_a_schema_that_is_none_is_refused_with_its_place() -> None:
    message = refusal({"properties": {"total": {"type": "money"}}})
    assert message.startswith("Field 'response_format.json_schema.schema.properties.total.type': 'money' is not")


@pytest.mark.parametrize(
    ("target", "words"),
    [("text", "'text' is not of type 'object'"), ({"type": 5}, "5 is not"), ({"patternProperties": 5}, "5 is not")],
)
def test_what_a_reference_reaches_must_be_a_schema_too(target: Any, words: str) -> None:
    assert words in refusal({"$ref": "#/examples/0", "examples": [target]})


def test_a_reference_to_a_boolean_schema_works() -> None:
    assert problem({"$ref": "#/$defs/no", "$defs": {"no": False}}, 1) is not None


def test_errors_name_the_field_that_the_schema_came_in() -> None:
    with pytest.raises(InputError) as caught:
        SchemaChecker({"type": 5}, "tools[0].function.parameters")
    assert caught.value.param == "tools[0].function.parameters.type"


def test_a_nested_dialect_is_refused() -> None:
    nested = {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "(a+)+$"}
    assert "'$schema' is allowed at its root only" in refusal({"properties": {"a": nested}})


def test_a_reference_to_the_root_keeps_our_patterns() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"a": {"pattern": "^(a+)+$"}, "next": {"$ref": "#"}},
    }
    assert problem(schema, {"next": {"a": "a" * 50_000 + "!"}}) is not None


def test_patterns_beside_unevaluated_properties_are_refused() -> None:
    assert "cannot be combined" in refusal({"patternProperties": {"a": {}}, "unevaluatedProperties": False})


def test_a_schema_too_large_is_refused() -> None:
    assert "larger than 100000 bytes" in refusal({"description": "x" * 100_000})


def test_a_schema_of_too_many_parts_is_refused_with_the_limit() -> None:
    assert "has 20001 values, more than 20000" in refusal({"anyOf": [{}] * 19_999})
    assert problem({"anyOf": [{}] * 19_998}, 1) is None


def test_a_schema_of_many_parts_is_checked() -> None:
    schema = {"properties": {f"p{number}": {"type": "integer"} for number in range(3000)}}
    assert problem(schema, {"p2999": "x"}) == "at /p2999: 'x' is not of type 'integer'"


def test_parts_that_references_reach_again_and_again_are_cut_short() -> None:
    part: dict[str, Any] = {"anyOf": [{}] * 15_000}
    for _ in range(25):
        part = {"not": part}
    references = [{"$ref": "#/examples/0" + "/not" * depth} for depth in reversed(range(26))]
    assert "takes too long" in refusal({"examples": [part], "anyOf": references})


def tree(depth: int, width: int) -> dict[str, Any]:
    """A schema of objects that refer to the next level `width` times each."""
    levels: dict[str, Any] = {
        f"d{at}": {"properties": {f"p{number}": {"$ref": f"#/$defs/d{at + 1}"} for number in range(width)}}
        for at in range(depth)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**levels, f"d{depth}": {"type": "string"}}}


@each_case(("depth", "width"), [(12, 10), (5, 10), (40, 2)])
def test_references_that_mean_millions_of_fields_are_refused(depth: int, width: int) -> None:
    assert "more than 10000 properties" in refusal(tree(depth, width))
    assert "more than 10000 properties" in refusal(
        {"type": "array", "items": tree(depth, width)["$defs"]["d0"]} | {"$defs": tree(depth, width)["$defs"]}
    )


def test_objects_that_refer_to_themselves_several_times_are_allowed() -> None:
    person = {"properties": {name: {"$ref": "#"} for name in ("mother", "father", "spouse")}}
    node = {"properties": {name: {"type": "array", "items": {"$ref": "#"}} for name in ("left", "right", "links")}}
    assert problem(person, {"mother": {"mother": {}}}) is None
    assert problem(node, {"left": [{"right": []}]}) is None


def test_ids_that_are_long_to_join_are_refused() -> None:
    assert "more than 1000 characters" in refusal({"$id": "http://a/" + "x/" * 500, "items": {"$id": "b"}})


def test_a_reference_that_is_long_to_resolve_is_cut_short() -> None:
    to_itself = {"$ref": "./" * 20_000 + "#/$defs/b"}
    checker = SchemaChecker({"$id": "http://a.example/", "items": to_itself, "$defs": {"b": {}}})
    with pytest.raises(InputError, match="takes too long"):
        checker.problem([1] * 1000)


def test_distinct_values_of_several_types_are_told_apart_in_linear_time() -> None:
    draft = "http://json-schema.org/draft-04/schema#"
    assert problem({"$schema": draft, "enum": [*range(10_000), "a"]}, "a") is None
    assert "more than once" in refusal({"$schema": draft, "enum": [*range(10_000), "a", 0]})


def test_a_schema_too_deep_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(40):
        schema = {"properties": {"a": schema}}
    assert "more than 64 levels deep" in refusal(schema)


def test_an_answer_too_deep_is_a_problem() -> None:
    answer: Any = 1
    for _ in range(70):
        answer = [answer]
    assert "nested more than 64 levels" in str(problem({"items": {"$ref": "#"}}, answer))


def test_a_deep_answer_within_the_limit_is_checked() -> None:
    answer: Any = "leaf"
    for _ in range(60):
        answer = {"child": answer}
    schema = {"anyOf": [{"type": "string"}, {"properties": {"child": {"$ref": "#"}}, "type": "object"}]}
    assert problem(schema, answer) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}},
    ],
)
def test_references_in_a_circle_are_the_schemas_fault(schema: dict[str, Any]) -> None:
    """Which is told before anything is answered."""
    with pytest.raises(InputError, match="form a circle"):
        SchemaChecker(schema)


@pytest.mark.deep
def test_patterns_are_paid_for_by_their_size_and_by_the_length_of_the_text() -> None:
    schema = {"allOf": [{"pattern": f"((a?){{300}}b){number}"} for number in range(64)]}
    with pytest.raises(InputError, match="takes too long"):
        problem(schema, "a" * 100_000)


@pytest.mark.deep
def test_names_are_searched_for_patterns_at_the_same_price() -> None:
    schema = {"patternProperties": {f"((a?){{300}}b){number}": {} for number in range(64)}}
    with pytest.raises(InputError, match="takes too long"):
        problem(schema, {"a" * 100_000: 1})


def test_a_usual_pattern_lets_a_long_text_through() -> None:
    assert problem({"pattern": r"^[a-z ]*$"}, "a " * 400_000) is None


@pytest.mark.parametrize(
    "number",
    [float("inf"), float("-inf"), float("nan"), 10**5000, -(10**5000)],
    ids=["inf", "-inf", "nan", "long", "-long"],
)
@pytest.mark.parametrize("keyword", ["multipleOf", "minimum", "const"])
def test_a_number_that_cannot_be_written_is_refused(keyword: str, number: float) -> None:
    assert "a number in it is infinite or has more than 4000 digits" in refusal({keyword: number})


@pytest.mark.parametrize("below", [5, None, 0.5, True])
def test_a_reference_below_a_number_points_at_nothing(below: Any) -> None:
    assert "points to nothing in the schema" in refusal({"$ref": "#/default/x", "default": below})


@pytest.mark.parametrize(
    "schema", [{"type": "integer", "title": "A"}, {"type": ["string", "null"]}, {"type": "number"}]
)
def test_a_type_alone_accepts_what_json_schema_accepts(schema: dict[str, Any]) -> None:
    by_json_schema = {"integer": [1], "number": [1, 1.5], "string": ["1"], "null": [None], "boolean": [True]}
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    for value in (1, 1.5, "1", None, True, [], {}):
        accepted = [one for name in names for one in by_json_schema[name]]
        is_accepted = any(type(one) is type(value) and one == value for one in accepted)
        assert (problem(schema, value) is None) is is_accepted


def doubled(keyword: str, times: int, reference: str = "#/$defs/d{}") -> dict[str, Any]:
    """Return a schema in which each definition is two of the next."""
    two = {f"d{at}": {keyword: [{"$ref": reference.format(at + 1)}] * 2, "$anchor": f"d{at}"} for at in range(times)}
    defs = {**two, f"d{times}": {"type": "string", "$anchor": f"d{times}"}}
    return {"properties": {"a": {"$ref": reference.format(0)}}, "$defs": defs}


@pytest.mark.parametrize("keyword", ["anyOf", "allOf", "oneOf"])
@pytest.mark.parametrize("reference", ["#/$defs/d{}", "#d{}"])
def test_definitions_that_double_each_other_are_refused_before_anything_is_checked(
    keyword: str, reference: str
) -> None:
    assert "more than 20000 parts" in refusal(doubled(keyword, 40, reference))
    assert problem(doubled(keyword, 5, reference), {"a": "text"}) is None or keyword == "oneOf"


def test_a_schema_that_comes_again_is_not_prepared_again() -> None:
    known = prepared_checker(RECEIPT)
    assert prepared_checker(json.loads(json.dumps(RECEIPT))) is known
    assert prepared_checker(RECEIPT, "another_field") is not known
    assert prepared_checker({**RECEIPT, "required": ["company"]}) is not known
    for number in range(MAX_PREPARED):
        prepared_checker({"minimum": number})
    assert prepared_checker(RECEIPT) is not known


@pytest.mark.parametrize(
    "schema",
    [
        {"minimum": float("inf")},
        {"minimum": 10**5000},
        {"const": "x" * MAX_SCHEMA_BYTES},
        {"not": functools.reduce(lambda inner, _: {"not": inner}, range(100), {})},
    ],
    ids=["infinite", "too many digits", "too large", "too deep"],
)
def test_a_schema_is_refused_alike_whether_it_may_be_kept_or_not(schema: dict[str, Any]) -> None:
    with pytest.raises(InputError) as first:
        SchemaChecker(schema)
    for _ in range(2):
        with pytest.raises(InputError) as second:
            prepared_checker(schema)
        assert str(second.value) == str(first.value)


@pytest.mark.parametrize("large", [{"description": "\n" * MAX_SCHEMA_BYTES + "x"}, {"\n" * MAX_SCHEMA_BYTES + "x": 1}])
def test_a_schema_of_too_much_text_is_refused_without_being_encoded(
    large: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pydantic_core, "to_json", lambda *_, **__: pytest.fail("it was encoded"))
    for check in (prepared_checker, SchemaChecker):
        with pytest.raises(InputError, match="larger than 100000 bytes"):
            check({"type": "object", "properties": {"a": large}})


def test_a_part_is_checked_with_what_is_prepared_for_the_whole_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    price = {"$ref": "#/$defs/amount", "maximum": 9}
    schema = {"properties": {"price": price}, "$defs": {"amount": {"minimum": 1}, "text": {"type": "string"}}}
    whole = SchemaChecker(schema)
    monkeypatch.setattr(checker, "_validator_of", lambda _schema: pytest.fail("the schema is prepared again"))
    assert whole.of_part(price).problem(0) == "0 is less than the minimum of 1"
    assert whole.of_part(price).problem(10) == "10 is greater than the maximum of 9"
    assert whole.of_part({"items": {"$ref": "#/$defs/text"}}).problem([1]) == "at /0: 1 is not of type 'string'"
    assert whole.of_part({"not": {"$ref": "#"}}).accepts({"price": 0})
    assert whole.problem({"price": 0}) == "at /price: 0 is less than the minimum of 1"


def test_a_reference_that_only_another_part_has_is_refused() -> None:
    schema = {"$defs": {"inner": {"$id": "http://a.example/inner", "$defs": {"text": {"$anchor": "text"}}}}}
    with pytest.raises(InputError, match="points to nothing in the schema"):
        SchemaChecker(schema).of_part({"$ref": "#text"}).problem("")


@each_case("keyword", ["not", "if"])
def test_a_circle_that_a_value_leads_into_is_refused(keyword: str) -> None:
    part = {keyword: {"$ref": "#/properties/x"}}
    with pytest.raises(InputError, match="form a circle"):
        SchemaChecker({"type": "object", "properties": {"x": part}, "required": ["x"]}).problem({"x": None})
