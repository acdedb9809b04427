"""Runs `openfaze serve` with a periodic task on its event loop, whose delays show how long the loop stalls.

`GET /bench/stall` returns the longest delay of a beat, in milliseconds, since the last such call. `GET
/bench/stall/held` returns the longest delay without the time for which the loop's thread waited for a processor because
engines or other programs were running. This delay was caused by the loop itself, or by another thread that had the
interpreter.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from fastapi import FastAPI

import app.main
from app.cli.main import main as run_cli
from app.settings import Settings

PROGRAM = "from bench.watched import main; main()"
BEAT_S = 0.001


WAITED = Path("/proc/thread-self/schedstat")
"""Linux's file on a thread: the nanoseconds for which it ran, and those for which it waited for a processor."""


@dataclass
class HeartBeat:
    longest_s: float = 0.0
    longest_held_s: float = 0.0

    async def run(self) -> None:
        waited_s = _waited_s()
        while True:
            started = time.perf_counter()
            await asyncio.sleep(BEAT_S)
            late_s = time.perf_counter() - started - BEAT_S
            before_s, waited_s = waited_s, _waited_s()
            self.longest_s = max(self.longest_s, late_s)
            self.longest_held_s = max(self.longest_held_s, late_s - (waited_s - before_s))

    def take_ms(self) -> float:
        longest, self.longest_s = self.longest_s, 0.0
        return longest * 1000

    def take_held_ms(self) -> float:
        longest, self.longest_held_s = self.longest_held_s, 0.0
        return longest * 1000


def _waited_s() -> float:
    return int(WAITED.read_text().split()[1]) / 1e9 if WAITED.exists() else 0.0


def main() -> None:
    create_app = app.main.create_app

    def create_watched(settings: Settings | None = None) -> FastAPI:
        application = create_app(settings)
        inner = application.router.lifespan_context
        heart = HeartBeat()

        @contextlib.asynccontextmanager
        async def lifespan(scope: FastAPI) -> AsyncIterator[None]:
            async with inner(scope):
                beating = asyncio.create_task(heart.run())
                yield
                beating.cancel()

        application.router.lifespan_context = lifespan  # type: ignore[assignment]

        @application.get("/bench/stall")
        async def stall() -> float:
            return heart.take_ms()

        @application.get("/bench/stall/held")
        async def held() -> float:
            return heart.take_held_ms()

        return application

    app.main.create_app = create_watched
    run_cli()


class Memory:
    """Memory of a process and its children, in MB, without the memory that they share (decoded pictures). `look`
    measures it."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.peak_mb = 0.0

    def look(self) -> float:
        total = 0
        for process in (self._process, *self._process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                # Only memory that the process does not share counts, so decoded pictures do not.
                total += process.memory_full_info().uss
        self.peak_mb = max(self.peak_mb, total / 1e6)
        return total / 1e6
