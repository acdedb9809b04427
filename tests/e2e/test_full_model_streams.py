"""Streams of the full model, against a scripted LLM: every chunk, in the contract's order."""

import asyncio
import json
import random
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    Streamed,
    body_of,
    picture_of,
    precontext_in,
    prompt_text,
    serving_full_model,
    text_part,
)
from tests.llm_server import Reply

SHOWING = {"x-show-additional-info": "true"}
PICTURED: list[Json | str | list[Json]] = [[text_part("Where does it leave?"), picture_of("Platform nine")]]


@pytest.fixture(scope="module")
def model(remembering: None) -> Iterator[FullModel]:
    with serving_full_model() as model:
        yield model


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


def test_log_probabilities_come_with_their_pieces(model: FullModel) -> None:
    model.script(Reply("Platform nine.", logprobs=True))
    choices = [choice for chunk in model.stream("Where?", logprobs=True).chunks for choice in chunk["choices"]]
    tokens = [choice["logprobs"]["content"][0]["token"] for choice in choices if "logprobs" in choice]
    assert tokens == ["Platform", " nine."]


def test_a_stream_says_what_the_whole_answer_says(model: FullModel) -> None:
    reply = Reply("From platform nine.", reasoning="I see.")
    model.script(reply, reply)
    whole = model.ask(*PICTURED, reasoning_effort="low").json()
    streamed = model.stream(*PICTURED, reasoning_effort="low", stream_options={"include_usage": True})
    assert streamed.text == f"<think>{whole['reasoning']}</think>{whole['choices'][0]['message']['content']}"
    assert streamed.chunks[-1]["usage"] == whole["usage"]


@pytest.mark.deep
async def test_fifty_callers_at_once_each_get_every_chunk_of_their_own_answer(model: FullModel) -> None:
    def reply(body: Json) -> Reply:
        name = prompt_text(body)
        return Reply(
            chunks=[f"{name}/{number} " for number in range(random.Random(name).randrange(5, 40))], delay_s=0.005
        )

    model.script(by_body=reply)
    async with httpx.AsyncClient(base_url=model.base_url, timeout=60, trust_env=False) as client:

        async def caller(number: int) -> None:
            for turn in range(3):
                name = f"caller-{number}-{turn}"
                body = body_of(name, stream=True)
                streamed = Streamed.read((await client.post(PATH, json=body)).text)
                assert streamed.texts == reply(body).pieces
                assert streamed.finish_reasons == ["stop"]

        await asyncio.gather(*map(caller, range(50)))
    assert len(model.prompts) == 150
    assert model.llm.cancelled == []
