import pytest
from pydantic import ValidationError

from tasks.catalog import SPECIALISTS
from tasks.wording.page_range import OcrOptions


def test_a_field_for_callers_inside_is_refused_like_an_unknown_one() -> None:
    assert OcrOptions.of_caller({"pages": "3"}) == OcrOptions(pages="3")
    refused = []
    for name in ("is_for_llm", "no_such_field"):
        with pytest.raises(ValidationError) as error:
            OcrOptions.of_caller({name: True})
        refused += [(one["type"], one["loc"], one["msg"]) for one in error.value.errors()]
    assert [(kind, place) for kind, place, _ in refused] == [
        ("extra_forbidden", ("is_for_llm",)),
        ("extra_forbidden", ("no_such_field",)),
    ]
    assert refused[0][2] == refused[1][2]


def test_callers_outside_may_give_exactly_the_fields_of_the_schema() -> None:
    for one in SPECIALISTS.values():
        public = one.options.model_json_schema().get("properties", {})
        for name in one.options.model_fields:
            given = {name: None}
            if name in public:
                one.options.refuse_internal(given)
            else:
                with pytest.raises(ValidationError):
                    one.options.refuse_internal(given)
