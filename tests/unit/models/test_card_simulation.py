"""A card simulated: the engines of a GPU box, vLLM beside them, and hundreds of schedules of requests (thousands in the
long tests), in a time that is simulated, too. Hosts, residents and batches are the real ones; engines take of the card
what they declare."""

import asyncio
import random
import selectors
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest
import structlog
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from models.base import EngineFailed, EngineNotReady, EngineSpec
from models.capability import Candidate, EngineConfig
from models.catalog import CATALOG
from models.devices.device import CTRANSLATE2, ONNXRUNTIME, TORCH
from models.hosts.host import EngineHost
from models.hosts.measures import MEMORY
from models.hosts.residents import MAX_WAIT_S, Residents
from models.hosts.workplace import Batches, CardMemory, HostLimits, load_engine
from models.vision.ocr.capability import PP_OCR_V6_MEDIUM, split_card_memory
from tests import gpu_cards
from tests.unit.models.test_card_memory import CARDS, CUDA_ITSELF, GIB, MARGIN, engines_on_a_box

MB = 10**6
DEVICE = "cuda:0"
MORE = {"chronos-2", "llmdet"}
"""docs/gpu.md has a command for each."""
LOADED_A_SECOND = 1000 * MB
RUN_S, ITEM_S = 0.1, 0.02
COMES_BACK_S = 20.0
"""After which docker starts vLLM again, and it asks for its share."""


_STEP_S = 1e-6
"""That a turn of the loop takes: a timer may be early by the resolution of the clock, and is set again."""


class OutOfMemoryError(RuntimeError):
    """As PyTorch calls its own."""


class SimulatedTime(asyncio.SelectorEventLoop):
    """Passes at once where everybody waits; breaks where they would wait for ever."""

    def __init__(self) -> None:
        self._now = 1000.0
        passing = self

        class Passing(selectors.SelectSelector):
            def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
                assert timeout is not None, "everybody waits, for ever"
                passing._now += max(0.0, timeout) + _STEP_S
                return super().select(0)

        super().__init__(Passing())

    def time(self) -> float:
        return self._now


@dataclass
class Card:
    """What a process takes of it, by its name."""

    total: int
    taken: Counter[str] = field(default_factory=Counter)
    caches: dict[str, int] = field(default_factory=dict)
    """Of what is taken, what PyTorch keeps for itself."""
    most_ours: int = 0

    def free(self, device: str) -> int:
        assert device == DEVICE
        return self.total - self.taken.total()

    def take(self, name: str, size: int) -> bool:
        """Has it hold `size`; False where so much is not there."""
        if size - self.taken[name] > self.free(DEVICE):
            return False
        self.taken[name] = size
        self.most_ours = max(self.most_ours, self.taken.total() - self.taken["vllm"])
        return True

    def empty_caches(self) -> None:
        for name, size in self.caches.items():
            self.taken[name] -= size
        self.caches.clear()


class OnACard:
    """Implements `Engine`: takes what `memory` says, and fails as its runtime does. What it took it keeps, as their
    allocators do, until it is closed or memory runs out."""

    def __init__(self, card: Card, name: str, memory: CardMemory, runtime: object, most: int) -> None:
        self._card, self._name, self._memory, self._runtime = card, name, memory, runtime
        self._most = most

    def load(self) -> None:
        # The first one brings CUDA's context, which stays.
        self._take(self._memory.base * MB, with_context=True)

    def run(self, batch: Sequence[int]) -> list[int]:
        needed = (self._memory.base + self._memory.item * len(batch)) * MB
        held = self._card.taken[self._name]
        if needed > held:
            self._take(needed)
        if self._runtime is TORCH:
            self._card.caches[self._name] = self._card.taken[self._name] - self._memory.base * MB
        return [2 * item for item in batch]

    def close(self) -> None:
        self._card.caches.pop(self._name, None)
        del self._card.taken[self._name]

    def _take(self, size: int, *, with_context: bool = False) -> None:
        if self._runtime is ONNXRUNTIME and self._most and size > self._most:
            self._card.taken[self._name] = min(self._card.taken[self._name], self._memory.base * MB)
            raise Fail(f"Available memory of 0 is smaller than requested bytes of {size}")
        if with_context and not self._card.take("context", CUDA_ITSELF * MB):
            raise RuntimeError("CUDA failed with error out of memory")
        if self._card.take(self._name, size):
            return
        if self._runtime is ONNXRUNTIME:  # EmptyingSession has its arena emptied
            self._card.taken[self._name] = min(self._card.taken[self._name], self._memory.base * MB)
            raise Fail(f"Failed to allocate memory for requested buffer of size {size}")
        if self._runtime is CTRANSLATE2:
            raise RuntimeError("CUDA failed with error out of memory")
        self._card.empty_caches()  # as PyTorch does before it gives up
        if not self._card.take(self._name, size):
            raise OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size / 2**20:.2f} MiB.")


class Here:
    """Implements `Workplace` on the loop itself, whose time is simulated: nothing of it takes any."""

    def __init__(self, spec: EngineSpec, factory: Callable[[], OnACard], limits: HostLimits, failed: Counter[str]):
        self._factory, self._limits = factory, limits
        self._batches = Batches[int, int](spec.name, limits.max_batch, failed)
        self._engine: OnACard | None = None
        self.load_s = 0.0

    @property
    def at_once(self) -> int:
        return self._limits.workers

    @property
    def most(self) -> int:
        return self._batches.most

    async def open(self) -> None:
        await asyncio.sleep(self.load_s)
        engine = load_engine(self._factory, self._limits, self._batches)
        assert isinstance(engine, OnACard)
        self._engine = engine

    async def run(self, items: Sequence[int], abandoned: asyncio.Event) -> Sequence[int | Exception]:
        assert self._engine is not None
        results = self._batches.run(self._engine, items)
        await asyncio.sleep(RUN_S + ITEM_S * len(items))
        return results

    async def close(self) -> None:
        assert self._engine is not None
        self._engine.close()
        self._engine = None

    def release(self) -> None:
        pass


@dataclass
class Told:
    """What came of the requests."""

    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    for_good: int = 0
    """Who was not told when to ask again."""
    longest_s: float = 0.0
    """That anybody waited to be refused."""
    vllm_refused: int = 0
    """How often vLLM found less than its share free."""


class Box:
    """A card of `size` GB as docker/cards divides it, with `engines`."""

    def __init__(self, size: int, engines: Sequence[tuple[Candidate, CardMemory]], stack: AsyncExitStack) -> None:
        self.card = Card(int(CARDS[size] * GIB))
        self.share = int(float(gpu_cards.options_of(size)["gpu-memory-utilization"]) * self.card.total)
        self.told = Told()
        self.is_up = False
        residents = Residents(free=self.card.free, clock=asyncio.get_running_loop().time)
        self.hosts: dict[str, EngineHost[int, int]] = {}
        for candidate, memory in engines:
            parts = split_card_memory(memory) if candidate is PP_OCR_V6_MEDIUM else (memory,)
            for number, part in enumerate(parts):
                self._add(candidate, part, f"{candidate.spec.name}-{number}", residents, stack)
        self.loading_s = sum(memory.base for _, memory in engines) * MB / LOADED_A_SECOND

    def _add(
        self, candidate: Candidate, memory: CardMemory, name: str, residents: Residents, stack: AsyncExitStack
    ) -> None:
        limits = replace(EngineConfig().limits(device=DEVICE, card=memory), max_queue=1000)
        runtime = candidate.backend
        spec = replace(candidate.spec, name=name)
        host = EngineHost[int, int](spec, lambda: OnACard(self.card, name, memory, runtime, limits.card_bytes), limits)

        def here(*given: object) -> Here:
            place = Here(*given)  # type: ignore[arg-type]
            place.load_s = memory.base * MB / LOADED_A_SECOND
            return place

        host.move(here)
        host.reside(residents, DEVICE, memory.base * MB)
        stack.push_async_callback(host.close)
        self.hosts[name] = host

    @property
    def most_and_share(self) -> int:
        """Bytes: the most that openfaze ever had, and vLLM's share."""
        return self.card.most_ours + self.share

    def vllm_starts(self) -> bool:
        """False where less than its share is free."""
        self.is_up = self.is_up or self.card.take("vllm", self.share)
        self.told.vllm_refused += not self.is_up
        return self.is_up

    def vllm_dies(self) -> None:
        self.is_up = False
        self.card.taken["vllm"] = 0

    async def ask(self, name: str, items: int, *, patience_s: float | None = None) -> bool:
        """Whether it was answered; False, too, where the caller left."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(patience_s):
                assert await self.hosts[name].run_many(range(items)) == [2 * item for item in range(items)]
        except TimeoutError:
            return False
        except (EngineNotReady, EngineFailed) as error:
            self.told.refused[name] += 1
            self.told.for_good += error.retry_after is None
            self.told.longest_s = max(self.told.longest_s, asyncio.get_running_loop().time() - began)
            return False
        self.told.answered[name] += 1
        return True

    async def live(self, chance: random.Random, requests: int) -> None:
        """A schedule: requests that come in bursts and alone, callers who leave, a vLLM that comes late and dies."""
        names = list(self.hosts)
        async with asyncio.TaskGroup() as group:
            restarting = group.create_task(self._restart(chance))
            for _ in range(requests):
                # Some days everybody wants the same.
                name = chance.choice(names[: chance.choice((2, len(names)))])
                items = chance.choice((1, 1, 3, 8, 40))
                leaves = chance.choice((None, None, None, chance.uniform(0, 40)))
                group.create_task(self.ask(name, items, patience_s=leaves))
                await asyncio.sleep(chance.choice((0, 0, 0.2, 2, chance.expovariate(1 / 20))))
            restarting.cancel()

    async def filled(self, chance: random.Random) -> None:
        """Another process takes what is free, for a while, again and again."""
        try:
            while True:
                await asyncio.sleep(chance.expovariate(1 / 30))
                spared = chance.choice((0, 100 * MB, 2000 * MB))
                self.card.taken["another"] = max(0, self.card.free(DEVICE) - spared)
                await asyncio.sleep(chance.expovariate(1 / 20))
                self.card.taken["another"] = 0
        finally:
            self.card.taken["another"] = 0

    async def _restart(self, chance: random.Random) -> None:
        await asyncio.sleep(chance.choice((0, 30)))
        while True:
            while not self.vllm_starts():  # as docker has it do
                await asyncio.sleep(COMES_BACK_S)
            await asyncio.sleep(chance.expovariate(1 / 60))
            self.vllm_dies()
            await asyncio.sleep(chance.choice((0, 5, 60)))


def simulated(
    size: int,
    engines: Sequence[tuple[Candidate, CardMemory]],
    seed: int,
    requests: int = 25,
    *,
    is_filled: bool = False,
) -> Box:
    """What became of a box after a schedule, on a card that another process fills or not, and after each engine was
    asked once more, alone and in peace."""

    async def day() -> Box:
        async with AsyncExitStack() as stack:
            box = Box(size, engines, stack)
            chance = random.Random(seed)
            filling = asyncio.create_task(box.filled(chance)) if is_filled else None
            await box.live(chance, requests)
            if filling is not None:
                filling.cancel()
            box.vllm_starts()
            for name in box.hosts:
                await asyncio.sleep(120)
                assert await box.ask(name, 1), f"{name} starves on {size} GB, seed {seed}: {box.card.taken}"
        return box

    with asyncio.Runner(loop_factory=SimulatedTime) as runner:
        return runner.run(day())


def preset(size: int) -> list[tuple[Candidate, CardMemory]]:
    return engines_on_a_box(size)


def with_more(size: int) -> list[tuple[Candidate, CardMemory]]:
    found = {one.spec.name: one for capability in CATALOG.values() for one in capability.engines}
    return [*preset(size), *((found[name], found[name].card) for name in sorted(MORE))]  # type: ignore[list-item]


@pytest.fixture(autouse=True)
def simulated_card(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the product asks of the machine is answered by the box that runs."""
    running: list[Box] = []
    really = Box.__init__

    def begin(self: Box, *given: object) -> None:
        running[:] = [self]
        really(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Box, "__init__", begin)
    monkeypatch.setattr("models.hosts.workplace.free_memory", lambda device: running[0].card.free(device))
    cuda = SimpleNamespace(is_initialized=lambda: True, empty_cache=lambda: running[0].card.empty_caches())
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    with structlog.testing.capture_logs():
        yield


QUICK, LONG = range(20), range(1000, 1200)
SEEDS = [pytest.param(QUICK, id="quick"), pytest.param(LONG, id="long", marks=pytest.mark.deep)]


@pytest.mark.deep
@pytest.mark.parametrize("size", CARDS)
@pytest.mark.parametrize("seeds", SEEDS)
def test_beside_the_engines_of_a_box_vllm_starts_at_any_time(size: int, seeds: range) -> None:
    for seed in seeds:
        box = simulated(size, preset(size), seed)
        assert box.most_and_share <= box.card.total - MARGIN * GIB
        assert not box.told.vllm_refused
        assert not box.told.refused, "there is room for all"
        assert not sum(host.counters.unloads for host in box.hosts.values())


@pytest.mark.deep
@pytest.mark.parametrize("size", CARDS)
@pytest.mark.parametrize("seeds", SEEDS)
def test_with_more_networks_than_there_is_room_for_who_is_refused_is_told_in_time(size: int, seeds: range) -> None:
    for seed in seeds:
        box = simulated(size, with_more(size), seed)
        assert box.told.longest_s <= MAX_WAIT_S + box.loading_s
        assert not box.told.for_good


@pytest.mark.deep
@pytest.mark.parametrize("size", CARDS)
@pytest.mark.parametrize("seeds", SEEDS)
def test_on_a_card_that_another_process_fills_each_request_ends_and_all_are_served_afterwards(
    size: int, seeds: range
) -> None:
    ran_out = 0
    for seed in seeds:
        box = simulated(size, with_more(size), seed, is_filled=True)
        assert box.told.longest_s <= MAX_WAIT_S + box.loading_s
        assert not box.told.for_good
        assert box.card.most_ours <= box.card.total
        ran_out += sum(host.counters.failures[MEMORY] for host in box.hosts.values())
    assert ran_out, "the schedules show nothing"
