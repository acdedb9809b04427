"""Where uploaded files lie: a folder, or what fsspec reaches by a URL (`s3://bucket/prefix`, `memory://`)."""

import contextlib
import posixpath
import secrets
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

_PRIVATE = 0o700
_EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Which extra of the package brings a protocol's implementation."""


class Storage:
    """Files by name below one address, synchronously: only threads call it.

    A name is `folder/file`, of characters that nobody outside chooses. Raises ValueError for an address that cannot
    be used, OSError where the storage fails.
    """

    def __init__(self, address: str) -> None:
        protocol = address.partition("://")[0] if "://" in address else "file"
        try:
            self._system, self._root = fsspec.url_to_fs(address)
        except ImportError as error:
            extra = _EXTRAS.get(protocol)
            remedy = f"run `openfaze install {extra}`" if extra else f"install the package that serves {protocol}://"
            raise ValueError(f"OPENFAZE_FILES_DIR is a {protocol}:// address, which needs: {remedy}") from error
        except ValueError as error:
            raise ValueError(f"OPENFAZE_FILES_DIR: {error}") from error

    def local_path(self, name: str) -> Path | None:
        """Where `name` lies at the root of a storage that is a folder; None where it is none."""
        return Path(self._root) / name if isinstance(self._system, LocalFileSystem) else None

    def create(self, name: str) -> IO[bytes]:
        """A new file, to be written and closed."""
        path = self._path(name)
        self._system.makedirs(posixpath.dirname(path), exist_ok=True)
        if isinstance(self._system, LocalFileSystem):
            self._system.chmod(self._root, _PRIVATE)
        file: IO[bytes] = self._system.open(path, "wb")
        return file

    def put(self, name: str, content: bytes) -> None:
        """A small file, which is there whole or not at all."""
        unfinished = f"{name}.{secrets.token_hex(4)}.part"
        try:
            with self.create(unfinished) as file:
                file.write(content)
            self._system.mv(self._path(unfinished), self._path(name))
        except BaseException:
            self.delete(unfinished)
            raise

    def open(self, name: str) -> IO[bytes]:
        """Raises FileNotFoundError."""
        file: IO[bytes] = self._system.open(self._path(name), "rb")
        return file

    def get(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        content: bytes = self._system.cat_file(self._path(name))
        return content

    def get_all(self, names: list[str]) -> list[bytes]:
        """Those that are there, at once where the storage can."""
        paths = [self._path(name) for name in names]
        found: dict[str, bytes] = self._system.cat(paths, on_error="omit") if paths else {}
        return list(found.values())

    def delete(self, name: str) -> None:
        """Whether or not it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))

    def folders(self) -> list[str]:
        return [posixpath.basename(entry["name"]) for entry in self._entries("") if entry["type"] == "directory"]

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of each file in `folder`, by name."""
        return {
            f"{folder}/{posixpath.basename(entry['name'])}": entry["size"]
            for entry in self._entries(folder)
            if entry["type"] == "file"
        }

    def modified(self, name: str) -> datetime:
        """When it was written last."""
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
