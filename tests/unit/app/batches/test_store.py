"""Whose a batch is among several servers, and what is kept of it and for how long, with a real store and real files."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.access.keys import EVERYONE
from app.batches import store
from app.batches.runner import LEASE_S
from app.batches.store import LeaseLost, Record, TooManyBatches, TooManyResults
from app.upkeep.tenant_deletion import build_purges
from tests.kit.servers.batches import World, open_world
from tests.kit.waits.waiting import until


@pytest.fixture
async def world(tmp_path: Path, state_url: str) -> AsyncIterator[World]:
    async with open_world(tmp_path, state_url=state_url) as world:
        yield world


async def test_another_server_goes_on_where_one_stopped(world: World) -> None:
    world.held["c"] = asyncio.Event()
    batch_id = await world.add("a", "b", "c", "d")
    async with world.running():
        await until(lambda: world.asked["c"] == 1)
    world.held["c"].set()
    async with world.running():
        batch = await world.ended(batch_id)
    assert batch.completed == 4
    assert world.asked == {"a": 1, "b": 1, "c": 2, "d": 1}, "what was answered is not asked again"


async def test_of_two_servers_one_runs_a_batch(world: World) -> None:
    batches = [await world.add(*(f"{name}{number}" for number in range(5))) for name in "abc"]
    async with world.running(at_once=3), world.running(at_once=3):
        ended = [await world.ended(batch_id) for batch_id in batches]
    assert [batch.completed for batch in ended] == [5, 5, 5]
    assert set(world.asked.values()) == {1}
    assert len(world.asked) == 15


async def test_a_server_that_is_silent_loses_its_batch_and_what_it_then_writes(world: World) -> None:
    batch_id = await world.add("a")
    first = await world.store.claim("first", world.now, world.now + LEASE_S)
    assert first is not None
    assert await world.store.claim("second", world.now + LEASE_S - 1, world.now + 100) is None
    second = await world.store.claim("second", world.now + LEASE_S + 1, world.now + 100)
    assert second is not None
    assert await world.store.renew("first", world.now + 200, [batch_id]) == {}
    for write in (
        world.store.note(batch_id, "first", [Record(1, True, b"{}")]),
        world.store.change(batch_id, "first", total=3),
        world.store.advance(batch_id, "first", "in_progress", world.now),
        world.store.end(batch_id, "first", "failed", world.now, tell=False),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert (await world.batch(batch_id)).completed == 0


async def end(world: World, batch_id: str, *, tell: bool) -> None:
    while (claimed := await world.store.claim("me", world.now, world.now + LEASE_S)) is not None:
        if claimed.id == batch_id:
            await world.store.end(batch_id, "me", "failed", world.now, tell=tell)
            return
    pytest.fail("there is no such batch")


async def test_a_line_is_written_and_counted_once(world: World) -> None:
    batch_id = await world.add("a")
    await world.store.claim("me", world.now, world.now + LEASE_S)
    for _ in range(2):
        await world.store.note(batch_id, "me", [Record(1, True, b"{}", 3, 2, 1)])
    batch = await world.batch(batch_id)
    assert (batch.completed, batch.prompt_tokens) == (1, 3)
    assert await world.store.records(batch_id, is_answer=True, after=0) == [(1, b"{}")]


async def test_results_are_read_a_few_at_a_time_and_bounded(world: World) -> None:
    batch_id = await world.add("a")
    await world.store.claim("me", world.now, world.now + LEASE_S)
    records = [Record(number, number != 2, b"%d" % number) for number in range(1, 41)]
    await world.store.note(batch_id, "me", records)
    await world.store.note(batch_id, "me", [Record(3, True, b"again")])
    found: list[tuple[int, bytes]] = []
    while page := await world.store.records(batch_id, is_answer=True, after=found[-1][0] if found else 0):
        assert len(page) <= 16
        found += page
    assert found == [(record.number, record.line) for record in records if record.is_answer]
    assert await world.store.file_bytes(batch_id, is_answer=False) == 2
    size = (await world.batch(batch_id)).result_bytes
    with pytest.raises(TooManyResults):
        await world.store.note(batch_id, "me", [Record(41, True, b"{}")], most_bytes=size + 2)
    batch = await world.batch(batch_id)
    assert (batch.completed, batch.failed, batch.result_bytes) == (39, 1, size)


async def test_a_key_has_only_so_many_batches_that_are_not_over(world: World) -> None:
    for number in range(10):
        await world.add(f"{number}")
    with pytest.raises(TooManyBatches):
        await world.add("one more")
    await world.add("another key's", owner="other")


async def test_the_oldest_of_a_keys_finished_batches_are_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_FINISHED", 2)
    added = [await world.add("another key's", owner="other"), await world.add("unfinished")]
    for number in range(4):
        world.now += 1
        added.append(await world.add(f"{number}"))
    for _ in added:
        assert await world.store.claim("me", world.now, world.now + LEASE_S) is not None
    for batch_id in (added[0], *added[2:]):
        await world.store.end(batch_id, "me", "completed", world.now, tell=False)
    world.now += 1
    newest = await world.add("newest")
    kept = [batch.id for batch in await world.store.page(EVERYONE, None, 10)]
    assert kept == [newest, added[5], added[4], added[1]]
    assert await world.store.find("other", added[0]) is not None


async def test_the_batches_of_one_key_are_listed_the_newest_first(world: World) -> None:
    added = []
    for number in range(3):
        world.now += 1
        added.append(await world.add(f"{number}"))
    await world.add("foreign", owner="other")
    listed = await world.store.page(EVERYONE, None, 2)
    assert [batch.id for batch in listed] == [added[2], added[1]]
    assert [batch.id for batch in await world.store.page(EVERYONE, listed[-1], 2)] == [added[0]]
    assert await world.store.find("other", added[0]) is None


async def test_what_is_over_is_forgotten_when_its_time_is_up(world: World) -> None:
    async with world.running():
        over = await world.ended(await world.add("a"))
    world.now += 10
    kept = await world.add("b")
    assert await world.store.sweep(world.now + 1, world.now) == 1
    assert await world.store.find(EVERYONE, over.id) is None
    assert (await world.batch(kept)).status == "validating", "one that is not over is kept however old it is"


async def test_a_due_notice_keeps_its_batch_for_a_day_longer(world: World) -> None:
    batch_id = await world.add("a")
    await end(world, batch_id, tell=True)
    ended = world.now
    assert await world.store.sweep(ended + 1, ended + 24 * 3600 - 1) == 0
    assert await world.store.sweep(ended + 1, ended + 24 * 3600 + 1) == 1


async def test_a_notice_is_due_at_its_time(world: World) -> None:
    first, second = await world.add("a"), await world.add("b")
    for batch_id in (first, second):
        world.now += 1
        await end(world, batch_id, tell=True)
    now = world.now
    assert await world.store.claim_notice(now - 2, now) is None
    claimed = [await world.store.claim_notice(now, now + 60) for _ in range(3)]
    assert [batch and batch.id for batch in claimed] == [first, second, None]
    await world.store.note_notice(first, now + 5)
    again = await world.store.claim_notice(now + 5, now + 60)
    assert again is not None
    assert (again.id, again.tries) == (first, 1)


async def test_all_of_a_key_is_deleted_on_request(world: World) -> None:
    mine, other = await world.add("a"), await world.add("b", owner="other")
    await world.store.claim("me", world.now, world.now + LEASE_S)
    await world.store.note(mine, "me", [Record(1, True, b"{}")])
    assert ("batches", 1) in await build_purges(world.services.settings)(EVERYONE)
    assert await world.store.find(EVERYONE, mine) is None
    assert await world.store.done(mine) == set()
    assert await world.store.find("other", other) is not None
    with pytest.raises(LeaseLost):
        await world.store.note(mine, "me", [Record(2, True, b"{}")])


async def test_nothing_is_made_before_there_is_a_batch(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, world.running() as runner:
        runner.wake()
        await asyncio.sleep(0.05)
        assert not world.store.is_begun
