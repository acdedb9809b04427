"""What becomes of work while processes die and replicas come and go. Nothing is lost in silence: it is answered, by
another replica where one was killed, or refused as what may pass."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models.base import EngineNotReady, EngineSpec
from models.cluster.plan import ReplicaCounts
from models.cluster.serve import RayCluster
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from tests.extras.cluster.conftest import CONFIG

SPEC = EngineSpec("worker", "working", "Apache-2.0", "none")
DEADLY, FOREIGN = -1, -2


class Worker:
    """Answers with the number and the process that worked on it, after a while."""

    def __init__(self, seconds: float = 0.05, begun: str = "") -> None:
        self._seconds, self._begun = seconds, begun

    def load(self) -> None:
        pass

    def run(self, batch: Sequence[int]) -> Sequence[tuple[int, int] | Exception]:
        if DEADLY in batch:
            os.kill(os.getpid(), signal.SIGKILL)
        if FOREIGN in batch:
            raise Unpicklable("a", "b")
        if self._begun:
            with Path(self._begun).open("a") as begun:
                begun.writelines(f"{number}\n" for number in batch)
        time.sleep(self._seconds)
        return [(number, os.getpid()) for number in batch]

    def close(self) -> None:
        pass


class Unpicklable(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


MakeHost = Callable[..., EngineHost[int, tuple[int, int]]]


@pytest.fixture
def host(on_cluster: Callable[..., Any]) -> MakeHost:
    def made(engine: Any = Worker, *, workers: int = 1, **config: Any) -> EngineHost[int, tuple[int, int]]:
        made_host = EngineHost[int, tuple[int, int]](SPEC, engine, HostLimits(workers=workers, max_queue=10_000))
        made_host.move(lambda *of: on_cluster(*of, **config))
        return made_host

    return made


class Load:
    """Callers that ask one after the other, as long as the block lasts; each answer is looked at."""

    def __init__(self, host: EngineHost[int, tuple[int, int]], callers: int) -> None:
        self.host, self.callers = host, callers
        self.pids: Counter[int] = Counter()
        self.refused: list[EngineNotReady] = []
        self.asked = 0
        self._ends = False

    async def __aenter__(self) -> "Load":
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(self.callers)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ends = True
        await asyncio.gather(*self._tasks)

    async def _ask(self) -> None:
        while not self._ends:
            self.asked += 1
            asked = self.asked
            try:
                answered, pid = await self.host.run(asked)
            except EngineNotReady as error:
                self.refused.append(error)
                continue
            assert answered == asked
            self.pids[pid] += 1

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(200):
            while not condition():
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.05)

    async def answers(self, more: int) -> None:
        goal = self.pids.total() + more
        await self.until(lambda: self.pids.total() >= goal)


async def test_what_a_killed_replica_worked_on_is_answered_by_another_and_a_new_one_comes(host: MakeHost) -> None:
    engines = host(replicas=ReplicaCounts(2, 2))
    async with Load(engines, 6) as load:
        await load.until(lambda: len(load.pids) == 2)
        [victim, _] = load.pids
        os.kill(victim, signal.SIGKILL)
        await load.until(lambda: len(load.pids) == 3)
        await load.answers(20)
    assert load.refused == []
    assert load.pids.total() == load.asked
    await engines.close()


async def test_the_only_replica_that_is_killed_is_waited_for(host: MakeHost) -> None:
    engines = host(replicas=ReplicaCounts(1, 1))
    _, pid = await engines.run(1)
    call = asyncio.create_task(engines.run(2))
    os.kill(pid, signal.SIGKILL)
    answered, other = await call
    assert answered == 2
    assert other != pid
    await engines.close()


async def test_work_that_kills_whoever_takes_it_is_tried_twice_and_refused_and_the_rest_goes_on(host: MakeHost) -> None:
    engines = host(replicas=ReplicaCounts(2, 2))
    async with Load(engines, 2) as load:
        await load.until(lambda: len(load.pids) == 2)
        with pytest.raises(EngineNotReady, match="The process that worked on it has died") as refusal:
            await engines.run(DEADLY)
        assert refusal.value.retry_after
        await load.until(lambda: len(load.pids) == 4)
    assert load.pids.total() + len(load.refused) == load.asked
    await engines.close()


class Saying:
    """Answers with what it was told to say."""

    def __init__(self, word: str) -> None:
        self._word = word

    def load(self) -> None:
        pass

    def run(self, batch: Sequence[int]) -> Sequence[str]:
        return [self._word] * len(batch)

    def close(self) -> None:
        pass


async def test_a_server_with_other_settings_is_answered_by_no_replica_of_the_last_one(
    on_cluster: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RayCluster, "is_own", False)
    name, answers = f"test-{os.getpid()}-shared", []
    for word in ("one", "other", "other"):
        cluster = RayCluster(CONFIG)
        cluster._connected = True
        engines = EngineHost[int, str](SPEC, partial(Saying, word))
        engines.move(cluster.workplace(name, None, on_a_card=False))
        answers += await engines.run_many([1, 2, 3])
        await engines.close()
    assert answers == ["one"] * 3 + ["other"] * 6


async def test_requests_go_on_while_the_controller_is_dead_and_replicas_are_replaced_when_it_is_back(
    host: MakeHost,
) -> None:
    import ray

    engines = host(replicas=ReplicaCounts(2, 2))
    controller = ray.get_actor("SERVE_CONTROLLER_ACTOR", namespace="serve")
    async with Load(engines, 4) as load:
        await load.until(lambda: len(load.pids) == 2)
        pid = await asyncio.to_thread(ray.get, controller.get_pid.remote())
        os.kill(pid, signal.SIGKILL)
        await load.answers(20)
        os.kill(next(iter(load.pids)), signal.SIGKILL)
        await load.until(lambda: len(load.pids) == 3)
    assert load.refused == []
    assert await asyncio.to_thread(ray.get, controller.get_pid.remote()) != pid
    await engines.close()


async def test_work_that_waits_in_a_replica_is_called_off_with_its_caller(host: MakeHost, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    # Three are sent to the one replica, which computes one at a time.
    engines = host(lambda: Worker(1.0, str(begun)), batches_ahead=2)
    await engines.run(0)
    first = asyncio.create_task(engines.run(1))
    async with asyncio.timeout(60):
        while "1\n" not in begun.read_text():
            await asyncio.sleep(0.01)
    waits = asyncio.create_task(engines.run(2))
    async with asyncio.timeout(60):
        while engines.running < 2:
            await asyncio.sleep(0.01)
    waits.cancel()
    await asyncio.wait([waits])
    assert (await first)[0] == 1
    assert (await engines.run(3))[0] == 3
    assert begun.read_text().split() == ["0", "1", "3"]
    await engines.close()


async def test_an_engine_that_no_replica_can_be_made_for_is_refused_in_time(host: MakeHost) -> None:
    engines = host(cpus=10_000.0, start_s=5.0)
    with pytest.raises(EngineNotReady, match="came up within 5 s"):
        await engines.run(1)
    await engines.close()
