"""Whose a batch is among several servers, and what is kept of it and for how long, with a real store and real files."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from app.access.keys import EVERYONE, KeyReference
from app.batches import store
from app.batches.building import name_of_storage
from app.batches.runner import LEASE_S
from app.batches.store import BatchStore, LeaseLost, Record, TooManyBatches, TooManyResults
from app.settings import Settings
from app.state.entries import StoreDown
from app.upkeep.tenant_deletion import build_purges
from tests.batches import World, open_world
from tests.waiting import until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
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


async def test_a_clock_that_was_set_back_keeps_nobody_from_a_batch_for_longer_than_a_lease(world: World) -> None:
    batch_id = await world.add("a")
    ahead = world.now + 24 * 3600
    assert await world.store.claim("dead", ahead, ahead + LEASE_S) is not None
    assert await world.store.claim("next", world.now, world.now + LEASE_S) is None
    later = world.now + LEASE_S + 1
    taken = await world.store.claim("next", later, later + LEASE_S)
    assert taken is not None
    assert taken.id == batch_id


async def test_a_clock_that_was_set_back_delays_no_notice_of_an_end(world: World) -> None:
    batch_id = await world.add("a")
    assert await world.store.claim("server", world.now, world.now + LEASE_S) is not None
    await world.store.end(batch_id, "server", "failed", world.now + 24 * 3600, tell=True)
    due = await world.store.claim_notice(world.now, world.now + 60)
    assert due is not None
    assert due.id == batch_id
    assert await world.store.claim_notice(world.now, world.now + 60) is None, "somebody tells it already"


async def test_notices_of_keys_are_due_in_turn_the_oldest_of_each_first(world: World) -> None:
    for owner, number in (("alice", 3), ("bob", 1), ("carol", 2)):
        for _ in range(number):
            await end(world, await world.add("a", owner=owner), tell=True)
            world.now += 1
    owners, created = [""], []
    while (batch := await world.store.claim_notice(world.now, world.now + 60, owners[-1])) is not None:
        owners.append(batch.tenant)
        created.append(batch.created)
    assert owners[1:] == ["alice", "bob", "carol", "alice", "carol", "alice"]
    assert created == [1_000_000, 1_000_003, 1_000_004, 1_000_001, 1_000_005, 1_000_002]


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


async def test_long_results_are_read_a_few_at_a_time(world: World) -> None:
    batch_id = await world.add("a")
    await world.store.claim("me", world.now, world.now + LEASE_S)
    lines = [random.Random(number).randbytes((3 << 20) + number) for number in range(1, 6)]
    await world.store.note(batch_id, "me", [Record(number, True, line) for number, line in enumerate(lines, 1)])
    await world.store.note(batch_id, "me", [Record(2, True, bytes(1 << 20))])
    pages, found, after = [], [], 0
    while records := await world.store.records(batch_id, is_answer=True, after=after):
        pages.append([number for number, _ in records])
        found += [line for _, line in records]
        after = pages[-1][-1]
    assert pages == [[1, 2], [3, 4], [5]]
    assert found == lines


async def test_the_size_of_results_is_known_until_they_are_in_files(world: World) -> None:
    mine, other = await world.add("a"), await world.add("b", owner="other")
    for batch_id in (mine, other):
        await world.store.claim("me", world.now, world.now + LEASE_S, [other] if batch_id == mine else [])
    await world.store.note(mine, "me", [Record(1, True, b"{}"), Record(2, False, b"[]"), Record(1, True, b"again")])
    await world.store.note(other, "me", [Record(1, True, bytes(1000))])
    assert await world.store.result_bytes(EVERYONE) == 6
    assert await world.store.file_bytes(mine, is_answer=True) == 3
    with pytest.raises(TooManyResults):
        await world.store.note(mine, "me", [Record(3, True, b"{}")], most_bytes=8)
    batch = await world.batch(mine)
    assert (batch.completed, batch.failed, batch.result_bytes) == (1, 1, 6)
    await world.store.end(mine, "me", "completed", world.now, tell=False)
    assert await world.store.result_bytes(EVERYONE) == 0


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


async def test_a_batch_whose_notice_is_due_is_forgotten_only_beyond_twice_as_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_FINISHED", 2)
    added = []
    with structlog.testing.capture_logs() as lines:
        for number in range(7):
            world.now += 1
            added.append(await world.add(f"{number}"))
            await end(world, added[-1], tell=number != 1)
    kept = [batch.id for batch in await world.store.page(EVERYONE, None, 10)]
    assert kept == [*reversed(added[2:])], "the one without a notice went first"
    assert lines == [{"event": "batch_notice_dropped", "log_level": "warning", "batch": added[0]}]
    for batch_id in added:
        await world.store.note_notice(batch_id, None)
    world.now += 1
    newest = await world.add("newest")
    kept = [batch.id for batch in await world.store.page(EVERYONE, None, 10)]
    assert kept == [newest, added[6], added[5]]


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


async def test_keys_take_turns(world: World) -> None:
    mine = [await world.add(f"{number}") for number in range(3)]
    other = await world.add("x", owner="other")
    claimed = []
    for _ in range(4):
        batch = await world.store.claim("me", world.now, world.now + LEASE_S)
        assert batch is not None
        claimed.append(batch.id)
    assert claimed[0] in mine
    assert claimed[1] == other


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
    with structlog.testing.capture_logs() as lines:
        assert await world.store.sweep(ended + 1, ended + 24 * 3600 + 1) == 1
    assert [line["event"] for line in lines] == ["batch_notice_dropped"]


async def test_the_room_of_answers_that_lie_in_files_goes_back_to_the_disk(world: World) -> None:
    batch_id = await world.add("a")
    await world.store.claim("me", world.now, world.now + LEASE_S)
    await world.store.note(batch_id, "me", [Record(number, True, bytes(20_000)) for number in range(200)])
    await world.store.end(batch_id, "me", "completed", world.now, tell=False)
    await world.store.sweep(0, world.now)
    await world.store.close()
    assert world.path.stat().st_size < 100_000
    world.store = BatchStore(world.path)
    assert (await world.batch(batch_id)).completed == 200, "the batch is known yet"


async def test_all_of_a_key_is_deleted_on_request(world: World) -> None:
    mine, other = await world.add("a"), await world.add("b", owner="other")
    assert ("batches", 1) in await build_purges(world.services.settings)(EVERYONE)
    assert await world.store.find(EVERYONE, mine) is None
    assert await world.store.find("other", other) is not None
    kept = b"".join(path.read_bytes() for path in world.path.parent.iterdir() if path.is_file())
    assert other.encode() in kept
    assert mine.encode() not in kept


async def test_a_file_of_another_version_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "batches.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
        database.execute("CREATE TABLE batches (id TEXT)")
    database.close()
    store = BatchStore(path)
    with pytest.raises(StoreDown, match="99"):
        await store.find(EVERYONE, "batch")
    await store.close()


async def test_a_file_of_an_earlier_version_goes_on(world: World) -> None:
    """Without the columns that name the key, as 0.1.0 made it."""
    batch_id = await world.add("a", "b")
    await world.store.close()
    database = sqlite3.connect(world.path)
    for column in ("key_digest", "key_name", "result_bytes", "storage", "output_keep_s"):
        database.execute(f"ALTER TABLE batches DROP COLUMN {column}")
    database.execute("PRAGMA user_version = 1")
    database.close()
    world.store = BatchStore(world.path)
    async with world.running():
        batch = await world.ended(batch_id)
    assert (batch.status, batch.completed, batch.key) == ("completed", 2, KeyReference(EVERYONE))


async def test_the_results_in_a_file_of_an_earlier_version_are_counted(world: World) -> None:
    batch_id = await world.add("a")
    await world.store.claim("me", world.now, world.now + LEASE_S)
    await world.store.note(batch_id, "me", [Record(1, True, b"{}"), Record(2, True, b"{}")])
    await world.store.close()
    database = sqlite3.connect(world.path)
    for column in ("result_bytes", "storage", "output_keep_s"):
        database.execute(f"ALTER TABLE batches DROP COLUMN {column}")
    database.execute("PRAGMA user_version = 2")
    database.close()
    world.store = BatchStore(world.path)
    assert await world.store.result_bytes(EVERYONE) == 6


async def test_nothing_is_made_before_there_is_a_batch(world: World) -> None:
    async with world.running() as runner:
        runner.wake()
        await asyncio.sleep(0.05)
    assert not world.path.exists()


async def test_a_server_with_other_files_leaves_a_batch_alone(world: World) -> None:
    batch_id = await world.add("a")
    own, other = BatchStore(world.path, "files"), BatchStore(world.path, "uploads")
    try:
        batch = await world.store.find(EVERYONE, batch_id)
        assert batch is not None
        await own.add(replace(batch, id="of_files"), limit=9)
        now, later = world.now, world.now + LEASE_S
        claimed = await other.claim("other", now, later)
        assert claimed is not None
        assert claimed.id == batch_id, "a batch of an earlier version may be anyone's"
        assert await other.claim("other", now, later) is None
        mine = await own.claim("own", now, later)
        assert mine is not None
        assert mine.id == "of_files"
        await own.end("of_files", "own", "completed", now, tell=True)
        assert await other.claim_notice(now, later) is None
        assert await other.sweep(now + 1, now) == 0
        reported = await own.claim_notice(now, later)
        assert reported is not None
        await own.note_notice(reported.id, None)
        assert await own.sweep(now + 1, now) == 1
    finally:
        await own.close()
        await other.close()


async def test_a_server_forgets_only_finished_batches_of_its_own_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_FINISHED", 0)
    batch = await world.store.find(EVERYONE, await world.add("a"))
    assert batch is not None
    own, other = BatchStore(world.path, "files"), BatchStore(world.path, "uploads")
    try:
        await own.add(replace(batch, id="of_files"), limit=9)
        for _ in range(2):
            assert await own.claim("own", world.now, world.now + LEASE_S) is not None
        await own.end("of_files", "own", "completed", world.now, tell=False)
        await other.add(replace(batch, id="of_uploads"), limit=9)
        assert await own.find(EVERYONE, "of_files") is not None
        await own.add(replace(batch, id="next"), limit=9)
        assert await own.find(EVERYONE, "of_files") is None
    finally:
        await own.close()
        await other.close()


async def test_a_batch_that_its_server_has_abandoned_is_ended_by_another(world: World) -> None:
    own, other = BatchStore(world.path, "files"), BatchStore(world.path, "uploads")
    batch = await world.store.find(EVERYONE, await world.add("a"))
    assert batch is not None
    try:
        await own.add(replace(batch, id="of_files", tenant="ann"), limit=9)
        expired = batch.expires + 60
        assert await other.claim("other", expired, expired, running=[batch.id]) is None
        a_day_later = expired + 86400
        claimed = await other.claim("other", a_day_later, a_day_later, running=[batch.id])
        assert claimed is not None
        assert claimed.id == "of_files"
    finally:
        await own.close()
        await other.close()


@pytest.mark.parametrize(
    ("files", "storage"),
    [("/srv/one/uploads", "uploads"), ("/srv/two/uploads/", "uploads"), ("s3://me:secret@bucket/a", "s3://bucket/a")],
)
async def test_the_storage_of_a_batch_is_told_by_its_folder_or_address(files: str, storage: str) -> None:
    assert name_of_storage(Settings(_env_file=None, files_dir=files)) == storage
