"""What only a card can show: that engines compute on it, as they do on the CPU, and outlive its memory running out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from eval.devices import WORK, Work, free_bytes
from models.base import EngineFailed, EngineNotReady
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.devices.device import CPU, CUDA, DRIVER
from models.runtime import Runtime

pytestmark = pytest.mark.skipif(DRIVER.obstacle() is not None, reason=DRIVER.obstacle() or "")

Engines = Callable[[str], Runtime]
ON_A_CARD = [work for work in WORK.values() if any(one.backend for one in CATALOG[work.capability].engines)]
each = pytest.mark.parametrize("work", ON_A_CARD, ids=lambda work: work.capability)


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    """For a device, all engines that are here."""
    made: list[Runtime] = []

    def on(device: str) -> Runtime:
        made.append(Runtime(CATALOG, EngineConfig(device=device)))
        return made[-1]

    yield on
    for one in made:
        await one.close()


@pytest.fixture
def full_card() -> Iterator[Callable[[], None]]:
    """Takes all that is free of it; gives it back when the test ends, or it is called again."""
    torch = pytest.importorskip("torch")
    taken: list[object] = []

    def take_or_give() -> None:
        if taken:
            taken.clear()
            torch.cuda.empty_cache()
            return
        for megabytes in (1024, 64, 4):
            try:
                while True:
                    taken.append(torch.empty(megabytes << 20, dtype=torch.uint8, device=CUDA))
            except torch.OutOfMemoryError:
                continue

    yield take_or_give
    taken.clear()
    torch.cuda.empty_cache()


async def on_the_card(engines: Engines, work: Work) -> Runtime:
    runtime = engines(CUDA)
    await runtime.look()
    if work.capability not in set(runtime.on_the_card()):
        pytest.skip(f"nothing here computes '{work.capability}' on a card: {' '.join(runtime.off_the_card())}")
    return runtime


@each
async def test_an_engine_takes_no_more_of_the_card_than_it_declares(work: Work, engines: Engines) -> None:
    runtime, before = await on_the_card(engines, work), free_bytes()
    await runtime.load(work.capability)
    await work.run(runtime, 0)
    assert await CATALOG[work.capability].self_test(runtime)
    card = runtime.choose(work.capability).card
    taken = (before - free_bytes()) / 1e6
    assert taken > 0
    # The first of them pays for CUDA itself, too.
    assert card is None or taken < card.most + 500


@each
async def test_the_card_answers_as_the_cpu_does(work: Work, engines: Engines) -> None:
    there = await on_the_card(engines, work)
    here = Runtime(CATALOG, EngineConfig(device=CPU), {work.capability: _name(there, work)})
    try:
        on_cpu, on_card = await work.run(here, 0), await work.run(there, 0)
    finally:
        await here.close()
    assert list(on_card.said) == list(on_cpu.said)
    assert on_card.numbers == pytest.approx(on_cpu.numbers, abs=work.margin or 1e-3)


def _name(runtime: Runtime, work: Work) -> str:
    return "auto" if CATALOG[work.capability].several else runtime.choose(work.capability).spec.name


@each
async def test_a_full_card_is_an_error_that_passes(work: Work, engines: Engines, full_card: Callable[[], None]) -> None:
    runtime = await on_the_card(engines, work)
    expected = await work.run(runtime, 0)
    full_card()
    [answer] = await asyncio.gather(work.run(runtime, 0), return_exceptions=True)
    if isinstance(answer, BaseException):  # what it holds already may do
        assert isinstance(answer, EngineFailed | EngineNotReady)
        assert answer.retry_after is not None
    full_card()
    assert runtime.healthy
    assert list((await work.run(runtime, 0)).said) == list(expected.said)
