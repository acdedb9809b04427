"""Items whose work comes in parts: between two of them the host looks who waits."""

import asyncio
import pickle
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from models.base import EngineNotReady, Unfinished
from models.cluster.replica import Replica
from models.host import EngineHost
from models.turns import BatchItems, Turns
from models.workplace import HostLimits
from tests.hosts import SPEC, shared_by
from tests.waiting import until


@dataclass(frozen=True)
class Rest:
    number: int
    parts: int


class Counter:
    """Returns numbers, a ten a part: 30 takes three. Each part waits to be let through."""

    def __init__(self) -> None:
        self.begun = 0
        """Number of parts that have begun; `parts` has those that were let through."""
        self.parts: list[int] = []
        self.may = threading.Semaphore(0)

    def load(self) -> None:
        pass

    def run(self, batch: Sequence[int | Rest]) -> list[int | Exception | Unfinished]:
        return [self._part(one if isinstance(one, Rest) else Rest(one, max(1, one // 10))) for one in batch]

    def close(self) -> None:
        pass

    def _part(self, rest: Rest) -> int | Exception | Unfinished:
        self.begun += 1
        assert self.may.acquire(timeout=60)
        self.parts.append(rest.number)
        if rest.number == 666 and rest.parts == 1:
            return ValueError("the last part broke")
        return Unfinished(Rest(rest.number, rest.parts - 1)) if rest.parts > 1 else rest.number


def hosted(**limits: int) -> tuple[Counter, EngineHost[int | Rest, int]]:
    engine = Counter()
    return engine, EngineHost(SPEC, lambda: engine, HostLimits(**limits))


async def test_an_unfinished_item_goes_on_until_it_has_a_result() -> None:
    engine, host = hosted(max_batch=2)
    engine.may.release(60)
    assert await host.run_many([50, 7, 30]) == [50, 7, 30]
    await host.close()


async def test_only_a_finished_item_goes_on_in_another_engine() -> None:
    class NotedTurns(Turns):
        unfinished: ClassVar[list[set[str]]] = []

        @asynccontextmanager
        async def turn(self, *args: Any, **kwargs: Any) -> AsyncIterator[BatchItems]:
            async with super().turn(*args, **kwargs) as batch:
                yield batch
            self.unfinished.append({share.key for share in batch.unfinished})

    engine = Counter()
    host = EngineHost(SPEC, lambda: engine, HostLimits(is_followed=True), NotedTurns())
    engine.may.release(60)
    assert await shared_by("a", host.run(20)) == 20
    await host.close()
    assert NotedTurns.unfinished[:2] == [{"a"}, set()]


async def test_another_keys_item_goes_ahead_of_what_is_left_of_a_long_one() -> None:
    engine, host = hosted()
    long = shared_by("flood", host.run(500))
    engine.may.release()
    await until(lambda: engine.begun == 2)
    short = shared_by("other", host.run(7))
    await until(lambda: host.queued == 1)
    engine.may.release(2)
    assert await short == 7
    assert engine.parts == [500, 500, 7]
    engine.may.release(60)
    assert await long == 500
    await host.close()


async def test_of_one_key_what_was_begun_is_ended_first() -> None:
    engine, host = hosted()
    long = asyncio.create_task(host.run(30))
    engine.may.release()
    await until(lambda: engine.parts == [30])
    short = asyncio.create_task(host.run(7))
    await until(lambda: host.queued == 1)
    engine.may.release(60)
    assert await asyncio.gather(long, short) == [30, 7]
    assert engine.parts == [30, 30, 30, 7]
    await host.close()


async def test_what_nobody_waits_for_any_longer_ends_with_the_part_that_runs() -> None:
    engine, host = hosted()
    long = asyncio.create_task(host.run(500))
    engine.may.release()
    await until(lambda: engine.begun == 2)
    long.cancel()
    await asyncio.wait([long])
    engine.may.release(60)
    assert await host.run(7) == 7
    assert engine.parts == [500, 500, 7]
    await host.close()


async def test_a_long_item_that_was_begun_gives_up_its_place_to_nobody() -> None:
    engine, host = hosted(max_queue=1)
    long = shared_by("flood", host.run(30))
    engine.may.release()
    await until(lambda: engine.parts == [30])
    engine.may.release()
    others = [shared_by(key, host.run(number)) for key, number in (("b", 1), ("c", 2), ("d", 3))]
    engine.may.release(60)
    assert await long == 30
    await asyncio.gather(*others, return_exceptions=True)
    await host.close()


async def test_a_part_that_breaks_fails_its_item() -> None:
    engine, host = hosted()
    engine.may.release(100)
    with pytest.raises(Exception, match="failed on this input"):
        await host.run(666)
    assert await host.run(7) == 7
    await host.close()


async def test_closing_ends_a_long_item_after_its_part() -> None:
    engine, host = hosted()
    long = asyncio.create_task(host.run(500))
    engine.may.release()
    await until(lambda: engine.begun == 2)
    closing = asyncio.create_task(host.close())
    await until(lambda: host._closed)
    engine.may.release(60)
    await closing
    with pytest.raises(EngineNotReady, match="shutting down"):
        await long
    assert engine.parts == [500, 500]


async def test_a_replica_goes_on_with_a_long_item_until_its_caller_has_left() -> None:
    engine = Counter()
    replica = Replica[int | Rest, int](SPEC, lambda: engine, HostLimits(), "1")
    engine.may.release(3)
    results, _ = pickle.loads(await replica.run(pickle.dumps([30])))
    assert results == [30]
    assert engine.parts == [30, 30, 30]
    long = asyncio.create_task(replica.run(pickle.dumps([500])))
    engine.may.release()
    await until(lambda: engine.parts[-1] == 500)
    long.cancel()
    await asyncio.wait([long])
    engine.may.release(60)
    results, _ = pickle.loads(await replica.run(pickle.dumps([7])))
    assert results == [7]
    assert engine.parts[3:] == [500, 500, 7]
