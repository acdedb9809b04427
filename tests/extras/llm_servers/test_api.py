"""The API in front of real LLM servers: what each makes of tools, schemas, limits and pictures."""

import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import openai
import pytest

from models.language.llm import Abilities
from models.language.openai_server import OpenAiServer
from tests.e2e.full_model import Streamed, client_of_app, content_of, error_of, schema_of
from tests.extras.llm_servers.upstreams import CONTEXT_TOKENS, MODEL, Upstream, serving_upstream

Json = dict[str, Any]
PATH = "/v1/chat/completions"
HELLO: Json = {"model": "interfaze-beta", "messages": [{"role": "user", "content": "Say hello."}], "temperature": 0}
BYPASS = {"x-interfaze-bypass-moa": "true"}
WEATHER: Json = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "enum": ["Oslo", "Rome"]},
        "days": {"type": "integer", "enum": [1, 2, 3]},
        "brief": {"type": "boolean"},
    },
    "required": ["city", "days", "brief"],
    "additionalProperties": False,
}
TOOLS: list[Json] = [
    {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}},
    {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}},
]
NAMED = {"type": "function", "function": {"name": "get_weather"}}
BOTH = pytest.mark.parametrize("stream", [False, True])


@dataclass(frozen=True)
class Front:
    upstream: Upstream
    client: httpx.Client

    def ask(self, **fields: Any) -> httpx.Response:
        return self.client.post(PATH, json={**HELLO, **fields}, headers=BYPASS)

    def stream(self, **fields: Any) -> Streamed:
        return Streamed.read(self.ask(stream=True, **fields).text)


@pytest.fixture(scope="module", params=["llama.cpp", "vLLM"])
def upstream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    with serving_upstream(request.param, tmp_path_factory.mktemp("upstream")) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def front(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = {"llm_base_url": upstream.base_url, "code_sandbox": "off", "translate": "off", "forecast": "off"}
    # llama.cpp answers one at a time: on a busy machine the last of many callers waits for minutes.
    with client_of_app(tmp_path_factory.mktemp("front"), **settings, request_timeout_s=900) as client:
        client.timeout = httpx.Timeout(850)
        yield Front(upstream, client)


@pytest.fixture
def sdk(front: Front) -> Iterator[openai.OpenAI]:
    with (
        httpx.Client(trust_env=False, timeout=300) as client,
        openai.OpenAI(base_url=f"{front.client.base_url}/v1", api_key="none", max_retries=0, http_client=client) as sdk,
    ):
        yield sdk


@pytest.fixture
async def llm(upstream: Upstream) -> AsyncIterator[OpenAiServer]:
    llm = OpenAiServer(upstream.base_url)
    yield llm
    await llm.close()


async def test_what_it_can_do_is_found_out(upstream: Upstream, llm: OpenAiServer) -> None:
    found = await llm.abilities()
    assert llm.name == MODEL
    assert found == Abilities(vision=False, tools=upstream.calls_tools, json_schema=True, context_tokens=CONTEXT_TOKENS)


def test_an_answer_with_its_counts(sdk: openai.OpenAI) -> None:
    completion = sdk.chat.completions.create(**HELLO, max_tokens=12, extra_headers=BYPASS)
    [choice] = completion.choices
    assert choice.message.content
    assert choice.finish_reason in ("stop", "length")
    usage = completion.usage
    assert usage is not None
    assert usage.prompt_tokens > 0
    assert 0 < usage.completion_tokens <= 12
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream_with_its_counts(sdk: openai.OpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = list(
        sdk.chat.completions.create(**HELLO, max_tokens=12, stream=True, stream_options=options, extra_headers=BYPASS)
    )
    *said, last = chunks
    assert len([chunk for chunk in said if chunk.choices and chunk.choices[0].delta.content]) > 1
    assert last.choices == []
    assert last.usage is not None
    assert 0 < last.usage.completion_tokens <= 12
    assert all(chunk.usage is None for chunk in said)


@BOTH
def test_a_limit_ends_the_answer(front: Front, stream: bool) -> None:
    if stream:
        assert front.stream(max_tokens=3).finish_reasons == ["length"]
        return
    completion = front.ask(max_tokens=3).json()
    assert completion["choices"][0]["finish_reason"] == "length"
    assert completion["usage"]["completion_tokens"] == 3


def test_a_stop_sequence_ends_the_answer_before_it(front: Front) -> None:
    whole = content_of(front.ask(max_tokens=12))
    stop = whole[4:7]
    [choice] = front.ask(max_tokens=12, stop=[stop]).json()["choices"]
    assert choice["finish_reason"] == "stop"
    assert stop not in choice["message"]["content"]
    assert whole.startswith(choice["message"]["content"])


def test_probabilities_of_tokens(front: Front) -> None:
    [choice] = front.ask(max_tokens=3, logprobs=True, top_logprobs=2).json()["choices"]
    tokens = choice["logprobs"]["content"]
    assert len(tokens) == 3
    assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 2 for token in tokens)


def test_a_schema_holds_every_time(front: Front) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER, "strict": True}}
    for seed in range(6):
        completion = front.ask(response_format=form, max_tokens=200, temperature=1, seed=seed)
        jsonschema.validate(json.loads(content_of(completion)), WEATHER)


@pytest.mark.parametrize("choice", ["required", NAMED], ids=["required", "named"])
@BOTH
def test_a_forced_call_has_arguments_of_its_schema(front: Front, choice: str | Json, stream: bool) -> None:
    """What has to be a call may be several, where no function is named."""
    tools = TOOLS[1:] if choice == "required" else TOOLS
    asked = {"tools": tools, "tool_choice": choice, "max_tokens": 600, "temperature": 1, "seed": 1}
    calls: dict[int, Json] = {}
    if stream:
        streamed = front.stream(**asked)
        for piece in streamed.tool_calls:
            call = calls.setdefault(piece["index"], {"id": piece.get("id"), "name": "", "arguments": ""})
            for key, said in piece["function"].items():
                call[key] += said
        assert streamed.finish_reasons == ["tool_calls"]
        assert streamed.text == ""
    else:
        [answer] = front.ask(**asked).json()["choices"]
        assert answer["finish_reason"] == "tool_calls"
        assert not answer["message"]["content"]
        calls = {at: {**call["function"], **call} for at, call in enumerate(answer["message"]["tool_calls"])}
    assert calls
    assert len(calls) == 1 or choice == "required"
    assert len({call["id"] for call in calls.values()}) == len(calls)
    for call in calls.values():
        assert call["name"] == "get_weather"
        jsonschema.validate(json.loads(call["arguments"]), WEATHER)


@BOTH
def test_a_prompt_that_does_not_fit_is_told_with_the_limit(front: Front, stream: bool) -> None:
    messages = [{"role": "user", "content": "word " * (CONTEXT_TOKENS + 500)}]
    error = error_of(front.ask(messages=messages, max_tokens=5, stream=stream), 400, "context_length_exceeded")
    assert str(CONTEXT_TOKENS) in error["message"]


def test_a_model_that_the_server_does_not_have(upstream: Upstream, tmp_path: Path) -> None:
    with client_of_app(tmp_path, llm_base_url=upstream.base_url, llm_model="no-such-model") as client:
        response = client.post(PATH, json={**HELLO, "max_tokens": 4}, headers=BYPASS, timeout=300)
    if upstream.checks_models:
        error_of(response, 503, "upstream_unavailable")
        assert "retry-after" not in response.headers
    else:
        assert content_of(response)


def test_callers_side_by_side_get_each_their_own_answer(front: Front) -> None:
    def ask(number: int) -> Any:
        return json.loads(content_of(front.ask(response_format=schema_of(n={"const": number}), max_tokens=60)))

    with ThreadPoolExecutor(32) as callers:
        assert list(callers.map(ask, range(100, 132))) == [{"n": number} for number in range(100, 132)]


def test_hanging_up_frees_the_server(front: Front) -> None:
    """Which in llama.cpp's case answers one at a time: who comes next would wait for the end."""
    body = {**HELLO, "max_tokens": 1500, "temperature": 1, "stream": True, "logit_bias": {}}
    with front.client.stream("POST", PATH, json=body, headers=BYPASS) as response:
        next(line for line in response.iter_lines() if '"content"' in line)
    front.upstream.wait_until_idle()
    assert content_of(front.ask(max_tokens=3))


def test_a_server_that_dies_amid_an_answer(front: Front) -> None:
    """The last test: the server is gone."""
    body = {**HELLO, "max_tokens": 1500, "stream": True, "messages": [{"role": "user", "content": "Count to 500."}]}
    with front.client.stream("POST", PATH, json=body, headers=BYPASS) as response:
        lines = response.iter_lines()
        said = [next(line for line in lines if '"content"' in line)]
        front.upstream.kill()
        said += list(lines)
    streamed_error = said[said.index("event: error") + 1]
    error = json.loads(streamed_error.removeprefix("data: "))["error"]
    assert list(error) == ["message", "type", "code", "param", "request_id"]
    assert error["code"] == "upstream_unavailable"
    assert said[-2:] == ["data: [DONE]", ""]
    error_of(front.ask(max_tokens=3), 503, "upstream_unavailable", names=f"{front.upstream.base_url}/v1")
