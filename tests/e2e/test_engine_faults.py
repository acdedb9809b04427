"""A server whose engine has a fault that only a new process removes: it tells its callers, ends, and starts again."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access import key_file
from app.cli.serving import FAULT_STATUS
from app.wire.model_names import EMBEDDING_MODEL
from models.embedding.capability import MINILM
from tests.e2e.batched import of_llm
from tests.e2e.test_cli import openfaze_here
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import SERVE, Server, held_port, wait_until_up

LIMIT_S = 60.0
HANGS, BREAKS = "this hangs", "this breaks the card"
ENGINE = f"""
import time

from models.embedding.minilm import MiniLm

run = MiniLm.run

def faulty(self, batch):
    said = ' '.join(item if isinstance(item, str) else self._tokenizer.decode(list(item)) for item in batch).lower()
    if {HANGS!r} in said:
        time.sleep(600)
    if {BREAKS!r} in said:
        raise RuntimeError("CUDA failed with error an illegal memory access was encountered")
    return run(self, batch)

MiniLm.run = faulty
"""
"""An engine that hangs, or that breaks the card, at what a text says."""


@dataclass
class Supervised:
    """A server that is started again whenever it ends, as compose's `restart` does."""

    base_url: str
    log_file: Path
    processes: "list[subprocess.Popen[bytes]]"
    statuses: list[int] = field(default_factory=list)
    """Exit statuses of the processes that ended by themselves."""

    @property
    def server(self) -> Server:
        return Server(self.base_url, self.processes[-1], self.log_file)


@contextlib.contextmanager
def supervised(folder: Path, **settings: object) -> Iterator[Supervised]:
    own = {"search_provider": "off", "files_dir": folder / "files", "embedding": MINILM.spec.name, **settings}
    variables = {f"OPENFAZE_{name.upper()}": str(value) for name, value in own.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENFAZE_")}
    is_over = threading.Event()
    with held_port() as port, (folder / "log").open("wb") as log:

        def start() -> "subprocess.Popen[bytes]":
            command = [sys.executable, "-c", ENGINE + SERVE, "serve"]
            env = {**inherited, **variables, "OPENFAZE_PORT": str(port)}
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

        one = Supervised(f"http://127.0.0.1:{port}", folder / "log", [start()])

        def keep_running() -> None:
            while (status := one.processes[-1].wait()) is not None and not is_over.is_set():
                one.processes.append(start())
                one.statuses.append(status)

        supervisor = threading.Thread(target=keep_running)
        supervisor.start()
        try:
            wait_until_up(one.server)
            yield one
        finally:
            is_over.set()
            one.processes[-1].terminate()
            supervisor.join(LIMIT_S)


def embedding(text: str) -> dict[str, Any]:
    return {"model": EMBEDDING_MODEL, "input": text}


@pytest.mark.deep
@pytest.mark.parametrize(("text", "reason"), [(HANGS, "within 2 s"), (BREAKS, "an illegal memory access")])
def test_a_fault_that_stays_ends_the_server_which_is_started_again(tmp_path: Path, text: str, reason: str) -> None:
    key = key_file.add_key(tmp_path / "keys.toml", "alice", {"requests_per_minute": 100_000})
    headers = {"authorization": f"Bearer {key}"}
    chat = {"model": "interfaze-beta", "stream": True, "messages": [{"role": "user", "content": "Tell me a story."}]}
    healths: set[int] = set()
    with serving_llm(lambda _: Reply("Once upon a time", hang_after=2)) as llm, ThreadPoolExecutor() as threads:
        # On the CPU, a call may take ten times as long.
        settings = of_llm(llm, keys_file=tmp_path / "keys.toml", call_deadline_s=0.2)
        with supervised(tmp_path, **settings) as one, httpx.Client(headers=headers, timeout=LIMIT_S) as client:
            url = f"{one.base_url}/v1"
            assert client.post(f"{url}/embeddings", json=embedding("Good morning.")).status_code == 200
            stream = threads.submit(client.post, f"{url}/chat/completions", json=chat)
            llm.wait_for_requests(1)
            failed = threads.submit(client.post, f"{url}/embeddings", json=embedding(text))
            while not one.statuses:
                with contextlib.suppress(httpx.TransportError):
                    healths.add(httpx.get(f"{one.base_url}/health", timeout=LIMIT_S).status_code)
            wait_until_up(one.server)
            assert client.post(f"{url}/embeddings", json=embedding("Good evening.")).status_code == 200
        lines = [line for line in stream.result().text.splitlines() if line]
    assert one.statuses == [FAULT_STATUS]
    assert 503 in healths
    assert (failed.result().status_code, failed.result().json()["error"]["code"]) == (500, "internal_error")
    assert failed.result().headers["x-should-retry"] == "false"
    assert lines[-3] == "event: error"
    assert json.loads(lines[-2].removeprefix("data: "))["error"]["code"] == "overloaded"
    assert lines[-1] == "data: [DONE]"
    [told] = [line for line in one.server.log if line["event"] == "engine_fault"]
    assert (told["level"], told["engine"], told["call"]) == ("error", MINILM.spec.name, "run")
    assert reason in str(told["reason"])
    # What was answered before the fault is still charged, and what failed is not.
    used = openfaze_here(
        "keys", "usage", "--json", folder=tmp_path,
        OPENFAZE_KEYS_FILE=str(tmp_path / "keys.toml"), OPENFAZE_FILES_DIR=str(tmp_path / "files"),
    )  # fmt: skip
    [day] = json.loads(used.stdout)
    assert day["input_tokens"] >= 2 * 5
