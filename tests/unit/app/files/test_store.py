"""Uploaded files: whole or not there, their owner's alone, within their limits, gone when their time is over."""

import asyncio
import errno
import os
import secrets
import shutil
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import fsspec
import pytest

from app.assembly.building import build_files
from app.errors import BadRequest, PayloadTooLarge, Unavailable
from app.files.storage import DISK_RESERVE, FileLimits, Storage, StoredFile, from_record, to_record
from app.files.store import FileStore
from app.settings import Settings

HOUR = 3600.0


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["folder", "memory"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "files")
        return
    root = f"memory://{secrets.token_hex(8)}"
    yield root
    system, path = fsspec.url_to_fs(root)
    if system.exists(path):
        system.rm(path, recursive=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(address: str, clock: Clock) -> AsyncIterator[FileStore]:
    store = FileStore(Storage(address), FileLimits(file_bytes=100, owner_bytes=150), clock)
    yield store
    await store.close()


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
    return sorted(name for folder in store.storage.folders() for name in store.storage.sizes(folder))


async def used(store: FileStore, owner: str) -> int:
    """Bytes of all of the owner's files, as uploads count them."""
    await store.follow(owner)
    _, size = await store.run(store.index.totals, owner)
    return size


async def test_a_file_is_read_as_it_was_written(store: FileStore, clock: Clock) -> None:
    file = await kept(store, b"%PDF-1.7 hello", filename="ä/../b.pdf")
    assert await store.find("me", file.id) == file
    assert await store.read(file) == await content_of(store, file) == b"%PDF-1.7 hello"
    assert (file.size, file.filename, file.media_type) == (14, "ä/../b.pdf", "application/pdf")
    assert (file.created, file.expires) == (clock.now, int(clock.now + HOUR))


async def test_a_slow_reader_of_a_file_keeps_small_pieces_in_memory(tmp_path: Path) -> None:
    store = FileStore(Storage(str(tmp_path)), FileLimits())
    file = await kept(store, bytes(300_000))
    sizes = [len(piece) async for piece in store.pieces(file)]
    await store.close()
    assert sum(sizes) == 300_000
    assert max(sizes) <= 64 * 1024


async def test_a_file_that_comes_in_many_pieces_is_written_in_few(tmp_path: Path, clock: Clock) -> None:
    piece = os.urandom(2**16)
    written: dict[str, list[int]] = {}

    class NotingStorage(Storage):
        def create(self, name: str) -> IO[bytes]:
            file = super().create(name)
            write = file.write

            def noted(data: bytes) -> int:
                written.setdefault(name, []).append(len(data))
                return write(data)

            file.write = noted  # type: ignore[method-assign, assignment]
            return file

    storage = NotingStorage(str(tmp_path / "files"))
    store = FileStore(storage, FileLimits(file_bytes=2**21, owner_bytes=2**22), clock)
    async with store.writing("me") as writing:
        for _ in range(17):
            await writing.write(piece)
        file = await writing.publish("a.bin", "user_data", HOUR)
    assert written[file.name] == [2**17] * 8 + [2**16]
    assert await content_of(store, file) == piece * 17
    await store.close()


async def test_an_empty_file_is_refused_and_leaves_nothing(store: FileStore) -> None:
    with pytest.raises(BadRequest, match="the file is empty"):
        await kept(store, b"")
    assert lying(store) == []


async def listed(store: FileStore, owner: str) -> list[StoredFile]:
    records = await store.page(owner, 100)
    assert records is not None
    return [file for file in map(from_record, records) if file is not None]


async def test_what_a_client_calls_its_file_is_not_where_it_lies(store: FileStore) -> None:
    file = await kept(store, b"x", filename="../../escape")
    assert lying(store) == [f"me/{file.id}", f"me/{file.id}.json"]


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


async def test_the_newest_comes_first(store: FileStore, clock: Clock) -> None:
    files = []
    for _ in range(3):
        clock.now += 0.001
        files.append(await kept(store, b"x"))
    assert await listed(store, "me") == files[::-1]


async def test_a_page_begins_after_a_file_and_has_one_purpose(store: FileStore, clock: Clock) -> None:
    files = []
    for purpose in ("user_data", "batch", "user_data", "user_data"):
        clock.now += 0.001
        files.append(await kept(store, b"x", purpose=purpose))
    yours = await kept(store, b"x", owner="you")
    first, second, third, fourth = (to_record(file) for file in files)
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


async def test_a_file_is_deleted_though_its_index_has_no_room_on_a_full_disk(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await kept(store, b"whole")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store.index, "remove", full)
        await store.delete(file)
        assert lying(store) == []
        assert await store.find("me", file.id) is None
    assert await store.find("me", file.id) is None  # which removes it from the index
    assert await listed(store, "me") == []
    assert await used(store, "me") == 0


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


async def test_a_file_whose_record_is_being_written_stays_known_when_the_folder_is_looked_at(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await kept(store, b"before")
    put = store.storage.put

    def put_late(name: str, content: bytes) -> None:
        store.index.follow("me")
        put(name, content)

    monkeypatch.setattr(store.storage, "put", put_late)
    file = await kept(store, b"content")
    assert {one.id for one in await listed(store, "me")} == {before.id, file.id}
    assert await used(store, "me") == len(b"before" + b"content")


async def test_a_file_whose_record_cannot_be_written_is_not_known(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(store.storage, "put", full)
    with pytest.raises(Unavailable):
        await kept(store, b"content")
    assert await used(store, "me") == 0


async def test_a_file_is_gone_when_its_time_is_over(store: FileStore, clock: Clock) -> None:
    file, lasting = await kept(store, b"x"), await kept(store, b"y", keep_s=None)
    clock.now += HOUR + 1
    assert await listed(store, "me") == [lasting]
    assert await store.find("me", file.id) is None
    assert lying(store) == [f"me/{lasting.id}", f"me/{lasting.id}.json"]


async def test_a_sweep_deletes_what_is_over_and_what_was_left_long_ago(store: FileStore, clock: Clock) -> None:
    clock.now = await asyncio.to_thread(_now, store)
    await kept(store, b"over", owner="you")
    store.storage.put("me/file-abandoned", b"half of it")
    clock.now += HOUR + 1
    await store.sweep()
    assert lying(store) == ["me/file-abandoned"]
    clock.now += 24 * HOUR
    await store.sweep()
    assert lying(store) == []


def _now(store: FileStore) -> float:
    """By the storage's own clock."""
    store.storage.put("clock/now", b"")
    when = store.storage.modified("clock/now").timestamp()
    store.storage.delete("clock/now")
    return when


async def test_a_record_of_another_form_is_no_file(store: FileStore) -> None:
    file = await kept(store, b"x")
    store.storage.put(f"me/{file.id}.json", b'{"id": 5}')
    assert await store.find("me", file.id) is None
    assert await listed(store, "me") == []


async def test_a_storage_that_fails_says_no_more_than_that(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str) -> None:
        raise OSError(errno.ENOSPC, f"no space left for /secret/{name}")

    monkeypatch.setattr(store.storage, "create", full)
    with pytest.raises(Unavailable) as failure:
        await kept(store, b"x")
    assert failure.value.code == "storage_unavailable"
    assert "secret" not in failure.value.message


@pytest.mark.parametrize(("total", "reserve"), [(100 << 30, DISK_RESERVE), (1 << 20, (1 << 20) // 10)])
async def test_uploads_leave_a_part_of_the_disk_free(
    total: int, reserve: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(Storage(str(tmp_path / "files")), FileLimits())
    disk = SimpleNamespace(total=total, free=reserve + 5)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)
    file = await kept(store, b"fives")
    large = bytes(1 << 20)
    for content in (b"sixsix", large):
        with pytest.raises(Unavailable, match="no room for more uploads") as refusal:
            await kept(store, content)
        assert refusal.value.code == "storage_unavailable"
    disk.free = reserve - 1
    with pytest.raises(Unavailable):
        await kept(store, b"x")
    assert [one.name for one in (tmp_path / "files/me").iterdir() if not one.suffix] == [file.id]
    await store.delete(file)
    assert await listed(store, "me") == []
    await store.close()


async def test_a_folder_of_files_is_its_owners_alone(tmp_path: Path) -> None:
    store = FileStore(Storage(str(tmp_path / "files")), FileLimits())
    await kept(store, b"x")
    await store.close()
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


async def test_an_owner_has_a_number_of_files_and_no_more(address: str, clock: Clock) -> None:
    store = FileStore(Storage(address), FileLimits(owner_files=2), clock)
    first = await kept(store, b"1")
    await kept(store, b"2")
    with pytest.raises(PayloadTooLarge, match="more than 2 files"):
        await kept(store, b"3")
    await kept(store, b"3", owner="you")
    await store.delete(first)
    await kept(store, b"4")
    await store.close()


async def test_of_uploads_that_fit_each_by_itself_only_those_fit_that_fit_together(store: FileStore) -> None:
    outcomes = await asyncio.gather(*(kept(store, b"x" * 60) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, StoredFile) for outcome in outcomes) <= 2
    number = len(await listed(store, "me"))
    assert await store.run(store.index.totals, "me") == (number, 60 * number)
    assert len(lying(store)) == 2 * number


async def test_an_upload_lists_no_folder_that_the_index_knows(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept(store, b"1")

    def sizes(folder: str) -> None:
        raise AssertionError(f"{folder} was listed")

    monkeypatch.setattr(store.storage, "sizes", sizes)
    await kept(store, b"2")
    assert len(await listed(store, "me")) == 2


async def test_one_owners_slow_folder_holds_up_nobody_elses_upload(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, end = threading.Event(), threading.Event()
    follow = store.index.follow

    def slow(owner: str) -> None:
        if owner == "me":
            entered.set()
            assert end.wait(60)
        follow(owner)

    monkeypatch.setattr(store.index, "follow", slow)
    mine = asyncio.create_task(kept(store, b"1"))
    assert await asyncio.to_thread(entered.wait, 60)
    assert await kept(store, b"2", owner="you")
    end.set()
    await mine


async def test_the_index_is_made_anew_where_it_is_lost_or_damaged(tmp_path: Path, clock: Clock) -> None:
    async def seen() -> list[str]:
        store = FileStore(Storage(str(tmp_path)), FileLimits(), clock)
        found = [file.id for file in await listed(store, "me")]
        await store.close()
        return found

    store = FileStore(Storage(str(tmp_path)), FileLimits(), clock)
    first, second = await kept(store, b"1"), await kept(store, b"2")
    await store.close()
    assert sorted(await seen()) == sorted([first.id, second.id])
    for damage in (b"", b"no database at all" * 1000):
        (tmp_path / "index.sqlite3").write_bytes(damage)
        assert sorted(await seen()) == sorted([first.id, second.id])
    (tmp_path / f"me/{first.id}.json").unlink()
    assert await seen() == [second.id]


async def test_a_disk_that_is_full_leaves_no_part_of_a_file(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
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
    # There is room for the file, and none for its record.
    monkeypatch.setattr(store.storage, "create", lambda name: Full(name) if name.endswith(".part") else create(name))
    with pytest.raises(Unavailable):
        await kept(store, b"x" * 10)
    assert lying(store) == []
    assert await store.run(store.index.totals, "me") == (0, 0)


@pytest.mark.parametrize("place", ["/proc/files", "a-file/files"])
def test_a_folder_that_nothing_can_be_written_in_keeps_a_server_from_starting(place: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    folder = tmp_path / place  # an absolute one stays as it is
    with pytest.raises(ValueError, match="OPENFAZE_FILES_DIR: '.*files' is not writable"):
        build_files(Settings(_env_file=None, files_dir=str(folder)))


def test_a_folder_that_can_be_made_is_not_made_before_it_is_used(tmp_path: Path) -> None:
    build_files(Settings(_env_file=None, files_dir=str(tmp_path / "a" / "b")))
    assert list(tmp_path.iterdir()) == []


async def test_an_index_that_cannot_be_made_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Storage, "check", lambda _: None)
    files = build_files(Settings(_env_file=None, files_dir="/proc/files"))
    with pytest.raises(Unavailable, match="file storage is not working"):
        await files.follow("anyone")
    await files.close()
