"""Host with an engine whose computation a test controls."""

import asyncio
import contextvars
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from models.base import EngineSpec
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.queues import KEY
from tests.kit.processes.panics import panic

ResultT = TypeVar("ResultT")


SPEC = EngineSpec("doubler", "doubling", "Apache-2.0", "none")


class Doubler:
    """Engine that doubles numbers, and holds every batch until `gate` is open. Negative numbers make it fail."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.loads = 0
        self.closes = 0

    def load(self) -> None:
        self.loads += 1

    def run(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        self.threads.add(threading.get_ident())
        self.batches.append(list(batch))
        self.entered.release()
        assert self.gate.wait(60)
        if any(number <= -1000 for number in batch):
            panic()
        if any(number < -100 for number in batch):
            raise RuntimeError("the whole batch broke")
        return [ValueError("negative") if number < 0 else number * 2 for number in batch]

    def close(self) -> None:
        self.closes += 1


async def has_entered(engine: Doubler) -> None:
    assert await asyncio.to_thread(engine.entered.acquire, timeout=60)


async def running(engine: Doubler, host: EngineHost[int, int]) -> "asyncio.Task[int]":
    """Start a call that the engine works on until its gate is opened."""
    engine.gate.clear()
    call = asyncio.create_task(host.run(1))
    await has_entered(engine)
    return call


async def abandoned(engine: Doubler, host: EngineHost[int, int]) -> None:
    """Start a call that the engine works on until its gate is opened, and let the caller leave."""
    call = await running(engine, host)
    call.cancel()
    await asyncio.wait([call])


def hosted(**limits: object) -> tuple[Doubler, EngineHost[int, int]]:
    engine = Doubler()
    return engine, EngineHost(SPEC, lambda: engine, HostLimits(**limits))  # type: ignore[arg-type]


def shared_by(key: str, call: Coroutine[Any, Any, ResultT]) -> "asyncio.Task[ResultT]":
    """Start `call` as work of `key`."""
    context = contextvars.copy_context()
    context.run(KEY.set, key)
    return asyncio.create_task(call, context=context)
