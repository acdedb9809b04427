"""With `verbatim`, what nothing supports is null, and the whole answer still satisfies its schema."""

import json
from typing import Any

import pytest

from app.chat.schema.shape import NotVerbatim, Shape
from app.chat.structured_answers import null_unsupported
from tasks.precontext import Evidence
from tasks.schema.json_answer import JsonAnswer
from tests.conftest import each_case
from tests.filling import NUMBER, OR_NULL, STRING, shape_of

NESTED = {"a": [1, None, 2.5]}


def with_nulls(shape: Shape, value: Any, *supported: str) -> Any:
    answer = JsonAnswer(value, json.dumps(value))
    evidence = Evidence({pointer: {} for pointer in supported}, [])
    nulled = null_unsupported(answer, evidence, shape)
    assert json.loads(nulled.text) == nulled.value
    return nulled.value


@each_case(
    "schema, value, pointer",
    [
        (STRING, "Anna", "/x"),
        ({"const": NESTED}, NESTED, "/x/a/0"),
        ({"enum": [{"a": "zzz"}, {"a": "yyy"}]}, {"a": "yyy"}, "/x/a"),
        ({"const": [7, 8]}, [7, 8], "/x/0"),
        ({"type": "array", "items": OR_NULL, "contains": {"const": "B"}}, ["A", "B", "C"], "/x/1"),
        ({"type": "array", "items": OR_NULL, "uniqueItems": True}, ["A", "B", "C"], "/x/1"),
        ({"$ref": "#/$defs/name"}, "Anna", "/x"),
    ],
)
def test_a_value_that_must_not_be_null_by_any_part_of_the_schema_is_refused_by_its_pointer(
    schema: Any, value: Any, pointer: str
) -> None:
    shape = shape_of(before=OR_NULL, x=schema, after=OR_NULL, defs={"name": STRING})
    with pytest.raises(NotVerbatim) as refused:
        with_nulls(shape, {"before": "Berlin", "x": value, "after": "Bath"}, "/after")
    assert refused.value.param == pointer


@each_case(
    "schema, value",
    [({"enum": ["A", None]}, "A"), ({"anyOf": [NUMBER, {"type": "null"}]}, 5), ({"$ref": "#/$defs/name"}, "Anna")],
)
def test_an_unsupported_value_is_null_where_the_schema_allows_it(schema: Any, value: Any) -> None:
    shape = shape_of(x=schema, city=STRING, defs={"name": OR_NULL})
    assert with_nulls(shape, {"x": value, "city": "Bath"}, "/city") == {"x": None, "city": "Bath"}


def test_an_answer_that_is_supported_as_a_whole_or_has_no_schema_is_kept() -> None:
    whole = {"x": NESTED}
    assert with_nulls(shape_of(x={"const": NESTED}), whole, "/x/a/0", "/x/a/2") == whole
    free = Shape.of(shape_of().format.model_copy(update={"type": "json_object", "json_schema": None}))
    assert free is not None
    assert with_nulls(free, {"x": "Anna"}) == {"x": None}
