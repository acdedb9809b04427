"""Who may call."""

import asyncio
import hmac
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from app.access.key_file import SETTING, KeyFileError, digest_of, read_keys, tenant_of
from app.errors import InvalidApiKey
from models.scheduler import Share

EVERYONE = "everyone"
"""The tenant of a server without keys."""
REFRESH_S = 1.0
"""Between two looks at whether the file of keys has changed."""

_HEADER = "It belongs into the header 'Authorization: Bearer <key>'."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    tenant: str
    """Whose files and answers these are, in characters that any store takes: a digest of the key, never the key."""
    guard_thresholds: Mapping[str, float] = field(default_factory=dict)
    """The key's own scores, by the guard's code."""
    share: Share = Share()  # noqa: RUF009 - it is frozen
    """What the key may have of every bounded resource."""


@dataclass(frozen=True, slots=True)
class _Grant:
    """What goes with a key."""

    guard_thresholds: Mapping[str, float] = field(default_factory=dict)
    tenant: str | None = None
    """Where the file says it."""


@dataclass(frozen=True, slots=True)
class _Version:
    """What tells one version of the file from another."""

    modified_ns: int
    size: int
    inode: int
    mode: int


class ApiKeys:
    """The keys that open this server: given ones, and those of a file, which may change. Neither keys nor a file opens
    it to everyone who can connect; a file without keys opens it to nobody."""

    def __init__(self, keys: Iterable[str], file: Path | None = None, *, key_share: float = 1.0) -> None:
        """`key_share`: the part of every bounded resource that one key may have. Raises KeyFileError, which is a
        ValueError."""
        self._key_share = key_share
        self._given = {digest_of(key): _Grant() for key in keys}
        self._file = file
        self._version: _Version | None = None
        self._grants = self._given
        if file is not None:
            self._version = _version_now(file)
            self._grants = self._read(file)
            _warn_of_other_writers(self._version)

    @property
    def count(self) -> int:
        return len(self._grants)

    @property
    def asked_for(self) -> bool:
        """False where the server is open to everyone who can connect."""
        return bool(self._grants) or self._file is not None

    def check(self, authorization: str | None) -> Caller:
        """Raises InvalidApiKey unless `authorization` is `Bearer <one of the keys>`.

        Digests of one length are compared, and all of them always: the time taken tells nothing about a key.
        """
        if not self.asked_for:
            return Caller(EVERYONE)
        said = (authorization or "").strip()
        if said.lower() in {"", "bearer"}:
            raise InvalidApiKey(f"No API key was provided. {_HEADER}")
        scheme, _, key = said.partition(" ")
        key = key.strip()
        given = digest_of(key)
        grants = [grant for digest, grant in self._grants.items() if hmac.compare_digest(given, digest)]
        if scheme.lower() != "bearer" or not grants:
            raise InvalidApiKey(f"Invalid API key provided. {_HEADER}")
        tenant = grants[0].tenant or tenant_of(key)
        return Caller(tenant, grants[0].guard_thresholds, Share(tenant, self._key_share))

    async def follow_file(self) -> None:
        """Takes over what the file says whenever it has changed, for ever. The event loop never waits for the file."""
        while self._file is not None:
            await asyncio.sleep(REFRESH_S)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:
                log.exception("reading_keys_failed")

    def refresh(self) -> None:
        """Reads the file if it has changed; a version that will not do is logged once, and the one before it stays."""
        assert self._file is not None
        # Looked at before it is read: what is written in between makes it another version.
        version = _version_now(self._file)
        if version == self._version:
            return
        self._version = version
        try:
            self._grants = self._read(self._file)
        except KeyFileError as error:
            log.error("keys_file_refused", error=str(error), still_valid=len(self._grants))
        else:
            log.info("keys_file_read", keys=len(self._grants) - len(self._given))
            _warn_of_other_writers(version)

    def _read(self, file: Path) -> dict[bytes, _Grant]:
        grants = dict(self._given)
        for key in read_keys(file):
            digest = bytes.fromhex(key.sha256)
            if digest in grants:
                raise KeyFileError(
                    f"{SETTING}: '{file}': the key '{key.name}' is one of OPENFAZE_API_KEYS too; leave it in one"
                )
            grants[digest] = _Grant(key.guard_thresholds, key.tenant)
        return grants


def _version_now(file: Path) -> _Version | None:
    """None where there is no file, or it cannot be looked at: reading it will say why."""
    try:
        now = file.stat()
    except OSError:
        return None
    return _Version(now.st_mtime_ns, now.st_size, now.st_ino, now.st_mode)


def _warn_of_other_writers(version: _Version | None) -> None:
    """Who may write the file makes keys. Who may read it gains nothing: it has the digests of long random keys."""
    if os.name == "posix" and version and version.mode & (stat.S_IWGRP | stat.S_IWOTH):
        log.warning("keys_file_writable_by_others", mode=f"{stat.S_IMODE(version.mode):04o}")
