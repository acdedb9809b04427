"""Compiled networks in a folder of the user's, so that a process need not compile what another has.

A file is written beside its place and moved there, and its checksum precedes what it holds: one that was cut short or
damaged counts as missing. What cannot be written is done without.
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

MOST_FILES = 8
"""Files that are kept, those used last; a network is 10 to 150 MB."""

_DIGEST = hashlib.sha256().digest_size


def read_network(name: str) -> bytes | None:
    """What was kept under `name`; None where nothing is, or not all of it."""
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
    """Under `name`, instead of what was there."""
    folder = _folder()
    if folder is None:
        return
    try:
        _write(folder / name, content)
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[MOST_FILES:]:
            file.unlink()
    except FileNotFoundError:
        return  # another process was quicker to delete it
    except OSError as error:
        _say_once(str(error))


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
    """Made where it is not there; None where there can be none, or it is not this user's: whoever writes to it has the
    server compute what they like."""
    folder = platformdirs.user_cache_path("openfaze", appauthor=False) / "compiled"
    if not folder.is_absolute():
        _say_once("this user has no home")
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        _say_once(str(error))
        return None
    if hasattr(os, "geteuid") and owner != os.geteuid():
        _say_once(f"{folder} belongs to another user")
        return None
    return folder


@cache
def _say_once(reason: str) -> None:
    log.info("compiled_networks_not_kept", reason=reason)
