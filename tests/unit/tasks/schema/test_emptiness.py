"""The emptiest values that a schema permits, found in schemas that refer to themselves or repeat their parts."""

from typing import Any

import pytest

from tasks.errors import InputError
from tasks.schema import emptiness
from tasks.schema.checker import SchemaChecker
from tasks.schema.emptiness import Completion, NothingFits

NULL = {"type": "null"}


def first(values: list[Any]) -> Any:
    return values[0]


def completed(schema: dict[str, Any], *, is_partial: bool = False, **values: Any) -> Any:
    known = {tuple(path.split("_")): value for path, value in values.items()}
    return Completion(schema, SchemaChecker(schema), known, first, is_partial=is_partial).answer()


def test_a_branch_may_contain_its_own_schema() -> None:
    both = {name: {"$ref": "#/$defs/sum"} for name in ("left", "right")}
    of_sums = {"type": "object", "properties": both, "required": ["left", "right"]}
    schema = {
        "properties": {"sum": {"$ref": "#/$defs/sum"}},
        "required": ["sum"],
        "$defs": {"sum": {"anyOf": [of_sums, {"type": "number"}]}},
    }
    with pytest.raises(NothingFits) as error:
        completed(schema)
    assert error.value.path == ("sum",)
    schema["$defs"]["sum"]["anyOf"].append({"const": "none"})
    assert completed(schema) == {"sum": {"left": "none", "right": "none"}}


INNER = {"type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "boolean"}}, "required": ["b", "c"]}
OPTIONAL = {"properties": {"a": {"anyOf": [INNER, NULL]}}, "required": ["a"]}


def test_an_object_that_may_be_null_is_null_unless_something_of_it_is_known() -> None:
    assert completed(OPTIONAL) == {"a": None}
    assert completed(OPTIONAL, a_b=None) == {"a": None}
    assert completed(OPTIONAL, a_b="x") == {"a": {"b": "x", "c": False}}
    assert completed(OPTIONAL, a_c=True) == {"a": {"b": "", "c": True}}


def test_a_condition_on_several_fields_has_them_all_where_it_needs_them() -> None:
    fields = {"a": {"type": "string"}, "b": {"type": "string"}}
    schema = {"properties": fields, "dependentRequired": {"b": ["a"]}}
    assert completed(schema) == {}
    assert completed(schema, a="x") == {"a": "x"}
    assert completed(schema, b="x") == {"a": "", "b": "x"}


def test_the_comparisons_for_one_answer_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = [f"f{at}" for at in range(50)]
    schema = {"properties": {name: {"enum": list(range(100))} for name in fields}, "required": fields}
    assert completed(schema) == dict.fromkeys(fields, 0)
    monkeypatch.setattr(emptiness, "MAX_STEPS", 1000)
    with pytest.raises(InputError, match="takes too long"):
        completed(schema)


def test_a_reference_to_a_property_is_followed() -> None:
    number_or_null = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    same = {"oneOf": [{"$ref": "#/properties/price"}]}
    schema = {"properties": {"price": number_or_null, "old_price": same}, "required": ["price", "old_price"]}
    assert completed(schema) == {"price": None, "old_price": None}


def test_what_is_partial_has_null_where_a_value_is_missing_or_would_be_guessed() -> None:
    inner = {"type": "object", "properties": {"b": {"type": "number"}, "c": {"type": "number"}}, "required": ["b", "c"]}
    fields = {
        "a": {"anyOf": [inner, {"type": "integer"}]},
        "day": {"type": "string", "format": "date"},
        "paid": {"type": "boolean"},
        "kind": {"const": "bill"},
        "note": {"type": "string"},
        "rows": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "others": {"type": "array", "items": {"type": "string"}},
    }
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    with pytest.raises(NothingFits):
        completed(schema, a_b=1)
    assert completed(schema, a_b=1, is_partial=True) == {
        **dict.fromkeys(fields),
        "a": {"b": 1, "c": None},
        "kind": "bill",
        "note": "",
        "others": [],
    }
