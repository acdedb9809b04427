"""Checks the API key of each request, and returns the caller with the rights and limits of that key."""

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
from typing import NamedTuple, TypeVar

import structlog

from app.access.key_file import SETTING, KeyFileError, StoredKey, digest_of, read_keys, tenant_of
from app.errors import InvalidApiKey, RateLimited
from app.state.counters import MINUTE_S, NANO, NO_LIMITS, CountedKey, Limits

EVERYONE = "everyone"
"""Tenant of all callers of a server without keys."""
REFRESH_S = 1.0
"""Time between two checks of the file of keys for changes, in seconds."""

_MAX_ADDRESSES = 10_000
"""The wrong keys of at most this many addresses are remembered. The address that was silent longest is forgotten
first."""
_MAX_KNOWN = 64
"""At most this many valid keys are remembered for one address."""
_NETWORK_BITS = 64
"""IPv6 clients are distinguished by a prefix of this many bits, because each client has a whole network of
addresses."""
_HOW_TO_SEND = "Send it in the header 'Authorization: Bearer <key>'."

log = structlog.get_logger(__name__)

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class KeyReference:
    """Reference to a key for work that outlives the request that began it. It never contains the key itself."""

    tenant: str
    """Owner of files and answers."""
    digest: str = ""
    """SHA-256 of the key in hexadecimal digits; empty on a server without keys."""
    name: str = ""
    """Name of the key in the file of keys."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request, with the rights and limits of its key."""

    tenant: str
    """Owner of files and answers: the tenant in the file of keys, or else a digest of the key, never the key itself.
    EVERYONE on a server without keys."""
    guard_thresholds: Mapping[str, float] = field(default_factory=dict)
    """Thresholds that the file sets for this key, by the guard's policy code, such as S1."""
    name: str = ""
    """Name of the key in the file of keys."""
    limits: Limits = NO_LIMITS
    tasks: Collection[str] | None = None
    """Tasks that the key may run; None means all."""
    digest: str = ""
    """SHA-256 of the key in hexadecimal digits; empty on a server without keys."""

    @property
    def counted_as(self) -> CountedKey:
        return CountedKey(self.tenant, self.name)

    @property
    def key(self) -> KeyReference:
        return KeyReference(self.tenant, self.digest, self.name)


@dataclass(frozen=True, slots=True)
class Defaults:
    """Limits and tasks that apply to a key where the file of keys states none."""

    limits: Limits = NO_LIMITS
    tasks: Collection[str] | None = None


class _Grant(NamedTuple):
    """Rights and limits of a key."""

    caller: Caller
    """Caller of a request with the key. Its tenant is empty if the file has none: the tenant is computed when the key
    itself is sent."""
    ends: datetime | None = None


class _Version(NamedTuple):
    """Attributes that distinguish one version of the file from another."""

    modified_ns: int
    size: int
    inode: int
    mode: int


class ApiKeys:
    """Keys that this server accepts: given keys, and the keys of a file, which may change.

    With neither keys nor a file, the server is open to everyone who can connect; with a file that contains no keys, it
    is open to nobody.
    """

    def __init__(
        self,
        keys: Iterable[str],
        file: Path | None = None,
        *,
        defaults: Defaults | None = None,
        wrong_keys: int | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wrong_keys`: number of wrong keys that one address may try per minute, measured by `monotonic`, a clock that
        is never set back; None for any number. Raises KeyFileError, which is a ValueError."""
        self._defaults = defaults or Defaults()
        self._clock = clock
        self._wrong_keys = None if wrong_keys is None else WrongKeyLimit(wrong_keys, monotonic)
        self._given: dict[bytes, _Grant] = {}
        for key in keys:
            digest = digest_of(key)
            self._given[digest] = _Grant(
                Caller(tenant_of(key), {}, "", self._defaults.limits, self._defaults.tasks, digest.hex())
            )
        self._file = file
        self._version: _Version | None = None
        self.refused = 0
        """Number of invalid versions of the file that were refused."""
        self._grants = self._given
        if file is not None:
            self._version = _read_version(file)
            self._grants = self._read(file)
            _warn_of_other_writers(self._version)

    @property
    def count(self) -> int:
        return len(self._grants)

    @property
    def are_required(self) -> bool:
        """True if callers need a key."""
        return bool(self._grants) or self._file is not None

    def check(self, authorization: str | None, address: str = "") -> Caller:
        """Return the caller whose key is in `authorization`. Raises InvalidApiKey if this header is not `Bearer <one of
        the keys>` or the key has expired, and RateLimited if too many wrong keys came from `address`.

        Digests are compared in constant time, and the search does not stop at a match, so that its duration reveals
        nothing about a key.
        """
        if not self.are_required:
            return Caller(EVERYONE)
        sent_value = (authorization or "").strip()
        if sent_value.lower() in {"", "bearer"}:
            raise InvalidApiKey(f"No API key was provided. {_HOW_TO_SEND}")
        scheme, _, key = sent_value.partition(" ")
        key = key.strip()
        sent = digest_of(key)
        if self._wrong_keys:
            self._wrong_keys.check(address, sent)
        grants = [grant for digest, grant in self._grants.items() if hmac.compare_digest(sent, digest)]
        if scheme.lower() != "bearer" or not grants:
            if self._wrong_keys:
                self._wrong_keys.note_wrong_key(address)
            raise InvalidApiKey(f"Invalid API key provided. {_HOW_TO_SEND}")
        if self._wrong_keys:
            self._wrong_keys.note_valid_key(address, sent)
        grant = grants[0]
        if self._has_expired(grant):
            assert grant.ends is not None
            ended = grant.ends.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
            raise InvalidApiKey(f"Invalid API key provided: it expired at {ended} UTC.")
        return replace(grant.caller, tenant=grant.caller.tenant or tenant_of(key))

    def caller_of(self, key: KeyReference) -> Caller | None:
        """Return the caller of the key that `key` refers to, with its present rights; None if it is no longer valid. A
        rotated key counts as the same key, because its name and tenant are unchanged."""
        if not self.are_required:
            return Caller(EVERYONE) if key.tenant == EVERYONE else None
        for digest, grant in self._grants.items():
            if self._is_key_of(grant, digest, key):
                return None if self._has_expired(grant) else replace(grant.caller, tenant=key.tenant)
        return None

    def _is_key_of(self, grant: _Grant, digest: bytes, key: KeyReference) -> bool:
        if key.digest == digest.hex():
            # A key may have no tenant in the file: only the key itself determines the tenant then.
            return grant.caller.tenant in ("", key.tenant)
        if not key.digest:
            return False
        is_there = bytes.fromhex(key.digest) in self._grants
        has_name = key.name != "" and grant.caller.name == key.name
        return not is_there and has_name and grant.caller.tenant == key.tenant

    def _has_expired(self, grant: _Grant) -> bool:
        return grant.ends is not None and self._clock() >= grant.ends.timestamp()

    async def follow_file(self) -> None:
        """Read the file whenever it has changed, until cancelled, without blocking the event loop."""
        while self._file is not None:
            await asyncio.sleep(REFRESH_S)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:
                log.exception("reading_keys_failed")

    def refresh(self) -> None:
        """Read the file if it has changed. An invalid version is logged once, and the keys of the last valid version
        stay."""
        assert self._file is not None
        # The version is determined before the file is read, so that the next check notices a write during the reading.
        version = _read_version(self._file)
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
                    f"{SETTING}: '{file}': the key '{key.name}' is also in OPENFAZE_API_KEYS; keep it in one of the two"
                )
            grants[digest] = self._grant_of(key)
        return grants

    def _grant_of(self, key: StoredKey) -> _Grant:
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
        caller = Caller(key.tenant or "", key.guard_thresholds, key.name, limits, tasks, key.sha256)
        return _Grant(caller, key.ends)


class WrongKeyLimit:
    """Limit on wrong keys per address and minute. Above it, an address may only use keys that it has used successfully
    before."""

    def __init__(self, a_minute: int, clock: Callable[[], float]) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._tried: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Number of wrong keys and the time at which it was counted, by network. The number falls steadily from then
        on."""
        self._known: OrderedDict[str, OrderedDict[bytes, None]] = OrderedDict()

    def check(self, address: str, digest: bytes) -> None:
        """Check that the address may try a key. Raises RateLimited."""
        network = network_of(address)
        tried = self._remaining_count(network)
        if tried <= self._a_minute - 1 or digest in self._known.get(network, ()):
            return
        wait_s = max(1, math.ceil((tried + 1 - self._a_minute) * MINUTE_S / self._a_minute))
        raise RateLimited(
            f"Too many wrong API keys came from this address; the limit is {self._a_minute} a minute. "
            f"Try again in {wait_s} s.",
            retry_after=wait_s,
            rejected="rate",
        )

    def note_wrong_key(self, address: str) -> None:
        network = network_of(address)
        self._tried[network] = (self._remaining_count(network) + 1, self._clock())
        _mark_latest(self._tried, network, _MAX_ADDRESSES)

    def note_valid_key(self, address: str, digest: bytes) -> None:
        network = network_of(address)
        digests = self._known.setdefault(network, OrderedDict())
        digests[digest] = None
        _mark_latest(digests, digest, _MAX_KNOWN)
        _mark_latest(self._known, network, _MAX_ADDRESSES)

    def _remaining_count(self, network: str) -> float:
        tried, at = self._tried.get(network, (0.0, 0.0))
        return max(0.0, tried - (self._clock() - at) * self._a_minute / MINUTE_S)


def _mark_latest(entries: "OrderedDict[K, V]", latest: K, limit: int) -> None:
    entries.move_to_end(latest)
    if len(entries) > limit:
        entries.popitem(last=False)


def network_of(address: str) -> str:
    """Return the network of an address; empty for an invalid address. All invalid addresses count as one network,
    because a proxy may pass on any number of them."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    # A proxy that listens only on IPv6 writes IPv4 addresses in the mapped form.
    known = getattr(known, "ipv4_mapped", None) or known
    if known.version == 4:
        return str(known)
    return str(ipaddress.ip_network((address.partition("%")[0], _NETWORK_BITS), strict=False))


def _read_version(file: Path) -> _Version | None:
    """Return the current version; None if the file is missing or unreadable, which is reported when the file is
    read."""
    try:
        now = file.stat()
    except OSError:
        return None
    return _Version(now.st_mtime_ns, now.st_size, now.st_ino, now.st_mode)


def _warn_of_other_writers(version: _Version | None) -> None:
    """Log a warning if other users may write the file, because they could add keys. Readers gain nothing: the file has
    the digests of long random keys."""
    if os.name == "posix" and version and version.mode & (stat.S_IWGRP | stat.S_IWOTH):
        log.warning("keys_file_writable_by_others", mode=f"{stat.S_IMODE(version.mode):04o}")
