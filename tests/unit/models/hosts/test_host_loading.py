"""The host's engine: loaded once, unloaded when nothing needs it, freed at the end."""

import asyncio
import errno
import gc
import weakref

import pytest

from models.base import EngineNotReady, EngineUnavailable
from models.hosts.host import EngineHost
from tests.kit.engines.hosts import SPEC, Doubler, abandoned, hosted, running
from tests.kit.waits.waiting import until


async def test_the_engine_loads_once_for_many_first_callers() -> None:
    engine, host = hosted()
    await asyncio.gather(*(host.run(number) for number in range(20)))
    assert engine.loads == 1
    await host.close()


async def test_a_load_goes_on_when_the_caller_who_began_it_leaves() -> None:
    class Slow(Doubler):
        def load(self) -> None:
            super().load()
            self.entered.release()
            assert self.gate.wait(60)

    engine = Slow()
    host = EngineHost(SPEC, lambda: engine)
    await abandoned(engine, host)
    next_one = asyncio.create_task(host.run(2))
    await asyncio.sleep(0)
    engine.gate.set()
    assert await next_one == 4
    assert engine.loads == 1
    await host.close()
    assert engine.closes == 1


async def test_work_that_comes_while_the_engine_is_unloaded_waits_for_it_to_load_again() -> None:
    engine, host = hosted()
    await abandoned(engine, host)
    unloading = asyncio.create_task(host.unload())
    await asyncio.sleep(0)
    late = asyncio.create_task(host.run(2))
    await asyncio.sleep(0)
    engine.gate.set()
    assert await unloading
    assert await late == 4
    assert engine.loads == 2
    await host.close()


async def test_work_that_comes_while_the_host_closes_is_refused() -> None:
    engine, host = hosted()
    first = await running(engine, host)
    closing = asyncio.create_task(host.close())
    await asyncio.sleep(0)
    with pytest.raises(EngineNotReady):
        await host.run(2)
    engine.gate.set()
    assert await first == 2
    await closing


async def test_an_engine_that_does_not_load_is_unavailable_and_tried_again() -> None:
    class Fragile(Doubler):
        def load(self) -> None:
            super().load()
            if self.loads == 1:
                raise OSError("no such file: /secret/path")

    engine = Fragile()
    host = EngineHost(SPEC, lambda: engine)
    with pytest.raises(EngineUnavailable) as failure:
        await host.run(1)
    assert type(failure.value) is EngineUnavailable
    assert "/secret" not in str(failure.value)
    assert await host.run(1) == 2
    await host.close()


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "/secret/path")], ids=repr)
async def test_an_engine_that_finds_no_memory_may_load_later(error: Exception) -> None:
    class Large(Doubler):
        def load(self) -> None:
            raise error

    host = EngineHost(SPEC, Large)
    with pytest.raises(EngineNotReady) as failure:
        await host.run(1)
    assert failure.value.retry_after
    assert "/secret" not in str(failure.value)
    await host.close()


async def test_an_unloaded_engine_loads_again() -> None:
    engine, host = hosted()
    assert await host.run(1) == 2
    assert await host.unload()
    assert (engine.closes, host.loaded) == (1, False)
    assert await host.run(2) == 4
    assert engine.loads == 2
    await host.close()


@pytest.mark.deep
@pytest.mark.usefixtures("frozen_as_in_a_server")
async def test_the_garbage_collector_leaves_a_loaded_engine_alone_and_frees_it_once_it_is_unloaded() -> None:
    class Knotted(Doubler):
        def __init__(self) -> None:
            super().__init__()
            self.itself = self

    host = EngineHost(SPEC, Knotted)
    await host.run(1)
    engine = weakref.ref(host._workplace._engine)  # type: ignore[attr-defined]
    assert not any(isinstance(thing, Knotted) for thing in gc.get_objects())
    await host.unload()
    assert engine() is None
    await host.close()


async def test_a_lease_keeps_the_engine_loaded() -> None:
    engine, host = hosted()
    async with host.lease():
        assert not await host.unload()
        assert host.loaded
    assert await host.unload()
    assert (engine.closes, host.loaded) == (1, False)
    await host.close()


async def test_an_abandoned_batch_ends_before_the_engine_is_freed() -> None:
    engine, host = hosted()
    await abandoned(engine, host)
    unloading = asyncio.create_task(host.unload())
    await asyncio.sleep(0)
    assert engine.closes == 0
    engine.gate.set()
    assert await unloading
    assert engine.closes == 1
    await host.close()


async def test_closing_tells_those_who_wait() -> None:
    engine, host = hosted()
    first = await running(engine, host)
    waiting = asyncio.create_task(host.run(2))
    await until(lambda: host.queued == 1)
    closing = asyncio.create_task(host.close())
    with pytest.raises(EngineNotReady):
        await waiting
    engine.gate.set()
    assert await first == 2
    await closing
    with pytest.raises(EngineNotReady):
        await host.run(3)
