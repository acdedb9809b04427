"""What an operator says of a cluster, how engines move there, and what is pickled on the way. `tests/extras/cluster`
has a real Ray."""

import asyncio
import pickle
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from models.base import (
    EngineSpec,
)
from models.capability import Built, Candidate, Capability, EngineConfig
from models.cluster.plan import ClusterConfig, ReplicaCounts, read_replicas
from models.cluster.replica import Replica, picklable
from models.devices.device import CPU
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory, HostLimits
from models.runtime import Runtime
from tests.conftest import each_case

SPEC = EngineSpec("doubler", "ocr", "Apache-2.0", "none")


@each_case(
    ("value", "common", "others"),
    [
        ("1-2", ReplicaCounts(1, 2), {}),
        ("3", ReplicaCounts(3, 3), {}),
        (
            " 0-4 , ocr=2-8,embedding=1",
            ReplicaCounts(0, 4),
            {"ocr": ReplicaCounts(2, 8), "embedding": ReplicaCounts(1, 1)},
        ),
        ("ocr=2-8", ReplicaCounts(1, 2), {"ocr": ReplicaCounts(2, 8)}),
    ],
)
def test_replicas_are_read_for_all_engines_and_for_single_capabilities(
    value: str, common: ReplicaCounts, others: dict[str, ReplicaCounts]
) -> None:
    assert read_replicas(value) == (common, others)


@each_case(
    ("card", "part"),
    [
        (CardMemory(base=300, item=30, items=32), 0.1),
        (CardMemory(base=1, item=1), 0.05),
        (CardMemory(base=11_000, item=1000), 0.5),
        (CardMemory(base=90_000, item=1), 1.0),
        (None, 1.0),
    ],
)
def test_an_engine_reserves_the_part_of_a_card_that_it_declares(card: CardMemory | None, part: float) -> None:
    assert ClusterConfig(card_mb=24_000).card_share(card) == part


def test_an_error_that_cannot_leave_its_process_becomes_one_that_can() -> None:
    class OutOfMemoryError(RuntimeError):  # PyTorch's goes by this name, and no other module has this class
        pass

    class Strange(Exception):
        def __init__(self, first: str, second: str) -> None:
            super().__init__(first + second)

    assert isinstance(picklable(OutOfMemoryError("CUDA out of memory")), MemoryError)
    strange = picklable(Strange("a", "b"))
    assert (type(strange), str(strange)) == (RuntimeError, "Strange: ab")
    missing = FileNotFoundError(2, "gone")
    assert picklable(missing) is missing


class Doubler:
    loads = 0
    closed = 0

    def load(self) -> None:
        type(self).loads += 1
        if type(self).loads == 1:
            raise OSError("no such file")

    def run(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        return [ValueError("negative") if number < 0 else 2 * number for number in batch]

    def close(self) -> None:
        type(self).closed += 1


async def test_a_replica_tells_once_what_kept_its_engine_from_loading_and_tries_again() -> None:
    Doubler.loads = Doubler.closed = 0
    replica = Replica(SPEC, Doubler, HostLimits(max_batch=4), "v1")
    assert replica.version() == "v1"
    failure = pickle.loads(await replica.load())
    assert (type(failure), str(failure)) == (OSError, "no such file")
    assert pickle.loads(await replica.load()) is None
    results, failures = pickle.loads(await replica.run(pickle.dumps([1, -1, 3])))
    assert (results[0], type(results[1]), results[2], failures) == (2, ValueError, 6, {})
    replica.__del__()
    assert Doubler.closed == 1


class Elsewhere:
    """A workplace that has four batches under way."""

    at_once, most = 4, 8

    def release(self) -> None:
        pass


class Cluster:
    def __init__(self) -> None:
        self.asked: list[tuple[str, CardMemory | None, bool]] = []
        self.made_of: list[tuple[Any, ...]] = []
        self.is_closed = False

    def workplace(self, name: str, card: CardMemory | None, *, on_a_card: bool) -> Any:
        self.asked.append((name, card, on_a_card))

        def make(*made_of: Any) -> Elsewhere:
            self.made_of.append(made_of)
            return Elsewhere()

        return make

    async def close(self) -> None:
        self.is_closed = True


async def test_the_engines_of_a_runtime_with_a_cluster_compute_there() -> None:
    hosts = [EngineHost(SPEC, Doubler, HostLimits(max_batch=8)) for _ in range(2)]
    card = CardMemory(base=100, item=1)
    candidate = Candidate(SPEC, lambda _: None, lambda _: Built("service", hosts), card=card)
    capability: Capability[str] = Capability("ocr", [candidate], None)  # type: ignore[arg-type]
    cluster = Cluster()
    runtime = Runtime({"ocr": capability}, EngineConfig(device=CPU), cluster=cluster)
    assert runtime.use(capability) == "service"
    assert cluster.asked == [("openfaze-ocr-doubler-0", card, False), ("openfaze-ocr-doubler-1", card, False)]
    assert cluster.made_of == [(SPEC, Doubler, HostLimits(max_batch=8), host.counters.failures) for host in hosts]
    assert [host.limits.workers for host in hosts] == [4, 4]
    await runtime.close()
    assert cluster.is_closed


async def test_a_replica_whose_engine_hangs_says_that_it_is_ill_and_one_that_works_does_not() -> None:
    begun, ends = threading.Event(), threading.Event()

    class Hanging(Doubler):
        def run(self, batch: Sequence[int]) -> Sequence[int]:
            begun.set()
            ends.wait()
            return batch

    replica, patient = (Replica(SPEC, Hanging, HostLimits(), "v1", stuck_s) for stuck_s in (0.0, 3600.0))
    for one in (replica, patient):
        one.check_health()
        work = asyncio.create_task(one.run(pickle.dumps([1])))
        await asyncio.to_thread(begun.wait)
        if one is replica:
            with pytest.raises(RuntimeError, match="'doubler' has computed one batch for 0 s"):
                one.check_health()
        else:
            one.check_health()
        ends.set()
        await work
        one.check_health()
        begun.clear()
        ends.clear()


class Errand:
    """Implements `models.base.Cancellable`, in one process."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def __reduce__(self) -> tuple[Any, ...]:
        return Errand, ()


async def test_an_item_that_can_end_early_is_told_in_its_replica_that_its_caller_has_left() -> None:
    begun, told = threading.Event(), threading.Event()

    class Waiting(Doubler):
        def load(self) -> None:
            pass

        def run(self, batch: Sequence[Any]) -> Sequence[int]:
            begun.set()
            if all(errand.cancelled.wait(60) for errand in batch):
                told.set()
            return [0] * len(batch)

    replica = Replica[Any, int](SPEC, Waiting, HostLimits(max_batch=2), "v1")
    work = asyncio.create_task(replica.run(pickle.dumps([Errand(), Errand()])))
    assert await asyncio.to_thread(begun.wait, 60)
    work.cancel()
    assert await asyncio.to_thread(told.wait, 60)
    await asyncio.wait([work])
    assert work.cancelled()
