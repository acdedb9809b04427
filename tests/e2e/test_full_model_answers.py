"""Plain answers of the full model, against a scripted LLM: their shape, their usage, what is passed on."""

import json
from typing import Any

import pytest

from tests.conftest import each_case
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    body_of,
    picture_of,
    text_part,
)
from tests.kit.servers.llm_server import Reply


@each_case("name", ["interfaze-1", "auto"])
def test_the_clients_model_name_is_echoed_and_the_servers_is_used(model: FullModel, name: str) -> None:
    model.script(Reply("Hi."))
    assert model.ask("Hello", model=name).json()["model"] == name
    assert model.prompts[0]["model"] == "scripted"


def test_an_answer_cut_at_its_limit_says_so(model: FullModel) -> None:
    model.script(Reply("Once upon", finish_reason="length"))
    assert model.ask("Tell a story", max_tokens=2).json()["choices"][0]["finish_reason"] == "length"


def test_parameters_reach_the_llm_as_they_were_set(model: FullModel) -> None:
    model.script(Reply("Hi."))
    given: dict[str, Any] = {
        "temperature": 0.2,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["END"],
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "top_logprobs": 3,
        "logprobs": True,
        "user": "u-1",
        "logit_bias": {"50256": -100},
        "top_k": 40,
        "min_p": 0.05,
        "repetition_penalty": 1.1,
        "repeat_penalty": 1.2,
        "min_tokens": 5,
        "stop_token_ids": [1],
        "typical_p": 0.9,
        "ignore_eos": True,
    }
    model.ask("Hello", **given, metadata={"a": "b"}, n=1, a_field_of_tomorrow=1)
    [prompt] = model.prompts
    assert {name: prompt[name] for name in given} == given
    assert not prompt.keys() & {"metadata", "n", "a_field_of_tomorrow", "evidence", "max_tokens"}


@each_case("header", ["x-interfaze-bypass-moa", "x-bypass-moe"])
def test_bypassing_goes_straight_to_the_llm(model: FullModel, header: str) -> None:
    model.script(Reply("A picture."))
    response = model.ask([text_part("What is this?"), picture_of("A sign")], headers={header: "True"})
    assert "precontext" not in response.json()
    [prompt] = model.prompts
    assert "tools" not in prompt
    assert prompt["messages"] == [{"role": "user", "content": "What is this?\n[image]"}]


QUESTION = "Is 97 a prime?"
THOUGHT = "Not even, not by 3, 5 or 7."
IN_FIELD = Reply("Yes.", reasoning=THOUGHT)
IN_OTHER_FIELD = Reply("Yes.", reasoning=THOUGHT, reasoning_field="reasoning")
IN_TAGS = Reply(chunks=["<thi", "nk>Not even, ", "not by 3, 5 or 7.</", "think>\n\nYes", "."])
EVERY_FORM = pytest.mark.parametrize("reply", [IN_FIELD, IN_OTHER_FIELD, IN_TAGS], ids=["field", "other", "tags"])


@EVERY_FORM
def test_reasoning_is_a_field_of_the_answer_when_it_is_asked_for(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    body = model.ask(QUESTION, reasoning_effort="low").json()
    assert list(body) == ["id", "object", "created", "model", "usage", "vcache", "reasoning", "choices"]
    assert body["reasoning"] == THOUGHT
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Yes."}


@EVERY_FORM
def test_a_stream_puts_the_reasoning_between_its_own_deltas_before_the_answer(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    texts = model.stream(QUESTION, reasoning_effort="high").texts
    assert texts[0] == "<think>"
    end = texts.index("</think>")
    assert "".join(texts[1:end]) == THOUGHT
    assert "".join(texts[end + 1 :]) == "Yes."


PICTURED: list[Json | str | list[Json]] = [[text_part("Where does it leave?"), picture_of("Platform nine")]]


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


def test_a_stream_says_what_the_whole_answer_says(model: FullModel) -> None:
    reply = Reply("From platform nine.", reasoning="I see.")
    model.script(reply, reply)
    whole = model.ask(*PICTURED, reasoning_effort="low").json()
    streamed = model.stream(*PICTURED, reasoning_effort="low", stream_options={"include_usage": True})
    assert streamed.text == f"<think>{whole['reasoning']}</think>{whole['choices'][0]['message']['content']}"
    assert streamed.chunks[-1]["usage"] == whole["usage"]
