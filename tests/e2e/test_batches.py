"""/v1/batches on real servers, as OpenAI's SDK uses it: what becomes of a file of requests."""

import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from app.batches.lines import MAX_LINES
from tests.conftest import each_case
from tests.e2e.batched import (
    CHAT,
    KEY,
    LIMIT_S,
    MODERATIONS,
    OTHER,
    client_of,
    create,
    ended,
    line,
    of_llm,
    prompts,
    rows,
    upload,
    when,
)
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm
from tests.kit.servers.server import Server, serving
from tests.kit.servers.webhooks import Receiver, receiving

SECRET = "a secret for the webhook"


@pytest.fixture(scope="module")
def llm() -> Iterator[LlmServer]:
    with serving_llm() as llm:
        yield llm


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, llm: LlmServer, receiver: Receiver) -> Iterator[Server]:
    settings = of_llm(
        llm,
        api_keys=f"{KEY},{OTHER}",
        batch_lines_at_once=4,
        batch_webhook_url=receiver.url,
        batch_webhook_secret=SECRET,
        fetch_allow="127.0.0.1",
    )
    with serving(tmp_path_factory.mktemp("batches") / "log", **settings) as running:
        yield running


@pytest.fixture
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with client_of(server) as client:
        yield client


@pytest.fixture
def other(server: Server) -> Iterator[openai.OpenAI]:
    with client_of(server, OTHER) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_is_scripted(llm: LlmServer) -> None:
    llm.script = None
    llm.requests.clear()


def moderation(custom_id: str, text: str) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": MODERATIONS, "body": {"input": text}}


def test_a_batch_is_made_waited_for_and_read(sdk: openai.OpenAI, llm: LlmServer) -> None:
    llm.script = lambda body: Reply(f"You said {body['messages'][-1]['content']}")
    batch = create(sdk, *(line(f"{n}", f"number {n}") for n in range(6)), metadata={"night": "run"})
    assert (batch.object, batch.endpoint, batch.completion_window) == ("batch", CHAT, "24h")
    assert (batch.status, batch.metadata) == ("validating", {"night": "run"})
    assert batch.expires_at == batch.created_at + 24 * 3600
    batch = ended(sdk, batch)
    assert (batch.status, batch.errors, batch.error_file_id) == ("completed", None, None)
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 6, "completed": 6, "failed": 0}
    assert batch.usage is not None
    assert batch.usage.input_tokens == 6 * 11
    assert batch.created_at <= (batch.in_progress_at or 0) <= (batch.finalizing_at or 0) <= (batch.completed_at or 0)
    answers = rows(sdk, batch.output_file_id)
    assert list(answers) == [f"{n}" for n in range(6)]
    answer = answers["3"]["response"]
    assert answers["3"]["id"].startswith("batch_req_")
    assert answers["3"]["error"] is None
    assert (answer["status_code"], answer["body"]["id"]) == (200, answer["request_id"])
    assert answer["body"]["choices"][0]["message"]["content"] == "You said number 3"
    assert sdk.files.retrieve(batch.output_file_id or "").purpose == "batch_output"


def test_run_tasks_and_moderations_are_lines_too(sdk: openai.OpenAI) -> None:
    text = "data:text/plain;base64,TWlsaywgZWdncw=="
    task = line("task")
    task["body"]["messages"] = [
        {"role": "system", "content": "<task>ocr</task>"},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": text, "filename": "a.txt"}}]},
    ]
    batch = ended(sdk, create(sdk, task))
    content = rows(sdk, batch.output_file_id)["task"]["response"]["body"]["choices"][0]["message"]["content"]
    assert json.loads(content)["result"]["extracted_text"] == "Milk, eggs"

    lines = [moderation("bread", "How do I bake bread?"), moderation("threat", "I am going to kill you tonight.")]
    batch = ended(sdk, create(sdk, *lines, endpoint=MODERATIONS))
    answers = rows(sdk, batch.output_file_id)
    assert not answers["bread"]["response"]["body"]["results"][0]["flagged"]
    assert answers["threat"]["response"]["body"]["results"][0]["flagged"]


def test_a_file_with_bad_lines_fails_as_a_whole(sdk: openai.OpenAI, llm: LlmServer) -> None:
    bad = ["no json", line("a"), line("b", url=MODERATIONS), {**line("c"), "method": "GET"}, {"body": {}}]
    batch = ended(sdk, create(sdk, line("a"), *bad))
    assert (batch.status, batch.output_file_id) == ("failed", None)
    assert batch.failed_at is not None
    assert batch.errors is not None
    found = [(one.line, one.code, one.param) for one in batch.errors.data or []]
    assert found == [
        (2, "invalid_json_line", None),
        (3, "duplicate_custom_id", "custom_id"),
        (4, "invalid_url", "url"),
        (5, "invalid_method", "method"),
        (6, "missing_required_parameter", "custom_id"),
    ]
    assert not llm.requests
    too_many = ended(sdk, create(sdk, *[""] * MAX_LINES, line("1")))
    assert too_many.errors is not None
    assert [one.code for one in too_many.errors.data or []] == ["too_many_lines"]


@each_case(
    ("fields", "param"),
    [
        ({"endpoint": "/v1/completions"}, "endpoint"),
        ({"completion_window": "48h"}, "completion_window"),
        ({"input_file_id": "file-0"}, "input_file_id"),
        (
            {"extra_body": {"output_expires_after": {"anchor": "created_at", "seconds": 1}}},
            "output_expires_after.seconds",
        ),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
    ],
)
def test_a_request_that_will_not_do_is_refused_by_its_field(
    sdk: openai.OpenAI, fields: dict[str, Any], param: str
) -> None:
    asked = {"input_file_id": upload(sdk, line("a")), "endpoint": CHAT, "completion_window": "24h"} | fields
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.batches.create(**asked)
    assert refused.value.param == param


def test_a_batch_belongs_to_its_key(sdk: openai.OpenAI, other: openai.OpenAI) -> None:
    batch = ended(sdk, create(sdk, line("a")))
    for ask in (other.batches.retrieve, other.batches.cancel):
        with pytest.raises(openai.NotFoundError, match=f"no batch '{batch.id}'") as refused:
            ask(batch.id)
        assert refused.value.code == "batch_not_found"
    with pytest.raises(openai.NotFoundError):
        other.files.content(batch.output_file_id or "")
    with pytest.raises(openai.BadRequestError):
        other.batches.create(input_file_id=batch.input_file_id, endpoint=CHAT, completion_window="24h")
    assert list(other.batches.list()) == []
    assert batch.id in [one.id for one in sdk.batches.list()]


def test_what_is_cancelled_keeps_what_it_has(sdk: openai.OpenAI, llm: LlmServer) -> None:
    def reply(body: dict[str, Any]) -> Reply:
        """Answer the first line at once and the others slowly. Nothing blocks: the LLM has a single loop."""
        return Reply("ok") if "first" in str(body["messages"][-1]) else Reply("ok", delay_s=0.5)

    llm.script = reply
    # The server takes a minute and more to the end of the file: a busy machine notices the cancellation before.
    batch = create(sdk, line("a", "first"), *(line(f"{n}", f"later {n}") for n in range(300)))
    # Four lines run at a time, the first one among them.
    when(sdk, batch, lambda batch: batch.request_counts is not None and batch.request_counts.completed >= 5)
    assert sdk.batches.cancel(batch.id).status == "cancelling"
    batch = ended(sdk, batch)
    assert batch.status == "cancelled"
    assert batch.cancelling_at
    assert batch.cancelled_at
    assert "a" in rows(sdk, batch.output_file_id)
    assert len(prompts(llm)) < 301
    with pytest.raises(openai.BadRequestError, match="is completed") as refused:
        sdk.batches.cancel(ended(sdk, create(sdk, line("a", "first"))).id)
    assert refused.value.code == "batch_is_over"


def test_the_end_is_told_to_the_webhook(sdk: openai.OpenAI, receiver: Receiver) -> None:
    batch = ended(sdk, create(sdk, line("a")))
    deadline = time.monotonic() + LIMIT_S
    while not (found := [one for one in receiver.taken if batch.id.encode() in one[1]]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    [(headers, body)] = found
    event = sdk.webhooks.unwrap(body, headers, secret=SECRET)
    assert event.type == "batch.completed"
    assert event.data.id == batch.id
