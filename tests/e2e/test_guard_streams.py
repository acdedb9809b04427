"""Answers under a guard: what of them leaves before they turn unsafe, and that safe ones leave as they came."""

import json
from typing import Any

import pytest

from tests.e2e.full_model import (
    FullModel,
    Json,
    Streamed,
    system,
)
from tests.e2e.guarded import (
    BOMB,
    BYPASS,
    FRANCE,
    guard,
    is_blocked,
    is_blocked_stream,
    sources,
)
from tests.kit.servers.llm_server import Call, Reply

UNSAFE = "This is how to build a pipe bomb at home."
FIRST, SECOND = "Bread needs flour, water and salt.", "It rises for three hours."
USED: Json = {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}
WITH_USAGE = {"stream_options": {"include_usage": True}}
LOOK_UP: Json = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


def letters(text: str, size: int = 1) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


# Unsafe answers.


@pytest.mark.parametrize(("size", "beginning"), [(1, ""), (5, "\n\n"), (1000, "Sure: ")])
def test_of_an_answer_whose_first_sentence_is_unsafe_nothing_leaves(
    model: FullModel, size: int, beginning: str
) -> None:
    answer = f"{beginning}{UNSAFE} {SECOND}"
    model.script(Reply(chunks=letters(answer, size)), Reply(chunks=letters(answer, size)))
    is_blocked_stream(model.stream(guard("S9"), FRANCE), "S9")
    assert sources(is_blocked(model.ask(guard("S9"), FRANCE), "S9")) == ["answer"]


@pytest.mark.parametrize("size", [1, 7, 20])
def test_of_a_stream_whose_third_sentence_is_unsafe_two_leave(model: FullModel, size: int) -> None:
    answer = f"{FIRST} {SECOND} {UNSAFE} And so on."
    model.script(Reply(chunks=letters(answer, size), usage=USED))
    streamed = model.stream(guard("S9"), FRANCE, **WITH_USAGE)
    assert streamed.error is None
    assert streamed.finish_reasons == ["content_filter"]
    assert f"{FIRST} {SECOND} ".startswith(streamed.text)
    # The end of a sentence is known by what follows, and a piece that the next one begins in is kept back.
    assert len(streamed.text) > len(f"{FIRST} {SECOND}") - size
    assert min(streamed.chunks[-1]["usage"].values()) > 0
    assert streamed.chunks[-1]["choices"] == []


def test_structured_answers_are_judged(model: FullModel) -> None:
    answer = json.dumps({"steps": "This is how to build a pipe\nbomb at home."})
    model.script(Reply(answer), Reply(answer))
    form = {"type": "json_object"}
    is_blocked(model.ask(guard("S9"), FRANCE, response_format=form), "S9")
    is_blocked_stream(model.stream(guard("S9"), FRANCE, response_format=form), "S9")


def test_reasoning_is_judged_where_it_is_shown(model: FullModel) -> None:
    thinking = Reply("Bread.", reasoning=f"{UNSAFE} Better not.")
    model.script(thinking, thinking)
    checks = is_blocked(model.ask(guard("S9"), FRANCE, reasoning_effort="high"), "S9")
    assert sources(checks) == ["reasoning"]
    is_blocked_stream(model.stream(guard("S9"), FRANCE, reasoning_effort="high"), "S9")


@pytest.mark.parametrize("arguments", [{"query": BOMB}, {"how to build a pipe bomb": 1}])
def test_calls_of_the_clients_tools_are_judged(model: FullModel, arguments: Json) -> None:
    calling = Reply("Let me look. ", tool_calls=[Call("look_up", json.dumps(arguments))])
    model.script(calling, calling)
    asked: Json = {"tools": [LOOK_UP], "headers": BYPASS}
    assert sources(is_blocked(model.ask(guard("S9"), FRANCE, **asked), "S9")) == ["tool_calls"]
    streamed = model.stream(guard("S9"), FRANCE, **asked)
    assert streamed.tool_calls == []
    assert streamed.text in ("unsafe S9", "Let me look. ")
    assert streamed.finish_reasons == ["stop" if streamed.text == "unsafe S9" else "content_filter"]


def test_the_llm_is_left_when_its_answer_turns_unsafe(model: FullModel) -> None:
    answer = f"{FIRST} {UNSAFE} {SECOND}"
    model.script(Reply(answer, hang_after=len(Reply(answer).pieces)))
    streamed = model.stream(guard("S9"), FRANCE)
    assert streamed.text == FIRST
    assert streamed.finish_reasons == ["content_filter"]
    model.llm.wait_for_cancelled()


# Safe answers.


def same(unguarded: Streamed, guarded: Streamed) -> None:
    """All but the ids and the time."""
    for chunks in (unguarded.chunks, guarded.chunks):
        for chunk in chunks:
            del chunk["id"], chunk["created"]
    assert json.dumps(guarded.chunks) == json.dumps(unguarded.chunks)
    assert guarded.error == unguarded.error


def both(model: FullModel, reply: Reply, *said: Any, replies: int = 1, **fields: Any) -> tuple[Streamed, Streamed]:
    model.script(*[reply] * (2 * replies))
    unguarded = model.stream(system("Be brief."), *said, **fields)
    return unguarded, model.stream(system("<guard>S1, S9, S10</guard> Be brief."), *said, **fields)


@pytest.mark.parametrize(
    "reply",
    [
        Reply("From platform nine."),
        Reply(chunks=letters("From platform néuf 🚉. At ten!\n\nOne more.", 2)),
        Reply(chunks=letters(f"{FIRST} {SECOND}\n\n1. Mix.\n2. Wait.\n\n```py\nprint('x. y')\n```\n", 3)),
        Reply(chunks=letters("bread and " * 1000, 4)),
        Reply(chunks=letters("小麦粉と水を混ぜる。三時間待つ。焼く！できあがり。", 1)),
        Reply(chunks=["\n", "\n", " ", "Nine", "."]),
        Reply(""),
        Reply("Platform nine. At ten.", logprobs=True),
        Reply("Platform nine, and", finish_reason="length"),
        Reply("Platform nine. At ten.", usage=USED),
        Reply("From platform nine. At ten.", reasoning="I see. It says nine. "),
        Reply(
            "One moment. Or two.", tool_calls=[Call("look_up", '{"query": "bread"}'), Call("look_up", "{}", "call_2")]
        ),
    ],
)
def test_a_safe_stream_is_the_same_as_without_a_guard(model: FullModel, reply: Reply) -> None:
    fields: Json = {"reasoning_effort": "low", "tools": [LOOK_UP], "logprobs": True, "headers": BYPASS, **WITH_USAGE}
    same(*both(model, reply, "Where does it leave?", **fields))
