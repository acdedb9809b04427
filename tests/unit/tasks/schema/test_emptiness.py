"""The emptiest values that a schema permits, found in schemas that refer to themselves or repeat their parts."""

from typing import Any

import pytest

from tasks.schema import emptiness
from tasks.schema.checker import SchemaChecker
from tasks.schema.emptiness import Completion, NothingFits


def first(values: list[Any]) -> Any:
    return values[0]


def test_a_branch_may_contain_its_own_schema() -> None:
    both = {name: {"$ref": "#/$defs/sum"} for name in ("left", "right")}
    of_sums = {"type": "object", "properties": both, "required": ["left", "right"]}
    schema = {
        "properties": {"sum": {"$ref": "#/$defs/sum"}},
        "required": ["sum"],
        "$defs": {"sum": {"anyOf": [of_sums, {"type": "number"}]}},
    }
    with pytest.raises(NothingFits) as error:
        Completion(schema, {}, first).answer()
    assert error.value.path == ("sum",)
    schema["$defs"]["sum"]["anyOf"].append({"const": "none"})
    assert Completion(schema, {}, first).answer() == {"sum": {"left": "none", "right": "none"}}


@pytest.mark.deep
def test_a_part_that_branches_share_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(emptiness, "SchemaChecker", lambda schema: made.append(schema) or SchemaChecker(schema))
    two = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}, {"$ref": f"#/$defs/d{at + 1}"}]} for at in range(10)}
    schema = {
        "properties": {"a": {"$ref": "#/$defs/d0"}},
        "required": ["a"],
        "$defs": {**two, "d10": {"type": "number"}},
    }
    with pytest.raises(NothingFits):
        Completion(schema, {}, first).answer()
    assert len(made) <= 2 * 10 + 1
