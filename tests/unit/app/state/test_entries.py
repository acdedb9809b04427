"""Stores of entries: one suite for SQLite and Redis, and what each does where its file or server fails."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from app.assembly.building import build_responses
from app.settings import Settings
from app.state import redis_entries as redis_store
from app.state.counters import Amount, Limits, Reservation
from app.state.entries import PAUSE_S, CircuitBreaker, EntryStore, Key, StoreDown, StoreSlow
from app.state.redis_counters import RedisCounters
from app.state.redis_entries import ENTRY_BYTES, PREFIX, RedisEntries
from app.state.responses import StoredResponse
from app.state.sealing import Sealer
from app.state.sqlite_entries import SqliteEntries
from tests.redis_server import serving_redis
from tests.strays import no_stray_failures

MB = 1 << 20


def key(name: str, tenant: str = "t1", kind: str = "answer") -> Key:
    return Key(tenant, "reading" if kind == "reading" else "answer", name.encode().ljust(32, b"."))


def redis_entries(url: str, prefix: str = PREFIX, *, each: int = MB, all_of_them: int = MB) -> RedisEntries:
    return RedisEntries(url, prefix, max_per_tenant=each, max_total=all_of_them)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EntryStore]:
    store: EntryStore
    if request.param == "sqlite":
        store = SqliteEntries(tmp_path / "sub" / "cache.sqlite", MB)
    else:
        store = redis_entries(request.getfixturevalue("redis_url"))
        await store.purge()
    yield store
    await store.close()


async def test_what_was_put_is_found_under_its_key(store: EntryStore) -> None:
    assert await store.get(key("a")) is None
    await store.put(key("a"), b"first", max_age_s=60)
    await store.put(key("a"), b"second", max_age_s=60)
    assert await store.get(key("a")) == b"second"
    assert await store.get(key("b")) is None


async def test_it_ends_by_its_age(store: EntryStore) -> None:
    await store.put(key("short"), b"x", max_age_s=0.001)
    await asyncio.sleep(0.02)
    assert await store.get(key("short")) is None


async def test_one_is_deleted_by_its_key(store: EntryStore) -> None:
    await store.put(key("a"), b"x", max_age_s=60)
    await store.put(key("b"), b"x", max_age_s=60)
    assert await store.delete(key("a"))
    assert not await store.delete(key("a"))
    assert [await store.get(key(name)) for name in "ab"] == [None, b"x"]


async def test_what_is_too_old_is_swept_out(store: EntryStore) -> None:
    await store.put(key("old"), b"x", max_age_s=0.001)
    await store.put(key("new"), b"x", max_age_s=60)
    await asyncio.sleep(0.02)
    await store.sweep()
    assert [one.entries for one in await store.entry_totals()] == [1]


async def test_a_tenant_is_counted_and_deleted_by_itself(store: EntryStore) -> None:
    for name in ("a", "b"):
        await store.put(key(name), b"x" * 100, max_age_s=60)
    await store.put(key("c", kind="reading"), b"x", max_age_s=60)
    await store.put(key("d", tenant="t2"), b"x", max_age_s=60)
    held = await store.entry_totals()
    assert [(one.tenant, one.kind, one.entries) for one in held] == [
        ("t1", "answer", 2),
        ("t1", "reading", 1),
        ("t2", "answer", 1),
    ]
    assert held[0].size >= 200
    assert await store.purge("t1") == 3
    assert await store.get(key("a")) is None
    assert await store.get(key("d", tenant="t2")) == b"x"
    assert await store.purge() == 1
    assert await store.entry_totals() == []


async def test_what_was_used_while_the_clock_was_ahead_does_not_stay_as_the_one_used_last(tmp_path: Path) -> None:
    now = 100_000.0
    store = SqliteEntries(tmp_path / "c.sqlite", 10_000, clock=lambda: now)
    await store.put(key("ahead"), b"x" * 1000, max_age_s=10_000)
    now = 1000.0
    assert await store.get(key("ahead"))
    await asyncio.gather(*store._touches)
    for number in range(12):
        now += 1
        await store.put(key(str(number)), b"x" * 1000, max_age_s=10_000)
    assert await store.get(key("ahead")) is None
    await store.close()


async def test_many_at_once(store: EntryStore) -> None:
    await asyncio.gather(*(store.put(key(str(n)), bytes([n]), max_age_s=60) for n in range(100)))
    found = await asyncio.gather(*(store.get(key(str(n))) for n in range(100)))
    assert found == [bytes([n]) for n in range(100)]


async def test_what_was_used_least_lately_leaves_first(tmp_path: Path) -> None:
    now = 1000.0
    store = SqliteEntries(tmp_path / "c.sqlite", 10_000, clock=lambda: now)
    for number in range(8):
        now += 1
        await store.put(key(str(number)), b"x" * 1000, max_age_s=10_000)
    now += 100
    assert await store.get(key("0"))  # which is noted
    await asyncio.gather(*store._touches)
    for number in range(8, 12):
        now += 1
        await store.put(key(str(number)), b"x" * 1000, max_age_s=10_000)
    [held] = await store.entry_totals()
    assert held.size <= 10_000
    assert await store.get(key("0"))
    assert await store.get(key("1")) is None
    assert await store.get(key("11"))
    await store.close()


async def test_a_bound_of_each_tenant_is_no_other_tenants(tmp_path: Path) -> None:
    store = SqliteEntries(tmp_path / "c.sqlite", 10_000, per_tenant=True)
    await store.put(key("quiet", tenant="t2"), b"x" * 1000, max_age_s=60)
    for number in range(40):
        await store.put(key(str(number)), b"x" * 1000, max_age_s=60)
    loud, quiet = await store.entry_totals()
    assert (quiet.tenant, quiet.entries) == ("t2", 1)
    assert 5000 < loud.size <= 10_000
    assert await store.get(key("39"))
    await store.close()


async def test_what_others_write_is_counted_for_the_bound(tmp_path: Path) -> None:
    store, other = (SqliteEntries(tmp_path / "c.sqlite", 10_000, per_tenant=True) for _ in range(2))
    await store.put(key("first"), b"x" * 1000, max_age_s=60)
    for number in range(6):
        await other.put(key(f"other {number}"), b"x" * 1000, max_age_s=60)
    for number in range(6):
        await store.put(key(str(number)), b"x" * 1000, max_age_s=60)
    [held] = await store.entry_totals()
    assert 5000 < held.size <= 10_000
    assert await store.get(key("first")) is None
    assert await store.get(key("5"))
    await asyncio.gather(store.close(), other.close())


async def test_a_file_with_the_indices_of_another_bound_will_do(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    for per_tenant in (False, True, False):
        store = SqliteEntries(file, 10_000, per_tenant=per_tenant)
        for number in range(20):
            await store.put(key(f"{per_tenant} {number}"), b"x" * 1000, max_age_s=60)
        [held] = await store.entry_totals()
        assert 5000 < held.size <= 10_000
        assert await store.get(key(f"{per_tenant} 19"))
        await store.close()


async def test_two_uses_of_one_redis_do_not_meet(redis_url: str) -> None:
    cache, responses = redis_entries(redis_url), redis_entries(redis_url, "openfaze:response:1:")
    await cache.purge()
    await cache.put(key("a"), b"x", max_age_s=60)
    await responses.put(key("b"), b"x", max_age_s=60)
    assert await cache.purge() == 1
    assert await responses.get(key("b")) == b"x"
    assert [one.entries for one in await responses.entry_totals()] == [1]
    assert await responses.purge("t1") == 1
    for store in (cache, responses):
        await store.close()


@pytest.mark.parametrize("size", [1, 10, 2000])
@pytest.mark.parametrize("count", [0, 1, 250, 251, 600])
def test_a_stored_input_comes_back_item_by_item_and_in_lists_of_some_items(count: int, size: int) -> None:
    items = [(str(number), json.dumps({"id": str(number), "a": "],[" * size}).encode()) for number in range(count)]
    stored = StoredResponse.of_items("resp_0", items, b'[{"d":4}]', b'{"e":5}')
    again = StoredResponse.unpacked(stored.packed())
    assert again == stored
    assert [(item_id, json.loads(bytes(text))) for item_id, text in again.items()] == [
        (item_id, json.loads(text)) for item_id, text in items
    ]
    *lists, output = map(json.loads, again.lists())
    assert output == [{"d": 4}]
    assert [item["id"] for one in lists for item in one] == [item_id for item_id, _ in items]
    assert all(len(one) <= 250 for one in lists)
    assert all(len(json.dumps(one[:-1])) < 256 * 1024 for one in lists)
    is_short = count <= 250 and count * size * 3 < 200_000
    assert (again.lengths == ()) == (again.ids == ()) == is_short


def test_runs_of_items_that_earlier_builds_stored_are_read() -> None:
    runs, output = [b'{"id":"a"},{"id":"],["}', b'{"id":"c"}'], b'[{"d":4}]'
    sizes = [len(runs[0]) + len(runs[1]) + 3, len(output), *map(len, runs)]
    head = json.dumps([None, *sizes]).encode()
    stored = StoredResponse.unpacked(head + b"\n[" + b",".join(runs) + b"]" + output + b'{"e":5}')
    assert list(stored.lists()) == [b"[" + runs[0] + b"]", b"[" + runs[1] + b"]", output]
    assert [item_id for item_id, _ in stored.items()] == ["a", "],[", "c"]


def put_size(size: int) -> int:
    return size - ENTRY_BYTES


async def names_in(url: str) -> set[str]:
    """What a Redis holds, less the digests of entries."""
    async with Redis.from_url(url, decode_responses=True) as client:
        return {name.partition("answer:")[0] async for name in client.scan_iter()}


async def test_the_entries_of_a_tenant_in_redis_are_bounded(redis_url: str) -> None:
    store = redis_entries(redis_url, each=100_000, all_of_them=MB)
    await store.purge()
    await store.put(key("quiet", tenant="t2"), b"x", max_age_s=60)
    for number in range(10):
        await store.put(key(str(number)), b"x" * put_size(10_000), max_age_s=60)
    assert await store.get(key("0")) is not None, "which is a use of it"
    await store.put(key("10"), b"x" * put_size(20_000), max_age_s=60)
    assert [bool(await store.get(key(str(number)))) for number in range(4)] == [True, False, False, True]
    await store.put(key("10"), b"y" * put_size(20_000), max_age_s=60)
    loud, quiet = await store.entry_totals()
    assert (loud.entries, loud.size + 9 * ENTRY_BYTES) == (9, 100_000), "an entry that is replaced counts once"
    assert quiet.entries == 1
    await store.put(key("larger than all"), b"x" * 100_000, max_age_s=60)
    assert await store.get(key("larger than all")) is None
    assert [one.entries for one in await store.entry_totals()] == [9, 1]
    await store.close()


async def test_one_key_fills_redis_at_no_other_keys_expense(redis_url: str) -> None:
    store = redis_entries(redis_url, each=80_000, all_of_them=100_000)
    await store.purge()
    for number in range(4):
        await store.put(key(str(number), tenant="t2"), b"x" * put_size(10_000), max_age_s=60)
    for number in range(40):
        await store.put(key(str(number)), b"x" * put_size(10_000), max_age_s=60)
    assert [(one.tenant, one.entries) for one in await store.entry_totals()] == [("t1", 6), ("t2", 4)]
    await store.close()


async def test_room_for_a_large_entry_among_many_small_ones_is_made_in_several_steps(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "_MAX_FREED", 3)
    store = redis_entries(redis_url, each=50 * (ENTRY_BYTES + 1))
    await store.purge()
    for number in range(50):
        await store.put(key(str(number)), b"x", max_age_s=60)
    large = b"x" * (40 * ENTRY_BYTES)
    await store.put(key("large"), large, max_age_s=60)
    assert await store.get(key("large")) == large
    assert [one.entries for one in await store.entry_totals()] == [10]
    await store.close()


async def test_the_index_in_redis_ends_with_what_it_is_of(redis_url: str) -> None:
    store = redis_entries(redis_url)
    await store.purge()
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        for tenant in ("t1", "t2"):
            for number in range(3):
                await store.put(key(str(number), tenant), b"x", max_age_s=0.5 if number else 60)
        index = {
            f"openfaze:entry:1-index:{one}:{tenant}" for one in ("used", "ends", "sizes") for tenant in ("t1", "t2")
        }
        sums = {"openfaze:entry:1-index:totals", "openfaze:entry:1-index:sum"}
        await asyncio.sleep(0.6)
        assert await store.sweep() == 4
        assert await names_in(redis_url) == index | sums | {"openfaze:entry:1:t1:", "openfaze:entry:1:t2:"}
        assert await client.get("openfaze:entry:1-index:sum") == str(2 * (ENTRY_BYTES + 1)).encode()
        assert await store.delete(key("0", "t2"))
        assert await store.purge("t1") == 1
        assert await names_in(redis_url) == set()
    await store.close()


async def test_what_redis_evicts_leaves_the_bounds_working(redis_url: str) -> None:
    store = redis_entries(redis_url, each=10 * (ENTRY_BYTES + 1))
    await store.purge()
    async with Redis.from_url(redis_url) as client:
        for lost in ("used:t1", "sizes:t1", "totals", "sum"):
            for number in range(15):
                await store.put(key(str(number)), b"x", max_age_s=60)
            assert await client.unlink(f"openfaze:entry:1-index:{lost}") == 1
        await store.purge()
        for number in range(15):
            await store.put(key(str(number)), b"x", max_age_s=60)
        assert [one.entries for one in await store.entry_totals()] == [10]
    await store.close()


async def test_who_fills_a_redis_that_counts_too_stops_no_key(tmp_path: Path) -> None:
    with serving_redis(tmp_path, "--maxmemory", "24mb", "--maxmemory-policy", "noeviction") as server:
        store = redis_entries(server.url, each=4 * MB, all_of_them=8 * MB)
        counters = RedisCounters(server.url)
        for number in range(40):
            await store.put(key(str(number), f"t{number % 4}"), os.urandom(MB), max_age_s=60)
        taken = await counters.reserve("t9", Limits(requests_per_minute=60), Amount(1))
        assert isinstance(taken, Reservation)
        assert sum(one.size for one in await store.entry_totals()) <= 8 * MB
        await store.close()
        await counters.close()


async def test_a_full_redis_writes_nothing_and_is_still_read(tmp_path: Path) -> None:
    with serving_redis(tmp_path, "--maxmemory-policy", "noeviction") as server:
        store = redis_entries(server.url)
        await store.put(key("a"), b"x", max_age_s=60)
        async with Redis.from_url(server.url) as client:
            await client.config_set("maxmemory", 1)
            with pytest.raises(StoreDown, match="OutOfMemory"):
                await store.put(key("b"), b"x", max_age_s=60)
            assert await store.get(key("a")) == b"x"
            await client.config_set("maxmemory", 0)
        await store.put(key("b"), b"x", max_age_s=60)
        assert [one.entries for one in await store.entry_totals()] == [2]
        await store.close()


async def test_a_redis_without_room_loses_responses_and_counts_on_elsewhere(tmp_path: Path) -> None:
    with serving_redis(tmp_path, "--maxmemory", "8mb", "--maxmemory-policy", "volatile-lru") as server:
        store = redis_entries(server.url, each=64 * MB, all_of_them=64 * MB)
        for number in range(20):
            await store.put(key(str(number)), os.urandom(MB), max_age_s=60)
        assert await store.get(key("19")) is not None
        assert 0 < sum(one.entries for one in await store.entry_totals()) < 8
        async with Redis.from_url(server.url) as client:
            assert await client.exists("openfaze:entry:1-index:totals"), (
                "the index does not expire, so it is not evicted"
            )
        await store.close()


@pytest.mark.parametrize("where", ["sqlite", "redis", "redis of its own"])
async def test_a_response_is_kept_for_its_tenant_where_the_settings_say(
    where: str, tmp_path: Path, redis_url: str
) -> None:
    of_state = {"state_url": redis_url} if where == "redis" else {}
    shared: dict[str, Any] = {"responses_url": redis_url} if where == "redis of its own" else of_state
    settings = Settings(_env_file=None, files_dir=str(tmp_path / "files"), responses_ttl_hours=1, **shared)
    store = build_responses(settings)
    stored = StoredResponse("resp_0", b'[{"role": "user"}]', b"[]", '{"text": "Grüße"}'.encode())
    try:
        await store.put("t1", "resp_1", lambda: stored)
        await store.put("t1", "resp_2", lambda: stored, is_short=True)
        assert await store.get("t1", "resp_1") == await store.get("t1", "resp_2") == stored
        assert await store.get("t2", "resp_1") is None
        assert (await store.delete("t2", "resp_1"), await store.delete("t1", "resp_1")) == (False, True)
        with pytest.raises(ValueError, match="bytes are more than"):
            await store.put("t1", "resp_3", lambda: replace(stored, input=bytes(65 * MB)))
        assert await store.purge("t1") == 1
    finally:
        await store.close()
    assert (tmp_path / "state" / "responses.sqlite").exists() == (where == "sqlite")


async def test_what_is_deleted_is_given_back_to_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    store = SqliteEntries(file, 64 * MB)
    for number in range(20):
        await store.put(key(str(number)), os.urandom(100_000), max_age_s=60)
    assert await store.purge() == 20
    await store.close()
    assert os.path.getsize(file) < 100_000  # noqa: ASYNC240


async def test_a_file_that_is_none_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    file.write_bytes(b"no database at all, but long enough" * 100)
    store = SqliteEntries(file, MB)
    assert await store.get(key("a")) is None
    await store.put(key("a"), b"x", max_age_s=60)
    assert await store.get(key("a")) == b"x"
    await store.close()


@pytest.mark.parametrize("harm", ["truncated", "emptied", "deleted", "overwritten", "another version"])
async def test_a_file_that_is_harmed_while_it_is_open_is_begun_anew(tmp_path: Path, harm: str) -> None:
    file = tmp_path / "c.sqlite"
    store = SqliteEntries(file, 64 * MB)
    for number in range(20):
        await store.put(key(str(number)), os.urandom(5000), max_age_s=60)
    match harm:
        case "truncated":
            os.truncate(file, 5000)
        case "emptied":
            os.truncate(file, 0)
        case "deleted":
            file.unlink()
        case "overwritten":
            file.write_bytes(os.urandom(file.stat().st_size))
        case "another version":
            with sqlite3.connect(file) as other:
                other.execute("PRAGMA user_version = 99")
            other.close()
    for number in range(20):
        try:
            await store.get(key(str(number)))
            await store.put(key("new"), b"x", max_age_s=60)
        except StoreDown:
            continue
    assert await store.get(key("new")) == b"x"
    await store.close()
    again = SqliteEntries(file, 64 * MB)
    await again.put(key("after"), b"y", max_age_s=60)
    assert await again.get(key("after")) == b"y"
    await again.close()


async def test_a_locked_file_is_down_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    store = SqliteEntries(file, MB)
    await store.put(key("a"), b"x", max_age_s=60)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreDown, match="locked"):
        await store.put(key("b"), b"x", max_age_s=60)
    assert await store.get(key("a")) == b"x"
    other.execute("COMMIT")
    other.close()
    # Who closes a file may hold it for a moment yet.
    while await store.get(key("b")) is None:
        with contextlib.suppress(StoreDown):
            await store.put(key("b"), b"x", max_age_s=60)
    assert await store.get(key("b")) == b"x"
    await store.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
async def test_a_full_disk_is_down(tmp_path: Path) -> None:
    store = SqliteEntries(tmp_path / "c.sqlite", MB)
    await store.put(key("a"), b"x", max_age_s=60)

    def limit(db: sqlite3.Connection) -> None:
        [pages] = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")

    # SQLite says of a file that may not grow what it says of a disk that is full.
    await store._writer.run(limit)
    with pytest.raises(StoreDown, match="full"):
        await store.put(key("b"), os.urandom(100_000), max_age_s=60)
    # What fails has the file opened anew.
    await store._writer.run(limit)
    async with writes_that_wait(store, {"c": b"x", "d": os.urandom(100_000)}) as waiting:
        pass
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in told] == [StoreDown, StoreDown], "what is written together is kept together"
    assert [await store.get(key(name)) for name in "acd"] == [b"x", None, None]
    await store.close()


@contextlib.asynccontextmanager
async def writes_that_wait(store: SqliteEntries, values: dict[str, bytes]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Writes that have been asked for, of the thread, and go on when the block ends."""
    release = threading.Event()
    store._writer.submit(release.wait)
    waiting = [asyncio.create_task(store.put(key(name), value, max_age_s=60)) for name, value in values.items()]
    await asyncio.sleep(0)
    yield waiting
    release.set()


async def test_what_nobody_foresaw_is_told_to_all_whose_entries_were_written_with_it(tmp_path: Path) -> None:
    store = SqliteEntries(tmp_path / "c.sqlite", MB)
    await store.put(key("a"), b"x", max_age_s=60)
    unfit: Any = 1 << 64  # more than SQLite has bits for
    store._clock, clock = lambda: unfit, store._clock
    async with asyncio.timeout(60):
        waiting = (store.put(key(name), b"y", max_age_s=0) for name in "bc")
        told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in told] == [OverflowError, OverflowError]
    store._clock = clock
    await store.put(key("b"), b"z", max_age_s=60)
    assert await store.get(key("b")) == b"z"
    await store.close()


async def test_what_waits_to_be_written_is_written_by_one_statement(tmp_path: Path) -> None:
    store = SqliteEntries(tmp_path / "c.sqlite", 64 * MB)
    await store.put(key("a"), b"x", max_age_s=60)
    said: list[str] = []
    await store._writer.run(lambda db: db.set_trace_callback(said.append))
    values = {str(number): bytes([number]) for number in range(50)}
    async with writes_that_wait(store, values) as waiting:
        waiting[7].cancel()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [one for one in told if one is not None] == [told[7]], "who has left keeps nobody"
    assert [one.split()[0] for one in said] == ["INSERT"]
    assert [await store.get(key(name)) for name in values] == list(values.values())
    await store.close()


_WRITER = """
import asyncio, os, sys
from pathlib import Path
from app.state.entries import Key
from app.state.sealing import Sealer
from app.state.sqlite_entries import SqliteEntries

async def main():
    store, sealer = SqliteEntries(Path(sys.argv[1]), 1 << 30), Sealer(1 << 24)
    number = 0
    while True:
        key = Key("t1", "answer", str(number % 50).encode().ljust(32, b"."))
        await store.put(key, sealer.seal(key.digest, os.urandom(200_000)), max_age_s=600)
        number += 1
        print(number, flush=True)

asyncio.run(main())
"""


def write_until_killed(file: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(file)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        for _ in range(12):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)


async def test_a_killed_writer_leaves_no_torn_entry(tmp_path: Path) -> None:
    file, sealer = tmp_path / "c.sqlite", Sealer(1 << 24)
    for _ in range(3):
        await asyncio.to_thread(write_until_killed, file)
        store = SqliteEntries(file, 1 << 30)
        found = [await store.get(key(str(number))) for number in range(50)]
        values = [sealer.open(key(str(number)).digest, one) for number, one in enumerate(found) if one is not None]
        assert len(values) >= 10
        assert all(value is not None and len(value) == 200_000 for value in values)
        await store.close()


async def test_a_killed_redis_is_down_and_comes_back(tmp_path: Path) -> None:
    with serving_redis(tmp_path) as server:
        store = redis_entries(server.url)
        await store.put(key("a"), b"x", max_age_s=60)
        server.kill()
        for _ in range(3):
            with pytest.raises(StoreDown):
                await store.get(key("a"))
        await asyncio.to_thread(server.start)
        assert await store.get(key("a")) is None
        await store.put(key("a"), b"y", max_age_s=60)
        assert await store.get(key("a")) == b"y"
        await store.close()


async def test_a_caller_who_leaves_leaves_no_failure_of_the_store_behind() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise StoreDown("the connection broke") from None

    with no_stray_failures():
        call = asyncio.create_task(CircuitBreaker(Counter()).call(work(), 60))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        del call
        await asyncio.sleep(0)


async def test_a_store_that_hangs_is_tried_by_one_call_after_each_pause() -> None:
    now = 0.0
    breaker = CircuitBreaker(clock=lambda: now)
    tries: list[asyncio.Event] = []

    async def work() -> str:
        tries.append(asyncio.Event())
        await tries[-1].wait()
        return "done"

    for _ in range(3):
        with pytest.raises(StoreSlow):
            await breaker.require(work(), 0.001)
    with pytest.raises(StoreDown, match="a moment ago: it did not answer"):
        await breaker.require(work(), 60)
    assert len(tries) == 3
    now += PAUSE_S
    probe = asyncio.create_task(breaker.require(work(), 60))
    while len(tries) == 3:
        await asyncio.sleep(0)
    with pytest.raises(StoreDown):
        await breaker.require(work(), 60)
    tries[-1].set()
    assert await probe == "done"
    next_call = asyncio.create_task(breaker.require(work(), 60))
    while len(tries) == 4:
        await asyncio.sleep(0)
    tries[-1].set()
    assert await next_call == "done"
