"""The slots of the embedded LLM: who waits, who goes first, what a caller who leaves gives back; and how it loads and
unloads."""

import asyncio
import gc
import json
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from models.language import embedded
from models.language.embedded import EmbeddedLlm
from models.language.embedded_seats import LlamaServers
from models.language.embedded_server import LlamaServer
from models.language.llm import LlmOverloaded, LlmUnavailable
from tests.embedded_llm import CONTEXT_TOKENS, GGUF, RECEIPT, done_of, events_of, idle, text_of, under, user


@pytest.fixture(scope="module")
async def llm() -> AsyncIterator[EmbeddedLlm]:
    llm = EmbeddedLlm(GGUF, context_tokens=CONTEXT_TOKENS, parallel=4, max_queue=8)
    yield llm
    await llm.close()


@pytest.fixture(params=[pytest.param("a context a call", marks=pytest.mark.deep), "one context for all"])
def any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model as it is served for its size, and as one too large to be opened for each call."""
    if request.param == "one context for all":
        monkeypatch.setattr(embedded, "SMALL_BYTES", 0)


@pytest.mark.deep
@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"temperature": 0}, id="greedy"),
        pytest.param({"temperature": 1, "seed": 7}, id="seeded"),
    ],
)
async def test_in_whatever_company_the_same_call_gives_the_same_answer(options: dict[str, Any]) -> None:
    llm = EmbeddedLlm(GGUF, context_tokens=512, parallel=3)
    # Longer than a batch: beside others, its prompt would be cut where theirs leave room.
    text = f"{RECEIPT}\n" * 2 + "What was bought?"
    call = user(text, options={**options, "max_tokens": 8, "logprobs": True, "top_logprobs": 2})
    alone = await events_of(llm, call)
    company = user(text, options={"temperature": 1, "max_tokens": 8})
    side_by_side = asyncio.gather(*(events_of(llm, one) for one in (call, company, call)))
    first, _, last = await side_by_side
    assert [first, last] == [alone] * 2
    await llm.close()


@pytest.mark.deep
async def test_who_comes_beside_four_long_answers_does_not_wait_for_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = LlamaServer.chat
    greeted = threading.Event()

    def chat_for_long(server: LlamaServer, body: bytes, on_chunk: Any) -> None:
        chat(server, body, on_chunk)
        if b"long story" in body:
            assert greeted.wait(60)

    monkeypatch.setattr(LlamaServer, "chat", chat_for_long)
    llm = EmbeddedLlm(GGUF, context_tokens=512)
    long = user("Tell me a very long story.", options={"max_tokens": 8})
    stories = [asyncio.create_task(events_of(llm, long)) for _ in range(4)]
    while llm.running < len(stories):
        await asyncio.sleep(0.001)
    greeting = await events_of(llm, user("hi", options={"max_tokens": 4}))
    assert done_of(greeting).completion_tokens == 4
    assert llm.running == len(stories)
    greeted.set()
    await asyncio.gather(*stories)
    await llm.close()


async def test_beside_a_model_in_use_another_context_is_open_already() -> None:
    opened: list[int] = []

    def start() -> LlamaServer:
        opened.append(len(opened))
        return cast(LlamaServer, object())

    servers = LlamaServers(start, here, 3, apart=True)
    for taken in range(3):
        await servers.take(alone=False)
        await settled()
        assert len(opened) == min(taken + 2, 3)


async def test_a_call_that_must_be_alone_is_not_overtaken_for_ever() -> None:
    servers = LlamaServers(lambda: cast(LlamaServer, object()), here, 2, apart=False)
    first = await servers.take(alone=False)
    alone = asyncio.create_task(servers.take(alone=True))
    await settled()
    later = asyncio.create_task(servers.take(alone=False))
    await settled()
    assert not alone.done()
    assert not later.done()
    servers.leave(first)
    seat = await alone
    await settled()
    assert not later.done()
    servers.leave(seat)
    servers.leave(await later)
    assert (await servers.take(alone=True)).server is seat.server


async def test_a_caller_who_gives_up_being_alone_leaves_its_places() -> None:
    servers = LlamaServers(lambda: cast(LlamaServer, object()), here, 3, apart=False)
    first = await servers.take(alone=False)
    alone = asyncio.create_task(servers.take(alone=True))
    await settled()
    alone.cancel()
    await asyncio.wait([alone])
    await servers.take(alone=False)
    await servers.take(alone=False)
    servers.leave(first)
    await servers.take(alone=False)


async def here(call: Callable[[], LlamaServer | None]) -> LlamaServer | None:
    return call()


async def settled() -> None:
    """When every task has gone as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.deep
async def test_four_callers_are_answered_side_by_side_without_crossing(
    llm: EmbeddedLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = LlamaServer.chat
    all_at_once = threading.Barrier(4, timeout=60)

    def chat_in_company(server: LlamaServer, body: bytes, on_chunk: Any) -> None:
        all_at_once.wait()
        chat(server, body, on_chunk)

    monkeypatch.setattr(LlamaServer, "chat", chat_in_company)
    words = ["apple", "river", "stone", "cloud"]
    schemas = [
        {"type": "object", "properties": {"w": {"const": word}, "n": {"type": "integer"}}, "required": ["w", "n"]}
        for word in words
    ]
    calls = [user("Give a number.", response_format=under(schema)) for schema in schemas]
    answers = await asyncio.gather(*(events_of(llm, call) for call in calls))
    assert [json.loads(text_of(events))["w"] for events in answers] == words


@pytest.mark.deep
async def test_more_callers_than_slots_wait_and_more_than_the_queue_are_refused() -> None:
    llm = EmbeddedLlm(GGUF, context_tokens=512, parallel=2, max_queue=2)
    call = user("Name a fruit.", options={"max_tokens": 2})
    outcomes = await asyncio.gather(*(events_of(llm, call) for _ in range(5)), return_exceptions=True)
    await llm.close()
    refused = [outcome for outcome in outcomes if isinstance(outcome, LlmOverloaded)]
    assert len(refused) == 1
    assert refused[0].retry_after >= 1
    assert sum(isinstance(outcome, list) for outcome in outcomes) == 4


async def test_closing_the_stream_frees_the_slot(llm: EmbeddedLlm) -> None:
    cancelled = llm.counters.cancelled
    async with aclosing(llm.stream(user("Write a very long story.", options={"max_tokens": 900}))) as events:
        async for _ in events:
            break
    await idle(llm)
    assert llm.counters.cancelled == cancelled + 1


async def test_cancelling_while_the_prompt_is_read_frees_the_slot(llm: EmbeddedLlm) -> None:
    cancelled = llm.counters.cancelled
    reading = asyncio.create_task(events_of(llm, user("word " * 900, options={"max_tokens": 1})))
    while not llm.running:
        await asyncio.sleep(0.001)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await idle(llm)
    assert llm.counters.cancelled == cancelled + 1


async def test_an_answer_that_fails_when_its_reader_has_left_is_not_logged_by_asyncio(
    llm: EmbeddedLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_server: LlamaServer, _body: bytes, _on_chunk: Any) -> None:
        raise ValueError("a caller's words")

    await llm.load()
    monkeypatch.setattr(LlamaServer, "chat", fail)
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    asking = asyncio.create_task(events_of(llm, user("hi")))
    while not llm.running:
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    # Its traceback would keep the answer from being collected.
    del asking
    await idle(llm)
    gc.collect()
    loop.set_exception_handler(None)
    assert complaints == []


async def test_loading_leaves_the_process_its_signal_handlers(llm: EmbeddedLlm) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        fresh = EmbeddedLlm(GGUF, context_tokens=256, parallel=1)
        await fresh.load()
        os.kill(os.getpid(), signal.SIGTERM)
        await fresh.close()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


async def test_no_port_is_opened(llm: EmbeddedLlm) -> None:
    await llm.load()
    assert not [c for c in psutil.Process().net_connections("inet") if c.status == psutil.CONN_LISTEN]


@pytest.mark.deep
async def test_unloading_frees_the_memory_and_the_next_call_loads_again() -> None:
    llm = EmbeddedLlm(GGUF, context_tokens=1024, parallel=2)
    assert not llm.loaded
    assert llm.count_tokens("abcdefgh") == 2
    await events_of(llm, user("hi", options={"max_tokens": 1}))
    await idle(llm)
    full = psutil.Process().memory_info().rss
    assert await llm.unload()
    gc.collect()
    assert full - psutil.Process().memory_info().rss > GGUF.stat().st_size / 2
    assert done_of(await events_of(llm, user("hi", options={"max_tokens": 1}))).completion_tokens == 1
    assert (llm.counters.loads, llm.counters.unloads) == (2, 1)
    await llm.close()


async def test_it_is_not_unloaded_while_someone_is_answered() -> None:
    llm = EmbeddedLlm(GGUF, context_tokens=512, parallel=1)
    async with aclosing(llm.stream(user("Tell a story.", options={"max_tokens": 400}))) as events:
        async for _ in events:
            assert not await llm.unload()
            break
    await llm.close()


async def test_a_caller_who_leaves_while_it_loads_does_not_stop_the_loading() -> None:
    llm = EmbeddedLlm(GGUF, context_tokens=256, parallel=1)
    first = asyncio.create_task(events_of(llm, user("hi", options={"max_tokens": 1})))
    await asyncio.sleep(0)
    second = asyncio.create_task(llm.load())
    await asyncio.sleep(0)
    assert first.cancel()
    await second
    assert first.cancelled()
    assert llm.counters.loads == 1
    assert (await llm.abilities()).context_tokens == 256
    await llm.close()


async def test_it_unloads_by_itself_when_idle() -> None:
    llm = EmbeddedLlm(GGUF, context_tokens=256, parallel=1, idle_unload_s=0)
    await events_of(llm, user("hi", options={"max_tokens": 1}))
    while not llm.counters.unloads:
        await asyncio.sleep(0.01)
    assert not llm.loaded
    await llm.close()


async def test_closing_ends_what_runs_and_refuses_what_comes() -> None:
    llm = EmbeddedLlm(GGUF, context_tokens=512, parallel=1)
    async with aclosing(llm.stream(user("Tell a long story.", options={"max_tokens": 400}))) as events:
        async for _ in events:
            break
        await llm.close()
    assert not llm.loaded
    with pytest.raises(LlmUnavailable):
        await events_of(llm, user("hi"))


@pytest.mark.parametrize("content", [None, b"no model"])
async def test_a_file_that_is_no_model_is_unavailable(tmp_path: Path, content: bytes | None) -> None:
    gguf = tmp_path / "model.gguf"
    if content is not None:
        gguf.write_bytes(content)
    llm = EmbeddedLlm(gguf)
    with pytest.raises(LlmUnavailable, match=r"model\.gguf"):
        await llm.abilities()
    await llm.close()
