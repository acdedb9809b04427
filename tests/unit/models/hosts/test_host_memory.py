"""The host on a card: as much is computed together as there is memory for."""

import sys
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from models.base import EngineFailed
from models.hosts.host import EngineHost
from models.hosts.workplace import _BATCHES_BEFORE_GROWTH, Batches, HostLimits
from tests.kit.engines.hosts import SPEC, Doubler


class OutOfMemoryError(RuntimeError):
    """As PyTorch calls its own."""


class Card(Doubler):
    """Has memory for `room` items. What is too much for it breaks the batch, or is an item's result."""

    def __init__(self, room: int, error: Exception, *, as_results: bool = False) -> None:
        super().__init__()
        self.room, self.error, self.as_results = room, error, as_results

    def run(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        results = super().run(batch)
        if len(batch) <= self.room:
            return results
        if self.as_results:
            return [*results[: self.room], *[self.error] * (len(batch) - self.room)]
        raise self.error


RAN_OUT = [
    OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("CUDA failed with error out of memory"),
    RuntimeError("Failed to allocate memory for requested buffer of size 1024"),
    RuntimeError("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED"),
    RuntimeError("Available memory of 28354816 is smaller than requested bytes of 50331648"),
    MemoryError(),
]


@pytest.mark.parametrize("as_results", [False, True])
@pytest.mark.parametrize("error", RAN_OUT, ids=str)
async def test_what_a_card_has_no_room_for_is_computed_in_smaller_batches(error: Exception, as_results: bool) -> None:
    engine = Card(3, error, as_results=as_results)
    host = EngineHost[int, int](SPEC, lambda: engine, HostLimits(max_batch=16))
    assert await host.run_many(range(16)) == [2 * number for number in range(16)]
    assert [len(batch) for batch in engine.batches][:3] == [16, 8, 4]
    tried = len(engine.batches)
    assert await host.run_many(range(9)) == [2 * number for number in range(9)]
    # How many it has room for is remembered.
    assert max(len(batch) for batch in engine.batches[tried:]) <= engine.room
    assert host.healthy
    await host.close()


async def test_an_item_that_a_card_has_no_room_for_at_all_may_be_tried_again_later() -> None:
    engine = Card(0, RAN_OUT[0])
    host = EngineHost[int, int](SPEC, lambda: engine, HostLimits(max_batch=4))
    with pytest.raises(EngineFailed) as failure:
        await host.run(1)
    assert failure.value.retry_after is not None
    engine.room = 1
    assert await host.run(1) == 2
    await host.close()


def test_batches_grow_again_where_memory_has_long_sufficed() -> None:
    card, batches = Card(2, RAN_OUT[0]), Batches[int, int]("card", 8)
    assert batches.run(card, list(range(8))) == [2 * number for number in range(8)]
    assert batches.most == 2
    card.room = 8
    for _ in range(2 * _BATCHES_BEFORE_GROWTH):
        batches.run(card, list(range(batches.most)))
    assert batches.most == 8
    batches.run(card, list(range(8)))
    assert len(card.batches[-1]) == 8


async def test_what_pytorch_keeps_of_an_unloaded_engine_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    emptied: list[bool] = []
    engine = Doubler()
    cuda = SimpleNamespace(is_initialized=lambda: True, empty_cache=lambda: emptied.append(engine.closes == 1))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    host = EngineHost[int, int](SPEC, lambda: engine)
    await host.run(1)
    assert await host.unload()
    assert emptied == [True]
    await host.close()
