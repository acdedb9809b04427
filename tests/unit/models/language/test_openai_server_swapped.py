"""A server whose model is swapped while openfaze runs."""

from typing import Any

import pytest

from models.language import openai_server
from models.language.llm import Abilities, LlmCall, LlmModelUnknown, LlmUnavailable, TextDelta
from models.language.openai_http import ServerPatience
from models.language.openai_server import OpenAiServer
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm

CALL = LlmCall([{"role": "user", "content": "Hello?"}])


def knows_only(upstream: LlmServer, model: str, **entry: Any) -> None:
    """Let the server serve only `model` from now on."""

    def reply(body: dict[str, Any]) -> Reply:
        return Reply(model) if body["model"] == model else Reply(status=404, error=f"The model {body['model']} is gone")

    upstream.script = upstream.probe_reply = reply
    upstream.routes = {"/v1/models": {"data": [{"id": model, "owned_by": "vllm", **entry}]}}


async def answer_of(llm: OpenAiServer) -> str:
    return "".join([event.text async for event in llm.stream(CALL) if isinstance(event, TextDelta)])


async def test_a_call_goes_to_the_models_successor_once_the_server_does_not_know_it() -> None:
    with serving_llm() as upstream:
        llm = OpenAiServer(upstream.base_url)
        knows_only(upstream, "old", max_model_len=4096)
        assert ((await llm.abilities()).context_tokens, await answer_of(llm)) == (4096, "old")
        before = await llm.identity()
        knows_only(upstream, "new", max_model_len=8192)
        assert await answer_of(llm) == "new"
        assert await llm.identity() != before
        assert (await llm.abilities()).context_tokens == 8192
        await llm.close()


async def test_a_model_that_a_setting_names_is_not_replaced() -> None:
    with serving_llm() as upstream:
        knows_only(upstream, "new")
        llm = OpenAiServer(upstream.base_url, model="old")
        with pytest.raises(LlmModelUnknown):
            await answer_of(llm)
        await llm.close()


async def test_other_weights_behind_the_same_name_are_noticed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_llm(abilities=Abilities(context_tokens=4096)) as upstream:
        llm = OpenAiServer(upstream.base_url, model="scripted")
        before = await llm.identity()
        assert not (await llm.abilities()).tools
        knows_only(upstream, "scripted", root="/weights/other")
        assert (await llm.identity(), (await llm.abilities()).context_tokens) == (before, 4096)
        monkeypatch.setattr(openai_server, "ASK_AGAIN_S", 0.0)
        llm._wait_to_ask_again()
        assert await llm.identity() != before
        assert (await llm.abilities()).context_tokens is None
        await llm.close()


async def test_a_model_that_is_still_listed_is_kept_and_not_questioned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_server, "ASK_AGAIN_S", 0.0)
    with serving_llm() as upstream:
        llm = OpenAiServer(upstream.base_url)
        await llm.abilities()
        questions = len([one for one in upstream.probes if one.path.endswith("/chat/completions")])
        entries = upstream.routes["/v1/models"]["data"]  # type: ignore[index]
        upstream.routes = {"/v1/models": {"data": [{"id": "pulled since"}, *entries]}}
        await llm.abilities()
        assert len([one for one in upstream.probes if one.path.endswith("/chat/completions")]) == questions
        assert llm.name == "scripted"
        await llm.close()


async def test_a_model_that_comes_after_an_outage_is_found_by_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_llm() as upstream:
        llm = OpenAiServer(upstream.base_url, patience=ServerPatience(retries=0))
        knows_only(upstream, "old", max_model_len=4096)
        known = await llm.abilities()
    monkeypatch.setattr(openai_server, "ASK_AGAIN_S", 0.0)
    llm._wait_to_ask_again()
    monkeypatch.undo()
    assert await llm.abilities() == known
    with pytest.raises(LlmUnavailable):
        await answer_of(llm)
    with pytest.raises(LlmUnavailable):
        await llm.abilities()
    with serving_llm(port=upstream.port) as upstream:
        knows_only(upstream, "new", max_model_len=8192)
        assert (await llm.abilities()).context_tokens == 8192
        assert await answer_of(llm) == "new"
    await llm.close()


async def test_what_is_known_is_kept_while_the_server_lists_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_server, "ASK_AGAIN_S", 0.0)
    with serving_llm() as upstream:
        llm = OpenAiServer(upstream.base_url, patience=ServerPatience(retries=0, question_s=0.2))
        known = await llm.abilities()
        upstream.routes = {}
        assert await llm.abilities() == known
        assert await answer_of(llm) == "ok"
        await llm.close()
