"""Files of SQLite that are damaged under a server that runs, or while it does not: what becomes of each store."""

import contextlib
import os
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.batches.store import Batch, BatchStore
from app.files.storage import FileLimits, Storage, from_record
from app.files.store import FileStore
from app.state.counters import Amount, Limits
from app.state.entries import Key, StoreDown
from app.state.sqlite_entries import SqliteEntries
from app.state.sqlite_file import erase_log, erasing
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


@pytest.mark.parametrize("harm", [zero_the_header, cut_in_half, overwrite_all])
async def test_a_damaged_file_of_state_is_left_for_its_operator(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "batches.sqlite"
    store = BatchStore(path)
    for number in range(100):
        await store.add(batch(number), limit=1000)
    await store.close()
    take_in(path)
    harm(path)
    damaged = path.read_bytes()
    store = BatchStore(path)
    with pytest.raises(StoreDown, match="batches.sqlite"):
        await store.find("mine", "batch_50")
    assert path.read_bytes() == damaged
    path.unlink()
    await store.add(batch(999), limit=1000)
    assert await store.find("mine", "batch_999") == batch(999)
    await store.close()


@harmed
async def test_a_damaged_file_of_a_cache_is_begun_anew(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    store = SqliteEntries(path, 64 * MB)
    for number in range(60):
        await store.put(key(number), os.urandom(5000), max_age_s=60)
    take_in(path)
    harm(path)
    await sooner_or_later(lambda: store.put(key(99), b"new", max_age_s=60))
    assert await sooner_or_later(store.get, key(99)) == b"new"
    await store.close()


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
