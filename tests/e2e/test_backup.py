"""A crash, and a backup of a server that is at work: what had been acknowledged is there afterwards, counted."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import openai
import pytest

from app.access import key_file
from tests.e2e.batched import client_of, create, ended, line, of_llm, rows, when
from tests.e2e.test_cli import openfaze
from tests.llm_server import LIMIT_S, LlmServer, Reply, serving_llm
from tests.server import SERVE, Server, serving

SOON_FREE = f"import app.batches.runner as runner; runner.LEASE_S = 3.0; runner.POLL_S = 0.5\n{SERVE}"
"""A server whose batches are another's three seconds after it was killed."""
LINES, FIRST_LINES = 12, 5
MANY = 8
"""Uploads, and responses, that are acknowledged ahead of what happens to the server."""


@dataclass
class Model:
    """What the scripted LLM is asked. Of the batch's lines it answers the first few, and the others once `is_free`."""

    answered: list[str] = field(default_factory=list)
    is_free: threading.Event = field(default_factory=threading.Event)

    def reply(self, body: dict[str, Any]) -> Reply:
        text = body["messages"][-1]["content"]
        if not text.startswith("line"):
            return Reply(f"answer to {text}")
        if self.is_free.is_set() or len(set(self.answered)) < FIRST_LINES:
            self.answered.append(text)
            return Reply(f"answer to {text}")
        return Reply("never", hang_before_first_byte=True)


@dataclass
class Load:
    """Callers who upload and ask, one after the other, until the server is gone, and take down what it acknowledged."""

    server: Server
    key: str
    uploads: dict[str, bytes] = field(default_factory=dict)
    responses: dict[str, str] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def acknowledged(self) -> tuple[dict[str, bytes], dict[str, str]]:
        with self._changed:
            return dict(self.uploads), dict(self.responses)

    def wait_for_more(self, than: tuple[int, int] = (0, 0)) -> None:
        """Until so many more uploads and responses than that have been acknowledged."""
        uploads, responses = than
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self.uploads) >= uploads + MANY and len(self.responses) >= responses + MANY, LIMIT_S
            )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The block ends the server."""
        with ThreadPoolExecutor(4) as threads:
            calls = [threads.submit(self._repeat, one) for one in (self._upload, self._upload, self._ask, self._ask)]
            yield
            for call in calls:
                call.result(LIMIT_S)

    def _repeat(self, call: Callable[[openai.OpenAI, int], None]) -> None:
        with client_of(self.server, self.key) as sdk, contextlib.suppress(openai.APIConnectionError):
            for number in itertools.count():
                call(sdk, number)

    def _upload(self, sdk: openai.OpenAI, number: int) -> None:
        content = Random(f"{threading.get_ident()} {number}").randbytes(200_000)
        file_id = sdk.files.create(file=("some.bin", content), purpose="user_data").id
        with self._changed:
            self.uploads[file_id] = content
            self._changed.notify_all()

    def _ask(self, sdk: openai.OpenAI, number: int) -> None:
        response = sdk.responses.create(model="interfaze-beta", input=f"question {number}")
        with self._changed:
            self.responses[response.id] = response.output_text
            self._changed.notify_all()


def lost(server: Server, key: str, uploads: dict[str, bytes], responses: dict[str, str]) -> list[str]:
    """The ids of what the server does not have, or has otherwise."""
    with httpx.Client(
        base_url=f"{server.base_url}/v1", headers={"authorization": f"Bearer {key}"}, timeout=60, trust_env=False
    ) as client:
        files = [one for one, content in uploads.items() if client.get(f"/files/{one}/content").content != content]
        listed = {one["id"] for one in client.get("/files", params={"limit": 10_000}).json()["data"]}
        return [*files, *(uploads.keys() - listed), *(one for one in responses if not _is_kept(client, one))]


def _is_kept(client: httpx.Client, response_id: str) -> bool:
    answer = client.get(f"/responses/{response_id}")
    return answer.status_code == 200 and answer.json()["status"] == "completed"


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def llm(model: Model) -> Iterator[LlmServer]:
    with serving_llm(model.reply) as llm:
        yield llm


@pytest.fixture
def key(tmp_path: Path) -> str:
    return key_file.add_key(tmp_path / "keys.toml", "alice", {"requests_per_minute": 100_000})


def settings_of(llm: LlmServer, folder: Path) -> dict[str, object]:
    return of_llm(llm, files_dir=folder / "files", keys_file=folder / "keys.toml", batch_lines_at_once=2)


def as_variables(settings: dict[str, object]) -> dict[str, str]:
    return {f"OPENFAZE_{name.upper()}": str(value) for name, value in settings.items()}


@pytest.mark.deep
def test_a_server_that_is_killed_at_work_has_lost_nothing_that_it_acknowledged(
    model: Model, llm: LlmServer, key: str, tmp_path: Path
) -> None:
    settings = settings_of(llm, tmp_path)
    with serving(tmp_path / "first", SOON_FREE, **settings) as server, client_of(server, key) as sdk:
        load = Load(server, key)
        with load.running():
            batch = create(sdk, *(line(f"{n}", f"line {n}") for n in range(LINES)))
            when(sdk, batch, lambda one: one.request_counts is not None and one.request_counts.completed == FIRST_LINES)
            load.wait_for_more()
            server.process.kill()
            server.process.wait(60)
    model.is_free.set()
    with serving(tmp_path / "second", SOON_FREE, **settings) as server, client_of(server, key) as sdk:
        assert lost(server, key, *load.acknowledged()) == []
        assert len(rows(sdk, ended(sdk, batch).output_file_id)) == LINES
    assert Counter(model.answered) == {f"line {n}": 1 for n in range(LINES)}


def test_a_backup_of_a_server_at_work_is_restored_elsewhere_with_all_that_it_had_acknowledged(
    model: Model, llm: LlmServer, key: str, tmp_path: Path
) -> None:
    settings, elsewhere = settings_of(llm, tmp_path), settings_of(llm, tmp_path / "elsewhere")
    with serving(tmp_path / "first", SOON_FREE, **settings) as server, client_of(server, key) as sdk:
        load = Load(server, key)
        with load.running():
            batch = create(sdk, *(line(f"{n}", f"line {n}") for n in range(LINES)))
            when(sdk, batch, lambda one: one.request_counts is not None and one.request_counts.completed == FIRST_LINES)
            load.wait_for_more()
            uploads, responses = load.acknowledged()
            result = openfaze("backup", "state.zip", folder=tmp_path, **as_variables(settings))
            assert result.returncode == 0, result.stderr
            assert "batches, responses, counters, the file of keys" in result.stderr
            # It held up nobody.
            load.wait_for_more((len(uploads), len(responses)))
            server.process.kill()
            server.process.wait(60)
    result = openfaze("restore", "state.zip", folder=tmp_path, **as_variables(elsewhere))
    assert result.returncode == 0, result.stderr
    model.is_free.set()
    log = tmp_path / "elsewhere" / "log"
    with serving(log, SOON_FREE, **elsewhere) as server, client_of(server, key) as sdk:
        assert lost(server, key, uploads, responses) == []
        assert len(rows(sdk, ended(sdk, batch).output_file_id)) == LINES
    assert Counter(model.answered) == {f"line {n}": 1 for n in range(LINES)}


def test_nothing_is_restored_under_a_server(llm: LlmServer, key: str, tmp_path: Path) -> None:
    settings, elsewhere = settings_of(llm, tmp_path), settings_of(llm, tmp_path / "elsewhere")
    assert openfaze("backup", "state.zip", folder=tmp_path, **as_variables(settings)).returncode == 0
    (tmp_path / "elsewhere").mkdir()
    with serving(tmp_path / "log", **{**elsewhere, "keys_file": tmp_path / "keys.toml"}):
        result = openfaze("restore", "state.zip", folder=tmp_path, **as_variables(elsewhere))
        assert result.returncode == 2
        assert "A server runs on" in result.stderr
    assert openfaze("restore", "state.zip", folder=tmp_path, **as_variables(elsewhere)).returncode == 0


@pytest.mark.deep
def test_the_commands_write_to_a_pipe_and_read_from_one(llm: LlmServer, key: str, tmp_path: Path) -> None:
    here, there = (as_variables(settings_of(llm, folder)) for folder in (tmp_path, tmp_path / "elsewhere"))
    backup = [sys.executable, "-c", SERVE, "backup", "-"]
    made = subprocess.run(backup, env=os.environ | here, cwd=tmp_path, capture_output=True, check=True)
    assert b"the backup holds 0 uploads, the file of keys" in made.stderr
    read = [sys.executable, "-c", SERVE, "restore", "-"]
    subprocess.run(read, env=os.environ | there, cwd=tmp_path, input=made.stdout, capture_output=True, check=True)
    assert (tmp_path / "elsewhere" / "keys.toml").read_bytes() == (tmp_path / "keys.toml").read_bytes()
    result = openfaze("restore", "none.zip", folder=tmp_path, **there)
    assert (result.returncode, result.stderr) == (2, "'none.zip' cannot be read: No such file or directory\n")
