"""Reasoning is off unless it is asked for, and has room where a server cannot switch it off."""

from typing import Any

import pytest

from models.language.llm import THINKING_TOKENS, LlmCall, LlmEvent, TextDelta
from models.language.openai_server import OpenAiServer
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm

QUESTION = LlmCall([{"role": "user", "content": "Hello?"}], options={"max_tokens": 100})
LISTED_BY_OLLAMA = {"/v1/models": {"data": [{"id": "qwen3", "owned_by": "library"}]}}


def thinking_first(tokens: int) -> Any:
    """A script: a model that reasons for so many tokens before each answer, whatever it is told."""

    def reply(body: dict[str, Any]) -> Reply:
        if body.get("max_tokens", tokens + 1) <= tokens:
            return Reply(reasoning="hm " * 10, finish_reason="length")
        return Reply("Hello.", reasoning="hm " * 10)

    return reply


async def ask(upstream: LlmServer, *calls: LlmCall, **fields: Any) -> list[list[LlmEvent]]:
    """The events of each call, made one after another."""
    llm = OpenAiServer(upstream.base_url, **fields)
    try:
        return [[event async for event in llm.stream(call)] for call in calls]
    finally:
        await llm.close()


def text_of(events: list[LlmEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize("thinks", [False, True])
async def test_the_chat_template_is_told_whether_to_reason(thinks: bool) -> None:
    with serving_llm() as upstream:
        await ask(upstream, LlmCall(QUESTION.messages, thinks=thinks), model="scripted")
    assert upstream.requests[0].body["chat_template_kwargs"] == {"enable_thinking": thinks}


async def test_ollama_is_told_by_the_effort() -> None:
    with serving_llm(routes=LISTED_BY_OLLAMA) as upstream:
        await ask(upstream, QUESTION, LlmCall(QUESTION.messages, options={"reasoning_effort": "low"}, thinks=True))
    off, on = (request.body for request in upstream.requests)
    assert (off["reasoning_effort"], on["reasoning_effort"]) == ("none", "low")
    assert not {"chat_template_kwargs"} & (off.keys() | on.keys())


async def test_a_server_that_refuses_the_switch_is_asked_without() -> None:
    def strict(body: dict[str, Any]) -> Reply:
        if "chat_template_kwargs" in body:
            return Reply(status=400, error="Unrecognized request argument supplied: chat_template_kwargs")
        return Reply("Hello.")

    with serving_llm(strict) as upstream:
        first, second = await ask(upstream, QUESTION, QUESTION, model="scripted")
    assert text_of(first) == text_of(second) == "Hello."
    assert len(upstream.requests) == 3


async def test_a_question_of_our_own_that_is_cut_amid_the_reasoning_is_asked_again_with_room() -> None:
    with serving_llm(thinking_first(2000)) as upstream:
        first, second = await ask(upstream, QUESTION, QUESTION, model="scripted")
    assert text_of(first) == text_of(second) == "Hello."
    assert [request.body["max_tokens"] for request in upstream.requests] == [
        100,
        100 + THINKING_TOKENS,
        100 + THINKING_TOKENS,
    ]


async def test_a_clients_own_bound_holds() -> None:
    call = LlmCall(QUESTION.messages, options={"max_tokens": 100}, is_the_clients=True)
    with serving_llm(thinking_first(2000)) as upstream:
        (events,) = await ask(upstream, call, model="scripted")
    assert text_of(events) == ""
    assert [request.body["max_tokens"] for request in upstream.requests] == [100]
