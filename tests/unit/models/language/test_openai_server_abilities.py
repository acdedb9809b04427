"""What the client finds out about a model, by what the server says or by asking."""

import asyncio
import gc
from typing import Any

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from models.concurrency import SharedRun
from models.language.llm import Abilities, LlmBroke, LlmError, LlmUnavailable
from models.language.openai_http import OpenAiHttp, ServerPatience
from models.language.openai_probe import KnownAbilities
from models.language.openai_server import OpenAiServer
from tests.llm_server import LlmServer, Reply, Request, serving_llm
from tests.loop_time import LoopTime

ONCE = ServerPatience(retries=0)
NOTHING = Abilities(context_tokens=4096)


async def abilities_of(
    upstream: LlmServer, known: KnownAbilities | None = None, patience: ServerPatience = ONCE
) -> Abilities:
    llm = OpenAiServer(upstream.base_url, model="scripted", abilities=known, patience=patience)
    try:
        return await llm.abilities()
    finally:
        await llm.close()


@pytest.mark.parametrize(
    "truth",
    [
        Abilities(vision=True, tools=True, json_schema=True, context_tokens=8192),
        Abilities(vision=True, context_tokens=None),
        Abilities(tools=True, context_tokens=4096),
        Abilities(json_schema=True, context_tokens=4096),
        NOTHING,
    ],
)
async def test_what_it_finds_is_the_truth(truth: Abilities) -> None:
    with serving_llm(abilities=truth) as upstream:
        assert await abilities_of(upstream) == truth


async def test_it_is_found_out_once_for_many_callers() -> None:
    with serving_llm() as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted")
        found = await asyncio.gather(*(llm.abilities() for _ in range(20)))
        await llm.close()
        assert len({id(abilities) for abilities in found}) == 1
        assert len(upstream.probes) == 6


async def test_the_questions_are_short_and_can_be_told_from_clients_calls() -> None:
    with serving_llm() as upstream:
        await abilities_of(upstream)
        questions = [probe for probe in upstream.probes if probe.path.endswith("/chat/completions")]
        assert upstream.requests == []
    assert {question.headers["user-agent"] for question in questions} == {"openfaze (probe)"}
    assert {question.body["max_tokens"] for question in questions} == {16}


async def test_what_is_known_beforehand_wins_and_is_not_asked() -> None:
    with serving_llm() as upstream:
        found = await abilities_of(upstream, {"vision": False, "context_tokens": 100})
        assert found == Abilities(vision=False, tools=True, json_schema=True, context_tokens=100)
        assert not any("image_url" in str(probe.body) for probe in upstream.probes)


async def test_nothing_is_asked_when_all_is_known() -> None:
    known = KnownAbilities(vision=False, tools=False, json_schema=False, context_tokens=4096)
    with serving_llm() as upstream:
        assert await abilities_of(upstream, known) == NOTHING
        assert upstream.probes == []


async def test_a_failure_is_not_remembered() -> None:
    with serving_llm(abilities=NOTHING) as upstream:
        answering, upstream.probe_reply = upstream.probe_reply, lambda _: Reply(status=401)
        llm = OpenAiServer(upstream.base_url, model="scripted")
        with pytest.raises(LlmUnavailable):
            await llm.abilities()
        upstream.probe_reply = answering
        assert await llm.abilities() == NOTHING
        await llm.close()


async def test_a_server_that_answers_nothing_at_all_is_unavailable() -> None:
    with serving_llm() as upstream:
        upstream.probe_reply = lambda _: Reply(status=400, error="no")
        with pytest.raises(LlmUnavailable, match="plain question") as refused:
            await abilities_of(upstream)
    assert "OPENFAZE_LLM_MODEL" in refused.value.public


async def test_what_breaks_on_a_plain_question_is_told_as_it_is() -> None:
    with serving_llm() as upstream:
        upstream.probe_reply = lambda _: Reply(status=500)
        with pytest.raises(LlmBroke) as broken:
            await abilities_of(upstream)
    assert "status 500" in broken.value.public


async def outcome_of(asking: "asyncio.Task[Abilities]") -> Abilities | LlmError:
    try:
        return await asking
    except LlmError as error:
        return error


def asked_of(upstream: LlmServer) -> list[Request]:
    """The calls that find something out."""
    return [probe for probe in upstream.probes if probe.path.endswith("/chat/completions")]


async def test_those_who_wait_share_one_failure_and_the_next_asks_again() -> None:
    with serving_llm(abilities=NOTHING) as upstream:
        answering, upstream.probe_reply = upstream.probe_reply, lambda _: Reply(hang_before_first_byte=True)
        time = LoopTime()
        llm = OpenAiServer(upstream.base_url, model="scripted", patience=ServerPatience(retries=0, first_byte_s=120))
        waiting = [asyncio.create_task(llm.abilities()) for _ in range(6)]
        await asyncio.to_thread(upstream.wait_until, lambda: bool(asked_of(upstream)))
        time.passes(120)
        outcomes = [await outcome_of(asking) for asking in waiting]
        assert isinstance(outcomes[0], LlmUnavailable)
        assert {id(outcome) for outcome in outcomes} == {id(outcomes[0])}
        assert len(asked_of(upstream)) == 1
        upstream.probe_reply = answering
        assert await llm.abilities() == NOTHING
        await llm.close()


async def test_a_caller_who_leaves_does_not_throw_away_what_is_being_found_out() -> None:
    with serving_llm() as upstream:
        llm = OpenAiServer(upstream.base_url)
        leaving, staying = asyncio.create_task(llm.abilities()), asyncio.create_task(llm.abilities())
        while not upstream.probes:
            await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying).tools
        assert leaving.cancelled()
        assert len([probe for probe in upstream.probes if probe.path == "/v1/models"]) == 1
        await llm.close()


async def test_a_failure_that_nobody_waited_for_is_not_logged_by_asyncio() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    ended = asyncio.Event()

    async def fail() -> None:
        ended.set()
        raise LlmUnavailable("a caller's words")

    leaving = asyncio.create_task((run := SharedRun(fail)).join())
    await asyncio.sleep(0)
    leaving.cancel()
    await ended.wait()
    await asyncio.gather(leaving, return_exceptions=True)
    del run
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


async def test_closing_ends_what_is_being_found_out() -> None:
    with serving_llm() as upstream:
        upstream.probe_reply = lambda _: Reply(hang_before_first_byte=True)
        llm = OpenAiServer(upstream.base_url, model="scripted")
        asking = asyncio.create_task(llm.abilities())
        while not any(probe.path.endswith("/chat/completions") for probe in upstream.probes):
            await asyncio.sleep(0)
        await llm.close()
        await asyncio.wait([asking])
    assert asking.cancelled()


async def found_with(patience: ServerPatience = ONCE, **answers: Reply) -> Abilities:
    """The abilities of a server that answers so to the questions about `image`, `tools` and `response_format`."""

    def reply(body: dict[str, Any]) -> Reply:
        if "image_url" in str(body["messages"]):
            return answers["image"]
        return next((answers[name] for name in ("tools", "response_format") if name in body), Reply("Hi."))

    with serving_llm() as upstream:
        upstream.probe_reply = reply
        return await abilities_of(upstream, patience=patience)


NO = Reply(status=400, error="no")


async def test_a_server_that_drops_pictures_in_silence_does_not_see() -> None:
    assert not (await found_with(image=Reply("ok"), tools=NO, response_format=NO)).vision


async def test_without_counts_an_accepted_picture_is_believed() -> None:
    assert (await found_with(image=Reply("ok", usage=False), tools=NO, response_format=NO)).vision


async def test_a_server_that_ignores_tools_has_none() -> None:
    assert not (await found_with(image=NO, tools=Reply("I cannot call."), response_format=NO)).tools


async def test_a_model_that_still_reasons_when_its_tokens_end_is_believed() -> None:
    thinking = Reply(chunks=["<think>Well, "], finish_reason="length")
    found = await found_with(image=NO, tools=thinking, response_format=thinking)
    assert (found.tools, found.json_schema) == (True, True)


async def test_a_server_that_breaks_on_tools_has_none() -> None:
    broken = Reply(status=500, error="tools param requires --jinja flag")
    assert not (await found_with(image=NO, tools=broken, response_format=NO)).tools


@pytest.mark.parametrize("hanging", [Reply(hang_before_first_byte=True), Reply("word", hang_after=1)])
async def test_a_question_that_is_never_answered_is_given_up(hanging: Reply) -> None:
    found = await found_with(ServerPatience(retries=0, question_s=0.2), image=hanging, tools=NO, response_format=NO)
    assert not found.vision


async def test_a_router_without_anybody_for_a_question_still_works() -> None:
    nobody = Reply(status=404, error="No endpoints found that support image input")
    assert not (await found_with(image=nobody, tools=NO, response_format=NO)).vision


async def test_a_key_that_may_not_list_models_can_ask_one_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    send = AiohttpTransport.handle_async_request

    async def refuse_the_list(transport: AiohttpTransport, request: httpx.Request) -> httpx.Response:
        return httpx.Response(403) if request.url.path == "/v1/models" else await send(transport, request)

    monkeypatch.setattr(AiohttpTransport, "handle_async_request", refuse_the_list)
    with serving_llm() as upstream:
        assert (await abilities_of(upstream)).vision


async def test_what_a_server_tells_of_itself_is_waited_for_as_long_as_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timeouts = []

    async def answer(_: AiohttpTransport, request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        return httpx.Response(404)

    monkeypatch.setattr(AiohttpTransport, "handle_async_request", answer)
    http = OpenAiHttp("http://127.0.0.1:1", None, ServerPatience(connect_s=7.0))
    assert await http.request_json("GET", http.url) is None
    await http.close()
    assert timeouts == [{"connect": 7.0, "pool": 7.0, "read": None, "write": None}]


@pytest.mark.parametrize("field", ["max_model_len", "context_length", "context_window", "max_context_length"])
async def test_the_context_is_taken_from_the_list_under_any_name(field: str) -> None:
    routes = {"/v1/models": {"data": [{"id": "other", field: 1}, {"id": "scripted", field: 4096}]}}
    with serving_llm(routes=routes) as upstream:
        assert (await abilities_of(upstream)).context_tokens == 4096


async def test_llama_cpp_tells_its_slots_context_and_whether_it_sees() -> None:
    routes = {
        "/v1/models": {"data": [{"id": "scripted", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}]},
        "/props": {"default_generation_settings": {"n_ctx": 4096}, "modalities": {"vision": False}},
    }
    with serving_llm(routes=routes) as upstream:
        found = await abilities_of(upstream)
    assert (found.context_tokens, found.vision) == (4096, False)


async def test_ollama_tells_what_its_model_can_do() -> None:
    routes = {
        "/v1/models": {"data": [{"id": "scripted", "owned_by": "library"}]},
        "/api/show": {"capabilities": ["completion", "tools"], "model_info": {"llama.context_length": 131072}},
    }
    with serving_llm(routes=routes) as upstream:
        found = await abilities_of(upstream)
        shown: Request = next(probe for probe in upstream.probes if probe.path == "/api/show")
    assert shown.body == {"model": "scripted"}
    assert found == Abilities(vision=False, tools=True, json_schema=True, context_tokens=None)


async def test_a_server_without_a_list_is_asked_all_the_same() -> None:
    with serving_llm(routes={}) as upstream:
        assert (await abilities_of(upstream)).vision
