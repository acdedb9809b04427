"""What the client sends, how often, how long it waits, and that it lets go at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from models.language.llm import (
    Done,
    LlmBroke,
    LlmCall,
    LlmEvent,
    LlmLate,
    LlmOverloaded,
    LlmSilent,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from models.language.openai_http import ServerPatience, api_url, proxy_for
from models.language.openai_probe import KnownAbilities
from models.language.openai_server import OpenAiServer
from tests.kit.servers.llm_server import Call, LlmServer, Reply, Request, serving_llm
from tests.kit.waits.loop_time import LoopTime

CALL = LlmCall([{"role": "user", "content": "Hello?"}])
READY = ServerPatience(backoff_s=0.0)


@contextlib.asynccontextmanager
async def client_of(
    upstream: LlmServer, patience: ServerPatience = READY, **fields: Any
) -> AsyncIterator[OpenAiServer]:
    llm = OpenAiServer(upstream.base_url, **{"model": "scripted", **fields}, patience=patience)
    try:
        yield llm
    finally:
        await llm.close()


async def events_of(llm: OpenAiServer, call: LlmCall = CALL) -> list[LlmEvent]:
    return [event async for event in llm.stream(call)]


async def sent(call: LlmCall, **fields: Any) -> Request:
    with serving_llm() as upstream:
        async with client_of(upstream, **fields) as llm:
            await events_of(llm, call)
        return upstream.requests[0]


async def test_a_call_is_streamed_with_counts_whatever_its_options() -> None:
    body = (await sent(LlmCall(CALL.messages, options={"stream": False, "temperature": 0.5}))).body
    assert body == {
        "model": "scripted",
        "messages": [{"role": "user", "content": "Hello?"}],
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
        "chat_template_kwargs": {"enable_thinking": False},
    }


def function(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


WRITTEN = '{\n"name": "f", "arguments": {"n": 7}\n}'
FORCED = LlmCall(
    CALL.messages,
    [function("g"), function("f", n={"type": "integer"})],
    {"type": "function", "function": {"name": "f"}},
    options={"parallel_tool_calls": False, "stop": ["}"], "temperature": 0},
)


async def test_a_call_of_one_function_is_forced_by_offering_no_other() -> None:
    """llama.cpp takes a choice that names a function for `auto`."""
    with serving_llm([Reply(tool_calls=[Call("f", '{"n": 7}')])]) as upstream:
        async with client_of(upstream) as llm:
            events = await events_of(llm, FORCED)
        [request] = upstream.requests
    assert request.body["tool_choice"] == FORCED.tool_choice
    assert request.body["tools"] == [FORCED.tools[1]]
    assert request.body["parallel_tool_calls"] is False
    assert "".join(event.arguments for event in events if isinstance(event, ToolCallDelta)) == '{"n": 7}'


NO_TOOLS = KnownAbilities(vision=False, tools=False, json_schema=True, context_tokens=4096)


async def test_a_server_that_calls_no_functions_is_asked_for_the_call_under_a_schema() -> None:
    with serving_llm([Reply(WRITTEN)]) as upstream:
        async with client_of(upstream, abilities=NO_TOOLS) as llm:
            call, done = await events_of(llm, FORCED)
        [body] = (request.body for request in upstream.requests)
    assert isinstance(call, ToolCallDelta)
    assert (call.name, call.arguments, bool(call.id)) == ("f", '{"n": 7}', True)
    assert isinstance(done, Done)
    assert done.finish_reason == "tool_calls"
    [asked] = body["response_format"]["json_schema"]["schema"]["anyOf"]
    assert asked["properties"] == {"name": {"const": "f"}, "arguments": FORCED.tools[1]["function"]["parameters"]}
    assert not body.keys() & {"tools", "tool_choice", "parallel_tool_calls", "stop"}
    assert body["temperature"] == 0


@pytest.mark.parametrize("reply", [Reply("Hello!"), Reply('{"name": is what')])
async def test_words_in_place_of_a_call_are_a_failure_and_are_told_when_they_are_written(reply: Reply) -> None:
    written: list[str] = []
    with serving_llm([reply]) as upstream:
        async with client_of(upstream, abilities=NO_TOOLS) as llm:
            with pytest.raises(LlmBroke):
                await events_of(llm, replace(FORCED, on_written=written.append))
    assert "".join(written) == reply.text


async def test_a_forced_call_that_reasoning_uses_up_is_cut() -> None:
    with serving_llm([Reply(reasoning="Let me see", finish_reason="length")]) as upstream:
        async with client_of(upstream, abilities=NO_TOOLS) as llm:
            thought, done = await events_of(llm, FORCED)
    assert isinstance(thought, ReasoningDelta)
    assert isinstance(done, Done)
    assert done.finish_reason == "length"


STRUCTURED = LlmCall(
    CALL.messages, response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": {"not": {}}}}
)
NO_GRAMMAR = Reply(status=400, error="Unable to generate parser: JSON schema error at #/not: unsupported")


async def test_a_schema_that_the_server_cannot_decode_under_is_left_to_who_checks_the_answer() -> None:
    with serving_llm([NO_GRAMMAR, Reply("{}")]) as upstream:
        async with client_of(upstream) as llm:
            first, _ = await events_of(llm, STRUCTURED)
        assert [request.body["response_format"]["type"] for request in upstream.requests] == [
            "json_schema",
            "json_object",
        ]
    assert first == TextDelta("{}")


async def test_the_key_is_sent_as_a_bearer_token() -> None:
    assert (await sent(CALL, api_key="k-1")).headers["authorization"] == "Bearer k-1"
    assert "authorization" not in (await sent(CALL)).headers


async def test_credentials_in_the_url_are_sent_and_a_key_goes_before_them() -> None:
    with serving_llm() as upstream:
        url = upstream.base_url.replace("://", "://user:secret@")
        for key, sent_by_it in ((None, "Basic dXNlcjpzZWNyZXQ="), ("k-1", "Bearer k-1")):
            llm = OpenAiServer(url, model="scripted", api_key=key, patience=READY)
            try:
                await llm.check()
                await events_of(llm)
            finally:
                await llm.close()
            assert upstream.requests[-1].headers["authorization"] == sent_by_it


async def test_without_a_model_the_first_that_the_server_lists_is_asked() -> None:
    routes = {"/v1/models": {"data": [{"id": "first"}, {"id": "second"}]}}
    with serving_llm(routes=routes) as upstream:
        async with client_of(upstream, model=None) as llm:
            assert llm.name == "the first model at 127.0.0.1"
            await events_of(llm)
            await events_of(llm)
            assert llm.name == "first"
        assert [request.body["model"] for request in upstream.requests] == ["first", "first"]
        assert len(upstream.probes) == 1


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://gpu:8000", "http://gpu:8000/v1"),
        ("http://gpu:8000/v1/", "http://gpu:8000/v1"),
        ("http://gpu/llm", "http://gpu/llm/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://generative.example.com/v1beta/openai/", "https://generative.example.com/v1beta/openai"),
    ],
)
def test_base_urls_come_with_or_without_the_version(base_url: str, url: str) -> None:
    assert str(api_url(base_url)) == url


def test_the_environments_proxy_is_used_but_never_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "inside")
    assert proxy_for(api_url("http://outside:8000")) == "http://proxy:3128"
    assert [proxy_for(api_url(f"http://{host}:8000")) for host in ("inside", "localhost", "127.0.0.1")] == [None] * 3


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_busy_server_is_asked_three_times(status: int) -> None:
    with serving_llm([Reply(status=status), Reply(status=status), Reply("at last")]) as upstream:
        async with client_of(upstream) as llm:
            assert TextDelta(" last") in await events_of(llm)
        assert len(upstream.requests) == 3


async def test_a_server_that_asks_for_long_patience_is_asked_once() -> None:
    with serving_llm([Reply(status=429, retry_after=30)]) as upstream:
        async with client_of(upstream) as llm:
            with pytest.raises(LlmOverloaded) as failure:
                await events_of(llm)
        assert failure.value.retry_after == 30
        assert len(upstream.requests) == 1


async def test_a_lost_connection_is_tried_again_before_the_first_byte() -> None:
    """The server closes its connection on the first two calls, as one does that restarts."""
    calls = 0

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await reader.readuntil(b"\r\n\r\n")
        if calls == 3:
            body = Reply("back").completion
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n" + body)
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        llm = OpenAiServer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", model="m", patience=READY)
        assert await events_of(llm) == [TextDelta("back"), Done("stop", 11, 1)]
        await llm.close()
    assert calls == 3


@pytest.mark.parametrize("reply", [Reply(hang_before_first_byte=True), Reply("a", hang_after=0)])
async def test_a_server_that_does_not_begin_in_time_is_unavailable_and_let_go(reply: Reply) -> None:
    """Headers alone begin no answer."""
    time = LoopTime()
    with serving_llm([reply]) as upstream:
        async with client_of(upstream, ServerPatience(first_byte_s=120)) as llm:
            calling = asyncio.create_task(events_of(llm))
            await asyncio.to_thread(upstream.wait_for_requests)
            time.passes(120)
            with pytest.raises(LlmLate, match="in time"):
                await calling
        await asyncio.to_thread(upstream.wait_for_cancelled)
        assert len(upstream.requests) == 1


async def test_a_server_that_falls_silent_is_broken_and_let_go() -> None:
    time = LoopTime()
    with serving_llm([Reply("a b", hang_after=2)]) as upstream:
        async with client_of(upstream, ServerPatience(silence_s=60)) as llm:
            events = llm.stream(CALL)
            assert await anext(events) == TextDelta("a")
            rest = asyncio.create_task(anext(events))
            await time.passes_by(130)  # it is looked at once in 60 s
            with pytest.raises(LlmSilent, match="silent"):
                await rest
        await asyncio.to_thread(upstream.wait_for_cancelled)


async def test_a_slow_reader_is_not_taken_for_a_silent_server() -> None:
    time = LoopTime()
    with serving_llm([Reply("a b", delay_s=0.005)]) as upstream:
        async with client_of(upstream, ServerPatience(silence_s=60)) as llm:
            events = llm.stream(CALL)
            assert await anext(events) == TextDelta("a")
            await time.passes_by(130)
            assert [event async for event in events] == [TextDelta(" b"), Done("stop", 11, 2)]


@pytest.mark.parametrize(
    "reply", [Reply(hang_before_first_byte=True), Reply("a", hang_after=0), Reply("a", hang_after=1)]
)
async def test_cancelling_the_caller_stops_the_servers_work(reply: Reply) -> None:
    with serving_llm([reply]) as upstream:
        async with client_of(upstream) as llm:
            caller = asyncio.create_task(events_of(llm))
            await asyncio.to_thread(upstream.wait_for_requests)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            await asyncio.to_thread(upstream.wait_for_cancelled)


async def test_a_connection_is_used_again_after_a_whole_answer() -> None:
    with serving_llm() as upstream:
        async with client_of(upstream) as llm:
            for _ in range(5):
                await events_of(llm)
            assert upstream.accepted == 1
