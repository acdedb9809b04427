"""`<guard>` over HTTP where a guard cannot run or gives no verdict: nothing unguarded leaves."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from models.capability import FIRST_BYTE_S
from tasks.guardrails import Verdicts
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Json,
    Streamed,
    body_of,
    content_of,
    error_of,
    prompt_text,
    serving_full_model,
)
from tests.e2e.guarded import BOMB, FRANCE, guard, is_blocked
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm
from tests.kit.waits.loop_time import LoopTime

LLAMA_GUARD = {"text_guard": "llama-guard-server", "guard_model": "meta-llama/Llama-Guard-3-8B"}


def test_where_nothing_here_can_judge_the_503_says_what_would_help() -> None:
    with serving_full_model(embedding="off") as model:
        model.script(Reply("Paris."))
        for stream in (False, True):
            for asked in (guard("S9"), guard("S9", task="translate")):
                error = error_of(model.ask(asked, FRANCE, stream=stream), 503, "engine_unavailable")
                assert "S9" in error["message"]
                assert "OPENFAZE_EMBEDDING=off" in error["message"]
        assert model.prompts == []
        # Who asks for no guard needs none.
        assert content_of(model.ask(FRANCE)) == "Paris."


def test_a_code_that_the_chosen_engine_does_not_know_is_a_503() -> None:
    with serving_llm([Reply("safe")] * 9) as upstream:
        told = {"text_guard": "qwen3guard-server", "guard_base_url": upstream.base_url, "guard_model": "guard"}
        with serving_full_model(**told) as model:
            model.script(Reply("Paris."))
            error = error_of(model.ask(guard("S1", "S4"), FRANCE), 503, "engine_unavailable")
            assert ("S4 (" in error["message"], "S1 (" in error["message"]) == (True, False)
            assert (model.prompts, upstream.requests) == ([], [])


@pytest.fixture(scope="module")
def judge() -> Iterator[LlmServer]:
    with serving_llm() as judge:
        yield judge


@pytest.fixture(scope="module")
def judged(judge: LlmServer) -> Iterator[FullModel]:
    """Its guard is on a server, and asked again whatever it has judged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.guardrails.Verdicts", lambda _: Verdicts(0))
        with serving_full_model(guard_base_url=judge.base_url, **LLAMA_GUARD) as model:
            yield model


def verdicts(*replies: Reply, by_body: Callable[[Json], Reply] | None = None) -> Callable[[LlmServer], None]:
    def script(judge: LlmServer) -> None:
        judge.script = by_body or replies
        judge.requests.clear()
        judge.cancelled.clear()

    return script


def test_a_server_judges(judged: FullModel, judge: LlmServer) -> None:
    judged.script(Reply("Paris."))
    verdicts(by_body=lambda body: Reply("unsafe\nS9" if "pipe bomb" in prompt_text(body) else "safe"))(judge)
    is_blocked(judged.ask(guard("S1", "S9"), BOMB), "S9")
    assert judged.prompts == []
    assert content_of(judged.ask(guard("S1", "S9"), FRANCE)) == "Paris."
    assert "Paris." in prompt_text(judge.requests[-1].body)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=400),
        Reply("Sure! Here is how:"),
        Reply("unsafe"),
        Reply("unsafe\nS99"),
        Reply(""),
        Reply("safe", finish_reason="length"),
    ],
)
def test_a_guard_server_that_gives_no_verdict_is_a_503_and_never_an_answer(
    judged: FullModel, judge: LlmServer, reply: Reply
) -> None:
    verdicts(by_body=lambda _: reply)(judge)
    for stream in (False, True):
        judged.script(Reply("Paris."))
        response = judged.ask(guard("S9"), FRANCE, stream=stream)
        error_of(response, 503, "engine_unavailable")
        assert (response.headers.get("retry-after"), response.headers["x-should-retry"]) == (None, "false")
        assert judged.prompts == []


@pytest.mark.parametrize("reply", [Reply(hang_before_first_byte=True), Reply("safe", hang_after=1)])
async def test_a_guard_server_that_takes_too_long_is_a_503(judge: LlmServer, reply: Reply, tmp_path: Path) -> None:
    verdicts(by_body=lambda _: reply)(judge)
    time = LoopTime()
    told: Json = {"llm": "off", "guard_base_url": judge.base_url, **LLAMA_GUARD}
    app = create_app(Settings(_env_file=None, files_dir=str(tmp_path), **told))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        asking = asyncio.create_task(client.post(PATH, json=body_of(guard("S9"), FRANCE)))
        await asyncio.to_thread(judge.wait_for_requests)
        time.passes(FIRST_BYTE_S)
        error_of(await asking, 503, "timeout")
    await asyncio.to_thread(judge.wait_for_cancelled)
    await app.state.services.close()


def test_an_answer_that_the_server_does_not_judge_does_not_leave(judged: FullModel, judge: LlmServer) -> None:
    judged.script(Reply("Paris."), Reply("Paris."))
    verdicts(by_body=lambda body: Reply(status=500) if "Paris" in prompt_text(body) else Reply("safe"))(judge)
    for stream in (False, True):
        response = judged.ask(guard("S9"), FRANCE, stream=stream)
        assert response.status_code == 503
        assert "Paris" not in response.text


def test_a_stream_that_has_begun_ends_with_the_error(judged: FullModel, judge: LlmServer) -> None:
    judged.script(Reply("Paris it is. So much for that. It lies on the Seine."))
    verdicts(by_body=lambda body: Reply(status=500) if "Seine" in prompt_text(body) else Reply("safe"))(judge)
    streamed = Streamed.read(judged.ask(guard("S9"), FRANCE, stream=True).text)
    assert streamed.text == "Paris it is. So much for that."
    assert streamed.error is not None
    assert streamed.error["type"] == "service_unavailable"
