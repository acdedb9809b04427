"""Which engines stay on a card that has no room for all: a simulated card, on real hosts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from models.base import EngineNotReady, EngineSpec
from models.capability import Built, Candidate, Capability, EngineConfig
from models.devices.device import DRIVER, Backend
from models.hosts.host import EngineHost
from models.hosts.residents import CUDA_BYTES, Residents
from models.hosts.workplace import CardMemory, HostLimits
from models.runtime import Runtime

GB = 10**9
DEVICE = "cuda:0"


class Card:
    """The memory of a card, what of it is taken, and what time it is."""

    def __init__(self, total: int, *, told: bool = True) -> None:
        self.total, self.told = total, told
        self.taken: dict[str, int] = {}
        self.now = 100.0
        self.loads: list[str] = []

    def room(self, device: str) -> int | None:
        assert device == DEVICE
        return self.total + CUDA_BYTES if self.told else None

    def clock(self) -> float:
        return self.now


class Weights:
    """An engine that takes `size` bytes of the card while it is loaded. Implements `Engine`."""

    def __init__(self, card: Card, name: str, size: int, load_s: float) -> None:
        self._card, self._name, self._size, self._load_s = card, name, size, load_s

    def load(self) -> None:
        if sum(self._card.taken.values()) + self._size > self._card.total:
            raise RuntimeError("CUDA out of memory")
        self._card.taken[self._name] = self._size
        self._card.now += self._load_s
        self._card.loads.append(self._name)

    def run(self, items: Sequence[str]) -> list[str]:
        return [f"{self._name}: {item}" for item in items]

    def close(self) -> None:
        del self._card.taken[self._name]


class Machine:
    def __init__(self, card: Card, residents: Residents, stack: AsyncExitStack) -> None:
        self.card, self._residents, self._stack = card, residents, stack

    def engine(self, name: str, size: int, *, says: int | None = None, load_s: float = 0.0) -> EngineHost[str, str]:
        """`says`: the part of the card that it has."""
        spec = EngineSpec(name, "toy", "Apache-2.0", "here")
        host = EngineHost[str, str](spec, lambda: Weights(self.card, name, size, load_s))
        host.reside(self._residents, DEVICE, size if says is None else says)
        self._stack.push_async_callback(host.close)
        self._any = host
        return host

    def wake(self) -> None:
        """As what ends does to those who wait."""
        self._residents.mark_idle(self._any)


@asynccontextmanager
async def machine(total: int = 10 * GB, *, told: bool = True, max_wait_s: float = 30) -> AsyncIterator[Machine]:
    card = Card(total, told=told)
    async with AsyncExitStack() as stack:
        yield Machine(card, Residents(card.room, clock=card.clock, max_wait_s=max_wait_s), stack)


async def test_the_one_that_was_used_least_lately_leaves() -> None:
    async with machine() as here:
        one, two, three = (here.engine(name, 4 * GB) for name in ("one", "two", "three"))
        for host in (one, two, one):
            here.card.now += 1
            await host.run("x")
        assert await three.run("x") == "three: x"
        assert (one.loaded, two.loaded, three.loaded) == (True, False, True)
        assert await two.run("x") == "two: x"  # and comes back when it is asked for, in place of the next
        assert here.card.loads == ["one", "two", "three", "two"]
        assert not one.loaded


async def test_one_that_answers_somebody_stays_until_it_has() -> None:
    async with machine() as here:
        one, two = here.engine("one", 6 * GB), here.engine("two", 6 * GB)
        async with one.lease():
            asked = asyncio.create_task(two.run("x"))
            for _ in range(20):
                await asyncio.sleep(0)
            assert not asked.done()
            assert one.loaded
        assert await asked == "two: x"
        assert not one.loaded


async def test_who_waits_too_long_is_told_what_holds_the_card() -> None:
    async with machine(max_wait_s=0) as here:
        one, two = here.engine("one", 6 * GB), here.engine("two", 5 * GB)
        async with one.lease():
            with pytest.raises(EngineNotReady, match=r"'two' takes 5,000 MB of cuda:0.*'one' 6,000"):
                await two.run("x")
        assert await two.run("x") == "two: x"


async def test_one_that_has_just_come_stays_for_twice_as_long_as_its_loading_took() -> None:
    async with machine() as here:
        one, two = here.engine("one", 6 * GB, load_s=5), here.engine("two", 6 * GB)
        await one.run("x")
        loaded = here.card.now
        asked = asyncio.create_task(two.run("x"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert one.loaded
        here.card.now = loaded + 9.9
        async with one.lease():  # what ends wakes those who wait
            pass
        await asyncio.sleep(0)
        assert one.loaded
        here.card.now = loaded + 10.1
        async with one.lease():
            pass
        assert await asked == "two: x"
        assert not one.loaded


async def test_what_others_load_meanwhile_is_not_counted_as_an_engine_s() -> None:
    async with machine() as here:
        one, two = here.engine("one", 2 * GB, says=4 * GB), here.engine("two", 2 * GB, says=4 * GB)
        await one.run("x")
        here.card.taken["an LLM"] = 5 * GB
        assert await two.run("x") == "two: x"
        assert (one.loaded, two.loaded) == (True, True)


async def test_an_engine_that_takes_more_than_its_part_has_another_leave() -> None:
    async with machine() as here:
        shy, other = here.engine("shy", 6 * GB, says=1 * GB), here.engine("other", 5 * GB)
        await other.run("x")
        assert await shy.run("x") == "shy: x"
        assert not other.loaded
        assert shy.counters.failures.total() == 0


async def test_an_engine_with_a_larger_part_than_the_card_is_loaded_alone() -> None:
    async with machine() as here:
        other, large = here.engine("other", 1 * GB), here.engine("large", 9 * GB, says=12 * GB)
        await other.run("x")
        assert await large.run("x") == "large: x"
        assert not other.loaded


async def test_what_is_not_told_is_found_out_by_running_out() -> None:
    async with machine(told=False) as here:
        one, two = here.engine("one", 6 * GB), here.engine("two", 6 * GB)
        await one.run("x")
        assert await two.run("x") == "two: x"
        assert not one.loaded


async def test_where_nobody_can_leave_the_engine_says_that_memory_does_not_suffice() -> None:
    async with machine(4 * GB) as here:
        with pytest.raises(EngineNotReady, match="did not find the memory"):
            await here.engine("large", 6 * GB).run("x")


async def test_who_waits_behind_another_who_waits_is_told_after_as_long() -> None:
    async with machine(max_wait_s=30) as here:
        holder, one, two = (here.engine(name, 6 * GB) for name in ("holder", "one", "two"))
        async with holder.lease():
            asked = [asyncio.create_task(host.run("x")) for host in (one, two)]
            for _ in range(20):
                await asyncio.sleep(0)
            here.card.now += 31
            here.wake()
            told = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(error) for error in told] == [EngineNotReady, EngineNotReady]


async def test_two_that_are_asked_for_at_once_come_one_after_the_other() -> None:
    async with machine() as here:
        one, two = here.engine("one", 6 * GB), here.engine("two", 6 * GB)
        assert await asyncio.gather(one.run("x"), two.run("x")) == ["one: x", "two: x"]
        assert sorted(here.card.loads) == ["one", "two"]


@pytest.mark.parametrize(("device", "batch", "stay"), [("auto", 8, 1), ("cuda", 4, 1), ("cuda", 2, 2), ("cpu", 8, 2)])
async def test_the_engines_of_a_runtime_have_parts_of_their_card_for_their_largest_batch(
    device: str, batch: int, stay: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(9 * GB)
    monkeypatch.setattr(DRIVER, "_probe_result", (1, ""))

    def candidate(name: str) -> Candidate:
        spec = EngineSpec(name, name, "Apache-2.0", "here")

        def build(_: EngineConfig) -> Built:
            host = EngineHost[str, str](spec, lambda: Weights(card, name, 4 * GB, 0.0), HostLimits(max_batch=batch))
            return Built(host, [host])

        backend = Backend("toys", lambda: 1)
        return Candidate(spec, lambda _: None, build, backend=backend, card=CardMemory(base=2000, item=1000, items=4))

    async def self_test(_: object) -> str:
        return ""

    catalog: dict[str, Capability[EngineHost[str, str]]] = {
        name: Capability(name, [candidate(name)], self_test) for name in ("one", "two")
    }
    runtime = Runtime(catalog, EngineConfig(device=device), residents=Residents(card.room, clock=card.clock))
    hosts = [runtime.use(capability) for capability in catalog.values()]
    for host in hosts:
        await host.run("x")
    assert [host.loaded for host in hosts] == [stay == 2, True]
    await runtime.close()
