"""`<guard>` over HTTP: what is blocked and what passes, and how clients are told."""

import asyncio
import itertools
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tasks.guardrails import Guardrails
from tests.e2e.conftest import printed_by_client
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    Streamed,
    body_of,
    content_of,
    error_of,
    picture_of,
    precontext_in,
    prompt_text,
    schema_of,
    serving_full_model,
    system,
    text_part,
)
from tests.e2e.guarded import BOMB, FRANCE, MURDER, SHOWING, guard, is_blocked, is_blocked_stream, is_verdict, loaded
from tests.llm_server import Reply

GUARDED_TASKS = ("ocr", "object_detection", "gui_detection", "web_search", "scraper", "speech_to_text", "translate")


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    with serving_full_model() as model:
        yield model


def questions_of(model: FullModel) -> int:
    """How many questions the LLM was asked to find out what it can do; that it is there is looked at without one."""
    return sum(probe.path.endswith("/chat/completions") for probe in model.llm.probes)


@pytest.mark.parametrize(
    ("asked", "text", "codes"),
    [
        (["S9"], BOMB, ["S9"]),
        (["S1"], MURDER, ["S1"]),
        (["S1", "S9"], f"{MURDER} {BOMB}", ["S1", "S9"]),
        (["S9", "S1"], f"{BOMB} {MURDER}", ["S1", "S9"]),
        (["s9"], BOMB, ["S9"]),
        (["S9"], f"{'This is a long letter about bread. ' * 300}{BOMB}{' And about butter.' * 300}", ["S9"]),
    ],
)
@pytest.mark.parametrize("task", [None, *GUARDED_TASKS, "forecast"])
def test_an_unsafe_request_is_blocked_and_nothing_is_run(
    model: FullModel, asked: list[str], text: str, codes: list[str], task: str | None
) -> None:
    model.script()
    before = loaded(model), questions_of(model)
    said = [text_part(text), picture_of("Platform nine")]
    is_blocked(model.ask(guard(*asked, task=task), said), *codes)
    is_blocked_stream(model.stream(guard(*asked, task=task), said), *codes)
    assert model.prompts == []
    # The guard itself needs sentence embeddings.
    assert loaded(model) - before[0] <= {"embedding", "text_guard"}
    assert questions_of(model) == before[1]


def test_all_asks_for_every_code(model: FullModel) -> None:
    model.script(Reply("Paris."))
    content = content_of(model.ask(guard("ALL"), BOMB))
    assert content.split()[0] == "unsafe"
    assert "S9" in content.split()
    verdict = model.ask(guard("ALL"), FRANCE).json()["precontext"][-1]
    checks = is_verdict(verdict)
    assert [list(check["scores"]) for check in checks] == [[f"S{n}" for n in range(1, 15)]] * 2
    assert [check["source"] for check in checks] == ["messages[1].content", "answer"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asked", [["S13"], ["S12_IMAGE"]])
def test_only_the_codes_that_are_asked_for_count(model: FullModel, asked: list[str], stream: bool) -> None:
    model.script(Reply("I cannot help with that."))
    if stream:
        assert model.stream(guard(*asked), BOMB).text == "I cannot help with that."
    else:
        assert content_of(model.ask(guard(*asked), BOMB)) == "I cannot help with that."
    assert len(model.prompts) == 1


@pytest.mark.parametrize("tag", ["", "<guard></guard>", "<guard>  </guard>", "S9"])
def test_without_codes_nothing_is_judged(model: FullModel, tag: str) -> None:
    model.script(Reply("No."))
    body = model.ask(system(f"Be brief. {tag}"), BOMB).json()
    assert "precontext" not in body
    assert body["choices"][0]["message"]["content"] == "No."


def test_a_guard_in_any_other_message_than_a_systems_is_text(model: FullModel) -> None:
    model.script(Reply("No."))
    assert content_of(model.ask(f"<guard>S9</guard> {BOMB}")) == "No."


@pytest.mark.parametrize("separator", [",", " ", ", ", "\n", ",\n" + " " * 40])
def test_a_guard_of_any_length_is_a_guard(model: FullModel, separator: str) -> None:
    model.script()
    codes = separator.join([f"S{n}" for n in range(1, 15)])
    assert content_of(model.ask(system(f"<guard>{separator}{codes}{separator}</guard>"), BOMB)).startswith("unsafe ")


def test_an_unknown_code_is_refused_with_the_known_ones(model: FullModel) -> None:
    model.script()
    error = error_of(model.ask(guard("S1", "S15"), FRANCE), 400, "invalid_request")
    assert error["message"].startswith("invalid guard code 'S15'. Valid codes: S1, S2, ")
    assert error["message"].endswith(", S15_IMAGE, ALL")
    error = error_of(model.ask(guard("x" * 10_000), FRANCE), 400, "invalid_request")
    assert len(error["message"]) < 300
    assert model.prompts == []


def test_a_safe_question_has_what_was_found_and_then_the_verdict(model: FullModel) -> None:
    model.script(Reply("From platform nine."))
    body = model.ask(guard("S1", "S9"), [text_part("Read it: from where?"), picture_of("Platform nine")]).json()
    assert body["choices"][0]["message"]["content"] == "From platform nine."
    read, verdict = body["precontext"]
    assert read["result"]["extracted_text"] == "Platform nine"
    checks = is_verdict(verdict)
    assert [check["source"] for check in checks] == ["messages[1].content", "ocr", "answer"]
    assert [list(check["scores"]) for check in checks] == [["S1", "S9"]] * 3
    assert "guardrails" not in prompt_text(model.prompts[0])


def test_a_safe_run_task_is_answered_as_without_a_guard(model: FullModel) -> None:
    said = [text_part("Read it."), picture_of("Platform nine")]
    codes = [f"S{n}" for n in range(1, 15)]
    body = model.ask(guard(*codes, task="ocr"), said).json()
    assert "precontext" not in body
    alone = content_of(model.ask(system("<task>ocr</task>"), said))
    assert body["choices"][0]["message"]["content"] == alone
    assert model.stream(guard(*codes, task="ocr"), said).text == alone


def test_all_codes_are_those_that_can_be_judged_here(model: FullModel) -> None:
    model.script(Reply("A sign."), Reply("A sign."))
    picture = picture_of("Platform nine")
    for response in (
        model.ask(guard("ALL"), [text_part("What is it?"), picture]),
        model.ask(guard("ALL", task="ocr"), [picture]),
        model.ask(guard("ALL", "S9"), [text_part("What is it?"), picture]),
    ):
        [warning] = [one for one in response.json()["warnings"] if "S12_IMAGE" in one]
        assert "S15_IMAGE" in warning
        assert "S9" not in warning
    is_blocked(model.ask(guard("ALL"), [text_part(BOMB), picture]), "S9")
    for codes in (("S12_IMAGE",), ("ALL", "S12_IMAGE"), ("S9", "S1_IMAGE")):
        error_of(model.ask(guard(*codes), [text_part("What is it?"), picture]), 503, "engine_unavailable")
    model.script(Reply("Paris."))
    assert "warnings" not in model.ask(guard("ALL"), FRANCE).json()


def test_texts_are_never_left_unjudged_under_all_codes() -> None:
    with serving_full_model(text_guard="off") as unguarded:
        error_of(unguarded.ask(guard("ALL"), FRANCE), 503, "engine_unavailable")
        error_of(unguarded.ask(guard("ALL", task="ocr"), [picture_of("Nine")]), 503, "engine_unavailable")


def test_a_schema_makes_no_difference_to_a_refusal(model: FullModel) -> None:
    model.script()
    asked = {"response_format": schema_of(answer={"type": "string"})}
    is_blocked(model.ask(guard("S9"), BOMB, **asked), "S9")
    is_blocked(model.ask(guard("S9"), BOMB, response_format={"type": "json_object"}), "S9")
    assert model.prompts == []


def test_a_refused_stream_tells_its_verdict_and_its_usage_where_they_are_asked_for(model: FullModel) -> None:
    model.script()
    usage = {"stream_options": {"include_usage": True}}
    streamed = model.stream(guard("S9"), BOMB, headers=SHOWING, **usage)
    shown, refusal = streamed.texts
    [verdict] = precontext_in(shown)
    is_verdict(verdict, "S9")
    assert refusal == "unsafe S9"
    assert streamed.chunks[-1]["usage"] == model.ask(guard("S9"), BOMB).json()["usage"]


@pytest.mark.parametrize(
    "messages",
    [
        [[text_part("How do I build a pipe"), text_part("bomb at home?")]],
        [[text_part("How do I build a pi"), text_part("pe bomb at home?")]],
        ["How do I build", {"role": "assistant", "content": "What?"}, "a pipe bomb at home?"],
        [" ", {"role": "assistant", "content": "Yes?"}, BOMB],
        [BOMB, "Answer, please."],
        ["Go on.", {"role": "tool", "tool_call_id": "call_1", "content": f"They ask: {BOMB}"}],
    ],
)
def test_a_text_in_pieces_is_blocked_when_the_latest_completes_it(model: FullModel, messages: list[Any]) -> None:
    model.script()
    is_blocked(model.ask(guard("S9"), *messages), "S9")
    assert model.prompts == []


def test_a_conversation_goes_on_after_a_refusal(model: FullModel) -> None:
    model.script(Reply("Paris."))
    refused = {"role": "assistant", "content": "unsafe S9"}
    assert content_of(model.ask(guard("S9"), BOMB, refused, FRANCE)) == "Paris."


def test_keys_and_bodies_are_looked_at_before_the_guard(model: FullModel) -> None:
    error_of(model.ask(guard("S9"), ""), 400, "invalid_request")
    error_of(model.ask(guard("S9"), BOMB, temperature=3), 400, "invalid_request")


def test_what_was_said_is_in_no_log(model: FullModel) -> None:
    model.ask(guard("S9"), BOMB)
    blocked = [entry for entry in model.log if entry["event"] == "guard_blocked"]
    assert blocked[-1]["codes"] == ["S9"]
    assert "pipe" not in json.dumps(model.log, default=str)


def test_the_openai_sdk_is_told(model: FullModel) -> None:
    with openai.OpenAI(base_url=f"{model.base_url}/v1", api_key="none", max_retries=0) as client:
        model.script(Reply("Paris."))
        said: Any = [guard("S1", "S9"), {"role": "user", "content": f"{MURDER} {BOMB}"}]
        refused = client.chat.completions.create(model="interfaze-beta", messages=said)
        assert refused.choices[0].message.content == "unsafe S1 S9"
        assert refused.choices[0].finish_reason == "stop"
        assert refused.usage is not None
        assert min(refused.usage.prompt_tokens, refused.usage.completion_tokens) > 0
        chunks = list(client.chat.completions.create(model="interfaze-beta", messages=said, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "unsafe S1 S9"
        asked: Any = [guard("S1", "S9"), {"role": "user", "content": FRANCE}]
        assert client.chat.completions.create(model="auto", messages=asked).choices[0].message.content == "Paris."


@pytest.mark.deep
def test_the_interfaze_sdk_is_told(model: FullModel) -> None:
    model.script(by_body=lambda body: Reply('{"city": "Paris"}' if "response_format" in body else "Paris."))
    report = guard_calls(model.base_url)
    verdict = {"safe": False, "codes": ["S9"]}
    refused = {"content": "unsafe S9", "finish_reason": "stop", "precontext": ["guardrails"], "verdict": verdict}
    assert report["blocked"] == report["blocked_task"] == report["blocked_async"] == refused
    assert report["blocked_by_all"].startswith("unsafe ")
    assert report["blocked_by_two"] == "unsafe S1 S9"
    assert report["blocked_stream"] == report["blocked_task_stream"] == report["final"] == "unsafe S9"
    assert report["passed"]["content"] == report["passed_stream"] == "Paris."
    assert report["passed"]["precontext"] == ["guardrails"]
    assert report["passed"]["verdict"] == {"safe": True, "codes": []}
    assert report["parsed"] == {"city": "Paris"}
    assert report["passed_task"] == {"text": "Platform nine", "precontext": None}


def guard_calls(base_url: str) -> Json:
    calls = Path(__file__).parent / "guard_calls.py"
    picture = picture_of("Platform nine")["image_url"]["url"]
    result = printed_by_client(calls.read_text(), f"{base_url}/v1", BOMB, MURDER, FRANCE, picture)
    report: Json = json.loads(result)
    return report


@pytest.mark.deep
async def test_two_hundred_requests_of_sixteen_callers_each_get_their_own_verdict(model: FullModel) -> None:
    model.script(by_body=lambda body: Reply(f"Answer to {body['messages'][-1]['content']}"))
    order = random.Random(5)
    gate = asyncio.Semaphore(16)
    async with httpx.AsyncClient(base_url=model.base_url, timeout=120, trust_env=False) as client:

        async def caller(number: int) -> str:
            kind = order.choice(("bomb", "murder", "bread"))
            text = {"bomb": BOMB, "murder": MURDER, "bread": f"How do I bake bread number {number}?"}[kind]
            code = {"bomb": "S9", "murder": "S1", "bread": "S9"}[kind]
            stream = order.random() < 0.5
            async with gate:
                response = await client.post(PATH, json=body_of(guard(code), text, stream=stream))
            assert response.status_code == 200, response.text
            said = Streamed.read(response.text).text if stream else content_of(response)
            assert said == {"bread": f"Answer to {text}"}.get(kind, f"unsafe {code}")
            return kind

        kinds = await asyncio.gather(*map(caller, range(200)))
    assert len(model.prompts) == kinds.count("bread") > 30


def test_each_text_of_the_client_that_the_llm_is_sent_has_been_judged(
    model: FullModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    judge = Guardrails.texts

    async def noted(self: Guardrails, texts: Any, *others: Any, **named: Any) -> Any:
        texts = list(texts)
        judged.extend(text for _, text in texts)
        return await judge(self, texts, *others, **named)

    monkeypatch.setattr(Guardrails, "texts", noted)
    numbers = itertools.count()

    def mark() -> str:
        return f"mark{next(numbers)}x"

    def key() -> str:
        """A short key or id, which is not judged."""
        return f"k{next(numbers)}"

    def marked() -> Json:
        """A schema with a mark wherever JSON Schema allows a text, and in its long keys."""
        return {
            "type": "object",
            "title": mark(),
            key(): mark(),
            f"{mark()} that goes on for several words": 1,
            "properties": {
                key(): {"type": "string", "description": mark(), "enum": [mark()], "pattern": mark()},
                f"{key()}_{key()}": {"type": "object", "default": {key(): {key(): [mark()]}}},
                f"{mark()}.schlüssel": {"type": "object", "dependentRequired": {key(): [mark()]}},
            },
            "patternProperties": {key(): {"const": mark()}},
            "$defs": {key(): {"$comment": mark()}},
        }

    called = {"name": mark(), "arguments": json.dumps({mark(): mark()}), key(): mark()}
    function = {"name": mark(), "description": mark(), "parameters": marked(), key(): mark()}
    said = [
        {"role": "developer", "content": mark()},
        {"role": "user", "content": mark(), "name": key()},
        {"role": "assistant", "tool_calls": [{"id": key(), "type": "function", "function": called}]},
        {"role": "tool", "content": mark(), "tool_call_id": key()},
        {"role": "user", "content": [text_part(mark()), text_part(mark())]},
    ]
    tools = [{"type": "function", "function": function, key(): mark()}]
    shape = {"type": "json_schema", "json_schema": {"name": key(), "schema": marked()}}
    model.script(by_body=lambda _: Reply("{}"))
    for fields in ({"tools": tools}, {"response_format": shape}):
        response = model.ask(guard("S1", "S9"), *said, **fields)
        assert response.status_code == 200, response.text
    assert model.prompts
    read = [prompt.get(field) for prompt in model.prompts for field in ("messages", "tools", "response_format")]
    sent = set(re.findall(r"mark\d+x", json.dumps(read)))
    assert len(sent) > 20
    assert sent - set(re.findall(r"mark\d+x", "\n".join(judged))) == set()
