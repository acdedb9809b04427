"""What a client is told when the LLM fails, before the first byte and after it; and that hanging up ends its work."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from models.language.llm import LlmCall, LlmEvent, TextDelta
from models.language.openai_server import OpenAiServer
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    Streamed,
    body_of,
    error_of,
    serving_full_model,
)
from tests.llm_server import Reply, serving_llm
from tests.loop_time import standing_still
from tests.server import free_port

BOTH = pytest.mark.parametrize("stream", [False, True])
TOO_LONG = {
    "error": {
        "message": "This model's maximum context length is 32768 tokens. "
        "However, your messages resulted in 40213 tokens.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
}


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    with serving_full_model() as model:
        yield model


@pytest.fixture(scope="module")
def hurried() -> Iterator[FullModel]:
    """A server whose LLM has two seconds to begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.language.capability.FIRST_BYTE_S", 1)
        with serving_full_model(request_timeout_s=5) as model:
            yield model


def test_where_the_llm_is_stays_with_who_runs_the_server() -> None:
    url = f"http://user:secret@127.0.0.1:{free_port()}/v1"
    for settings, headers in (
        ({"api_keys": ("a-key",)}, {"authorization": "Bearer a-key"}),
        ({}, {"x-forwarded-for": "203.0.113.9"}),
        ({}, {}),
    ):
        with serving_full_model(llm_base_url=url, **settings) as model:
            named = "" if settings or headers else url.replace("user:secret@", "")
            said = error_of(model.ask("Hello", headers=headers), 503, "upstream_unavailable", names=named)["message"]
        assert "secret" not in said
        assert said.endswith(" tests the connection.")
        assert "cannot be reached: nothing listens at its address (tried " in said


@BOTH
@pytest.mark.parametrize("known", [{}, {"llm_model": None, "llm_abilities": None}])
def test_an_llm_that_cannot_be_reached(stream: bool, known: dict[str, None]) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    with serving_full_model(llm_base_url=url, **known) as model:
        response = model.ask("Hello", stream=stream)
        error = error_of(response, 503, "upstream_unavailable", names=url)
        assert error["type"] == "service_unavailable"
        assert error["message"].startswith(f"The language model at {url} cannot be reached: nothing listens")
        assert "OPENFAZE_LLM_BASE_URL" in error["message"]
        assert int(response.headers["retry-after"]) > 0
        [told] = [entry for entry in model.log if entry["event"] == "request_failed"]
        assert "cannot be reached" in told["error"]
        assert told["host"] == "127.0.0.1"


@BOTH
@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (Reply(status=500, error="CUDA error at /usr/src/vllm/worker.py"), 503, "upstream_unavailable"),
        (Reply(status=401, error="Incorrect API key provided: sk-secret-123456"), 503, "upstream_unavailable"),
        (Reply(status=404, error="The model 'scripted' does not exist"), 503, "upstream_unavailable"),
        (Reply(status=400, error="temperature must be 1 for this model"), 400, "invalid_request"),
    ],
    ids=["500", "401", "404", "400"],
)
def test_a_refusal_keeps_its_status_and_tells_nothing_of_the_inside(
    model: FullModel, reply: Reply, status: int, code: str, stream: bool
) -> None:
    model.script(reply)
    error = error_of(model.ask("Hello", stream=stream), status, code)
    for secret in ("sk-secret", "/usr/src", "CUDA", "scripted"):
        assert secret not in error["message"]


@BOTH
def test_a_prompt_too_long_is_told_with_both_numbers(model: FullModel, stream: bool) -> None:
    model.script(Reply(status=400, error=TOO_LONG))
    error = error_of(model.ask("Hello", stream=stream), 400, "context_length_exceeded")
    assert error["type"] == "invalid_request_error"
    assert "32768" in error["message"]
    assert "40213" in error["message"]


@BOTH
def test_an_llm_that_hangs_before_its_first_byte(hurried: FullModel, stream: bool) -> None:
    hurried.script(Reply(hang_before_first_byte=True))
    error = error_of(hurried.ask("Hello", stream=stream), 503, "upstream_unavailable")
    assert error["type"] == "service_unavailable"
    hurried.llm.wait_for_cancelled()


@pytest.mark.parametrize("reply", [Reply("one two three", cut_after=2), Reply("one two three", garbage_after=2)])
def test_an_answer_that_breaks_off_is_an_error_and_not_half_an_answer(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    error_of(model.ask("Count to three"), 503, "upstream_unavailable")
    assert len(model.prompts) == 1


@pytest.mark.parametrize("reply", [Reply("one two three", cut_after=2), Reply("one two three", garbage_after=2)])
def test_a_stream_that_breaks_off_ends_with_an_error_event(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    response = model.ask("Count to three", stream=True)
    assert response.status_code == 200
    assert response.text.endswith("}}\n\ndata: [DONE]\n\n")
    model.script(reply)
    streamed = model.stream("Count to three")
    assert streamed.text == "one"
    assert streamed.finish_reasons == []
    assert streamed.error is not None
    assert list(streamed.error) == ["message", "type", "code", "param", "request_id"]
    assert (streamed.error["type"], streamed.error["code"]) == ("service_unavailable", "upstream_unavailable")
    assert streamed.error["request_id"] == streamed.chunks[0]["id"]


REQUEST_S = 2
"""How long a request may take: less than a stream may be silent without a ping."""


async def asked_until_its_time_is_up(
    *messages: str | list[Json], replies: list[Reply], said: str = "", headers: Json | None = None, **fields: Any
) -> httpx.Response:
    """The answer, whose time is up when the LLM was asked for all of `replies`, and the app goes on behind `said`."""
    heard = ""
    stream = OpenAiServer.stream

    async def noted(llm: OpenAiServer, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        nonlocal heard
        async with contextlib.aclosing(stream(llm, call)) as events:
            async for event in events:
                yield event
                heard += event.text if isinstance(event, TextDelta) else ""

    with serving_llm(replies) as llm, pytest.MonkeyPatch.context() as patch, standing_still() as time:
        patch.setattr(OpenAiServer, "stream", noted)
        told: Json = {"llm": "openai-server", "llm_base_url": llm.base_url, "llm_model": "scripted"}
        off = {"code_sandbox": "off", "search_provider": ("off",)}
        app = create_app(Settings(_env_file=None, llm_abilities="tools", request_timeout_s=REQUEST_S, **told, **off))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
            asking = asyncio.create_task(client.post(PATH, json=body_of(*messages, **fields), headers=headers))
            await asyncio.to_thread(llm.wait_for_requests, len(replies))
            while said not in heard:
                await asyncio.sleep(0)
            # A twentieth is left for the end of the answer.
            time.passes(0.96 * REQUEST_S)
            response = await asking
            await asyncio.to_thread(llm.wait_for_cancelled)
        await app.state.services.close()
    return response


@BOTH
async def test_the_time_limit_of_a_request_holds_for_the_llm_too(stream: bool) -> None:
    response = await asked_until_its_time_is_up("Hello", replies=[Reply(hang_before_first_byte=True)], stream=stream)
    error = error_of(response, 503, "timeout")
    assert "OPENFAZE_REQUEST_TIMEOUT_S" in error["message"]
    assert response.headers["retry-after"]


CUT: Json = {
    "replies": [Reply("one two three", hang_after=2)],
    "said": "one",
    "headers": {"x-interfaze-bypass-moa": "true"},
}


async def test_a_stream_that_has_begun_is_cut_when_the_time_is_up() -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    streamed = Streamed.read((await asked_until_its_time_is_up("Count to three", **CUT, **options)).text)
    assert (streamed.text, streamed.error, streamed.finish_reasons) == ("one", None, ["length"])
    end, usage = streamed.chunks[-2:]
    assert "OPENFAZE_REQUEST_TIMEOUT_S" in end["warnings"][0]
    assert usage["usage"]["completion_tokens"] > 0


HANGING = [
    pytest.param(Reply(hang_before_first_byte=True), {}, id="before the first byte"),
    pytest.param(Reply("one two three", hang_after=2), {}, id="amid the answer"),
    pytest.param(Reply('{"a": 1}', hang_after=2), {"response_format": {"type": "json_object"}}, id="amid JSON"),
]


@BOTH
@pytest.mark.parametrize(("reply", "fields"), HANGING)
async def test_a_client_that_leaves_stops_the_upstream_call(
    model: FullModel, reply: Reply, fields: Json, stream: bool
) -> None:
    model.script(reply)
    async with httpx.AsyncClient(base_url=model.base_url, timeout=60, trust_env=False) as client:
        asking = asyncio.create_task(client.post(PATH, json=body_of("Hello", stream=stream, **fields)))
        await asyncio.to_thread(model.llm.wait_for_requests)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await asyncio.to_thread(model.llm.wait_for_cancelled)
    assert len(model.llm.cancelled) == 1
