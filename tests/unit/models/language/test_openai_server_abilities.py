"""What the client finds out about a model, by what the server says or by asking."""

import asyncio
from typing import Any

import pytest

from models.language.llm import Abilities, LlmUnavailable
from models.language.openai_http import ServerPatience
from models.language.openai_probe import KnownAbilities
from models.language.openai_server import OpenAiServer
from tests.kit.servers.llm_server import LlmServer, Reply, Request, serving_llm

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


async def test_what_is_known_beforehand_wins_and_is_not_asked() -> None:
    with serving_llm() as upstream:
        found = await abilities_of(upstream, {"vision": False, "context_tokens": 100})
        assert found == Abilities(vision=False, tools=True, json_schema=True, context_tokens=100)
        assert not any("image_url" in str(probe.body) for probe in upstream.probes)


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


@pytest.mark.parametrize("hanging", [Reply(hang_before_first_byte=True), Reply("word", hang_after=1)])
async def test_a_question_that_is_never_answered_is_given_up(hanging: Reply) -> None:
    found = await found_with(ServerPatience(retries=0, question_s=0.2), image=hanging, tools=NO, response_format=NO)
    assert not found.vision


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
