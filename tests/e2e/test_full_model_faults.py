"""What a client is told when the LLM fails, before the first byte and after it; and that hanging up ends its work."""

import asyncio
import contextlib
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    body_of,
    error_of,
    serving_full_model,
)
from tests.kit.servers.llm_server import Reply
from tests.kit.servers.server import free_port

BOTH = pytest.mark.parametrize("stream", [False, True])
BROKEN = pytest.mark.parametrize(
    "reply", [Reply("one two three", cut_after=2), Reply("one two three", garbage_after=2)], ids=["cut", "garbage"]
)
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
def hurried() -> Iterator[FullModel]:
    """A server whose LLM has two seconds to begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.capability.FIRST_BYTE_S", 1)
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


@BOTH
def test_an_llm_that_cannot_be_reached(stream: bool) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    with serving_full_model(llm_base_url=url, llm_model=None, llm_abilities=None) as model:
        response = model.ask("Hello", stream=stream)
        error = error_of(response, 503, "upstream_unavailable", names=url)
        assert error["type"] == "service_unavailable"
        assert "OPENFAZE_LLM_BASE_URL" in error["message"]
        assert int(response.headers["retry-after"]) > 0
        [told] = [entry for entry in model.log if entry["event"] == "request_failed"]
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


@BROKEN
def test_an_answer_that_breaks_off_is_an_error_and_not_half_an_answer(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    error_of(model.ask("Count to three"), 503, "upstream_unavailable")
    assert len(model.prompts) == 1


@BROKEN
def test_a_stream_that_breaks_off_ends_with_an_error_event(model: FullModel, reply: Reply) -> None:
    model.script(reply)
    streamed = model.stream("Count to three")
    assert streamed.text == "one"
    assert streamed.finish_reasons == []
    assert streamed.error is not None
    assert list(streamed.error) == ["message", "type", "code", "param", "request_id"]
    assert (streamed.error["type"], streamed.error["code"]) == ("service_unavailable", "upstream_unavailable")
    assert streamed.error["request_id"] == streamed.chunks[0]["id"]


@BOTH
def test_the_time_limit_of_a_request_holds_for_the_llm_too(stream: bool) -> None:
    with serving_full_model(request_timeout_s=1) as model:
        model.script(Reply(hang_before_first_byte=True))
        response = model.ask("Hello", stream=stream)
        error_of(response, 503, "timeout")
        assert response.headers["retry-after"]
        model.llm.wait_for_cancelled()
        model.script(Reply("one two three", hang_after=2))
        streamed = model.stream("Count to three", headers={"x-interfaze-bypass-moa": "true"})
        assert (streamed.text, streamed.error, streamed.finish_reasons) == ("one", None, ["length"])


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
