"""The storage of the bytes of uploaded files: a folder, or a place that fsspec reaches by a URL (`s3://bucket/prefix`,
`memory://`)."""

import contextlib
import errno
import posixpath
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from tasks.inputs.limits import MB

_PRIVATE = 0o700
_EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Name of the extra that installs the package for a protocol, by protocol."""
DISK_RESERVE = 512 * MB
"""Uploads leave this many bytes of the disk free, or a tenth of a smaller disk, because counters, batches and responses
usually lie on it, and refuse requests when it is full."""


class Storage:
    """Files below one address, by name. Calls block, so they must be made in threads.

    A name is `folder/file`, and no part of it comes from a client. The constructor raises ValueError for an address
    that cannot be used. Other methods raise OSError if the storage fails.
    """

    def __init__(self, address: str) -> None:
        protocol = address.partition("://")[0] if "://" in address else "file"
        try:
            self._system, self._root = fsspec.url_to_fs(address)
        except ImportError as error:
            extra = _EXTRAS.get(protocol)
            remedy = f"run `openfaze install {extra}`" if extra else f"install the package that serves {protocol}://"
            raise ValueError(f"OPENFAZE_FILES_DIR: {protocol}:// addresses cannot be used yet: {remedy}") from error
        except ValueError as error:
            raise ValueError(f"OPENFAZE_FILES_DIR: {error}") from error

    def check(self) -> None:
        """If the storage is a folder, check that files can be written there. Raises ValueError."""
        if not isinstance(self._system, LocalFileSystem):
            return
        folder = Path(self._root)
        try:
            folder.mkdir(_PRIVATE, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ValueError(
                f"OPENFAZE_FILES_DIR: '{folder}' is not writable ({error.strerror}): name a folder that the "
                "server's user may write in."
            ) from error

    @property
    def is_remote(self) -> bool:
        return not isinstance(self._system, LocalFileSystem)

    def local_path(self, name: str) -> Path | None:
        """Return the path of `name` if the storage is a folder; None otherwise."""
        return Path(self._root) / name if isinstance(self._system, LocalFileSystem) else None

    def check_disk(self, size: int) -> None:
        """Raise DiskReserved if another `size` bytes would take up what uploads must leave free. Only the disk of a
        folder is checked."""
        if not isinstance(self._system, LocalFileSystem):
            return
        disk = shutil.disk_usage(self._root)
        reserve = min(DISK_RESERVE, disk.total // 10)
        if disk.free - size < reserve:
            raise DiskReserved(errno.ENOSPC, f"uploads leave {reserve // MB} MB free", self._root)

    def create(self, name: str) -> IO[bytes]:
        """Return a new file, open for writing; the caller closes it."""
        path = self._path(name)
        self._system.makedirs(posixpath.dirname(path), exist_ok=True)
        if isinstance(self._system, LocalFileSystem):
            self._system.chmod(self._root, _PRIVATE)
        file: IO[bytes] = self._system.open(path, "wb")
        return file

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading. Raises FileNotFoundError."""
        file: IO[bytes] = self._system.open(self._path(name), "rb")
        return file

    def get(self, name: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError."""
        content: bytes = self._system.cat_file(self._path(name))
        return content

    def delete(self, name: str) -> None:
        """Delete a file, if it exists."""
        with contextlib.suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))

    def folders(self) -> list[str]:
        return [posixpath.basename(entry["name"]) for entry in self._entries("") if entry["type"] == "directory"]

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in `folder`."""
        entries = [entry for entry in self._entries(folder) if entry["type"] == "file"]
        return [f"{folder}/{posixpath.basename(entry['name'])}" for entry in entries]

    def modified(self, name: str) -> datetime:
        """Return the time of the last change of a file."""
        when: datetime = self._system.modified(self._path(name))
        return when

    def _entries(self, folder: str) -> list[dict[str, Any]]:
        self._system.invalidate_cache()
        try:
            entries: list[dict[str, Any]] = self._system.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return []
        return [{**entry, "name": entry["name"].rstrip("/")} for entry in entries]

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


class DiskReserved(OSError):
    """Raised if the disk has no more room for uploads."""
