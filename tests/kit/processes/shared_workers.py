"""Worker processes that many tests use, because starting one takes longer than most of these tests."""

import asyncio

from models.workers.pool import WorkerLimits, Workers

_POOLS: dict[asyncio.AbstractEventLoop, Workers] = {}


class _SharedWorkers(Workers):
    async def close(self) -> None:
        """Do nothing, because the next test goes on with the processes."""


def shared_workers() -> Workers:
    """Return the pool of the running event loop, which conftest.py closes after the module's tests."""
    return _POOLS.setdefault(asyncio.get_running_loop(), _SharedWorkers(WorkerLimits(1)))


def end_shared_workers() -> None:
    for pool in _POOLS.values():
        for worker in pool._workers:
            worker.end()
        pool._threads.shutdown()
    _POOLS.clear()
