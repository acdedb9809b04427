"""A server with small bounds, for keys that each would have all of it."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.assembly.services import Services
from app.main import create_app
from app.settings import Settings
from models.capability import Built, Candidate
from models.runtime import Runtime
from tests.e2e import full_model
from tests.e2e.full_model import PATH, FullModel, Json, serving_full_model, system
from tests.kit.processes.sandboxes import SANDBOX_WHERE_IT_RUNS

ALICE, BOB = "key-of-alice", "key-of-bob"
LIMIT_S = 60.0


@dataclass
class Attacked:
    model: FullModel
    services: Services
    built_on_loop: list[str]
    """Names of the engines that were put together on the event loop."""
    _sockets: list[socket.socket] = field(default_factory=list)

    def ask(self, key: str, *messages: Json | str | list[Json], **fields: Any) -> httpx.Response:
        return self.model.ask(*messages, headers=bearer(key), **fields)

    def until(self, happened: Callable[[], bool]) -> None:
        """Asks for /health until it has: whoever asks is answered all the while."""
        while not happened():
            assert self.model.client.get("/health").status_code == 200

    def begin(self, key: str, body: bytes, *, announced: int | None = None) -> socket.socket:
        """Sends a request, or its beginning where more is announced, and waits for no answer."""
        size = len(body) if announced is None else announced
        head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-length: {size}\r\n\r\n"
        connection = self.connect()
        connection.sendall(head.encode() + body)
        return connection

    def connect(self) -> socket.socket:
        url = self.model.client.base_url
        self._sockets.append(socket.create_connection((url.host, url.port), LIMIT_S))
        return self._sockets[-1]

    def close(self) -> None:
        for one in self._sockets:
            one.close()
        self._sockets.clear()

    def calm_down(self) -> None:
        """As after its start: nothing that a test has begun goes on."""
        self.close()
        self.model.script()
        self.until(lambda: self.services.door.running == 0)


def bearer(key: str) -> Json:
    return {"authorization": f"Bearer {key}"}


@contextlib.contextmanager
def serving_attacked(files: Path, llm_calls_at_once: int = 2, **settings: Any) -> Iterator[Attacked]:
    """A server with 4 places in a queue, 2 scripts, 2 calls of the LLM, 2 large bodies and 3 files of a key."""
    made: list[FastAPI] = []
    built_on_loop: list[str] = []
    build = Runtime._build_new

    def noted(runtime: Runtime, candidate: Candidate) -> Built:
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            built_on_loop.append(candidate.spec.name)
        return build(runtime, candidate)

    def create_seen(settings: Settings) -> FastAPI:
        made.append(create_app(settings))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(full_model, "create_app", create_seen)
        patch.setattr(Runtime, "_build_new", noted)
        patch.setattr("app.assembly.building.BODIES_AT_ONCE", 2)
        patch.setattr("app.assembly.building.MAX_QUEUE", 4)
        patch.setattr("app.assembly.building.OWNER_FILES", 3)
        patch.setattr("models.language.capability.CALLS_AT_ONCE", llm_calls_at_once)
        with serving_full_model(
            api_keys=(ALICE, BOB),
            files_dir=str(files),
            fetch_allow=("127.0.0.1/32",),
            code_sandbox=SANDBOX_WHERE_IT_RUNS,
            forecast="auto",
            **settings,
        ) as model:
            yield Attacked(model, made[0].state.services, built_on_loop)


def run_task(name: str, *parts: Json) -> tuple[Json, list[Json]]:
    return system(f"<task>{name}</task>"), list(parts)
