"""The scripted LLM itself: what other tests believe about it."""

import json

import httpx
import pytest

from tests.llm_server import Call, LlmServer, Reply, serving_llm


def ask(llm: LlmServer, **fields: object) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=5) as client:
        return client.post(f"{llm.base_url}/chat/completions", json={"messages": [], **fields})


def chunks(response: httpx.Response) -> list[dict[str, object]]:
    data = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert data.pop() == "[DONE]"
    return [json.loads(line) for line in data]


def test_without_a_script_it_always_says_ok() -> None:
    with serving_llm() as llm:
        for _ in range(2):
            assert ask(llm).json()["choices"][0]["message"]["content"] == "ok"


def test_replies_come_in_order_and_a_script_that_ran_out_is_a_fault() -> None:
    with serving_llm([Reply("one"), Reply("two")]) as llm:
        assert [ask(llm).json()["choices"][0]["message"]["content"] for _ in range(2)] == ["one", "two"]
        assert ask(llm).status_code == 400


def test_a_function_replies_to_the_body() -> None:
    with serving_llm(lambda body: Reply(body["user"])) as llm:
        assert ask(llm, user="me").json()["choices"][0]["message"]["content"] == "me"


def test_calls_are_recorded_with_their_headers() -> None:
    with serving_llm() as llm:
        ask(llm, seed=7)
        [request] = llm.requests
        assert request.body["seed"] == 7
        assert request.headers["content-type"] == "application/json"


def test_a_stream_has_the_role_then_the_words_then_the_end() -> None:
    with serving_llm([Reply("two words")]) as llm:
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks(ask(llm, stream=True))]  # type: ignore[index]
        assert deltas == [{"role": "assistant", "content": ""}, {"content": "two"}, {"content": " words"}, {}]


def test_usage_comes_last_and_only_when_asked_for() -> None:
    with serving_llm() as llm:
        counted = chunks(ask(llm, stream=True, stream_options={"include_usage": True}))
        assert counted[-1]["choices"] == []
        assert counted[-1]["usage"] == {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12}
        assert all("usage" not in chunk for chunk in chunks(ask(llm, stream=True)))


def test_a_call_is_streamed_in_pieces() -> None:
    with serving_llm([Reply(tool_calls=[Call("find", '{"a":1}')])]) as llm:
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks(ask(llm, stream=True))]  # type: ignore[index]
        pieces = [delta["tool_calls"][0]["function"] for delta in deltas if "tool_calls" in delta]
        assert pieces == [{"name": "find", "arguments": ""}, {"arguments": '{"a'}, {"arguments": '":1}'}]


def test_a_cut_stream_is_an_incomplete_body() -> None:
    with serving_llm([Reply("a b c", cut_after=2)]) as llm, pytest.raises(httpx.RemoteProtocolError):
        ask(llm, stream=True)


def test_failures_have_their_status_and_retry_after() -> None:
    with serving_llm([Reply(status=503, error="busy", retry_after=2)]) as llm:
        response = ask(llm)
        assert (response.status_code, response.headers["retry-after"]) == (503, "2")
        assert response.json()["error"]["message"] == "busy"


@pytest.mark.parametrize("reply", [Reply(hang_before_first_byte=True), Reply("a b", hang_after=2)])
def test_a_client_that_hangs_up_is_noticed(reply: Reply) -> None:
    with serving_llm([reply]) as llm:
        with pytest.raises(httpx.ReadTimeout), httpx.Client(trust_env=False, timeout=0.1) as client:
            client.post(f"{llm.base_url}/chat/completions", json={"stream": True})
        llm.wait_for_cancelled()
        assert len(llm.cancelled) == 1


def test_an_answered_client_that_leaves_has_cancelled_nothing() -> None:
    with serving_llm() as llm:
        ask(llm, stream=True)
        with pytest.raises(TimeoutError):
            llm.wait_for_cancelled(within_s=0.05)


def test_its_models_are_listed() -> None:
    with serving_llm() as llm:
        [model] = httpx.get(f"{llm.base_url}/models", trust_env=False).json()["data"]
        assert (model["id"], model["max_model_len"]) == ("scripted", 32768)
        assert [probe.path for probe in llm.probes] == ["/v1/models"]
