"""Small entries that the event loop writes by itself, and when it leaves them to the file's thread."""

import asyncio
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from app.state.entries import Key, StoreDown
from app.state.sqlite_entries import SqliteEntries
from app.state.sqlite_file import QuickWrites, Schema, SqliteFile

MB = 1 << 20


def key(name: str) -> Key:
    return Key("t1", "answer", name.encode().ljust(32, b"."))


async def opened(store: SqliteEntries) -> None:
    """Its connection for quick writes is there, and it knows how much it holds. No write is slow, however busy the
    machine is."""
    store._quick._clock = lambda: 1000.0
    await store.put(key("first"), b"x", max_age_s=60)
    while store._quick._db is None:
        await store.put(key("first"), b"x", max_age_s=60)
        await store._writer.run(lambda _: None)


async def test_what_is_small_waits_for_no_thread(tmp_path: Path) -> None:
    store = SqliteEntries(tmp_path / "c.sqlite", 64 * MB)
    await opened(store)
    release = threading.Event()
    store._writer.submit(release.wait)
    await store.put(key("small"), b"a", max_age_s=60)
    assert await store.get(key("small")) == b"a"
    large = asyncio.create_task(store.put(key("large"), os.urandom(20_000), max_age_s=60))
    await asyncio.sleep(0)
    assert await store.get(key("large")) is None
    # What comes later is not written earlier.
    later = asyncio.create_task(store.put(key("later"), b"b", max_age_s=60))
    await asyncio.sleep(0)
    assert await store.get(key("later")) is None
    release.set()
    await asyncio.gather(large, later)
    assert await store.get(key("later")) == b"b"
    await store.close()


async def test_where_another_writes_the_thread_waits_and_not_the_event_loop(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    store = SqliteEntries(file, 64 * MB, locked_s=60)
    await opened(store)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(store.put(key("a"), b"x", max_age_s=60))
    await asyncio.sleep(0)  # it was tried, which took no time
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    await waiting
    assert await store.get(key("a")) == b"x"
    await store.close()


async def test_a_disk_that_was_slow_is_left_to_the_thread_for_a_while(tmp_path: Path) -> None:
    now, takes = 1000.0, 0.0
    file = SqliteFile(tmp_path / "c.sqlite", Schema(1, "CREATE TABLE a (b)"), "test")
    quick = QuickWrites(file, lambda: now)

    def write(db: sqlite3.Connection) -> None:
        nonlocal now
        now += takes
        db.execute("INSERT INTO a VALUES (1)")

    assert not quick.try_write(write), "the file is made by the thread"
    await file.run(lambda _: None)
    assert quick.try_write(write)
    takes = 0.02
    assert quick.try_write(write)
    assert not quick.try_write(write)
    now += 59
    assert not quick.try_write(write)
    now += 2
    assert quick.try_write(write)
    assert await file.run(lambda db: db.execute("SELECT count(*) FROM a").fetchone()) == (3,)
    quick.close()
    await file.close()


async def test_what_was_written_quickly_is_taken_into_the_file_by_the_thread(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    store = SqliteEntries(file, 64 * MB)
    await opened(store)
    before = os.path.getsize(file)  # noqa: ASYNC240
    for number in range(300):
        await store.put(key(str(number)), os.urandom(2000), max_age_s=60)
    await store._writer.run(lambda _: None)
    assert os.path.getsize(file) > before + 200 * 2000  # noqa: ASYNC240
    # As much is known to be there as is.
    [held] = await store.entry_totals()
    assert store._totals == {None: held.size}
    await store.close()


async def test_a_connection_that_opens_during_the_end_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SqliteFile(tmp_path / "c.sqlite", Schema(1, "CREATE TABLE a (b)"), "test")
    quick = QuickWrites(file)
    opens, ends = threading.Event(), threading.Event()
    opened: list[sqlite3.Connection] = []
    new_connection = file.new_connection

    def open_slowly() -> sqlite3.Connection:
        opens.set()
        assert ends.wait(60)
        opened.append(new_connection())
        return opened[0]

    monkeypatch.setattr(file, "new_connection", open_slowly)
    assert not quick.try_write(lambda db: db.execute("INSERT INTO a VALUES (1)"))
    assert await asyncio.to_thread(opens.wait, 60)
    quick.close()
    ends.set()
    await file.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


async def test_a_job_after_the_end_does_not_open_the_file_again(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "c.sqlite", Schema(1, "CREATE TABLE a (b)"), "test")
    await file.run(lambda db: db.execute("INSERT INTO a VALUES (1)"))
    before = threading.Event()
    file.submit(before.wait)
    closing = asyncio.create_task(file.close())
    await asyncio.sleep(0)  # the connection is to be closed next
    late = file.submit(file.run_here, lambda db: db.execute("SELECT 1"))
    before.set()
    with pytest.raises(StoreDown, match="closed"):
        await asyncio.wrap_future(late)
    await closing
    assert file.openings == 1
