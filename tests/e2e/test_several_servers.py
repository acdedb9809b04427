"""Two servers on one PostgreSQL and one Redis: what they share, and what the end of one costs."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from app.access import key_file
from tests.e2e.batched import client_of, create, ended, line, of_llm, rows, when
from tests.kit.servers.llm_server import LlmServer, Reply, serving_llm
from tests.kit.servers.postgres_server import PostgresServer
from tests.kit.servers.redis_server import serving_redis
from tests.kit.servers.server import PATIENT, Server, serving

SOON_FREE = f"import app.batches.runner as runner; runner.LEASE_S = 3.0; runner.POLL_S = 0.5\n{PATIENT}"
"""A server whose batches are another's three seconds after it was killed."""
MODEL = "interfaze-beta"
LINES, FIRST_LINES = 12, 5


@dataclass
class Servers:
    """Two servers with one LLM, which answers the first lines of a batch, and the others once `is_free`."""

    settings: dict[str, object]
    llm: LlmServer
    folder: Path
    both: list[Server]
    is_free: threading.Event
    answered: list[str]

    def add_key(self, name: str, **limits: Any) -> str:
        key = key_file.add_key(self.folder / "keys.toml", name, limits)
        for server in self.both:
            with client_of(server, key) as sdk:
                while not is_known(sdk):
                    time.sleep(0.5)
        return key


def is_known(sdk: openai.OpenAI) -> bool:
    try:
        sdk.models.list()
    except openai.AuthenticationError:
        return False
    return True


@pytest.fixture
def servers(tmp_path: Path, postgres: PostgresServer) -> Iterator[Servers]:
    is_free, answered = threading.Event(), list[str]()

    def reply(body: dict[str, Any]) -> Reply:
        text = body["messages"][-1]["content"]
        if text.startswith("line"):
            if not is_free.is_set() and len(set(answered)) >= FIRST_LINES:
                return Reply("never", hang_before_first_byte=True)
            answered.append(text)
        return Reply(f"answer to {text}")

    (tmp_path / "redis").mkdir()
    key_file.add_key(tmp_path / "keys.toml", "first", {})
    with ExitStack() as stack:
        redis = stack.enter_context(serving_redis(tmp_path / "redis"))
        llm = stack.enter_context(serving_llm(reply))
        settings = of_llm(
            llm,
            state_url=postgres.create(),
            rates_url=redis.url,
            cache="exact",
            cache_url=redis.url,
            files_dir=tmp_path / "files",
            keys_file=tmp_path / "keys.toml",
            batch_lines_at_once=2,
        )
        both = [stack.enter_context(serving(tmp_path / name, SOON_FREE, **settings)) for name in ("one", "two")]
        yield Servers(settings, llm, tmp_path, both, is_free, answered)


def codes(servers: Servers, key: str) -> list[str | None]:
    """The codes of the errors of six requests, sent to the two servers in turn."""
    headers = {"authorization": f"Bearer {key}", "x-interfaze-bypass-cache": "true"}
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello."}], "max_tokens": 1000}
    answers = [
        httpx.post(f"{server.base_url}/v1/chat/completions", headers=headers, json=body, trust_env=False, timeout=60)
        for server in servers.both * 3
    ]
    return [None if answer.status_code == 200 else answer.json()["error"]["code"] for answer in answers]


def test_two_servers_share_rates_budgets_cache_files_and_responses(servers: Servers) -> None:
    limited = servers.add_key("limited", requests_per_minute=3)
    poor = servers.add_key("poor", budget_usd=0.003)
    assert codes(servers, limited) == [None] * 3 + ["rate_limit_exceeded"] * 3
    # A request reserves 1,000 tokens of answer, 0.0035 dollars.
    assert codes(servers, poor) == ["insufficient_quota"] * 6

    key = servers.add_key("sharing")
    one, other = (client_of(server, key) for server in servers.both)
    with one, other:
        answers = [
            sdk.chat.completions.with_raw_response.create(
                model=MODEL, messages=[{"role": "user", "content": "Cached?"}]
            )
            for sdk in (one, other)
        ]
        assert [answer.http_response.json()["vcache"] for answer in answers] == [False, True]

        upload = one.files.create(file=("note.txt", b"Milk, eggs, flour"), purpose="user_data")
        assert other.files.content(upload.id).content == b"Milk, eggs, flour"
        other.files.delete(upload.id)
        assert list(one.files.list()) == []

        made = one.responses.create(model=MODEL, input="Hello.")
        assert other.responses.retrieve(made.id).output_text == made.output_text
        continued = other.responses.create(model=MODEL, input="Go on.", previous_response_id=made.id)
        assert one.responses.retrieve(continued.id).output_text == continued.output_text


def test_a_server_that_is_killed_loses_nothing_that_was_answered(servers: Servers) -> None:
    key = servers.add_key("alice", requests_per_minute=100_000, budget_usd=100)
    one, other = (client_of(server, key) for server in servers.both)
    with one, other:
        batch = create(one, *(line(f"{n}", f"line {n}") for n in range(LINES)))
        when(other, batch, lambda one: one.request_counts is not None and one.request_counts.completed == FIRST_LINES)
        uploads = {one.files.create(file=(f"{n}.bin", bytes(n)), purpose="user_data").id: n for n in range(1, 9)}
        responses = [one.responses.create(model=MODEL, input=f"question {n}") for n in range(8)]
        servers.both[0].process.kill()
        servers.both[0].process.wait(60)
        servers.is_free.set()
        assert {file_id: len(other.files.content(file_id).content) for file_id in uploads} == uploads
        assert uploads.keys() <= {file.id for file in other.files.list()}
        for response in responses:
            assert other.responses.retrieve(response.id).output_text == response.output_text
        batch = ended(other, batch)
        assert batch.status == "completed"
        assert len(rows(other, batch.output_file_id)) == LINES
        assert Counter(servers.answered) == {f"line {n}": 1 for n in range(LINES)}
