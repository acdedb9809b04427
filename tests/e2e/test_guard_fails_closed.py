"""`<guard>` over HTTP where a guard cannot run or gives no verdict: nothing unguarded leaves."""

from collections.abc import Callable, Iterator

import pytest

from tasks.guardrails import Verdicts
from tests.e2e.full_model import (
    FullModel,
    Json,
    Streamed,
    content_of,
    error_of,
    prompt_text,
    serving_full_model,
)
from tests.e2e.guarded import BOMB, FRANCE, guard, is_blocked
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm

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


def test_a_stream_that_has_begun_ends_with_the_error(judged: FullModel, judge: LlmServer) -> None:
    judged.script(Reply("Paris it is. So much for that. It lies on the Seine."))
    verdicts(by_body=lambda body: Reply(status=500) if "Seine" in prompt_text(body) else Reply("safe"))(judge)
    streamed = Streamed.read(judged.ask(guard("S9"), FRANCE, stream=True).text)
    assert streamed.text == "Paris it is. So much for that."
    assert streamed.error is not None
    assert streamed.error["type"] == "service_unavailable"
