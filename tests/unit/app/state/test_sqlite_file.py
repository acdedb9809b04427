"""Files of SQLite that are damaged under a server that runs, or while it does not: what becomes of each store."""

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.batches.store import Batch, BatchStore
from app.files.storage import FileLimits, Storage, from_record
from app.files.store import FileStore
from app.state.counters import Amount, Limits, Refusal, Reservation
from app.state.entries import Key, StoreDown
from app.state.sqlite_counters import SqliteCounters
from app.state.sqlite_entries import SqliteEntries
from app.state.sqlite_file import Schema, SqliteFile, erase_log, erasing
from tasks.inputs.limits import MB

PAGE = 4096
BUDGET = Limits(budget=1000, budget_period="total")
CENT = Amount(requests=1, money=10, places=1)


def zero_the_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(100))


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def overwrite_the_middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // PAGE * PAGE)
        file.write(os.urandom(PAGE))


def overwrite_all(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def delete(path: Path) -> None:
    path.unlink()


HARMS = [zero_the_header, cut_in_half, empty, overwrite_the_middle, overwrite_all, delete]
harmed = pytest.mark.parametrize("harm", HARMS)


def take_in(path: Path) -> None:
    """What the log holds goes into the file, where it can be damaged."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()


async def sooner_or_later(work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """Its result, of the second try at the latest: one failure may be the one that shows the damage."""
    try:
        return await work(*args)
    except StoreDown:
        return await work(*args)


@harmed
async def test_counters_count_on(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "counters.sqlite"
    store = SqliteCounters(path)
    for number in range(400):
        await store.reserve(f"tenant-{number}", BUDGET, CENT)
    take_in(path)
    harm(path)
    for number in range(0, 400, 7):
        assert isinstance(await sooner_or_later(store.reserve, f"tenant-{number}", BUDGET, CENT), Reservation)
    await store.close()
    again = SqliteCounters(path)
    assert isinstance(await again.reserve("tenant-1", BUDGET, CENT), Reservation)
    assert isinstance(await again.reserve("tenant-1", BUDGET, Amount(1, money=1001)), Refusal)
    await again.close()


@harmed
async def test_responses_are_kept_on(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "responses.sqlite"
    store = SqliteEntries(path, 64 * MB, per_tenant=True, is_cache=False)
    for number in range(60):
        await store.put(key(number), os.urandom(5000), max_age_s=60)
        await store.get(key(number))
    take_in(path)
    harm(path)
    for number in range(60):
        await sooner_or_later(store.get, key(number))
    await sooner_or_later(lambda: store.put(key(99), b"new", max_age_s=60))
    assert await store.get(key(99)) == b"new"
    await store.close()
    again = SqliteEntries(path, 64 * MB, per_tenant=True, is_cache=False)
    assert await again.get(key(99)) == b"new"
    await again.close()


@harmed
async def test_batches_go_on(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "batches.sqlite"
    store = BatchStore(path)
    for number in range(100):
        await store.add(batch(number), limit=1000)
    take_in(path)
    harm(path)
    for number in range(100):
        await sooner_or_later(store.find, "mine", f"batch_{number}")
    await sooner_or_later(lambda: store.add(batch(999), limit=1000))
    assert await store.find("mine", "batch_999") == batch(999)
    await store.close()
    again = BatchStore(path)
    assert await again.find("mine", "batch_999") == batch(999)
    await again.close()


async def ids_of(store: FileStore, owner: str) -> list[str]:
    records = await store.page(owner, 100)
    assert records is not None
    return sorted(file.id for file in map(from_record, records) if file is not None)


@harmed
async def test_no_upload_is_lost_and_all_of_them_count(harm: Callable[[Path], None], tmp_path: Path) -> None:
    store = FileStore(Storage(str(tmp_path)), FileLimits(owner_files=40))
    owners = ("me", "you")
    kept = {owner: [await upload(store, owner) for _ in range(39)] for owner in owners}
    take_in(tmp_path / "index.sqlite3")
    harm(tmp_path / "index.sqlite3")
    for owner in owners:
        kept[owner].append(await upload(store, owner))
        assert await ids_of(store, owner) == sorted(kept[owner])
        with pytest.raises(Exception, match="you have more than 40 files"):
            await upload(store, owner)
    await store.close()
    again = FileStore(Storage(str(tmp_path)), FileLimits())
    assert await ids_of(again, "me") == sorted(kept["me"])
    await again.close()


async def test_uploads_count_though_another_server_has_begun_the_index_anew(tmp_path: Path) -> None:
    stores = [FileStore(Storage(str(tmp_path)), FileLimits(owner_files=2)) for _ in range(2)]
    for _ in range(2):
        await upload(stores[0], "me")
    await upload(stores[1], "you")
    (tmp_path / "index.sqlite3").unlink()
    await upload(stores[1], "you")
    for store in stores:
        with pytest.raises(Exception, match="you have more than 2 files"):
            await upload(store, "me")
        await store.close()


async def test_what_can_be_read_of_a_damaged_file_is_taken_over_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "responses.sqlite"
    store = SqliteEntries(path, 64 * MB, per_tenant=True, is_cache=False)
    for number in range(200):
        await store.put(key(number), b"%d" % number * 1000, max_age_s=60)
    await store.close()
    overwrite_the_middle(path)
    store = SqliteEntries(path, 64 * MB, per_tenant=True, is_cache=False)
    with capture_logs() as logs:
        found = [await sooner_or_later(store.get, key(number)) for number in range(200)]
        assert (await store.entry_totals())[0].entries > 150
    assert sum(value is not None for value in found) > 150
    assert all(value in (None, b"%d" % number * 1000) for number, value in enumerate(found))
    await store.close()
    [told] = [line for line in logs if line["event"] == "state_file_set_aside"]
    assert told["log_level"] == "error"
    assert told["rows_taken_over"] > 150
    assert told["kept_as"] == f"{path}.damaged-1"
    assert (tmp_path / "responses.sqlite.damaged-1").stat().st_size > 200 * 1000


async def test_a_budget_that_was_spent_stays_spent_where_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "counters.sqlite"
    store = SqliteCounters(path)
    taken = await store.reserve("mine", BUDGET, Amount(1, money=1000, places=1))
    assert isinstance(taken, Reservation)
    await store.settle(taken, Amount(1, money=1000))
    await store.close()
    with sqlite3.connect(path) as db:
        [page] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'usage'").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(os.urandom(PAGE))
    store = SqliteCounters(path)
    await sooner_or_later(store.usage)
    assert (tmp_path / "counters.sqlite.damaged-1").exists()
    assert isinstance(await store.reserve("mine", BUDGET, CENT), Refusal)
    await store.close()


async def test_a_value_of_another_kind_than_its_column_is_not_taken_over(tmp_path: Path) -> None:
    path, schema = tmp_path / "a.sqlite", Schema(1, "CREATE TABLE a (id INTEGER PRIMARY KEY, b REAL NOT NULL)")
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, b)")
        db.execute("INSERT INTO a VALUES (1, 1.5), (2, 'text'), (3, x'00'), (4, 2.5)")
        db.execute("PRAGMA user_version = 1")
    db.close()
    file = SqliteFile(path, schema, "test", is_cache=False)

    def read(db: sqlite3.Connection) -> list[Any]:
        if (tmp_path / "a.sqlite.damaged-1").exists():
            return db.execute("SELECT * FROM a").fetchall()
        raise sqlite3.DatabaseError("database disk image is malformed")

    assert await file.run(read) == [(1, 1.5), (4, 2.5)]
    await file.close()


async def test_a_disk_that_fails_again_and_again_is_for_somebody_to_look_at(tmp_path: Path) -> None:
    path = tmp_path / "counters.sqlite"
    for number in range(1, 4):
        path.write_bytes(b"no database " * 1000)
        store = SqliteCounters(path)
        assert isinstance(await store.reserve("a", BUDGET, CENT), Reservation)
        await store.close()
        assert (tmp_path / f"counters.sqlite.damaged-{number}").exists()
    path.write_bytes(b"no database " * 1000)
    store = SqliteCounters(path)
    with pytest.raises(StoreDown, match=r"delete '.*counters.sqlite.damaged-\*'"):
        await store.reserve("a", BUDGET, CENT)
    (tmp_path / "counters.sqlite.damaged-2").unlink()
    assert isinstance(await store.reserve("a", BUDGET, CENT), Reservation)
    await store.close()


async def test_a_folder_in_place_of_a_file_is_left_alone_until_it_has_gone(tmp_path: Path) -> None:
    path = tmp_path / "batches.sqlite"
    store = BatchStore(path)
    await store.add(batch(1), limit=10)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreDown, match="there is a folder"):
        await store.add(batch(2), limit=10)
    path.rmdir()
    await store.add(batch(3), limit=10)
    assert await store.find("mine", "batch_3") is not None
    await store.close()


@pytest.fixture
async def two_connections(tmp_path: Path) -> AsyncIterator[tuple[BatchStore, BatchStore]]:
    stores = BatchStore(tmp_path / "batches.sqlite"), BatchStore(tmp_path / "batches.sqlite")
    yield stores
    for store in stores:
        await store.close()


@harmed
async def test_a_file_that_two_servers_share_is_set_aside_once(
    harm: Callable[[Path], None], tmp_path: Path, two_connections: tuple[BatchStore, BatchStore]
) -> None:
    path = tmp_path / "batches.sqlite"
    for number in range(100):
        await two_connections[number % 2].add(batch(number), limit=1000)
    take_in(path)
    harm(path)
    for number in range(1000, 1020):
        store, other = two_connections[number % 2], two_connections[1 - number % 2]
        await sooner_or_later(store.add, batch(number), 1000)
        assert await sooner_or_later(other.find, "mine", f"batch_{number}") is not None
    assert not (tmp_path / "batches.sqlite.damaged-2").exists()


def key(number: int) -> Key:
    return Key("mine", "response", number.to_bytes(32))


def batch(number: int) -> Batch:
    return Batch(f"batch_{number}", "mine", "/v1/chat/completions", f"file-{number}", 0.0, 86400.0, {"a": "b" * 200})


async def upload(store: FileStore, owner: str) -> str:
    async with store.writing(owner) as writing:
        await writing.write(b"content")
        return (await writing.publish("a.txt", "user_data", None)).id


def test_data_that_a_reader_keeps_in_the_log_is_told(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE answers (text)")
        db.execute("INSERT INTO answers VALUES ('Marsch')")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader, capture_logs() as logs:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM answers").fetchall()
            with erasing(db):
                db.execute("DELETE FROM answers")
            assert b"Marsch" in Path(f"{path}-wal").read_bytes()
        assert [(one["event"], one["path"]) for one in logs] == [("deleted_data_in_log", f"{path}-wal")]
        with capture_logs() as logs:
            erase_log(db)
        assert (logs, Path(f"{path}-wal").read_bytes()) == ([], b"")
