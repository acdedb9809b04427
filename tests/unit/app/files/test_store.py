"""Uploaded files: whole or not there, their owner's alone, within their limits, gone when their time is over."""

import asyncio
import errno
import gc
import os
import secrets
import shutil
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest

from app.assembly.building import build_files
from app.errors import BadRequest, PayloadTooLarge, Unavailable
from app.files.index import FileLimits, StoredFile
from app.files.storage import DISK_RESERVE, Storage
from app.files.store import FileStore
from app.settings import Settings
from app.state.database import Database, parse_url, sqlite_url
from app.state.entries import StoreDown
from models.base import RETRY_S
from tests.kit.waits.waiting import until

HOUR = 3600.0


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["folder and SQLite", "memory and PostgreSQL"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[FileStore]:
    if request.param == "folder and SQLite":
        address, database = str(tmp_path / "files"), Database(sqlite_url(tmp_path / "state.sqlite"))
    else:
        address = f"memory://{secrets.token_hex(8)}"
        database = Database(parse_url("URL", request.getfixturevalue("postgres").create()))
    limits = FileLimits(file_bytes=100, owner_bytes=150, owner_files=9)
    store = FileStore(Storage(address), database, limits, clock)
    yield store
    await store.close()
    await database.close()
    if store.storage.is_remote:
        system, path = fsspec.url_to_fs(address)
        system.rm(path, recursive=True)


@asynccontextmanager
async def in_folder(folder: Path) -> AsyncIterator[FileStore]:
    database = Database(sqlite_url(folder / "state.sqlite"))
    store = FileStore(Storage(str(folder / "files")), database, FileLimits())
    yield store
    await store.close()
    await database.close()


async def listed(store: FileStore, owner: str) -> list[StoredFile]:
    files = await store.page(owner, 100)
    assert files is not None
    return files


async def used(store: FileStore, owner: str) -> int:
    """Bytes of all of the owner's files, as uploads count them."""
    return (await store.index.totals(owner))[1]


async def kept(
    store: FileStore,
    content: bytes,
    owner: str = "me",
    filename: str = "a.txt",
    keep_s: float | None = HOUR,
    purpose: str = "user_data",
) -> StoredFile:
    async with store.writing(owner) as writing:
        await writing.write(content[:3])
        await writing.write(content[3:])
        return await writing.publish(filename, purpose, keep_s)


async def content_of(store: FileStore, file: StoredFile) -> bytes:
    return b"".join([piece async for piece in store.pieces(file)])


def lying(store: FileStore) -> list[str]:
    """The names of everything that is stored."""
    return sorted(name for folder in store.storage.folders() for name in store.storage.names(folder))


async def test_a_file_is_read_as_it_was_written(store: FileStore, clock: Clock) -> None:
    file = await kept(store, b"%PDF-1.7 hello", filename="ä/../b.pdf")
    assert await store.find("me", file.id) == file
    assert await store.read(file) == await content_of(store, file) == b"%PDF-1.7 hello"
    assert (file.size, file.filename, file.media_type) == (14, "ä/../b.pdf", "application/pdf")
    assert (file.created, file.expires) == (clock.now, int(clock.now + HOUR))


async def test_an_empty_file_is_refused_and_leaves_nothing(store: FileStore) -> None:
    with pytest.raises(BadRequest, match="the file is empty"):
        await kept(store, b"")
    assert lying(store) == []


async def test_what_a_client_calls_its_file_is_not_where_it_lies(store: FileStore) -> None:
    file = await kept(store, b"x", filename="../../escape")
    assert lying(store) == [f"me/{file.id}"]


@pytest.mark.parametrize(
    "file_id", ["", ".", "../you/file-1", "file-", "file-" + "0" * 31, "file-" + "g" * 32, "file-" + "0" * 32 + "\n"]
)
async def test_what_is_no_id_is_no_file(store: FileStore, file_id: str) -> None:
    await kept(store, b"x")
    assert await store.find("me", file_id) is None


async def test_an_owner_sees_only_its_own(store: FileStore) -> None:
    mine, yours = await kept(store, b"mine"), await kept(store, b"yours", owner="you")
    assert await store.find("you", mine.id) is None
    assert await listed(store, "me") == [mine]
    assert await listed(store, "you") == [yours]
    assert await listed(store, "nobody") == []


async def test_a_page_begins_after_a_file_and_has_one_purpose(store: FileStore, clock: Clock) -> None:
    files = []
    for purpose in ("user_data", "batch", "user_data", "user_data"):
        clock.now += 0.001
        files.append(await kept(store, b"x", purpose=purpose))
    yours = await kept(store, b"x", owner="you")
    first, second, third, fourth = files
    assert await store.page("me", 2) == [fourth, third]
    assert await store.page("me", 2, after=files[2].id) == [second, first]
    assert await store.page("me", 2, after=files[0].id, is_ascending=True) == [second, third]
    assert await store.page("me", 9, after=files[0].id, is_ascending=True, purpose="user_data") == [third, fourth]
    assert await store.page("me", 9, after=yours.id) is None


async def test_a_deleted_file_leaves_nothing(store: FileStore) -> None:
    file = await kept(store, b"x")
    await store.delete(file)
    assert await store.find("me", file.id) is None
    with pytest.raises(FileNotFoundError):
        await store.read(file)
    with pytest.raises(FileNotFoundError):
        await content_of(store, file)
    assert lying(store) == []


async def test_an_upload_that_breaks_off_leaves_nothing(store: FileStore) -> None:
    with pytest.raises(ConnectionError):
        async with store.writing("me") as writing:
            await writing.write(b"half of it")
            raise ConnectionError
    assert lying(store) == []
    assert await used(store, "me") == 0


async def test_an_upload_whose_caller_leaves_leaves_nothing(store: FileStore) -> None:
    begun = asyncio.Event()

    async def upload() -> None:
        async with store.writing("me") as writing:
            await writing.write(b"half of it")
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(upload())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert lying(store) == []
    assert not store.being_written["me"]


async def test_the_failure_of_a_file_whose_caller_left_is_nobodys(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate, stray = asyncio.Event(), asyncio.Event(), list[dict[str, object]]()

    async def down(*_: object) -> None:
        begun.set()
        await gate.wait()
        raise StoreDown("the lease was lost")

    monkeypatch.setattr(store.index, "add", down)
    monkeypatch.setattr(asyncio.get_running_loop(), "call_exception_handler", stray.append)
    task = asyncio.create_task(kept(store, b"x"))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    gate.set()
    await until(lambda: len(asyncio.all_tasks()) == 1)
    gc.collect()
    assert stray == []


async def test_nobody_sees_a_file_before_it_is_whole(store: FileStore) -> None:
    async with store.writing("me") as writing:
        await writing.write(b"half of it")
        assert await listed(store, "me") == []
        assert await used(store, "me") == 0


async def test_a_file_that_becomes_too_large_is_refused_and_leaves_nothing(store: FileStore) -> None:
    with pytest.raises(PayloadTooLarge, match="OPENFAZE_MAX_FILE_MB") as refusal:
        await kept(store, bytes(101))
    assert refusal.value.code == "file_too_large"
    assert lying(store) == []
    assert (await kept(store, bytes(100))).size == 100


async def test_all_files_of_an_owner_have_a_limit_together(store: FileStore) -> None:
    first = await kept(store, bytes(100))
    with pytest.raises(PayloadTooLarge, match="OPENFAZE_MAX_FILES_MB") as refusal:
        await kept(store, bytes(51))
    assert refusal.value.code == "storage_full"
    await kept(store, bytes(100), owner="you")
    await store.delete(first)
    await kept(store, bytes(100))


async def test_uploads_under_way_count_too(store: FileStore) -> None:
    async with store.writing("me") as first:
        await first.write(bytes(100))
        with pytest.raises(PayloadTooLarge, match="OPENFAZE_MAX_FILES_MB"):
            await kept(store, bytes(51))
        await kept(store, bytes(50))
        assert (await first.publish("a", "user_data", None)).expires is None


async def test_a_file_is_gone_when_its_time_is_over(store: FileStore, clock: Clock) -> None:
    file, lasting = await kept(store, b"x"), await kept(store, b"y", keep_s=None)
    clock.now += HOUR + 1
    assert await listed(store, "me") == [lasting]
    assert await store.find("me", file.id) is None
    assert lying(store) == [f"me/{lasting.id}"]


async def test_a_sweep_deletes_what_is_over_and_what_was_left_long_ago(store: FileStore, clock: Clock) -> None:
    clock.now = time.time()
    await kept(store, b"over", owner="you")
    lasting = await kept(store, b"lasting", keep_s=None)
    with store.storage.create("me/file-abandoned") as file:
        file.write(b"half of it")
    with store.storage.create("me/letter.txt") as file:
        file.write(b"of somebody who has the folder, too")
    clock.now += HOUR + 1
    await store.sweep()
    assert lying(store) == sorted(["me/file-abandoned", "me/letter.txt", lasting.name])
    clock.now += 8 * 24 * HOUR
    await store.sweep()
    assert lying(store) == sorted(["me/letter.txt", lasting.name])


async def test_a_sweep_leaves_the_uploads_of_servers_with_indexes_of_their_own(tmp_path: Path, clock: Clock) -> None:
    clock.now = time.time()
    address = f"memory://{tmp_path.name}"
    databases = [Database(sqlite_url(tmp_path / f"{server}.sqlite")) for server in ("one", "two")]
    stores = [FileStore(Storage(address), database, FileLimits(), clock) for database in databases]
    files = [await kept(store, b"x", keep_s=None) for store in stores]
    clock.now += 8 * 24 * HOUR
    for store in stores:
        await store.sweep()
    assert lying(stores[0]) == sorted(file.name for file in files)
    for store, database in zip(stores, databases, strict=True):
        await store.close()
        await database.close()


@pytest.mark.parametrize(("total", "reserve"), [(100 << 30, DISK_RESERVE), (1 << 20, (1 << 20) // 10)])
async def test_uploads_leave_a_part_of_the_disk_free(
    total: int, reserve: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SimpleNamespace(total=total, free=reserve + 5)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)
    async with in_folder(tmp_path) as store:
        file = await kept(store, b"fives")
        for content in (b"sixsix", bytes(1 << 20)):
            with pytest.raises(Unavailable) as refusal:
                await kept(store, content)
            assert refusal.value.code == "storage_unavailable"
        assert lying(store) == [file.name]
        await store.delete(file)
        assert await listed(store, "me") == []


async def test_a_storage_or_a_database_that_fails_leaves_nothing_and_says_no_more_than_that(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left for /secret/name")

    async def down(*_: object) -> None:
        raise StoreDown("database or disk is full: '/secret/state.sqlite'")

    cases = (
        (store.storage, "create", full, {"x-should-retry": "false"}),
        (store.index, "add", down, {"retry-after": str(RETRY_S)}),
    )
    for part, method, failure, headers in cases:
        with monkeypatch.context() as patch, pytest.raises(Unavailable) as refusal:
            patch.setattr(part, method, failure)
            await kept(store, b"x")
        assert (refusal.value.code, refusal.value.headers) == ("storage_unavailable", headers)
        assert "secret" not in refusal.value.message
    assert lying(store) == []
    assert await listed(store, "me") == []


async def test_a_disk_that_is_full_when_a_file_is_closed_leaves_no_part_of_it(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = store.storage.create

    class Full:
        """Takes what it is given, and finds out when it is closed that there was no room."""

        def __init__(self, name: str) -> None:
            self._file = create(name)

        def write(self, piece: bytes) -> int:
            return self._file.write(piece)

        def close(self) -> None:
            self._file.close()
            raise OSError(errno.ENOSPC, "no space left on device")

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

    monkeypatch.setattr(store.storage, "create", Full)
    with pytest.raises(Unavailable):
        await kept(store, b"x" * 10)
    assert lying(store) == []
    assert await used(store, "me") == 0


async def test_an_owner_has_a_number_of_files_and_no_more(store: FileStore) -> None:
    files = [await kept(store, b"1") for _ in range(9)]
    with pytest.raises(PayloadTooLarge, match="more than 9 files"):
        await kept(store, b"one more")
    await kept(store, b"3", owner="you")
    await store.delete(files[0])
    await kept(store, b"4")


async def test_a_purged_owner_has_no_files_and_others_have_theirs(store: FileStore) -> None:
    await kept(store, b"mine")
    yours = await kept(store, b"yours", owner="you")
    assert await store.purge("me") == 1
    assert await listed(store, "me") == []
    assert lying(store) == [yours.name]


async def test_a_folder_of_files_is_its_owners_alone(tmp_path: Path) -> None:
    async with in_folder(tmp_path) as store:
        await kept(store, b"x")
    assert stat.S_IMODE(os.stat(tmp_path / "files").st_mode) == 0o700


def test_a_storage_whose_package_is_not_there_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(address: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "url_to_fs", missing)
    with pytest.raises(ValueError, match=r"OPENFAZE_FILES_DIR: .* run `openfaze install s3`"):
        Storage("s3://bucket/prefix")


def test_an_address_that_nothing_serves_is_refused() -> None:
    with pytest.raises(ValueError, match="OPENFAZE_FILES_DIR: Protocol not known: nonsense"):
        Storage("nonsense://bucket")


async def test_of_uploads_that_fit_each_by_itself_only_those_fit_that_fit_together(store: FileStore) -> None:
    outcomes = await asyncio.gather(*(kept(store, b"x" * 60) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, StoredFile) for outcome in outcomes) <= 2
    number = len(await listed(store, "me"))
    assert await store.index.totals("me") == (number, 60 * number)
    assert len(lying(store)) == number


@pytest.mark.parametrize("place", ["/proc/files", "a-file/files"])
def test_a_folder_that_nothing_can_be_written_in_keeps_a_server_from_starting(place: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    folder = tmp_path / place  # an absolute one stays as it is
    with pytest.raises(ValueError, match="OPENFAZE_FILES_DIR: '.*files' is not writable"):
        build_files(Settings(_env_file=None, files_dir=str(folder)), Database(sqlite_url(tmp_path / "state.sqlite")))
