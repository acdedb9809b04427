"""Answers by a capable LLM: what it is sent, what it is spared, and what goes before it."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest

from app.chat.shape import SchemaNotSatisfied
from app.wire.request import ChatRequest
from models.base import EngineFailed
from models.language.llm import Abilities, Done, LlmOverloaded, TextDelta
from tasks.inputs.loader import MediaLoader
from tests.kit.chats.answers import Answered, GivenTasks, answer, chat_of, llm_answers
from tests.kit.engines.scripted_llm import ScriptedLlm
from tests.kit.papers.filling import NUMBER, RECEIPT, STRING
from tests.kit.papers.office_files import picture as drawn
from tests.unit.app.chat.test_inputs import image, text
from tests.unit.app.chat.test_own_answer import INVOICE, WEATHER, schema_of

SHOP = f"data:image/png;base64,{base64.b64encode(drawn(64, 64).getvalue()).decode()}"
READ = {"ocr": RECEIPT.result.data}
TOOLS = Abilities(tools=True)


@pytest.fixture
def ask(loader: MediaLoader) -> Any:
    async def ask(
        request: ChatRequest,
        llm: ScriptedLlm,
        *,
        extracts_always: bool = False,
        skip_planning: bool = False,
        **results: Any,
    ) -> Answered:
        tasks = GivenTasks(results)
        answers = llm_answers(loader, tasks, extracts_always=extracts_always)
        return await answer(answers, llm, request, tasks, skip_planning=skip_planning)

    return ask


def picture(words: str, **fields: Any) -> ChatRequest:
    return chat_of({"role": "user", "content": [text(words), image(SHOP)]}, **fields)


def texts_of(messages: Sequence[Any]) -> str:
    return "\n".join(str(one["content"]) for one in messages)


async def test_a_plain_chat_is_sent_as_it_is(ask: Any) -> None:
    llm = ScriptedLlm("Nine.")
    found = await ask(chat_of({"role": "system", "content": "Be brief."}, "Hm?"), llm)
    assert (found.text, found.finish.reason, found.warnings) == ("Nine.", "stop", [])
    [call] = llm.calls
    assert [(one["role"], one["content"]) for one in call.messages] == [("system", "Be brief."), ("user", "Hm?")]
    assert not call.tools
    assert call.response_format is None


async def test_what_was_read_is_sent_before_the_question(ask: Any) -> None:
    llm = ScriptedLlm("63.60")
    found = await ask(picture("Who works there, do you think?"), llm, **READ)
    [call] = llm.calls
    assert "ACME BOOKS" in texts_of(call.messages)
    assert [entry.name for entry in found.entries] == ["ocr"]


async def test_a_picture_is_sent_only_to_an_llm_that_sees(ask: Any) -> None:
    for vision in (False, True):
        llm = ScriptedLlm("A shop.", abilities=Abilities(vision=vision))
        await ask(picture("Who works there, do you think?"), llm, **READ)
        assert ("image_url" in texts_of(llm.calls[0].messages)) == vision


async def test_a_request_without_planning_runs_no_task(ask: Any) -> None:
    llm = ScriptedLlm("Nine.", abilities=TOOLS)
    found = await ask(picture("What is the total?"), llm, skip_planning=True, **READ)
    assert (found.text, found.entries, list(llm.calls[0].tools)) == ("Nine.", [], [])


async def test_tasks_are_offered_as_tools_unless_the_client_forces_its_own(ask: Any) -> None:
    offered = []
    for choice in (None, "auto", "required"):
        llm = ScriptedLlm("Nine.", abilities=TOOLS)
        fields = {"tools": [WEATHER], **({"tool_choice": choice} if choice else {})}
        await ask(chat_of("How is it in Oslo?", **fields), llm, web_search={"results": []})
        offered.append({one["function"]["name"] for one in llm.calls[0].tools})
    assert offered[0] == offered[1]
    assert {"get_weather"} < offered[0]
    assert offered[2] == {"get_weather"}


async def test_a_full_llm_refuses_before_anything_is_read(ask: Any) -> None:
    llm = ScriptedLlm("Nine.", full=LlmOverloaded("full", 3))
    with pytest.raises(LlmOverloaded):
        await ask(chat_of("Hm?"), llm)
    assert (await ask(picture("Who works there, do you think?"), llm, **READ)).text == "Nine."


async def test_a_task_that_fails_does_not_keep_the_llm_from_answering(ask: Any) -> None:
    llm = ScriptedLlm("I cannot read it.")
    found = await ask(picture("Who works there, do you think?"), llm, ocr=EngineFailed("broken"))
    assert found.text == "I cannot read it."
    [entry] = found.entries
    assert entry.error


@pytest.mark.parametrize(("decodes", "sent"), [(True, "json_schema"), (False, None)])
async def test_a_schema_is_sent_to_an_llm_that_decodes_under_it(ask: Any, decodes: bool, sent: str | None) -> None:
    llm = ScriptedLlm('{"total": 9}', abilities=Abilities(json_schema=decodes))
    found = await ask(chat_of("The total?", response_format=schema_of(total=NUMBER)), llm)
    assert found.value == {"total": 9}
    form = llm.calls[0].response_format
    assert (form and form["type"]) == sent


async def test_an_invalid_answer_is_asked_for_once_more(ask: Any) -> None:
    asked = chat_of("The total?", response_format=schema_of(total=NUMBER))
    llm = ScriptedLlm('{"total": "nine"}', '{"total": 9}')
    found = await ask(asked, llm)
    assert found.value == {"total": 9}
    assert '{"total": "nine"}' in texts_of(llm.calls[1].messages)
    with pytest.raises(SchemaNotSatisfied):
        await ask(asked, ScriptedLlm('{"total": "nine"}', "nine"))


async def test_an_answer_that_was_cut_is_not_checked(ask: Any) -> None:
    cut = [TextDelta('{"total": 9, "ven'), Done("length", prompt_tokens=10, completion_tokens=8)]
    llm = ScriptedLlm(cut)
    found = await ask(chat_of("The total?", response_format=schema_of(total=NUMBER, vendor=STRING)), llm)
    assert (found.text, found.finish.reason, len(llm.calls)) == ('{"total": 9, "ven', "length", 1)


async def test_fields_that_were_copied_are_not_asked_for(ask: Any) -> None:
    asked = schema_of(vendor=STRING, total=NUMBER, summary=STRING)
    llm = ScriptedLlm('{"summary": "An invoice."}')
    found = await ask(
        chat_of(f"Extract.\n\n{INVOICE}", response_format=asked, evidence=True), llm, extracts_always=True
    )
    assert found.value == {"vendor": "Acme GmbH", "total": 99.5, "summary": "An invoice."}
    assert "Acme GmbH" in texts_of(llm.calls[0].messages)
    assert any("summary" in warning for warning in found.warnings)
    assert {"/vendor", "/total"} <= set(found.evidence.fields)


async def test_the_llm_is_not_asked_if_every_field_was_copied(ask: Any) -> None:
    asked = schema_of(vendor=STRING, total=NUMBER)
    llm = ScriptedLlm()
    found = await ask(chat_of(f"Extract.\n\n{INVOICE}", response_format=asked), llm, extracts_always=True)
    assert (found.value, llm.calls) == ({"vendor": "Acme GmbH", "total": 99.5}, [])


async def test_long_results_leave_room_for_the_answer(ask: Any) -> None:
    lines = [f"line {number} of a very long report about the harbour" for number in range(2_000)]
    page = {"extracted_text": "\n".join(lines), "sections": []}
    llm = ScriptedLlm("Fine.", abilities=Abilities(context_tokens=4096))
    await ask(picture("Who works there, do you think?"), llm, ocr=page)
    assert 1024 * 2 < len(texts_of(llm.calls[0].messages)) < 4096 * 4


async def test_a_limit_of_the_request_leaves_more_room_for_results(ask: Any) -> None:
    lines = [f"line {number} of a very long report about the harbour" for number in range(2_000)]
    page = {"extracted_text": "\n".join(lines), "sections": []}
    sent = []
    for limit in (None, 10):
        llm = ScriptedLlm("Fine.", abilities=Abilities(context_tokens=4096))
        await ask(picture("Who works there, do you think?", **({"max_tokens": limit} if limit else {})), llm, ocr=page)
        sent.append(len(texts_of(llm.calls[0].messages)))
    assert sent[1] > sent[0] + 1000
