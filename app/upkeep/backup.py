"""Backs up a server's state into one file while the server runs, and restores it while no server runs.

The file is a ZIP archive. Batches and responses are copied before the uploads that they name, and keys last, so that
the archive contains every upload that it names, unless somebody deleted the upload meanwhile. Caches and weights are
left out, because both can be created or downloaded again.
"""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.assembly.building import counters_file, is_state_shared, responses_file, responses_url
from app.batches.building import batches_file
from app.batches.store import SCHEMA as BATCHES_SCHEMA
from app.files.storage import RECORD_SUFFIX, Storage
from app.settings import Settings
from app.state.sqlite_counters import SCHEMA as COUNTERS_SCHEMA
from app.state.sqlite_entries import VERSION as ENTRIES_VERSION

FORMAT = 1
"""Version of the archive's layout."""
_MANIFEST = "backup.json"
_LARGEST_MANIFEST = 1 << 20
"""The manifest has at most this many bytes."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, UnicodeDecodeError)
"""Exceptions that zipfile raises for a damaged archive."""
_ENCRYPTED = 1
"""Bit of the flags of an encrypted member of a ZIP archive."""
_KEYS = "keys.toml"
_DATABASE = re.compile(r"state/([a-z]+)\.sqlite")
_UPLOAD = re.compile(r"files/[\w-]+/file-[0-9a-f]{32}(?:\.json)?")
_RECORDS = f"*/file-*{RECORD_SUFFIX}"
_UNFINISHED = ".restoring"
"""Name of the temporary folder next to the final place of files. It holds the files until the whole archive is
unpacked."""
_LOCKED_S = 5.0
"""Copying a database waits at most this time, in seconds, for the end of a server's lock on it."""
_COPIED_AT_ONCE = 1 << 20
_PRIVATE = 0o700

log = structlog.get_logger(__name__)


class BackupFailed(Exception):
    """Failure of a backup or a restore. The message states the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Database:
    path: Path
    version: int
    """Newest version of the tables that this program reads."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places of a server's state."""

    files: Path | None
    """Folder of uploads; None if uploads are kept elsewhere, such as in S3."""
    databases: Mapping[str, Database]
    """SQLite databases, by the names of their contents. Databases in Redis are not included."""
    keys: Path | None
    elsewhere: tuple[str, ...] = ()
    """Descriptions of the parts of the state that are not on this machine."""


def build_places(settings: Settings) -> Places:
    """Return the places of all state that a backup holds. Raises ValueError."""
    files = Storage(settings.files_dir).local_path("")
    databases = {"batches": Database(batches_file(settings), BATCHES_SCHEMA.version)}
    elsewhere = [] if files else [f"uploads ({settings.files_dir.partition('://')[0]}://…)"]
    shared = ["responses"] if responses_url(settings) else []
    if not shared:
        databases["responses"] = Database(responses_file(settings), ENTRIES_VERSION)
    if is_state_shared(settings):
        shared.append("counters")
    else:
        databases["counters"] = Database(counters_file(settings), COUNTERS_SCHEMA.version)
    if shared:
        elsewhere.append(f"{' and '.join(shared)} (Redis)")
    keys = Path(settings.keys_file) if settings.keys_file else None
    return Places(files, databases, keys, tuple(elsewhere))


@dataclass(frozen=True, slots=True)
class BackupContents:
    """Contents of an archive."""

    made: str
    """Time at which the backup was made, in UTC."""
    made_by: str
    """Version of the program that made the backup."""
    uploads: int
    databases: Mapping[str, int]
    """Version of each database's tables."""
    has_keys: bool

    @property
    def summary(self) -> str:
        parts = [f"{self.uploads} upload{'' if self.uploads == 1 else 's'}", *self.databases]
        return ", ".join([*parts, "the file of keys"] if self.has_keys else parts)


class _Manifest(BaseModel):
    """The statements of an archive about itself."""

    model_config = ConfigDict(strict=True)
    made: str
    openfaze: str
    uploads: int = Field(ge=0)
    databases: dict[str, int]
    keys: bool


def back_up(places: Places, target: Path) -> BackupContents:
    """Write all state into `target`, which is replaced only when the new archive is complete. The server may run
    meanwhile. Raises BackupFailed."""
    unfinished = target.with_name(f".{target.name}.part")
    try:
        with _create_private(unfinished) as file:
            contents = write(places, file)
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as error:
        raise BackupFailed(f"No backup was made: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return contents


def write(places: Places, file: IO[bytes]) -> BackupContents:
    """Write a backup into an open file or a pipe. Raises BackupFailed."""
    try:
        with zipfile.ZipFile(file, "w") as archive:
            contents = _write_archive(places, archive)
        file.flush()
    except OSError as error:
        raise BackupFailed(f"No backup was made: {error}") from error
    return contents


def restore(places: Places, source: IO[bytes]) -> BackupContents:
    """Restore the state in `source`, a file or a pipe.

    Raises BackupFailed, and changes nothing, if the archive is damaged or of a newer version, if there is state
    already, or if a server runs.
    """
    try:
        with _make_seekable(source, places) as file, zipfile.ZipFile(file) as archive:
            contents = _read_manifest(archive)
            _check_versions(contents, places)
            targets = _find_targets(archive, places)
            with _lock(places, f"A server runs on {places.files}: stop it first", exclusive=True):
                _check_empty(places)
                _unpack(archive, targets)
    except _DAMAGED as error:
        raise BackupFailed(f"This backup is not complete: {error}") from error
    except OSError as error:
        raise BackupFailed(f"Nothing was restored: {error}") from error
    return contents


@contextlib.contextmanager
def in_use(places: Places) -> Iterator[None]:
    """Mark the state as in use while the block runs, so that no restore can begin. Raises BackupFailed if a restore is
    in progress."""
    with _lock(places, f"A backup is being restored into {places.files}: start again when it is done"):
        yield


def _write_archive(places: Places, archive: zipfile.ZipFile) -> BackupContents:
    versions: dict[str, int] = {}
    for name, database in places.databases.items():
        if database.path.exists():
            # The database's folder is writable; in a container, perhaps no other folder is.
            with tempfile.TemporaryDirectory(prefix=".backup-", dir=database.path.parent) as folder:
                copy = Path(folder) / name
                try:
                    versions[name] = _copy_database(database.path, copy)
                except sqlite3.Error as error:
                    raise BackupFailed(f"No backup was made: {error}: '{database.path}'") from error
                archive.write(copy, f"state/{name}.sqlite")
    uploads = sum(_add_upload(places.files, record, archive) for record in _records(places))
    has_keys = places.keys is not None and places.keys.exists()
    if places.keys is not None and has_keys:
        archive.write(places.keys, _KEYS)
    if not (versions or uploads or has_keys):
        raise BackupFailed(
            f"There is nothing to back up: no uploads in {places.files}, and nothing else. Are these the settings of "
            "the server? They are read from the environment, and from .env in the current folder."
        )
    contents = BackupContents(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", version("openfaze"), uploads, versions, has_keys
    )
    manifest = {"format": FORMAT, "openfaze": contents.made_by, "made": contents.made}
    archive.writestr(_MANIFEST, json.dumps(manifest | {"uploads": uploads, "databases": versions, "keys": has_keys}))
    return contents


def _copy_database(path: Path, copy: Path) -> int:
    """Copy a consistent state of a database that may be in use, and return the version of its tables."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(address, uri=True, timeout=_LOCKED_S)) as database,
        contextlib.closing(sqlite3.connect(copy)) as to,
    ):
        database.backup(to)
        return int(to.execute("PRAGMA user_version").fetchone()[0])


def _records(places: Places) -> Iterator[Path]:
    return iter(()) if places.files is None else places.files.glob(_RECORDS)


def _add_upload(files: Path | None, record: Path, archive: zipfile.ZipFile) -> bool:
    """Add an upload to the archive, and then its record.

    Return False if the upload was deleted meanwhile: a deletion removes the record first.
    """
    assert files is not None
    upload = record.with_suffix("")
    try:
        with record.open("rb") as known, upload.open("rb") as content:
            for path, opened in ((upload, content), (record, known)):
                with archive.open(f"files/{path.relative_to(files).as_posix()}", "w", force_zip64=True) as to:
                    shutil.copyfileobj(opened, to, _COPIED_AT_ONCE)
    except FileNotFoundError:
        return False
    return True


@contextlib.contextmanager
def _make_seekable(source: IO[bytes], places: Places) -> Iterator[IO[bytes]]:
    """Provide the source itself, or a temporary file with the content of a pipe."""
    if source.seekable():
        yield source
        return
    if places.files is not None:
        places.files.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=places.files) as copy:
        shutil.copyfileobj(source, copy, _COPIED_AT_ONCE)
        yield copy


def _read_manifest(archive: zipfile.ZipFile) -> BackupContents:
    for member in archive.infolist():
        if member.flag_bits & _ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BackupFailed(
                f"'{member.filename[:100]}' is encrypted, or compressed in a way that openfaze never uses for a backup"
            )
    try:
        size = archive.getinfo(_MANIFEST).file_size
        manifest: Any = json.loads(archive.read(_MANIFEST)) if size <= _LARGEST_MANIFEST else None
    except KeyError:
        raise BackupFailed(f"This is not a backup made by openfaze: it has no {_MANIFEST}") from None
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise BackupFailed(f"This is not a backup made by openfaze: its {_MANIFEST} is not a JSON object")
    if manifest.get("format") != FORMAT:
        raise BackupFailed(
            f"The backup was made by openfaze {manifest.get('openfaze')}, and has format {manifest.get('format')}; "
            f"openfaze {version('openfaze')} reads format {FORMAT}. Restore it with the version that made it."
        )
    try:
        known = _Manifest.model_validate(manifest)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise BackupFailed(f"The backup is damaged: '{place}' of its {_MANIFEST}: {problem['msg']}") from None
    return BackupContents(known.made, known.openfaze, known.uploads, known.databases, known.keys)


def _check_versions(contents: BackupContents, places: Places) -> None:
    for name, found in contents.databases.items():
        known = places.databases.get(name)
        if known is not None and found > known.version:
            raise BackupFailed(
                f"The backup was made by openfaze {contents.made_by}: its '{name}' has version {found}, but openfaze "
                f"{version('openfaze')} reads versions up to {known.version}. Restore it with openfaze "
                f"{contents.made_by} or newer."
            )


def _find_targets(archive: zipfile.ZipFile, places: Places) -> dict[str, Path]:
    """Return the target path of each member of the archive."""
    targets: dict[str, Path] = {}
    for name in archive.namelist():
        if name == _MANIFEST:
            continue
        if name == _KEYS:
            if places.keys is None:
                raise BackupFailed("The backup holds a file of keys: set OPENFAZE_KEYS_FILE to a path for it")
            targets[name] = places.keys
        elif database := _DATABASE.fullmatch(name):
            if database[1] not in places.databases:
                raise BackupFailed(f"The backup holds '{database[1]}' in SQLite, but the settings name Redis for it")
            targets[name] = places.databases[database[1]].path
        elif _UPLOAD.fullmatch(name):
            if places.files is None:
                raise BackupFailed("The backup holds uploads: OPENFAZE_FILES_DIR must be a folder on this machine")
            targets[name] = places.files / name.removeprefix("files/")
        else:
            raise BackupFailed(f"'{name[:100]}' is not part of any backup made by openfaze")
    return targets


def _check_empty(places: Places) -> None:
    existing = [
        file
        for one in places.databases.values()
        # SQLite would take a leftover log for the log of the new file.
        for file in (one.path, one.path.with_name(f"{one.path.name}-wal"))
        if file.exists()
    ]
    if places.files is not None and next(_records(places), None):
        existing.append(places.files)
    if places.keys is not None and places.keys.exists():
        existing.append(places.keys)
    if existing:
        raise BackupFailed(
            f"State exists already: {', '.join(map(str, existing))}. Nothing is overwritten: stop the server, move "
            "these away, and repeat this."
        )


def _unpack(archive: zipfile.ZipFile, targets: Mapping[str, Path]) -> None:
    """Unpack all files, which verifies their checksums, and only then move them to their places. If moving fails, undo
    it. Raises BackupFailed if that fails, too."""
    unpacked: dict[Path, Path] = {}
    folders = {target.parents[1 if _UPLOAD.fullmatch(name) else 0] for name, target in targets.items()}
    try:
        for folder in folders:
            folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)
        for name, target in targets.items():
            folder = target.parents[1 if _UPLOAD.fullmatch(name) else 0]
            unfinished = folder / _UNFINISHED / target.relative_to(folder)
            unfinished.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            with archive.open(name) as member, _create_private(unfinished) as file:
                shutil.copyfileobj(member, file, _COPIED_AT_ONCE)
            unpacked[unfinished] = target
        _move(unpacked)
    finally:
        for folder in folders:
            shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)


def _move(targets: Mapping[Path, Path]) -> None:
    """Move each file to its target, or none if one cannot be moved. Raises BackupFailed if moved files cannot be
    deleted."""
    moved: list[Path] = []
    try:
        for unfinished, target in targets.items():
            target.parent.mkdir(mode=_PRIVATE, exist_ok=True)
            unfinished.replace(target)
            moved.append(target)
    except BaseException as error:
        for target in reversed(moved):
            with contextlib.suppress(OSError):
                target.unlink()
        if left := [str(target) for target in moved if target.exists()]:
            raise BackupFailed(
                f"Only a part was restored: {error}. Delete these files before you repeat this: {', '.join(left)}"
            ) from error
        raise


def _create_private(path: Path) -> IO[bytes]:
    """Return a new file that other users of the machine cannot read."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")


@contextlib.contextmanager
def _lock(places: Places, refusal: str, *, exclusive: bool = False) -> Iterator[None]:
    """Hold a lock on the folder of uploads: a shared lock for a server, or an `exclusive` one for a restore.

    The lock is skipped if the folder cannot be made or locked, because a server is useful even without uploads. Raises
    BackupFailed with `refusal` if others hold the lock.
    """
    if places.files is None or sys.platform == "win32":
        yield
        return
    import fcntl

    with contextlib.ExitStack() as held:
        try:
            places.files.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            folder = os.open(places.files, os.O_RDONLY)
            held.callback(os.close, folder)
            fcntl.flock(folder, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(refusal) from None
        except OSError as error:
            log.debug("state_not_locked", reason=str(error))
        yield
