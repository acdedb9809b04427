"""Answers in the form of a schema: their evidence, values without support, and examples."""

from typing import Any

import pytest

from app.chat.plan import Plan
from app.chat.run_plan import Material, Specialists
from app.chat.shape import NotVerbatim, Shape
from app.chat.structured_answers import StructuredAnswers, null_unsupported, read_examples
from app.wire.request import ChatRequest
from tasks.precontext import Evidence
from tasks.schema.json_answer import JsonAnswer
from tests.kit.chats.answers import Answered, GivenTasks, answered, chat_of
from tests.kit.chats.inquiries import inquiry_of
from tests.kit.engines.scripted_llm import ScriptedLlm
from tests.kit.papers.filling import NUMBER, OR_NULL, RECEIPT, STRING, extractor, read, whole
from tests.unit.app.chat.test_inputs import PIXEL, image
from tests.unit.app.chat.test_own_answer import object_of, schema_of

FIELDS = {"seller": STRING, "total": NUMBER}
VALUES = {"seller": "ACME BOOKS", "total": 63.6}


def shape_of(**properties: Any) -> Shape:
    return Shape.of_schema(object_of(**properties), "messages")


async def material_of(request: ChatRequest, shape: Shape, tasks: GivenTasks | None = None) -> Material:
    """Return the material of an answer whose fields are copied from a receipt."""
    found = read()
    filling = await whole(shape, found)
    specialists = Specialists((tasks or GivenTasks({})).find)
    return Material(
        inquiry_of(request), specialists, ScriptedLlm(), shape, found.plan, tuple(found.entries), filling=filling
    )


async def copied(function: str | None = None, /, **fields: Any) -> Answered:
    request = chat_of("Extract.", response_format=schema_of(**FIELDS), **fields)
    material = await material_of(request, shape_of(**FIELDS))
    assert material.filling is not None
    assert material.filling.answer is not None
    answers = StructuredAnswers(extractor())
    return await answered(answers.copied(material.filling.answer, material, function))


async def test_an_answer_has_evidence_only_on_request() -> None:
    found = await copied()
    assert (found.value, found.evidence) == (VALUES, None)
    assert [entry.name for entry in found.entries] == ["ocr"]
    shown = await copied(evidence=True)
    assert shown.evidence is not None
    assert set(shown.evidence.fields) == {"/seller", "/total"}
    assert shown.evidence.fields["/total"]["text"] == "63.60"
    assert 0 < shown.evidence.fields["/total"]["probability"] <= 1


async def test_a_call_has_the_answer_as_arguments_and_the_evidence_below_them() -> None:
    found = await copied("save", evidence=True)
    assert (found.text, list(found.calls), found.finish.reason) == ("", ["save"], "tool_calls")
    assert found.evidence is not None
    assert set(found.evidence.fields) == {f"/tool_calls/0/function/arguments/{name}" for name in ("seller", "total")}


async def test_an_explanation_needs_a_copied_field() -> None:
    found = await copied(explain="/total")
    assert found.warnings == ["'explain' has no effect: no field of this answer was copied."]


async def test_the_values_of_an_llm_are_searched_in_what_was_read() -> None:
    request = chat_of("Extract.", response_format=schema_of(**FIELDS), evidence=True)
    shape = shape_of(**FIELDS)
    material = await material_of(request, shape)
    material = Material(material.inquiry, material.specialists, material.llm, shape, material.plan, material.results)
    values = {"seller": "Nobody & Sons", "total": 63.6}
    evidence, left_out = await StructuredAnswers(extractor()).trace(values, material.results, material)
    assert (evidence.unsupported, left_out) == (["/seller"], 0)
    assert evidence.fields["/total"]["text"] == "63.60"
    cut, _ = await StructuredAnswers(extractor()).trace(values, material.results, material, is_cut=True)
    assert "probability" not in cut.fields["/total"]


def evidence_of(*unsupported: str, fields: tuple[str, ...] = ()) -> Evidence:
    return Evidence({pointer: {"text": "x"} for pointer in (*fields, *unsupported)}, list(unsupported))


def test_values_without_support_are_null() -> None:
    answer = JsonAnswer(VALUES, "")
    evidence = evidence_of("/seller", fields=("/total",))
    found = null_unsupported(answer, evidence, shape_of(seller=OR_NULL, total=NUMBER))
    assert found.value == {"seller": None, "total": 63.6}
    assert JsonAnswer(found.value, found.text) == JsonAnswer(found.value, '{"seller": null, "total": 63.6}')


@pytest.mark.parametrize("place", range(4))
def test_the_first_value_that_must_not_be_null_is_named(place: int) -> None:
    fields = {f"f{number}": STRING if number >= place else OR_NULL for number in range(4)}
    answer = JsonAnswer(dict.fromkeys(fields, "x"), "")
    with pytest.raises(NotVerbatim) as failed:
        null_unsupported(answer, evidence_of(*(f"/{name}" for name in fields)), shape_of(**fields))
    assert failed.value.param == f"/f{place}"


async def test_examples_are_read_and_those_that_break_the_schema_are_left_out() -> None:
    def example(answer: str) -> list[dict[str, Any]]:
        return [{"role": "user", "content": [image(PIXEL)]}, {"role": "assistant", "content": answer}]

    right, wrong = '{"seller": "ACME BOOKS", "total": 63.6}', '{"seller": 9}'
    request = chat_of(
        *example(right),
        *example(wrong),
        {"role": "user", "content": [image(PIXEL)]},
        response_format=schema_of(**FIELDS),
    )
    tasks = GivenTasks({"ocr": RECEIPT.result.data})
    material = Material(inquiry_of(request), Specialists(tasks.find), ScriptedLlm(), shape_of(**FIELDS), Plan())
    [found] = await read_examples(material)
    assert found.answer == VALUES
    assert len(tasks.requests) == 1
