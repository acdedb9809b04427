"""What a key may use, over HTTP: refused ahead of any work, charged at the end, told in headers."""

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.key_file import add_key
from tests.e2e.conftest import data_url
from tests.e2e.full_model import (
    PATH,
    FullModel,
    Streamed,
    body_of,
    content_of,
    error_of,
    prompt_text,
    schema_of,
    serving_full_model,
)
from tests.e2e.guarded import FRANCE, guard, is_blocked
from tests.e2e.test_cli import openfaze_here
from tests.llm_server import Reply, serving_llm
from tests.redis_server import serving_redis

KEYS: dict[str, dict[str, Any]] = {
    "free": {},
    "requests": {"requests_per_minute": 3},
    "bodies": {"requests_per_minute": 2},
    "uploads": {"requests_per_minute": 1},
    "tokens": {"tokens_per_minute": 3000},
    "streams": {"tokens_per_minute": 5000, "concurrent": 1},
    "small": {"tokens_per_minute": 100},
    "raced tokens": {"tokens_per_minute": 20_000},
    "raced places": {"concurrent": 7},
    "hangs up": {"concurrent": 1},
    "fields": {"tokens_per_minute": 5000},
    "budget": {"budget_usd": 0.004},
    "raced budget": {"budget_usd": 0.0361},
    "reads for a budget": {"budget_usd": 0.05},
    "reads for a minute": {"tokens_per_minute": 14_000},
    "ocr": {"tasks": ["ocr"]},
    "leaves": {"budget_usd": 0.02, "concurrent": 1},
    "expired": {"expires": "2020-01-31"},
    "mentioned": {"requests_per_minute": 100},
    **{f"held by {door}": {"budget_usd": 0.02, "concurrent": 1} for door in ("chat", "responses")},
}
LONG = {"prompt_tokens": 10, "completion_tokens": 6000}
"""More tokens than `budget_usd = 0.02` pays for."""
TOTAL = {"total": {"type": "number"}}
SCHEMA = {"type": "object", "properties": TOTAL, "required": ["total"], "additionalProperties": False}
HELD: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (PATH, body_of("Hi?", response_format=schema_of(**TOTAL))),
    "responses": (
        "/v1/responses",
        {
            "model": "interfaze-beta",
            "input": "Hi?",
            "text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA}},
        },
    ),
}
"""Requests whose answers are held back until they are checked, by the door through which they come."""
CALLERS = 200


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


@pytest.fixture(scope="module", params=["SQLite", "Redis"])
def raced(
    request: pytest.FixtureRequest, folder: Path, model: FullModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FullModel]:
    """A server for each store of what keys have used."""
    if request.param == "SQLite":
        yield model
        return
    files = tmp_path_factory.mktemp("files")
    with (
        serving_redis(folder) as redis,
        serving_full_model(
            keys_file=str(folder / "keys.toml"), files_dir=str(files / "files"), rates_url=redis.url
        ) as other,
    ):
        yield other


@dataclass(frozen=True)
class Race:
    """What CALLERS ask for at once, of whom `most` are served and `waiting` wait."""

    key: str
    most: int
    status: int
    code: str
    message: str
    max_tokens: int = 10
    """What each asks for, and gets."""
    waiting: int = 0


RACES = [
    # With the tokens of a prompt ten of these are $0.0351, which leaves no room for another.
    Race("raced budget", 10, 402, "insufficient_quota", "budget of $0.0361 for this month (UTC) (budget_usd)", 1000),
    # Two are nearly all of it; in half a minute there is room for a third.
    Race("raced tokens", 2, 429, "rate_limit_exceeded", "limit of 20000 tokens a minute", 9_800),
    Race("raced places", 7, 429, "rate_limit_exceeded", "a key may have 7 of each (concurrent)", waiting=7),
]


async def answers_of_a_race(model: FullModel, key: str, race: Race) -> list[tuple[int, Any]]:
    """The answers to callers that are all connected before any asks, but for those whom the LLM keeps waiting."""
    url = httpx.URL(model.base_url)
    body = json.dumps(body_of("Hi?", max_tokens=race.max_tokens)).encode()
    sent = head_of(model, key, body) + body
    callers = await asyncio.gather(*(asyncio.open_connection(url.host, url.port) for _ in range(CALLERS)))

    async def answer(reader: asyncio.StreamReader) -> tuple[int, Any]:
        head, _, content = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(content)

    for _, writer in callers:
        writer.write(sent)
    waiting = [asyncio.create_task(answer(reader)) for reader, _ in callers]
    ready = asyncio.as_completed(waiting)
    answers = [await next(ready) for _ in range(CALLERS - race.most - race.waiting)]
    await asyncio.to_thread(model.llm.wait_for_requests, race.most)
    for task, (_, writer) in zip(waiting, callers, strict=True):
        task.cancel()
        writer.close()
    return answers


def head_of(model: FullModel, key: str, body: bytes, path: str = PATH) -> bytes:
    """What goes before `body` on a connection of its own."""
    host = httpx.URL(model.base_url).host
    head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n"
    head += "accept: application/json, text/event-stream\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def file_part(text: str) -> dict[str, Any]:
    return {"type": "file", "file": {"filename": "a.txt", "file_data": data_url(text.encode(), "text/plain")}}


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


def test_a_request_that_never_fits_is_not_tried_again(model: FullModel, keys: dict[str, str]) -> None:
    model.script(said(5))
    refused = model.ask("Hi?", headers=bearer(keys["small"]))
    error = error_of(refused, 429, "rate_limit_exceeded")
    assert "larger than the key's limit of 100 a minute (tokens_per_minute)" in error["message"]
    assert "trying again does not help: send less, or a lower max_tokens" in error["message"]
    assert refused.headers["x-should-retry"] == "false"
    assert content_of(model.ask("Hi?", headers=bearer(keys["small"]), max_tokens=50)) == "Yes."


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


@pytest.mark.deep
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.key)
def test_callers_that_race_never_exceed_a_limit(race: Race, raced: FullModel, keys: dict[str, str]) -> None:
    """The LLM keeps those that are let in for longer than others take to be refused: none makes room for another."""
    usage = {"prompt_tokens": 10, "completion_tokens": race.max_tokens}
    raced.script(by_body=lambda _: Reply("Yes.", usage=usage, delay_s=60))
    answers = asyncio.run(answers_of_a_race(raced, keys[race.key], race))
    assert [status for status, _ in answers] == [race.status] * (CALLERS - race.most - race.waiting)
    assert len(raced.prompts) == race.most
    error = answers[-1][1]["error"]
    assert error["code"] == race.code
    assert race.message in error["message"]
    raced.llm.wait_for_cancelled(race.most)


def test_what_is_refused_for_money_is_not_worth_another_try(model: FullModel, keys: dict[str, str]) -> None:
    refused = model.ask("Hi?", headers=bearer(keys["budget"]), max_tokens=10_000)
    assert error_of(refused, 402, "insufficient_quota")["type"] == "insufficient_quota"
    assert "retry-after" not in refused.headers


def is_spent(model: FullModel, key: str) -> bool:
    """True if the budget of a key is spent, which has one request at a time, once its last request has ended."""
    model.script(by_body=lambda _: said(1))
    while (answer := model.ask("Hi?", headers=bearer(key), max_tokens=1)).status_code == 429:
        pass
    if answer.status_code == 402:
        return True
    assert content_of(answer) == "Yes."
    return False


@pytest.mark.parametrize("door", HELD)
def test_who_hangs_up_pays_for_an_answer_that_was_written_and_held_back(
    door: str, model: FullModel, keys: dict[str, str]
) -> None:
    path, body = HELD[door]
    key = keys[f"held by {door}"]
    model.script(Reply("no JSON", usage=LONG), Reply(hang_before_first_byte=True))
    url, sent = httpx.URL(model.base_url), json.dumps(body).encode()
    with socket.create_connection((url.host, url.port)) as caller:
        caller.sendall(head_of(model, key, sent, path) + sent)
        model.llm.wait_for_requests(2)
    model.llm.wait_for_cancelled()
    assert is_spent(model, key)


def test_an_answer_that_the_guard_withheld_is_charged_as_written(tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.toml", "alice", {"budget_usd": 0.02, "concurrent": 1})
    told = {"keys_file": str(tmp_path / "keys.toml"), "files_dir": str(tmp_path / "files")}
    guards = {"text_guard": "llama-guard-server", "guard_model": "meta-llama/Llama-Guard-3-8B"}
    with (
        serving_llm(lambda body: Reply("unsafe\nS9" if "Paris" in prompt_text(body) else "safe")) as judge,
        serving_full_model(guard_base_url=judge.base_url, **guards, **told) as model,
    ):
        model.script(Reply("Paris.", usage=LONG))
        is_blocked(model.ask(guard("S9"), FRANCE, headers=bearer(key)), "S9")
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


def test_an_expired_key_opens_nothing(model: FullModel, keys: dict[str, str]) -> None:
    error = error_of(model.ask("Hi?", headers=bearer(keys["expired"])), 401, "invalid_api_key")
    assert error["message"] == "Invalid API key provided: it expired at 2020-02-01 00:00 UTC."


def test_a_key_without_limits_has_no_headers_of_them(model: FullModel, keys: dict[str, str]) -> None:
    model.script(said())
    assert rates(model.ask("Hi?", headers=bearer(keys["free"]))) == {}


def test_an_answer_from_the_cache_is_given_on_a_spent_budget(tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.toml", "alice", {"budget_usd": 0.0001})
    told = {"keys_file": str(tmp_path / "keys.toml"), "files_dir": str(tmp_path / "files"), "cache": "exact"}
    with serving_full_model(**told, cache_url=f"sqlite:///{tmp_path}/answers.sqlite") as model:
        model.script(said(20))
        asked: dict[str, Any] = {"headers": bearer(key), "max_tokens": 20}
        first = model.ask("Hi?", **asked)
        assert (content_of(first), first.json()["vcache"]) == ("Yes.", False)
        for _ in range(3):
            again = model.ask("Hi?", **asked)
            assert (content_of(again), again.json()["vcache"]) == ("Yes.", True)
        error_of(model.ask("Hello?", **asked), 402, "insufficient_quota")
        assert len(model.prompts) == 1


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


def test_a_redis_that_is_killed_refuses_or_allows_as_the_operator_chose(tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.toml", "alice", {"requests_per_minute": 1})
    free = add_key(tmp_path / "keys.toml", "bob", {})
    with serving_redis(tmp_path) as redis:
        told = {"keys_file": str(tmp_path / "keys.toml"), "files_dir": str(tmp_path / "files"), "rates_url": redis.url}
        with serving_full_model(**told) as model, serving_full_model(**told, state_down="allow") as lenient:
            for one in (model, lenient):
                one.script(by_body=lambda _: said())
            content_of(model.ask("Hi?", headers=bearer(key)))
            error_of(lenient.ask("Hi?", headers=bearer(key)), 429, "rate_limit_exceeded")
            redis.kill()
            down = model.ask("Hi?", headers=bearer(key))
            error_of(down, 503, "upstream_unavailable")
            assert down.headers["retry-after"] == "2"
            assert model.client.get("/v1/models", headers=bearer(key)).status_code == 200
            assert content_of(model.ask("Hi?", headers=bearer(free))) == "Yes."
            for _ in range(3):
                assert content_of(lenient.ask("Hi?", headers=bearer(key))) == "Yes."
            redis.start()
            while (answer := model.ask("Hi?", headers=bearer(key))).status_code == 503:
                pass
            content_of(answer)


def test_guessing_keys_is_slowed_and_who_opened_before_is_not(model: FullModel, keys: dict[str, str]) -> None:
    """The last test of this server: its address has guessed too much."""
    headers = bearer(keys["free"])
    assert model.client.get("/v1/models", headers=headers).status_code == 200
    statuses = [model.client.get("/v1/models", headers=bearer(f"guess-{one}")).status_code for one in range(50)]
    assert statuses[:5] == [401] * 5
    assert statuses[-10:] == [429] * 10
    refused = model.client.get("/v1/models", headers=bearer(keys["mentioned"]))
    error_of(refused, 429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) >= 1
    assert model.client.get("/v1/models", headers=headers).status_code == 200
