"""A crash, and a backup by the commands of docs/deployment.md: what had been acknowledged is there afterwards."""

import contextlib
import itertools
import subprocess
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
from tests.fences import printed
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


def test_what_is_copied_by_the_commands_of_the_page_is_restored_with_all_that_was_acknowledged(
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
    follow("--create", tmp_path)
    with serving(tmp_path / "second", SOON_FREE, **settings) as server, client_of(server, key) as sdk:
        later = sdk.files.create(file=("later.bin", b"later"), purpose="user_data").id
        server.process.kill()
        server.process.wait(60)
    follow("--extract", tmp_path)
    model.is_free.set()
    with serving(tmp_path / "third", SOON_FREE, **settings) as server, client_of(server, key) as sdk:
        assert lost(server, key, *load.acknowledged()) == []
        assert len(rows(sdk, ended(sdk, batch).output_file_id)) == LINES
        with pytest.raises(openai.NotFoundError):
            sdk.files.retrieve(later)
    assert Counter(model.answered) == {f"line {n}": 1 for n in range(LINES)}


def follow(part: str, folder: Path) -> None:
    """Run the page's commands for systemd, without systemd, in `folder` instead of the service's own."""
    shown = printed("deployment.md", "--directory /var/lib/openfaze", part)
    code = shown.replace("/var/lib/openfaze", str(folder)).replace("systemctl", ": systemctl")
    subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=folder, check=True)
