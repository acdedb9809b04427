"""Plain answers of the full model, against a scripted LLM: their shape, their usage, what is passed on."""

import re
from typing import Any

from tests.conftest import each_case
from tests.e2e.full_model import FullModel, picture_of, text_part
from tests.kit.servers.llm_server import Reply


def test_an_answer_has_the_contracts_keys_in_their_order(model: FullModel) -> None:
    model.script(Reply("Paris."))
    response = model.ask("What is the capital of France?")
    body = response.json()
    assert list(body) == ["id", "object", "created", "model", "usage", "vcache", "choices"]
    assert (body["object"], body["model"], body["vcache"]) == ("chat.completion", "interfaze-beta", False)
    assert re.fullmatch(r"req-[0-9a-f-]{36}", body["id"])
    assert response.headers["x-request-id"] == body["id"]
    assert body["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}
    ]


@each_case("name", ["interfaze-1", "auto"])
def test_the_clients_model_name_is_echoed_and_the_servers_is_used(model: FullModel, name: str) -> None:
    model.script(Reply("Hi."))
    assert model.ask("Hello", model=name).json()["model"] == name
    assert model.prompts[0]["model"] == "scripted"


def test_usage_is_what_the_llm_counted(model: FullModel) -> None:
    model.script(Reply("Hi.", usage={"prompt_tokens": 220, "completion_tokens": 3, "total_tokens": 223}))
    usage = model.ask("Hello").json()["usage"]
    assert usage == {"prompt_tokens": 220, "completion_tokens": 3, "total_tokens": 223}


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
