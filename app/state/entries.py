"""The seam of the stores, and what keeps a store that fails or is slow from holding up a request."""

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
"""What a look-up may cost a request."""
_AFTER_S = 0.005
"""When an answer is written: by then it has left, which a thread that packs it would hold up by a millisecond."""
WRITE_S = 5.0
"""What writing may take; nobody waits for it."""
PAUSE_S = 1.0
"""For how long a store that failed, or was slow several times in a row, is left alone."""
_MOST_SLOW = 3
_SWEEP_S = 3600.0
_READ_AT_ONCE = 16 << 10
"""Bytes that are unpacked, and read, where they arrive: it takes less than changing threads."""
MOST_WRITES = 64
"""Entries that wait to be written; more are left out."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """Under which a value is kept."""

    tenant: str
    kind: Kind
    digest: bytes
    """SHA-256, of the tenant, too."""


class StoreDown(Exception):
    """The store cannot be used now: it is locked, full, not reached."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds of one tenant."""

    tenant: str
    kind: str
    entries: int
    size: int
    """Bytes, as stored."""


class Holding(Protocol):
    """What an operator sees of a store, and deletes. Every method raises StoreDown."""

    async def held(self) -> list[Held]: ...

    async def purge(self, tenant: str | None = None) -> int:
        """Takes out everything, or all of a tenant; the number of entries."""

    async def close(self) -> None: ...


class EntryStore(Holding, Protocol):
    """Values by key, which end by their age, and where there is too much, those first that were used least lately.
    Every method raises StoreDown."""

    async def get(self, key: Key) -> bytes | None:
        """None where there is none, or it is too old."""

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        """All of it or nothing, whatever happens meanwhile."""

    async def delete(self, key: Key) -> bool:
        """Whether it was there."""

    async def sweep(self) -> int:
        """Takes out what is too old, where that does not go by itself; the number of entries."""


class Sweepable(Protocol):
    async def sweep(self) -> int:
        """As EntryStore's."""


async def sweep_for_ever(stores: Sequence[Sweepable]) -> None:
    """Deletes what is too old, now and every hour."""
    while True:
        for store in stores:
            try:
                await store.sweep()
            except StoreDown as error:
                log.warning("not_swept", store=type(store).__name__, reason=str(error))
        await asyncio.sleep(_SWEEP_S)


class CircuitBreaker:
    """What keeps a store that fails or is slow from holding up a request: after a failure, or when it was slow several
    times in a row, it is left alone for a while."""

    def __init__(self, faults: Counter[str], clock: Callable[[], float] = time.monotonic) -> None:
        """`faults`: where it counts what came to nothing, by reason."""
        self._faults = faults
        self._clock = clock
        self._paused_until = 0.0
        self._slow = 0
        """Tries in a row that took too long."""

    async def tried(self, work: Coroutine[Any, Any, T], patience_s: float) -> T | None:
        """What `work` returns. None where that takes too long, or it raises StoreDown."""
        if self._clock() < self._paused_until:
            work.close()
            self._faults["down"] += 1
            return None
        task = asyncio.create_task(work)
        try:
            await asyncio.wait([task], timeout=patience_s)
        finally:
            task.cancel()
        # What came late because this server itself is busy has come.
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
    """A store as requests see it: whatever happens to it, an answer is a value or None, soon.

    Values are bytes of any length up to what the seal allows; they are closed and opened in a thread.
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
        """What `read` makes of the value, in a thread where it is long. None where there is none, the store does not
        say so in time, or `read` raises ValueError, TypeError or KeyError: it is none of ours."""
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
            # Too much waits for the threads: the request goes on without what is kept.
            self.faults["busy"] += 1
        return None

    def put(self, key: Key, value: Callable[[], bytes], *, max_age_s: float) -> "Written":
        """Writes what `value` makes, called in a thread, after the caller has gone on; what is returned ends when that
        is done. Not at all where too much waits already."""
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
        """Writes what waits, for a while."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=WRITE_S)
        await self._store.close()


Written = asyncio.Task[None] | None


class Sealing(Protocol):
    def closed(self, key: bytes, value: bytes) -> bytes:
        """Raises ValueError for too much."""

    def opened(self, key: bytes, sealed: bytes) -> bytes | None: ...
