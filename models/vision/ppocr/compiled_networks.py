"""Stores compiled networks in a folder of the user, so that each is compiled only once and not by every process.

A file is written under another name and then renamed, and begins with the checksum of its content. A truncated or
damaged file counts as missing. If a file cannot be written, the network is compiled every time.
"""

import contextlib
import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

import platformdirs
import structlog

log = structlog.get_logger(__name__)

MAX_FILES = 8
"""At most this many files are kept, which are the most recently used ones. A network takes 10 to 150 MB."""

_DIGEST = hashlib.sha256().digest_size


def read_network(name: str) -> bytes | None:
    """Return the content stored under `name`; None if there is none, or if it is damaged."""
    folder = _folder()
    if folder is None:
        return None
    try:
        with (folder / name).open("rb") as file:
            os.utime(file.fileno())
            digest, content = file.read(_DIGEST), file.read()
    except OSError:
        return None
    return content if hashlib.sha256(content).digest() == digest else None


def keep_network(name: str, content: bytes) -> None:
    """Store `content` under `name`, replacing any earlier content."""
    folder = _folder()
    if folder is None:
        return
    try:
        _write(folder / name, content)
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[MAX_FILES:]:
            file.unlink()
    except FileNotFoundError:
        return  # another process has deleted it first
    except OSError as error:
        _log_once(str(error))


def _write(file: Path, content: bytes) -> None:
    descriptor, part = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(hashlib.sha256(content).digest())
            out.write(content)
        Path(part).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise


def _folder() -> Path | None:
    """Return the folder, which is created if necessary. Return None if that is impossible, or if the folder belongs to
    another user, whose files in it could make the server execute anything."""
    folder = platformdirs.user_cache_path("openfaze", appauthor=False) / "compiled"
    if not folder.is_absolute():
        _log_once("this user has no home")
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        _log_once(str(error))
        return None
    if hasattr(os, "geteuid") and owner != os.geteuid():
        _log_once(f"{folder} belongs to another user")
        return None
    return folder


@cache
def _log_once(reason: str) -> None:
    log.info("compiled_networks_not_kept", reason=reason)
