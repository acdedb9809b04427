"""Work on lists ends once nobody waits for it."""

import pytest

from models.fair_executor import all_of
from tasks.extraction import filling
from tasks.extraction.whole_results import TaskResults
from tasks.schema import checker as checker_module
from tests.filling import STRING


def test_the_schema_is_prepared_once_for_all_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {f"skills{at}": {"type": "array", "items": {"$ref": "#/$defs/text"}, "minItems": 1} for at in range(50)}
    item = {"type": "object", "properties": {"name": STRING, "price": STRING}}
    objects = {f"lines{at}": {"type": "array", "items": item} for at in range(50)}
    schema = {"type": "object", "properties": {**texts, **objects}, "$defs": {"text": STRING}}
    checker, listed = all_of(filling._lists_to_fill(schema))
    monkeypatch.setattr(checker_module, "_validator_of", lambda _schema: pytest.fail("the schema is prepared again"))
    form = all_of(filling._FormToFill.of(schema, checker, TaskResults(), [], listed, {}, {}))
    assert form is not None
    assert len(form.texts) == len(form.listed) == 50
    assert not any(fits([]) for fits in form.texts.values())
    assert all(column.fits("") and not column.fits(None) for columns in listed.values() for column in columns)


def test_a_slice_checks_one_list_of_texts() -> None:
    schema = {"type": "object", "properties": {f"skills{at}": {"type": "array", "items": STRING} for at in range(50)}}
    checker, listed = all_of(filling._lists_to_fill(schema))
    form = all_of(filling._FormToFill.of(schema, checker, TaskResults(), [], listed, {}, {}))
    assert form is not None
    slices = sum(1 for _ in form._text_lists({}))
    assert slices == 50
