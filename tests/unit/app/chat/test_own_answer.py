"""Answers without a capable LLM: which of the ways to answer a request takes, and what each returns."""

import json
from typing import Any

import pytest

from app.chat import own_answer
from app.chat.shape import NotFoundInInput
from app.wire.request import ChatRequest
from models.base import EngineUnavailable
from models.language.llm import LlmOverloaded
from tasks.inputs.loader import MediaLoader
from tests.kit.chats.answers import Answered, GivenTasks, answer, chat_of, own_answers
from tests.kit.engines.scripted_llm import ScriptedLlm
from tests.kit.papers.filling import NUMBER, OR_NULL, RECEIPT, STRING
from tests.unit.app.chat.test_inputs import PIXEL, image, text

INVOICE = "Invoice 4711\nVendor: Acme GmbH\nDate: 2026-03-01\nTotal: 99.50 EUR\nPets: not allowed\n"
READ = {"ocr": RECEIPT.result.data}
BOUNDS = {name: {"x": 1, "y": 1} for name in ("top_left", "top_right", "bottom_right", "bottom_left")}
PEOPLE = {"detected_objects": [{"label": "person", "bounds": BOUNDS, "confidence": 0.9}] * 2}
NOTHING = {"detected_objects": []}
LETTER = (
    "The council will repair the sports hall in June. The repair of the sports hall costs 90,000 pounds. Clubs may use "
    "the school's hall during the repair. Questions go to Ann Lee."
)


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def schema_of(**properties: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": object_of(**properties)}}


def tool(name: str, description: str, **properties: Any) -> dict[str, Any]:
    function = {"name": name, "description": description, "parameters": object_of(**properties)}
    return {"type": "function", "function": function}


WEATHER = tool("get_weather", "Current weather of a city", city=STRING)


@pytest.fixture
def ask(loader: MediaLoader) -> Any:
    async def ask(request: ChatRequest, llm: ScriptedLlm | None = None, /, **results: Any) -> Answered:
        tasks = GivenTasks(results)
        return await answer(own_answers(loader, tasks), llm or ScriptedLlm(is_capable=False), request, tasks)

    return ask


def picture(words: str) -> ChatRequest:
    return chat_of({"role": "user", "content": [text(words), image(PIXEL)]})


@pytest.mark.parametrize(
    ("message", "beginning"),
    [("Hello!", "I read documents"), ("Hallo!", "Ich"), ("What can you do?", "I read documents")],
)
async def test_a_greeting_is_answered_without_the_llm(ask: Any, message: str, beginning: str) -> None:
    found = await ask(chat_of(message))
    assert found.text.startswith(beginning)
    assert (found.finish.reason, found.warnings, found.entries) == ("stop", [], [])
    assert found.finish.prompt_tokens > 0
    assert found.finish.completion_tokens > 0


async def test_a_question_about_a_pasted_text_has_the_value_and_its_line(ask: Any) -> None:
    found = await ask(chat_of(f"What is the total?\n\n{INVOICE}"))
    assert found.text == "99.50\n\n> Total: 99.50 EUR"
    assert found.warnings == [own_answer.COPIED]


async def test_a_question_about_a_picture_is_answered_from_what_was_read_in_it(ask: Any) -> None:
    found = await ask(picture("What is the total?"), **READ)
    assert found.text.startswith("63.60\n")
    assert [entry.name for entry in found.entries] == ["ocr"]


async def test_an_answer_ends_at_the_limit_of_the_request(ask: Any) -> None:
    found = await ask(chat_of(f"Read this: what is the total?\n\n{INVOICE}", max_tokens=1))
    assert (found.finish.reason, len(found.text)) == ("length", 4)


@pytest.mark.parametrize(
    ("message", "sentences"),
    [("Summarise this.", 3), ("Summarise this in two sentences.", 2), ("Summarise this in a single sentence.", 1)],
)
async def test_a_summary_has_sentences_of_the_text(ask: Any, message: str, sentences: int) -> None:
    found = await ask(chat_of(f"{message}\n\n{LETTER}"))
    lines = [line.removeprefix("- ") for line in found.text.splitlines()]
    assert len(lines) == sentences
    assert all(line in LETTER for line in lines)
    assert found.warnings == [own_answer.EXTRACTED]


async def test_what_no_value_answers_has_passages(ask: Any) -> None:
    lines = LETTER.replace(". ", ".\n")
    found = await ask(chat_of(f"Why will clubs use the school's hall?\n\n{lines}"))
    assert "- Clubs may use the school's hall during the repair." in found.text.splitlines()
    assert found.warnings == [own_answer.PASSAGES]


async def test_objects_are_counted_and_missing_ones_named(ask: Any) -> None:
    found = await ask(picture("How many people are there?"), object_detection=PEOPLE, ocr=READ["ocr"])
    assert found.text == "2 × person"
    missing = await ask(picture("Draw boxes around the cats."), object_detection=NOTHING, ocr=READ["ocr"])
    assert "'cats'" in missing.text


async def test_an_order_to_read_has_the_text_alone(ask: Any) -> None:
    found = await ask(picture("Read this."), **READ)
    assert found.text == RECEIPT.result.text().strip()
    assert found.warnings == []


async def test_what_nothing_here_can_answer_says_which_setting_helps(ask: Any) -> None:
    found = await ask(chat_of("What is the capital of Peru?"))
    assert "OPENFAZE_LLM_BASE_URL" in found.text


async def test_a_text_that_is_to_be_written_is_left_to_the_llm(ask: Any) -> None:
    llm = ScriptedLlm("Roses are red.", is_capable=False)
    found = await ask(chat_of("Write a poem about roses."), llm)
    assert found.text == "Roses are red."
    assert len(llm.calls) == 1


async def test_an_llm_without_room_refuses_only_what_it_would_write(ask: Any) -> None:
    llm = ScriptedLlm("Roses are red.", is_capable=False, full=LlmOverloaded("full", 3))
    assert (await ask(chat_of("Hello!"), llm)).text
    with pytest.raises(LlmOverloaded):
        await ask(chat_of("Write a poem about roses."), llm)


async def test_a_schema_is_filled_from_the_text_of_the_message(ask: Any) -> None:
    asked = schema_of(vendor=STRING, total=NUMBER, iban=OR_NULL)
    found = await ask(chat_of(f"Extract.\n\n{INVOICE}", response_format=asked, evidence=True))
    assert found.value == {"vendor": "Acme GmbH", "total": 99.5, "iban": None}
    assert set(found.evidence.fields) == {"/vendor", "/total"}
    assert found.finish.reason == "stop"


async def test_a_field_that_must_have_a_value_and_has_none_is_named(ask: Any) -> None:
    asked = schema_of(vendor=STRING, website={"type": "string", "format": "uri"})
    with pytest.raises(NotFoundInInput) as failed:
        await ask(chat_of(f"Extract.\n\n{INVOICE}", response_format=asked))
    assert failed.value.partial == {"vendor": "Acme GmbH", "website": None}


async def test_a_message_that_names_keys_of_json_has_them_or_null(ask: Any) -> None:
    found = await ask(chat_of(f"Give me JSON with vendor, total and phone.\n\n{INVOICE}"))
    assert found.value == {"vendor": "Acme GmbH", "total": 99.5, "phone": None}


async def test_a_forced_call_has_its_arguments_from_the_text(ask: Any) -> None:
    save = tool("save", "Save an invoice", vendor=STRING, total=NUMBER)
    found = await ask(chat_of(f"Save it.\n\n{INVOICE}", tools=[save], tool_choice="required"))
    assert {name: json.loads(one) for name, one in found.calls.items()} == {
        "save": {"vendor": "Acme GmbH", "total": 99.5}
    }
    assert (found.text, found.finish.reason) == ("", "tool_calls")


async def test_the_first_of_several_forced_tools_is_called_without_an_embedder(ask: Any) -> None:
    other = tool("book", "Book a table", vendor=STRING)
    save = tool("save", "Save an invoice", vendor=STRING)
    found = await ask(chat_of(f"Save it.\n\n{INVOICE}", tools=[other, save], tool_choice="required"))
    assert list(found.calls) == ["book"]


async def test_an_offered_tool_is_not_called_without_an_embedder(ask: Any) -> None:
    found = await ask(chat_of("What is the weather in Oslo?", tools=[WEATHER]))
    assert found.calls == {}


async def test_the_result_of_a_call_answers_the_question(ask: Any) -> None:
    called = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
    }
    result = {"role": "tool", "tool_call_id": "c", "content": INVOICE}
    found = await ask(chat_of("What is the total?", called, result))
    assert found.text.startswith("99.50")


async def test_a_failed_reading_is_the_answer_of_a_question_about_it(ask: Any) -> None:
    with pytest.raises(EngineUnavailable):
        await ask(picture("What is the total?"))


async def test_a_title_that_a_chat_program_orders_is_of_the_conversation(ask: Any) -> None:
    order = (
        "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n"
        'JSON format: { "title": "your title here" }\n### Chat History:\n<chat_history>\n'
        "USER: How do I repot a cactus?\nASSISTANT: Use dry soil.\n</chat_history>"
    )
    found = await ask(chat_of(order))
    assert "cactus" in found.value["title"]
