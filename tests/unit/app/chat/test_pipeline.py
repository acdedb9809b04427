"""The path of a request: what is refused before it costs anything, who answers, and what is warned of."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.access.admission import Admission
from app.access.keys import Caller
from app.chat import pipeline as module
from app.chat.call import ChatCall
from app.chat.inputs import Collector
from app.chat.pipeline import NO_LOGPROBS, Pipeline
from app.errors import BadRequest, PayloadTooLarge
from app.wire.request import ChatRequest
from models.base import EngineUnavailable
from models.language.llm import Done, Llm, TextDelta
from tasks.base import TaskRequest
from tasks.errors import InputError
from tasks.guardrails import Guardrails
from tasks.inputs.loader import MediaLoader
from tests.kit.chats.answers import Answered, GivenTasks, answered, chat_of, llm_answers, own_answers
from tests.kit.engines.keyword_guards import BOMB, KeywordGuard
from tests.kit.engines.scripted_llm import ScriptedLlm
from tests.kit.papers.filling import NUMBER, RECEIPT
from tests.unit.app.chat.test_inputs import PIXEL, Shelf, image, text
from tests.unit.app.chat.test_own_answer import INVOICE, WEATHER, schema_of

READ = {"ocr": RECEIPT.result.data}
TRANSLATED = {"translated_text": "Guten Morgen", "source_language": "en", "target_language": "de"}


class Reserving(Admission):
    """Admission that keeps what was reserved. Without a budget, it refuses new answers."""

    def __init__(self, *, has_budget: bool = True) -> None:
        super().__init__()
        self.reserved: list[tuple[str | None, int, int | None]] = []
        self._has_budget = has_budget

    @property
    def is_limited(self) -> bool:
        return True

    async def reserve(
        self,
        task: str | None = None,
        prompt_tokens: int = 0,
        answer_tokens: int | None = 0,
        *,
        is_cached: bool = False,
    ) -> None:
        self.reserved.append((task, prompt_tokens, answer_tokens))

    async def require_budget(self) -> None:
        if not self._has_budget:
            raise BadRequest("spent", param="key")


class Served:
    """A pipeline whose tasks and LLM do what the test says."""

    def __init__(self, loader: MediaLoader, keywords: KeywordGuard) -> None:
        self._loader = loader
        self._keywords = keywords
        self.prepared: list[tuple[str, ...]] = []

    def pipeline(self, llm: Llm | None, tasks: GivenTasks) -> Pipeline:
        def find_llm() -> Llm:
            if llm is None:
                raise EngineUnavailable("llm", "There is none.")
            return llm

        async def prepare(*capabilities: str) -> None:
            self.prepared.append(capabilities)

        return Pipeline(
            tasks.find,
            find_llm,
            llm_answers(self._loader, tasks),
            own_answers(self._loader, tasks),
            Collector(Shelf(), 16, 1 << 20),
            Guardrails(lambda: [self._keywords], list, self._loader, seconds=60),
            prepare=prepare,
        )

    async def ask(
        self, request: ChatRequest, llm: Llm | None = None, admission: Admission | None = None, **results: Any
    ) -> Answered:
        call = ChatCall(request, Caller("me"), fresh=True, admission=admission or Admission())
        return await answered(self.pipeline(llm, GivenTasks(results)).run(call))


@pytest.fixture
def served(loader: MediaLoader, keywords: KeywordGuard) -> Served:
    return Served(loader, keywords)


def tagged(tags: str, *parts: Any, **fields: Any) -> ChatRequest:
    return chat_of({"role": "system", "content": tags}, {"role": "user", "content": list(parts)}, **fields)


async def test_a_task_in_a_tag_is_run_alone_and_its_result_is_the_answer(served: Served) -> None:
    found = await served.ask(tagged("<task>ocr</task>", text("Read."), image(PIXEL)), **READ)
    assert found.value == {"name": "ocr", "result": READ["ocr"]}
    assert (found.finish.reason, found.entries, served.prepared) == ("stop", [], [()])
    assert found.finish.completion_tokens > 0


async def test_beside_a_schema_a_task_is_not_the_answer(served: Served) -> None:
    request = tagged("<task>ocr</task>", text("The total?"), image(PIXEL), response_format=schema_of(total=NUMBER))
    found = await served.ask(request, ScriptedLlm(is_capable=False), **READ)
    assert found.value == {"total": 63.6}
    assert served.prepared == [("llm",)]


async def test_a_capable_llm_answers_and_an_incapable_one_does_not(served: Served) -> None:
    request = chat_of(f"What is the total?\n\n{INVOICE}")
    assert (await served.ask(request, ScriptedLlm("Much."))).text == "Much."
    assert (await served.ask(request, ScriptedLlm(is_capable=False))).text.startswith("99.50")
    with pytest.raises(EngineUnavailable):
        await served.ask(request)


async def test_a_task_needs_no_llm(served: Served) -> None:
    request = tagged("<task>translate</task>", text("Translate into German: Good morning"))
    found = await served.ask(request, translate=TRANSLATED)
    assert found.value["result"] == TRANSLATED


@pytest.mark.parametrize(
    ("tags", "given", "param"),
    [
        ("", {"pages": "1"}, "task_options"),
        ("<task>ocr</task>", {"pages": ["x"]}, "task_options.pages"),
        ("<task>orc</task>", {}, "messages"),
        ("<task>ocr, stt</task>", {}, "messages"),
        ("<guard>S99</guard>", {}, "messages"),
    ],
)
async def test_a_wrong_task_and_a_wrong_option_are_named(
    served: Served, tags: str, given: dict[str, Any], param: str
) -> None:
    fields = {"task_options": given} if given else {}
    with pytest.raises(BadRequest) as failed:
        await served.ask(tagged(tags, text("Read."), image(PIXEL), **fields), ScriptedLlm("Nine."), **READ)
    assert failed.value.param == param


async def test_messages_of_too_many_characters_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TEXT_CHARS", 9)
    assert (await served.ask(chat_of("12345", "6789"), ScriptedLlm("Nine."))).text == "Nine."
    with pytest.raises(PayloadTooLarge) as failed:
        await served.ask(chat_of("12345", "67890"), ScriptedLlm("Nine."))
    assert failed.value.param == "messages"


async def test_what_a_request_may_use_is_reserved_by_its_task(served: Served) -> None:
    admission = Reserving()
    await served.ask(chat_of("abcd" * 10, max_tokens=7), ScriptedLlm("Nine."), admission)
    await served.ask(tagged("<task>ocr</task>", text("Read."), image(PIXEL), max_tokens=7), None, admission, **READ)
    [chat, task] = admission.reserved
    assert chat == ("chat", 10, 7)
    assert (task[0], task[2]) == ("ocr", None)


async def test_tools_and_schemas_count_as_what_the_llm_reads(served: Served) -> None:
    admission = Reserving()
    for fields in ({}, {"tools": [WEATHER]}, {"response_format": schema_of(total=NUMBER)}):
        await served.ask(chat_of("Hm?", **fields), ScriptedLlm('{"total": 9}'), admission)
    plain, tools, schema = (tokens for _, tokens, _ in admission.reserved)
    assert plain == 1
    assert tools > 20
    assert schema > 20


async def test_a_schema_that_is_corrected_is_warned_of(served: Served) -> None:
    broken = {"type": "object", "properties": {"total": {"type": "number", "nullable": True}}}
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": broken}}
    found = await served.ask(chat_of("Hm?", response_format=asked), ScriptedLlm('{"total": null}'))
    assert found.value == {"total": None}


async def test_without_a_budget_no_new_answer_is_made(served: Served) -> None:
    llm = ScriptedLlm("Nine.")
    with pytest.raises(BadRequest):
        await served.ask(chat_of("Hm?"), llm, Reserving(has_budget=False))
    assert llm.calls == []


async def test_an_unsafe_request_reaches_neither_task_nor_llm(served: Served) -> None:
    llm = ScriptedLlm("Like this.")
    found = await served.ask(chat_of({"role": "system", "content": "<guard>S9</guard>"}, BOMB), llm)
    assert (found.text.split(), llm.calls) == (["unsafe", "S9"], [])


def end_of(text: str, logprobs: Any = None) -> Sequence[TextDelta | Done]:
    return [TextDelta(text, logprobs), Done("stop", prompt_tokens=10, completion_tokens=2)]


async def test_missing_logprobs_are_warned_of(served: Served) -> None:
    without = await served.ask(chat_of("Hm?", logprobs=True), ScriptedLlm(end_of("Nine.")))
    assert without.warnings == [NO_LOGPROBS]
    having = await served.ask(chat_of("Hm?", logprobs=True), ScriptedLlm(end_of("Nine.", [{"token": "Nine."}])))
    assert having.warnings == []
    unasked = await served.ask(chat_of("Hm?"), ScriptedLlm(end_of("Nine.")))
    assert unasked.warnings == []


async def test_fields_without_an_effect_are_warned_of(served: Served) -> None:
    found = await served.ask(chat_of("Hm?", store=True, tempreature=1), ScriptedLlm("Nine."))
    assert [name for name in ("store", "tempreature") if not any(name in one for one in found.warnings)] == []


async def test_a_link_that_cannot_be_read_does_not_fail_a_task_with_another_input(served: Served) -> None:
    def read(request: TaskRequest[Any]) -> Any:
        if linked := [source for source in request.sources if source.is_linked]:
            raise InputError("There is no such page.", param=linked[0].param)
        return READ["ocr"]

    link = text("Read this, from http://127.0.0.1:9/x.png")
    found = await served.ask(tagged("<task>ocr</task>", link, image(PIXEL)), ocr=read)
    assert found.value["result"] == READ["ocr"]
    [warning] = found.warnings
    assert "There is no such page." in warning
    with pytest.raises(InputError):
        await served.ask(tagged("<task>ocr</task>", link), ocr=InputError("There is no such page."))


async def test_the_json_of_a_large_result_comes_in_pieces(served: Served) -> None:
    page = {"extracted_text": "word " * 40_000, "sections": []}
    found = await served.ask(tagged("<task>ocr</task>", text("Read."), image(PIXEL)), ocr=page)
    assert json.loads(found.text)["result"] == page
    pieces = [one for one in found.events if hasattr(one, "text")]
    assert len(pieces) == -(-len(found.text) // module.PIECE)
