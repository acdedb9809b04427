"""What a key may use, over HTTP: refused ahead of any work, charged at the end, told in headers."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.key_file import add_key
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Streamed,
    body_of,
    content_of,
    error_of,
    schema_of,
    serving_full_model,
)
from tests.e2e.test_cli import openfaze_here
from tests.kit.servers.llm_server import Reply

KEYS: dict[str, dict[str, Any]] = {
    "free": {},
    "requests": {"requests_per_minute": 3},
    "bodies": {"requests_per_minute": 2},
    "uploads": {"requests_per_minute": 1},
    "tokens": {"tokens_per_minute": 3000},
    "streams": {"tokens_per_minute": 5000, "concurrent": 1},
    "small": {"tokens_per_minute": 100},
    "budget": {"budget_usd": 0.004},
    "ocr": {"tasks": ["ocr"]},
    "expired": {"expires": "2020-01-31"},
    "held": {"budget_usd": 0.02, "concurrent": 1},
}
LONG = {"prompt_tokens": 10, "completion_tokens": 6000}
"""More tokens than `budget_usd = 0.02` pays for."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("limits")


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, str]:
    return {name: add_key(folder / "keys.toml", name, fields) for name, fields in KEYS.items()}


@pytest.fixture(scope="module")
def model(folder: Path, keys: dict[str, str]) -> Iterator[FullModel]:
    with serving_full_model(
        keys_file=str(folder / "keys.toml"), files_dir=str(folder / "files"), extraction="llm"
    ) as model:
        yield model


def head_of(model: FullModel, key: str, body: bytes) -> bytes:
    """What goes before `body` on a connection of its own."""
    host = httpx.URL(model.base_url).host
    head = f"POST {PATH} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n"
    head += "accept: application/json, text/event-stream\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def said(tokens: int = 3) -> Reply:
    return Reply("Yes.", usage={"prompt_tokens": 10, "completion_tokens": tokens})


def rates(response: httpx.Response) -> dict[str, str]:
    begins = "x-ratelimit-"
    return {name.removeprefix(begins): value for name, value in response.headers.items() if name.startswith(begins)}


def test_requests_beyond_the_rate_are_refused_before_any_work(model: FullModel, keys: dict[str, str]) -> None:
    model.script(*[said()] * 3)
    headers = bearer(keys["requests"])
    answers = [model.ask("Hi?", headers=headers) for _ in range(3)]
    assert [content_of(answer) for answer in answers] == ["Yes."] * 3
    assert [rates(answer)["remaining-requests"] for answer in answers] == ["2", "1", "0"]
    refused = model.ask("Hi?", headers=headers)
    error = error_of(refused, 429, "rate_limit_exceeded")
    assert error["type"] == "rate_limit_error"
    assert "limit of 3 requests a minute (requests_per_minute)" in error["message"]
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert rates(refused) == {
        "limit-requests": "3",
        "remaining-requests": "0",
        "reset-requests": rates(refused)["reset-requests"],
    }
    looked = model.client.get("/v1/models", headers=headers)
    assert looked.status_code == 200
    assert rates(looked)["remaining-requests"] == "0"
    assert len(model.prompts) == 3


def test_a_body_that_will_not_do_counts_and_what_costs_nothing_does_not(model: FullModel, keys: dict[str, str]) -> None:
    headers = bearer(keys["bodies"])
    broken = model.client.post("/v1/chat/completions", content=b"{", headers=headers)
    error_of(broken, 400, "invalid_json")
    assert rates(broken)["remaining-requests"] == "1"
    for _ in range(5):
        assert rates(model.client.get("/v1/files", headers=headers))["remaining-requests"] == "1"
    unknown = model.client.post("/v1/unknown", headers=headers)
    error_of(unknown, 404, "not_found")
    for path in ("/v1/chat/completions", "/v1/unknown", "/v1/audio/transcriptions", "/v1/moderations", "/v1/files"):
        error_of(model.client.post(path, content=b"{", headers=headers), 429, "rate_limit_exceeded")


def test_tokens_are_charged_as_used_and_not_as_estimated(model: FullModel, keys: dict[str, str]) -> None:
    model.script(said(20), said(2500))
    headers = bearer(keys["tokens"])
    first = model.ask("Hi?", headers=headers)
    assert rates(first)["limit-tokens"] == "3000"
    assert 2970 <= int(rates(first)["remaining-tokens"]) <= 2999, "of 1,024 that were taken, most came back"
    second = model.ask("Hi?", headers=headers, max_tokens=2600)
    assert int(rates(second)["remaining-tokens"]) < 600
    error = error_of(model.ask("Hi?", headers=headers), 429, "rate_limit_exceeded")
    assert "limit of 3000 tokens a minute (tokens_per_minute)" in error["message"]


def test_a_stream_is_charged_and_its_place_is_free_when_its_end_is_there(
    model: FullModel, keys: dict[str, str]
) -> None:
    model.script(*[said(7)] * 10)
    for _ in range(10):
        response = model.ask("Hi?", headers=bearer(keys["streams"]), stream=True)
        assert response.status_code == 200, response.text
        assert Streamed.read(response.text).text == "Yes."
        assert rates(response)["limit-tokens"] == "5000"
    looked = model.client.get("/v1/models", headers=bearer(keys["streams"]))
    assert int(rates(looked)["remaining-tokens"]) >= 5000 - 10 * 17


def is_spent(model: FullModel, key: str) -> bool:
    """True if the budget of a key is spent, which has one request at a time, once its last request has ended."""
    model.script(by_body=lambda _: said(1))
    while (answer := model.ask("Hi?", headers=bearer(key), max_tokens=1)).status_code == 429:
        pass
    if answer.status_code == 402:
        return True
    assert content_of(answer) == "Yes."
    return False


def test_who_hangs_up_pays_for_an_answer_that_was_written_and_held_back(model: FullModel, keys: dict[str, str]) -> None:
    """The answer is held back until it is checked against the schema."""
    key = keys["held"]
    model.script(Reply("no JSON", usage=LONG), Reply(hang_before_first_byte=True))
    url = httpx.URL(model.base_url)
    sent = json.dumps(body_of("Hi?", response_format=schema_of(total={"type": "number"}))).encode()
    with socket.create_connection((url.host, url.port)) as caller:
        caller.sendall(head_of(model, key, sent) + sent)
        model.llm.wait_for_requests(2)
    model.llm.wait_for_cancelled()
    assert is_spent(model, key)


def test_a_key_runs_its_tasks_and_no_others(model: FullModel, keys: dict[str, str]) -> None:
    headers = bearer(keys["ocr"])
    model.script(said())
    for response in (
        model.ask("Hi?", headers=headers),
        model.ask({"role": "system", "content": "<task>stt</task>"}, "Hi?", headers=headers),
        model.client.post("/v1/moderations", headers=headers, json={"input": "Hi?"}),
    ):
        error = error_of(response, 403, "task_not_allowed")
        assert error["type"] == "permission_error"
        assert error["message"].endswith("It may run: ocr.")
    response = model.ask({"role": "system", "content": "<task>ocr</task>"}, "Hi?", headers=headers)
    error_of(response, 400, "invalid_request")
    assert model.prompts == []


def test_what_was_used_is_told_by_the_command_when_the_server_has_ended(tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.toml", "alice", {})
    with serving_full_model(keys_file=str(tmp_path / "keys.toml"), files_dir=str(tmp_path / "files")) as model:
        model.script(said(20), said(30))
        for _ in range(2):
            content_of(model.ask("Hi?", headers=bearer(key)))
    variables = {"OPENFAZE_KEYS_FILE": "keys.toml", "OPENFAZE_FILES_DIR": "files"}
    told = json.loads(openfaze_here("keys", "usage", "alice", "--json", folder=tmp_path, **variables).stdout)
    [row] = told
    assert row == {
        "name": "alice",
        "day": row["day"],
        "requests": 2,
        "input_tokens": 20,
        "output_tokens": 50,
        "usd": 0.000205,
    }
