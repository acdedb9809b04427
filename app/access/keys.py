"""Checks the keys of callers."""

import asyncio
import hmac
import ipaddress
import math
import os
import stat
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import structlog

from app.access.key_file import SETTING, KeyFileError, StoredKey, digest_of, read_keys, tenant_of
from app.errors import InvalidApiKey, RateLimited
from app.state.counters import MINUTE_S, NANO, NO_LIMITS, Limits
from models.scheduler import Share

EVERYONE = "everyone"
"""The tenant of a server without keys."""
REFRESH_S = 1.0
"""Seconds between two looks at whether the file of keys has changed."""

_MOST_ADDRESSES = 10_000
"""Addresses that are remembered for wrong keys; the least recent ones are forgotten."""
_MOST_KNOWN = 64
"""Valid keys that are remembered for one address."""
_NETWORK_BITS = 64
"""Prefix length by which IPv6 clients are told apart, as each has a whole network of addresses."""
_HEADER = "It belongs into the header 'Authorization: Bearer <key>'."

log = structlog.get_logger(__name__)

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class KeyReference:
    """A reference to the key that began work which outlives its request; never the key itself."""

    tenant: str
    """The tenant, the owner of files and answers."""
    digest: str = ""
    """The key's SHA-256 in hexadecimal digits. Empty on a server without keys, and in what earlier versions kept."""
    name: str = ""
    """The key's, in the file of keys."""


@dataclass(frozen=True, slots=True)
class Caller:
    tenant: str
    """The tenant, the owner of files and answers, in characters that any store takes: a digest, never the key."""
    guard_thresholds: Mapping[str, float] = field(default_factory=dict)
    """The key's own thresholds, by the guard's code."""
    share: Share = Share()  # noqa: RUF009 - it is frozen
    """What the key may have of every bounded resource."""
    name: str = ""
    """The key's, in the file of keys."""
    limits: Limits = NO_LIMITS
    tasks: Collection[str] | None = None
    """The tasks that the key may run; None means all."""
    digest: str = ""
    """The key's SHA-256 in hexadecimal digits; empty on a server without keys."""

    @property
    def key(self) -> KeyReference:
        return KeyReference(self.tenant, self.digest, self.name)


@dataclass(frozen=True, slots=True)
class Defaults:
    """Limits for keys that have none of their own."""

    limits: Limits = NO_LIMITS
    tasks: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class _Grant:
    """The rights and limits of a key."""

    limits: Limits = NO_LIMITS
    tasks: Collection[str] | None = None
    name: str = ""
    tenant: str | None = None
    """The tenant, where it is known without the key."""
    ends: datetime | None = None
    guard_thresholds: Mapping[str, float] = field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class _Version:
    """The attributes that tell one version of the file from another."""

    modified_ns: int
    size: int
    inode: int
    mode: int


class ApiKeys:
    """The keys that open this server: given ones, and those of a file, which may change. Neither keys nor a file opens
    it to everyone who can connect; a file without keys opens it to nobody."""

    def __init__(
        self,
        keys: Iterable[str],
        file: Path | None = None,
        *,
        key_share: float = 1.0,
        defaults: Defaults | None = None,
        wrong_keys: int | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key_share`: the part of every bounded resource that one key may have. `wrong_keys`: how many of them one
        address may try a minute, by a clock that nobody sets (`monotonic`); None: any number. Raises KeyFileError,
        which is a ValueError."""
        self._key_share = key_share
        self._defaults = defaults or Defaults()
        self._clock = clock
        self._guesses = None if wrong_keys is None else Guesses(wrong_keys, monotonic)
        self._given = {
            digest_of(key): _Grant(self._defaults.limits, self._defaults.tasks, tenant=tenant_of(key)) for key in keys
        }
        self._file = file
        self._version: _Version | None = None
        self.refused = 0
        """Number of versions of the file that were invalid."""
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
        """Whether callers need a key."""
        return bool(self._grants) or self._file is not None

    def check(self, authorization: str | None, address: str = "") -> Caller:
        """Raises InvalidApiKey unless `authorization` is `Bearer <one of the keys>`, and RateLimited where the address
        that it comes from has tried too many.

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
        if self._guesses:
            self._guesses.check(address, given)
        grants = [grant for digest, grant in self._grants.items() if hmac.compare_digest(given, digest)]
        if scheme.lower() != "bearer" or not grants:
            if self._guesses:
                self._guesses.failed(address)
            raise InvalidApiKey(f"Invalid API key provided. {_HEADER}")
        if self._guesses:
            self._guesses.opened(address, given)
        grant = grants[0]
        if self._is_over(grant):
            assert grant.ends is not None
            ended = grant.ends.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
            raise InvalidApiKey(f"Invalid API key provided: it expired at {ended} UTC.")
        return self._caller(grant, grant.tenant or tenant_of(key), given)

    def caller_of(self, key: KeyReference) -> Caller | None:
        """The caller of this very key, as the key is now; None where it is no longer valid. A rotated key is the same
        one, by its name and tenant; another key of the tenant is not."""
        if not self.asked_for:
            return Caller(EVERYONE) if key.tenant == EVERYONE else None
        for digest, grant in self._grants.items():
            if self._is_meant(grant, digest, key):
                return None if self._is_over(grant) else self._caller(grant, key.tenant, digest)
        return None

    def _is_meant(self, grant: _Grant, digest: bytes, key: KeyReference) -> bool:
        if not key.digest:
            return grant.tenant == key.tenant
        if key.digest == digest.hex():
            # The tenant of a key that an earlier version wrote shows only when the key is used.
            return grant.tenant in (None, key.tenant)
        is_there = bytes.fromhex(key.digest) in self._grants
        return not is_there and grant.name == key.name != "" and grant.tenant == key.tenant

    def _is_over(self, grant: _Grant) -> bool:
        return grant.ends is not None and self._clock() >= grant.ends.timestamp()

    def _caller(self, grant: _Grant, tenant: str, digest: bytes) -> Caller:
        share = Share(tenant, self._key_share, grant.weight)
        return Caller(tenant, grant.guard_thresholds, share, grant.name, grant.limits, grant.tasks, digest.hex())

    async def follow_file(self) -> None:
        """Reads the file whenever it has changed, for ever, without blocking the event loop."""
        while self._file is not None:
            await asyncio.sleep(REFRESH_S)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:
                log.exception("reading_keys_failed")

    def refresh(self) -> None:
        """Reads the file if it has changed. An invalid version is logged once, and the last valid one stays."""
        assert self._file is not None
        # The version is noted before reading, so that a write in between makes another version.
        version = _version_now(self._file)
        if version == self._version:
            return
        self._version = version
        try:
            self._grants = self._read(self._file)
        except KeyFileError as error:
            self.refused += 1
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
            grants[digest] = self._granted(key)
        return grants

    def _granted(self, key: StoredKey) -> _Grant:
        default = self._defaults.limits
        limits = replace(
            default,
            **{
                field: value
                for field in ("requests_per_minute", "tokens_per_minute", "concurrent", "budget_period")
                if (value := getattr(key, field)) is not None
            },
        )
        if key.budget_usd is not None:
            limits = replace(limits, budget=round(key.budget_usd * NANO))
        tasks = self._defaults.tasks if key.tasks is None else frozenset(key.tasks)
        return _Grant(limits, tasks, key.name, key.tenant, key.ends, key.guard_thresholds, key.weight or 1.0)


class Guesses:
    """Counts the wrong keys of each address. After a number of them a minute, only keys that were valid from there
    before are accepted from that address."""

    def __init__(self, a_minute: int, clock: Callable[[], float]) -> None:
        self._most = a_minute
        self._clock = clock
        self._tried: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """The level of wrong keys, which drains over time, and its time."""
        self._known: OrderedDict[str, OrderedDict[bytes, None]] = OrderedDict()

    def check(self, address: str, digest: bytes) -> None:
        """Raises RateLimited."""
        network = _network(address)
        tried = self._now(network)
        if tried <= self._most - 1 or digest in self._known.get(network, ()):
            return
        wait_s = max(1, math.ceil((tried + 1 - self._most) * MINUTE_S / self._most))
        raise RateLimited(
            f"Too many wrong API keys came from this address; the limit is {self._most} a minute "
            f"(OPENFAZE_MAX_WRONG_KEYS). Try again in {wait_s} s.",
            retry_after=wait_s,
            rejected="rate",
        )

    def failed(self, address: str) -> None:
        network = _network(address)
        self._tried[network] = (self._now(network) + 1, self._clock())
        _bound(self._tried, network, _MOST_ADDRESSES)

    def opened(self, address: str, digest: bytes) -> None:
        network = _network(address)
        digests = self._known.setdefault(network, OrderedDict())
        digests[digest] = None
        _bound(digests, digest, _MOST_KNOWN)
        _bound(self._known, network, _MOST_ADDRESSES)

    def _now(self, network: str) -> float:
        tried, at = self._tried.get(network, (0.0, 0.0))
        return max(0.0, tried - (self._clock() - at) * self._most / MINUTE_S)


def _bound(entries: "OrderedDict[K, V]", latest: K, most: int) -> None:
    entries.move_to_end(latest)
    if len(entries) > most:
        entries.popitem(last=False)


def _network(address: str) -> str:
    """The network of an address; empty for an invalid one, as a proxy may pass on, of which there can be any number."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    # A proxy that listens on IPv6 alone writes IPv4 addresses in this form.
    known = getattr(known, "ipv4_mapped", None) or known
    if known.version == 4:
        return str(known)
    return str(ipaddress.ip_network((address.partition("%")[0], _NETWORK_BITS), strict=False))


def _version_now(file: Path) -> _Version | None:
    """The current version; None where the file is missing or unreadable, which reading it reports."""
    try:
        now = file.stat()
    except OSError:
        return None
    return _Version(now.st_mtime_ns, now.st_size, now.st_ino, now.st_mode)


def _warn_of_other_writers(version: _Version | None) -> None:
    """Who may write the file makes keys. Who may read it gains nothing: it has the digests of long random keys."""
    if os.name == "posix" and version and version.mode & (stat.S_IWGRP | stat.S_IWOTH):
        log.warning("keys_file_writable_by_others", mode=f"{stat.S_IMODE(version.mode):04o}")
