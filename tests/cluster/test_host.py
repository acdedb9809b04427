"""What is promised of a host holds as well where its engine computes in a replica: the same tests, on the cluster."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.forwarded import Forwarding
from tests.unit.models import test_host, test_host_loading, test_host_memory, test_host_turns, test_host_unfinished
from tests.waiting import until

LOOKS_INTO_THE_PROCESS = {
    "test_batches_grow_again_where_memory_has_long_sufficed": "has no host",
    "test_as_many_items_are_computed_together_as_the_card_has_room_for": "replaces what tells a card's free memory",
    "test_another_keys_item_goes_ahead_of_what_is_left_of_a_long_one": "a replica goes on with what it began",
    "test_only_a_finished_item_goes_on_in_another_engine": "a replica goes on with what it began",
    "test_of_one_key_what_was_begun_is_ended_first": "looks into the queue, ahead of which an item is on its way",
    "test_what_nobody_waits_for_any_longer_ends_with_the_part_that_runs": "a replica hears of it some parts later",
    "test_closing_ends_a_long_item_after_its_part": "a replica goes on with what it began",
    "test_the_garbage_collector_leaves_a_loaded_engine_alone_and_frees_it_once_it_is_unloaded": "counts its objects",
}
LOCAL = {
    name: test
    for module in (test_host, test_host_loading, test_host_memory, test_host_turns, test_host_unfinished)
    for name, test in vars(module).items()
    if name.startswith("test_")
}
globals().update({name: test for name, test in LOCAL.items() if name not in LOOKS_INTO_THE_PROCESS})


@pytest.fixture(autouse=True)
def replicas_for_threads(
    on_cluster: Callable[..., Any], forwarded: Forwarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    def workplace(spec: Any, factory: Any, limits: Any, failures: Any) -> Any:
        return on_cluster(spec, forwarded(factory), limits, failures)

    monkeypatch.setattr("models.host.ThreadWorkplace", workplace)


async def test_a_replica_ends_what_nobody_waits_for_before_its_last_part() -> None:
    engine, host = test_host_unfinished.hosted()
    long = asyncio.create_task(host.run(2_000))
    engine.may.release()
    await until(lambda: engine.begun == 2)
    long.cancel()
    await asyncio.wait([long])
    short = asyncio.create_task(host.run(7))
    while not short.done():
        engine.may.release()
        await asyncio.sleep(0.02)
    assert short.result() == 7
    assert engine.parts.count(2_000) < 200
    await host.close()


def test_what_is_left_out_is_there() -> None:
    assert LOCAL.keys() >= LOOKS_INTO_THE_PROCESS.keys()
