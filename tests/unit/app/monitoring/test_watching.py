"""The servers of others are watched each by itself, whatever becomes of the watch of another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from app.monitoring import watching
from app.monitoring.watching import watch_servers_for_ever
from models.base import EngineSpec, UpstreamDown
from models.capability import Built, Candidate, EngineConfig
from models.hosts.measures import EngineCounters
from models.runtime import Runtime
from models.vision.ocr.capability import OCR
from tests.kit.waits.waiting import until

NAMES = ("first", "second")


class Server:
    """A part whose server does in each look what the next of `looks` does; from the last one on, it is there."""

    counters = EngineCounters()
    queued = running = 0
    loaded = healthy = True

    def __init__(self, *looks: Callable[[], None]) -> None:
        self.looks = list(looks)
        self.broken: str | None = "It was not seen yet."
        self.is_seen = asyncio.Event()

    async def check(self) -> None:
        if self.looks:
            self.looks.pop(0)()
        self.broken = None
        self.is_seen.set()

    async def load(self) -> None:
        pass

    async def close(self) -> None:
        pass


class SilentServer(Server):
    """Neither answers nor hangs up."""

    async def check(self) -> None:
        await asyncio.Event().wait()


def be_away() -> None:
    raise UpstreamDown("second", "Nothing listens at its address.")


def break_down() -> None:
    raise RuntimeError("a fault of ours")


def runtime_of(first: Server, second: Server | None = None) -> Runtime:
    """Each serves a capability of its own."""

    def candidate(name: str, server: Server) -> Candidate:
        return Candidate(EngineSpec(name, name, "MIT", "none"), lambda _: None, lambda _: Built(server, (server,)))

    catalog = {
        name: replace(OCR, name=name, engines=(candidate(name, server),))
        for name, server in zip(NAMES, (first, second or Server()), strict=True)
    }
    return Runtime(catalog, EngineConfig())


@pytest.fixture(autouse=True)
def looks_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 0.0)


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    with capture_logs() as logged:
        yield logged


@contextlib.asynccontextmanager
async def watching_servers(runtime: Runtime, *capabilities: str) -> AsyncIterator[None]:
    task = asyncio.create_task(watch_servers_for_ever(runtime, *capabilities))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


def said(logged: list[EventDict], capability: str) -> list[str]:
    return [entry["event"] for entry in logged if entry.get("capability") == capability]


async def test_a_server_that_keeps_its_look_waiting_hides_no_other(logged: list[EventDict]) -> None:
    async with watching_servers(runtime_of(SilentServer(), Server(be_away, be_away)), *NAMES):
        await until(lambda: said(logged, "second") == ["server_away", "server_back"])


async def test_a_fault_of_ours_is_logged_once_and_the_watch_goes_on(logged: list[EventDict]) -> None:
    async with watching_servers(runtime_of(Server(break_down, break_down, be_away)), *NAMES):
        await until(lambda: said(logged, "first") == ["server_not_watched", "server_away", "server_back"])


async def test_engines_that_could_not_be_put_together_are_logged_and_tried_again(
    logged: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    runtime = runtime_of(server)
    prepare, faults = runtime.prepare, [OSError("no room")]

    async def prepare_or_fail(*capabilities: str) -> None:
        if faults:
            raise faults.pop()
        await prepare(*capabilities)

    monkeypatch.setattr(runtime, "prepare", prepare_or_fail)
    async with watching_servers(runtime, *NAMES), asyncio.timeout(60):
        await server.is_seen.wait()
    assert [entry["event"] for entry in logged] == ["servers_not_watched"]


async def test_an_engine_that_is_put_together_later_is_watched_from_then_on(logged: list[EventDict]) -> None:
    runtime = runtime_of(Server(), Server(be_away))
    async with watching_servers(runtime):
        await runtime.prepare("second")
        await until(lambda: said(logged, "second") == ["server_away", "server_back"])
