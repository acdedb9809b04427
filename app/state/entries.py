"""The interface of the stores of entries, and a circuit breaker that keeps a failing or slow store from holding up
requests."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import structlog

from models.base import ModelError
from models.concurrency import heard_of
from models.fair_executor import FairExecutor

T = TypeVar("T")

Kind = Literal["answer", "reading", "response"]
PATIENCE_S = 0.05
"""Seconds that a lookup may cost a request."""
_AFTER_S = 0.005
"""Seconds before an answer is written: by then it has been sent, which packing in a thread would delay by a
millisecond."""
WRITE_S = 5.0
"""Seconds that writing may take; no request waits for it."""
PAUSE_S = 1.0
"""Seconds for which a store is not used after it failed, or was slow several times in a row."""
_MOST_SLOW = 3
_SWEEP_S = 3600.0
_READ_AT_ONCE = 16 << 10
"""Size in bytes up to which a value is unpacked on the event loop, as that takes less than changing threads."""
MOST_WRITES = 64
"""Bound on entries that wait to be written; further ones are dropped."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """The key under which a value is kept."""

    tenant: str
    kind: Kind
    digest: bytes
    """SHA-256 over the key's content, the tenant included."""


class StoreDown(Exception):
    """The store cannot be used now: it is locked, full or not reachable."""


@dataclass(frozen=True, slots=True)
class Held:
    """The entries of one kind that a store holds for one tenant."""

    tenant: str
    kind: str
    entries: int
    size: int
    """Size of the entries as stored, in bytes."""


class Holding(Protocol):
    """The operator's view of a store: its contents, and their deletion. Every method raises StoreDown."""

    async def held(self) -> list[Held]: ...

    async def purge(self, tenant: str | None = None) -> int:
        """Deletes everything, or all of a tenant; returns the number of entries."""

    async def close(self) -> None: ...


class EntryStore(Holding, Protocol):
    """A store of values by key. Values expire by age; where there are too many, the least recently used go first. Every
    method raises StoreDown."""

    async def get(self, key: Key) -> bytes | None:
        """The value; None where there is none, or it has expired."""

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        """Writes a value, wholly or not at all."""

    async def delete(self, key: Key) -> bool:
        """Deletes a value; returns whether it existed."""

    async def sweep(self) -> int:
        """Deletes expired entries, where the store does not by itself; returns their number."""


class Sweepable(Protocol):
    async def sweep(self) -> int:
        """Deletes expired entries; returns their number."""


async def sweep_for_ever(stores: Sequence[Sweepable]) -> None:
    """Deletes expired entries, now and every hour."""
    while True:
        for store in stores:
            try:
                await store.sweep()
            except StoreDown as error:
                log.warning("not_swept", store=type(store).__name__, reason=str(error))
        await asyncio.sleep(_SWEEP_S)


class CircuitBreaker:
    """A circuit breaker around a store: after a failure, or when the store was slow several times in a row, it is not
    used for a while."""

    def __init__(self, faults: Counter[str], clock: Callable[[], float] = time.monotonic) -> None:
        """`faults`: the counter of failed calls, by reason."""
        self._faults = faults
        self._clock = clock
        self._paused_until = 0.0
        self._slow = 0
        """Calls in a row that took too long."""

    async def tried(self, work: Coroutine[Any, Any, T], patience_s: float) -> T | None:
        """The result of `work`; None where it takes too long or raises StoreDown."""
        if self._clock() < self._paused_until:
            work.close()
            self._faults["down"] += 1
            return None
        task = asyncio.create_task(work)
        try:
            await asyncio.wait([task], timeout=patience_s)
        finally:
            task.cancel()
        # A result that came late because this server was busy counts.
        if not task.done():
            task.add_done_callback(heard_of)
            self._slow += 1
            self._failed("slow", pause=self._slow >= _MOST_SLOW)
            return None
        try:
            result = task.result()
        except StoreDown as error:
            log.warning("cache_store_down", reason=str(error))
            self._failed("down", pause=True)
            return None
        self._slow = 0
        return result

    def _failed(self, reason: str, *, pause: bool) -> None:
        self._faults[reason] += 1
        if pause:
            self._slow, self._paused_until = 0, self._clock() + PAUSE_S


class Entries:
    """A store as requests use it: whatever happens to the store, a lookup soon returns a value or None.

    Values are bytes of any length that the seal allows; they are sealed and opened in a thread.
    """

    def __init__(
        self,
        store: EntryStore,
        seal: "Sealing",
        threads: FairExecutor,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._seal = seal
        self._threads = threads
        self._patience_s = patience_s
        self._writing: set[asyncio.Task[None]] = set()
        self.faults: Counter[str] = Counter()
        """Look-ups and writes that came to nothing, by reason: `down`, `slow`, `damaged`, `large`, `busy`."""
        self._patience = CircuitBreaker(self.faults, clock)

    async def get(self, key: Key, read: Callable[[bytes], T]) -> T | None:
        """The value as `read` parses it, in a thread where it is long. None where there is no value, the store does not
        answer in time, or `read` raises ValueError, TypeError or KeyError, as for a value that is not ours."""
        sealed = await self._patience.tried(self._store.get(key), self._patience_s)
        if sealed is None:
            return None

        def opened() -> bytes:
            value = self._seal.opened(key.digest, sealed)
            if value is None:
                raise ValueError("another seal closed it, or it is damaged")
            return value

        try:
            if len(sealed) > _READ_AT_ONCE:
                return await self._threads.run(lambda: read(opened()))
            value = opened()
            return read(value) if len(value) <= _READ_AT_ONCE else await self._threads.run(read, value)
        except (ValueError, TypeError, KeyError):
            self.faults["damaged"] += 1
        except ModelError:
            # The threads are overloaded: the request goes on without the cache.
            self.faults["busy"] += 1
        return None

    def put(self, key: Key, value: Callable[[], bytes], *, max_age_s: float) -> "Written":
        """Writes the value that `value` returns, called in a thread, while the caller goes on. The returned task ends
        when it is written; None where too much waits to be written already."""
        if len(self._writing) >= MOST_WRITES:
            self.faults["busy"] += 1
            return None
        task = asyncio.create_task(self._write(key, value, max_age_s))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _write(self, key: Key, value: Callable[[], bytes], max_age_s: float) -> None:
        await asyncio.sleep(_AFTER_S)
        try:
            sealed = await self._threads.run(lambda: self._seal.closed(key.digest, value()))
        except ValueError:
            self.faults["large"] += 1
            return
        except ModelError:
            self.faults["busy"] += 1
            return
        await self._patience.tried(self._store.put(key, sealed, max_age_s=max_age_s), WRITE_S)

    async def sweep(self) -> int:
        return await self._store.sweep()

    async def close(self) -> None:
        """Waits a while for pending writes, and closes the store."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=WRITE_S)
        await self._store.close()


Written = asyncio.Task[None] | None


class Sealing(Protocol):
    def closed(self, key: bytes, value: bytes) -> bytes:
        """Seals a value. Raises ValueError for one that is too large."""

    def opened(self, key: bytes, sealed: bytes) -> bytes | None: ...
