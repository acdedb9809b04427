"""Stores of entries: one suite for SQLite, PostgreSQL and Redis."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select

from app.state.database import Database, parse_url, sqlite_url
from app.state.entries import PAUSE_S, CircuitBreaker, EntryStore, Key, StoreDown
from app.state.redis_entries import RedisEntries
from app.state.sealing import Sealer
from app.state.sql_entries import SqlEntries
from app.state.tables import ANSWERS, CACHE
from tests.kit.servers.redis_server import serving_redis
from tests.kit.waits.strays import no_stray_failures

MB = 1 << 20


def key(name: str, tenant: str = "t1", kind: str = "answer") -> Key:
    return Key(tenant, "reading" if kind == "reading" else "answer", name.encode().ljust(32, b"."))


def in_file(path: Path, max_bytes: int = MB, *, per_tenant: bool = False) -> SqlEntries:
    database = Database(sqlite_url(path), CACHE.create_all)
    return SqlEntries(database, ANSWERS, max_bytes, per_tenant=per_tenant, owns_database=True)


async def sizes(store: SqlEntries) -> dict[str, int]:
    """The total size of the entries of each tenant."""
    query = select(ANSWERS.c.tenant, func.sum(ANSWERS.c.size)).group_by(ANSWERS.c.tenant)
    rows = await store._database.read(lambda connection: connection.execute(query).all())
    return {tenant: int(size) for tenant, size in rows}


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EntryStore]:
    store: EntryStore
    match request.param:
        case "sqlite":
            store = in_file(tmp_path / "sub" / "cache.sqlite")
        case "postgresql":
            url = request.getfixturevalue("postgres").create()
            store = SqlEntries(Database(parse_url("URL", url), CACHE.create_all), ANSWERS, MB, owns_database=True)
        case _:
            store = RedisEntries(request.getfixturevalue("redis_url"))
            await store.purge("t1")
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
    await store.put(key("long"), b"x", max_age_s=60)
    await asyncio.sleep(0.02)
    assert await store.get(key("short")) is None
    assert await store.sweep() == (0 if isinstance(store, RedisEntries) else 1)
    assert await store.get(key("long")) == b"x"


async def test_one_is_deleted_by_its_key(store: EntryStore) -> None:
    await store.put(key("a"), b"x", max_age_s=60)
    await store.put(key("b"), b"x", max_age_s=60)
    assert await store.delete(key("a"))
    assert not await store.delete(key("a"))
    assert [await store.get(key(name)) for name in "ab"] == [None, b"x"]


async def test_a_tenant_is_deleted_by_itself(store: EntryStore) -> None:
    for name in ("a", "b"):
        await store.put(key(name), b"x" * 100, max_age_s=60)
    await store.put(key("c", kind="reading"), b"x", max_age_s=60)
    await store.put(key("d", tenant="t2"), b"x", max_age_s=60)
    assert await store.purge("t1") == 3
    assert await store.get(key("a")) is None
    assert await store.get(key("d", tenant="t2")) == b"x"
    await store.purge("t2")


async def test_the_oldest_leave_first(tmp_path: Path) -> None:
    now = 1000.0
    store = in_file(tmp_path / "c.sqlite", 10_000)
    store._clock = lambda: now
    for number in range(12):
        now += 1
        await store.put(key(str(number)), b"x" * 1000, max_age_s=10_000)
    assert (await sizes(store))["t1"] <= 10_000
    assert await store.get(key("0")) is None
    assert await store.get(key("11"))
    await store.close()


async def test_a_bound_of_each_tenant_is_no_other_tenants(tmp_path: Path) -> None:
    store = in_file(tmp_path / "c.sqlite", 10_000, per_tenant=True)
    await store.put(key("quiet", tenant="t2"), b"x" * 1000, max_age_s=60)
    for number in range(40):
        await store.put(key(str(number)), b"x" * 1000, max_age_s=60)
    held = await sizes(store)
    assert 5000 < held["t1"] <= 10_000
    assert held["t2"] == 1200
    assert await store.get(key("39"))
    await store.close()


async def test_what_is_deleted_is_given_back_to_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    store = in_file(file, 64 * MB)
    for number in range(20):
        await store.put(key(str(number)), os.urandom(100_000), max_age_s=60)
    assert await store.purge("t1") == 20
    await store.close()
    assert os.path.getsize(file) < 100_000  # noqa: ASYNC240


async def test_a_locked_file_is_down_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.state.database._LOCKED_S", 0.05)
    store = in_file(tmp_path / "c.sqlite")
    await store.put(key("a"), b"x", max_age_s=60)
    with contextlib.closing(sqlite3.connect(tmp_path / "c.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreDown, match="locked"):
            await store.put(key("b"), b"x", max_age_s=60)
        assert await store.get(key("a")) == b"x"
        other.execute("COMMIT")
    await store.put(key("b"), b"x", max_age_s=60)
    assert await store.get(key("b")) == b"x"
    await store.close()


_WRITER = """
import asyncio, os, sys
from pathlib import Path
from app.state.entries import Key
from app.state.sealing import Sealer
from tests.unit.app.state.test_entries import in_file

async def main():
    store, sealer = in_file(Path(sys.argv[1]), 1 << 30), Sealer(1 << 24)
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
    await asyncio.to_thread(write_until_killed, file)
    store = in_file(file, 1 << 30)
    found = [await store.get(key(str(number))) for number in range(50)]
    values = [sealer.open(key(str(number)).digest, one) for number, one in enumerate(found) if one is not None]
    assert len(values) >= 10
    assert all(value is not None and len(value) == 200_000 for value in values)
    await store.close()


async def test_a_full_redis_writes_nothing_and_is_still_read(tmp_path: Path) -> None:
    with serving_redis(tmp_path, "--maxmemory-policy", "noeviction") as server:
        store = RedisEntries(server.url)
        await store.put(key("a"), b"x", max_age_s=60)
        async with Redis.from_url(server.url) as client:
            await client.config_set("maxmemory", 1)
            with pytest.raises(StoreDown, match="OutOfMemory"):
                await store.put(key("b"), b"x", max_age_s=60)
            assert await store.get(key("a")) == b"x"
        await store.close()


async def test_a_killed_redis_is_down_and_comes_back(tmp_path: Path) -> None:
    with serving_redis(tmp_path) as server:
        store = RedisEntries(server.url)
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
        with pytest.raises(StoreDown, match="did not answer within"):
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
