"""Streams of the full model, against a scripted LLM: every chunk, in the contract's order."""

import json

from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    body_of,
    picture_of,
    precontext_in,
    text_part,
)
from tests.kit.servers.llm_server import Reply

SHOWING = {"x-show-additional-info": "true"}
PICTURED: list[Json | str | list[Json]] = [[text_part("Where does it leave?"), picture_of("Platform nine")]]


def test_chunks_have_the_contracts_keys_and_end_with_the_reason(model: FullModel) -> None:
    model.script(Reply("From platform nine."))
    streamed = model.stream("Where does it leave?")
    for chunk in streamed.chunks:
        assert list(chunk) == ["id", "type", "object", "created", "model", "choices"]
    first, *_, last = [choice for chunk in streamed.chunks for choice in chunk["choices"]]
    assert first == {"index": 0, "delta": {"role": "assistant", "content": "From"}, "finish_reason": None}
    assert last == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert streamed.text == "From platform nine."


def test_the_first_piece_is_there_before_the_llm_has_finished(model: FullModel) -> None:
    model.script(Reply("From platform nine.", hang_after=2))
    body = body_of("Where does it leave?", stream=True)
    with model.client.stream("POST", PATH, json=body) as response:
        first = next(response.iter_lines())
        assert json.loads(first.removeprefix("data: "))["choices"][0]["delta"]["content"] == "From"
    model.llm.wait_for_cancelled()


def test_usage_comes_last_and_only_when_it_is_asked_for(model: FullModel) -> None:
    used = {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}
    model.script(Reply("Nine.", usage=used), Reply("Nine.", usage=used))
    *others, last = model.stream("Where?", stream_options={"include_usage": True}).chunks
    assert (last["choices"], last["usage"], last["vcache"]) == ([], used, False)
    assert all("usage" not in chunk and "vcache" not in chunk for chunk in others)
    assert all("usage" not in chunk for chunk in model.stream("Where?").chunks)


def test_the_precontext_comes_first_where_it_is_asked_for(model: FullModel) -> None:
    model.script(Reply("From platform nine."), Reply("From platform nine."))
    first, *rest = model.stream(*PICTURED, headers=SHOWING).texts
    assert first.startswith('<precontext>\n{"name":"ocr","result":{"extracted_text":"Platform nine"')
    shown = precontext_in(first)
    assert "".join(rest) == "From platform nine."
    assert shown == model.ask(*PICTURED).json()["precontext"]


def test_a_stream_says_what_the_whole_answer_says(model: FullModel) -> None:
    reply = Reply("From platform nine.", reasoning="I see.")
    model.script(reply, reply)
    whole = model.ask(*PICTURED, reasoning_effort="low").json()
    streamed = model.stream(*PICTURED, reasoning_effort="low", stream_options={"include_usage": True})
    assert streamed.text == f"<think>{whole['reasoning']}</think>{whole['choices'][0]['message']['content']}"
    assert streamed.chunks[-1]["usage"] == whole["usage"]
