"""What becomes of requests, and of what is kept, where the cache's files are locked, the disk is full, or the server is
killed while it writes."""

import contextlib
import itertools
import re
import resource
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.e2e.full_model import PATH, FullModel, body_of, content_of
from tests.llm_server import LlmServer, Reply, serving_llm
from tests.server import SERVE, Server, serving
from tests.waiting import wait_until

WORDS = ("apple", "bridge", "cloud", "desert", "engine", "forest", "garden", "harbour", "island", "jungle")


def question(number: int) -> str:
    """One of a hundred."""
    return f"What is known about the {WORDS[number % 10]} of the {WORDS[number // 10 % 10]}?"


def answer_to(body: dict[str, Any]) -> Reply:
    """The same for the same question, and long enough to take several pages of a file."""
    asked = body["messages"][-1]["content"]
    return Reply(told(asked), chunks=[told(asked)])


def told(asked: str) -> str:
    return f"{asked} {Random(asked).randbytes(50_000).hex()}"


def settings(llm: LlmServer, folder: Path) -> dict[str, object]:
    return {
        "cache": "exact",
        "cache_url": f"sqlite:///{folder / 'answers.sqlite'}",
        "llm_base_url": llm.base_url,
        "llm_model": "scripted",
        "llm_abilities": "tools,json_schema",
        "llm_context_tokens": 32768,
        "code_sandbox": "off",
        "translate": "off",
    }


@contextlib.contextmanager
def asking(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, timeout=60, trust_env=False) as client:
        yield client


def ask(client: httpx.Client, number: int) -> bool:
    """Whether it came from the cache; the answer is the right one either way."""
    response = client.post(PATH, json=body_of(question(number)))
    assert content_of(response) == told(question(number))
    return bool(response.json()["vcache"])


def errors(client: httpx.Client) -> float:
    [count] = re.findall(r'openfaze_cache_total\{outcome="error"\} (\S+)', client.get("/metrics").text)
    return float(count)


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("COMMIT")


def fails(model: FullModel, first: int) -> None:
    """Asks up to twenty questions, until the cache has counted an error, for which nobody waits."""
    before, numbers = errors(model.client), iter(range(first, first + 20))

    def is_counted() -> bool:
        if (number := next(numbers, None)) is not None:
            assert not ask(model.client, number)
        return errors(model.client) > before

    wait_until(is_counted)


def test_a_full_disk_costs_nobody_an_answer_and_is_used_again_when_it_has_room(tmp_path: Path) -> None:
    # A file that may not grow is what a process sees of a disk that is full.
    small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, resource.RLIM_INFINITY))"
    with (
        serving_llm(answer_to) as llm,
        serving(tmp_path / "log", f"{small}\n{SERVE}", **settings(llm, tmp_path)) as server,
        asking(server) as client,
    ):
        numbers = itertools.count()
        wait_until(lambda: not ask(client, next(numbers)) and any(is_full(line) for line in server.log))
        assert errors(client) > 0
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        # It is left alone for a second.
        last = next(numbers)
        wait_until(lambda: ask(client, last))
        assert server.process.poll() is None


def is_full(line: Mapping[str, object]) -> bool:
    return line["event"] == "store_down" and any(words in str(line) for words in ("full", "disk I/O error"))


def entries(file: Path) -> int:
    if not file.exists():
        return 0
    with contextlib.closing(sqlite3.connect(file, timeout=60)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchone():
            return 0
        [count] = db.execute("SELECT count(*) FROM entries").fetchone()
        return int(count)
