"""What a backup holds, and what is not restored."""

import json
import os
import sqlite3
import stat
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.upkeep.backup import BackupContents, BackupFailed, Places, back_up, build_places, in_use, restore, write

OWNER = "0123456789abcdef0123456789abcdef"
FILE_ID = "file-" + "a" * 32


def places_in(folder: Path) -> Places:
    settings = Settings(files_dir=str(folder / "files"), keys_file=str(folder / "keys" / "keys.toml"))
    return build_places(settings)


def database(path: Path, version: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA journal_mode = WAL; CREATE TABLE a (b); INSERT INTO a VALUES ('kept')")
        db.execute(f"PRAGMA user_version = {version}")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Those of a server that has a batch, an upload and a key."""
    places = places_in(tmp_path / "first")
    database(places.databases["batches"].path)
    assert places.files is not None
    assert places.keys is not None
    (places.files / OWNER).mkdir(parents=True)
    (places.files / OWNER / FILE_ID).write_bytes(b"content")
    (places.files / OWNER / f"{FILE_ID}.json").write_text("{}")
    places.keys.parent.mkdir()
    places.keys.write_text("# keys")
    return places


@pytest.fixture
def elsewhere(tmp_path: Path) -> Places:
    return places_in(tmp_path / "second")


def put_back(places: Places, archive: Path) -> BackupContents:
    with archive.open("rb") as source:
        return restore(places, source)


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_where_it_was_and_for_its_user_alone(places: Places, elsewhere: Places, tmp_path: Path) -> None:
    contents = back_up(places, tmp_path / "a.zip")
    assert contents.summary == "1 upload, batches, the file of keys"
    assert put_back(elsewhere, tmp_path / "a.zip") == contents
    found = files_in(tmp_path / "second")
    assert found.keys() == {
        "keys/keys.toml",
        "state/batches.sqlite",
        f"files/{OWNER}/{FILE_ID}",
        f"files/{OWNER}/{FILE_ID}.json",
    }
    assert found[f"files/{OWNER}/{FILE_ID}"] == b"content"
    assert found["keys/keys.toml"] == b"# keys"
    with closing(sqlite3.connect(elsewhere.databases["batches"].path)) as db:
        assert db.execute("SELECT b FROM a").fetchall() == [("kept",)]
    paths = [tmp_path / "a.zip", *(tmp_path / "second").rglob("*")]
    assert [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_what_a_server_has_not_taken_into_its_file_yet_is_copied(places: Places, tmp_path: Path) -> None:
    with closing(sqlite3.connect(places.databases["batches"].path)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        with writer:
            writer.execute("INSERT INTO a VALUES ('in the log')")
        back_up(places, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extract("state/batches.sqlite", tmp_path)
    with closing(sqlite3.connect(tmp_path / "state" / "batches.sqlite")) as db:
        assert db.execute("SELECT b FROM a").fetchall() == [("kept",), ("in the log",)]


def test_an_upload_without_its_record_is_none(places: Places, tmp_path: Path) -> None:
    assert places.files is not None
    (places.files / OWNER / f"file-{'b' * 32}").write_bytes(b"unfinished")
    (places.files / OWNER / f"file-{'c' * 32}.json").write_text("of one that is being deleted")
    assert back_up(places, tmp_path / "a.zip").uploads == 1
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert [name for name in archive.namelist() if "b" * 32 in name or "c" * 32 in name] == []


def test_a_backup_that_fails_leaves_the_one_from_before(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(places, tmp_path / "a.zip")
    before = files_in(tmp_path)

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(BackupFailed, match="No backup was made: .*No space left on device"):
        back_up(places, tmp_path / "a.zip")
    assert files_in(tmp_path) == before


def test_a_database_that_is_damaged_is_named(places: Places, tmp_path: Path) -> None:
    places.databases["batches"].path.write_bytes(b"no database at all, but as long as the head of one: " * 10)
    with pytest.raises(BackupFailed, match="No backup was made: file is not a database: '.*batches.sqlite'"):
        back_up(places, tmp_path / "a.zip")


def test_where_nothing_is_nothing_is_backed_up(elsewhere: Places, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="nothing to back up: no uploads in .*second/files"):
        back_up(elsewhere, tmp_path / "a.zip")
    assert files_in(tmp_path) == {}


def cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])


def flipped(archive: Path) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"content", b"contend", 1))


def told(**changes: Any) -> Callable[[Path], None]:
    """Changes what the archive says of itself."""

    def change(archive: Path) -> None:
        with zipfile.ZipFile(archive) as old:
            members = {name: old.read(name) for name in old.namelist()}
        members["backup.json"] = json.dumps(json.loads(members["backup.json"]) | changes).encode()
        with zipfile.ZipFile(archive, "w") as new:
            for name, content in members.items():
                new.writestr(name, content)

    return change


def with_member(name: str) -> Callable[[Path], None]:
    def add(archive: Path) -> None:
        with zipfile.ZipFile(archive, "a") as opened:
            opened.writestr(name, b"")

    return add


def without_a_manifest(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.txt", b"")


def with_manifest(manifest: bytes, compression: int = zipfile.ZIP_STORED) -> Callable[[Path], None]:
    def write_manifest(archive: Path) -> None:
        with zipfile.ZipFile(archive, "w", compression) as opened:
            opened.writestr("backup.json", manifest)

    return write_manifest


def with_changed_directory(changes: dict[int, int]) -> Callable[[Path], None]:
    """Changes bytes of the last entry in the list of members, by their places in it."""

    def change(archive: Path) -> None:
        content = bytearray(archive.read_bytes())
        begin = content.rindex(b"PK\x01\x02")
        for place, value in changes.items():
            content[begin + place] = value
        archive.write_bytes(content)

    return change


MANIFEST: Any = {"format": 1, "openfaze": "0.2.0", "made": "2026-01-01", "uploads": 0, "databases": {}, "keys": False}
LACKING = {key: value for key, value in MANIFEST.items() if key != "made"}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "backup is not complete"),
        (flipped, "backup is not complete: Bad CRC-32"),
        (with_changed_directory({6: 255}), "backup is not complete: zip file version"),
        (with_changed_directory({9: 8, 46: 255}), "backup is not complete: 'utf-8' codec"),
        (without_a_manifest, "is not a backup made by openfaze"),
        (with_manifest(b"{"), "its backup.json is not a JSON object"),
        (with_manifest(b"[" * 100_000), "its backup.json is not a JSON object"),
        (with_manifest(b"\xff"), "its backup.json is not a JSON object"),
        (with_manifest(b"[1]"), "its backup.json is not a JSON object"),
        (with_manifest(b" " * (1 << 21)), "its backup.json is not a JSON object"),
        (with_manifest(json.dumps(LACKING).encode()), "'made' of its backup.json: Field required"),
        (with_manifest(json.dumps(MANIFEST).encode(), zipfile.ZIP_LZMA), "encrypted, or compressed in a way"),
        (told(databases=["batches"]), "'databases' of its backup.json: .*dictionary"),
        (told(databases={"batches": "1"}), "'databases.batches' of its backup.json: .*integer"),
        (told(uploads=-1), "'uploads' of its backup.json: "),
        (told(keys="no"), "'keys' of its backup.json: "),
        (told(format=2, openfaze="9.0.0"), "made by openfaze 9.0.0, and has format 2; .* reads format 1"),
        (told(databases={"batches": 7}, openfaze="9.0.0"), r"'batches' has version 7, .* up to \d. Restore .* 9.0.0"),
        (with_member("files/../../a"), "is not part of any backup"),
        (with_member(f"files/..{OWNER}/{FILE_ID}"), "is not part of any backup"),
        (with_member("/etc/passwd"), "is not part of any backup"),
    ],
)
def test_what_is_damaged_newer_or_foreign_is_refused_and_nothing_changes(
    damage: Callable[[Path], None], message: str, places: Places, elsewhere: Places, tmp_path: Path
) -> None:
    back_up(places, tmp_path / "a.zip")
    damage(tmp_path / "a.zip")
    with pytest.raises(BackupFailed, match=message):
        put_back(elsewhere, tmp_path / "a.zip")
    assert files_in(tmp_path / "second") == {}


@pytest.mark.parametrize("there", ["batches", "log", "uploads", "keys"])
def test_nothing_that_is_there_is_overwritten(there: str, places: Places, elsewhere: Places, tmp_path: Path) -> None:
    back_up(places, tmp_path / "a.zip")
    assert elsewhere.files is not None
    assert elsewhere.keys is not None
    batches = elsewhere.databases["batches"].path
    path = {
        "batches": batches,
        "log": batches.with_name("batches.sqlite-wal"),
        "uploads": elsewhere.files / "everyone" / f"{FILE_ID}.json",
        "keys": elsewhere.keys,
    }[there]
    path.parent.mkdir(parents=True)
    path.write_text("older")
    before = files_in(tmp_path / "second")
    with pytest.raises(BackupFailed, match="State exists already: .*second"):
        put_back(elsewhere, tmp_path / "a.zip")
    assert files_in(tmp_path / "second") == before


@pytest.fixture
def half_restorable(places: Places, elsewhere: Places, tmp_path: Path) -> Places:
    """Places where the batches can be restored, but an upload cannot. A backup of other places is in `a.zip`."""
    back_up(places, tmp_path / "a.zip")
    assert elsewhere.files is not None
    (elsewhere.files / OWNER / FILE_ID / "folder").mkdir(parents=True)
    return elsewhere


def test_a_restore_that_fails_half_way_leaves_nothing(half_restorable: Places, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match=f"^Nothing was restored: .*{FILE_ID}"):
        put_back(half_restorable, tmp_path / "a.zip")
    assert files_in(tmp_path / "second") == {}


def test_a_restore_that_cannot_be_undone_names_what_is_left(
    half_restorable: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(BackupFailed, match=r"^Only a part was restored: .*\. Delete .*batches\.sqlite"):
        put_back(half_restorable, tmp_path / "a.zip")
    assert files_in(tmp_path / "second").keys() == {"state/batches.sqlite"}


def test_a_restore_waits_for_no_server_and_no_server_for_a_restore(places: Places, tmp_path: Path) -> None:
    back_up(places, tmp_path / "a.zip")
    # Several servers of one machine share their state.
    with in_use(places), in_use(places), pytest.raises(BackupFailed, match="A server runs on .*first/files: stop it"):
        put_back(places, tmp_path / "a.zip")
    with pytest.raises(BackupFailed, match="State exists already"):
        put_back(places, tmp_path / "a.zip")


def test_a_backup_with_keys_needs_a_place_for_them(places: Places, tmp_path: Path) -> None:
    back_up(places, tmp_path / "a.zip")
    without = build_places(Settings(files_dir=str(tmp_path / "second" / "files")))
    with pytest.raises(BackupFailed, match="set OPENFAZE_KEYS_FILE"):
        put_back(without, tmp_path / "a.zip")


def test_a_backup_goes_through_pipes(places: Places, elsewhere: Places, tmp_path: Path) -> None:
    pipe = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert pipe.stdin
    assert pipe.stdout
    with pipe, pipe.stdout:
        with pipe.stdin:
            contents = write(places, pipe.stdin)
        assert restore(elsewhere, pipe.stdout) == contents
    assert (tmp_path / "second" / "files" / OWNER / FILE_ID).read_bytes() == b"content"


def test_what_lies_on_other_machines_is_named(tmp_path: Path) -> None:
    settings = Settings(files_dir="memory://uploads", state_url="redis://127.0.0.1")  # type: ignore[arg-type]
    places = build_places(settings)
    assert places.elsewhere == ("uploads (memory://…)", "responses and counters (Redis)")
    assert places.databases.keys() == {"batches"}
    assert places.files is None
