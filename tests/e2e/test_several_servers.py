"""Two servers on one PostgreSQL and one Redis: what they share, and what the end of one costs."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from app.access import key_file
from tests.e2e.batched import client_of, of_llm
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.postgres_server import PostgresServer
from tests.kit.servers.redis_server import serving_redis
from tests.kit.servers.server import PATIENT, Server, serving

MODEL = "interfaze-beta"


@dataclass
class Servers:
    folder: Path
    both: list[Server]

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
    (tmp_path / "redis").mkdir()
    key_file.add_key(tmp_path / "keys.toml", "first", {})
    with ExitStack() as stack:
        redis = stack.enter_context(serving_redis(tmp_path / "redis"))
        llm = stack.enter_context(serving_llm(lambda body: Reply(f"answer to {body['messages'][-1]['content']}")))
        settings = of_llm(
            llm,
            state_url=postgres.create(),
            rates_url=redis.url,
            cache="exact",
            cache_url=redis.url,
            files_dir=tmp_path / "files",
            keys_file=tmp_path / "keys.toml",
        )
        both = [stack.enter_context(serving(tmp_path / name, PATIENT, **settings)) for name in ("one", "two")]
        yield Servers(tmp_path, both)


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
