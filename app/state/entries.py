"""The interface of the stores of entries, and a circuit breaker that protects requests from a failing or slow store."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

import structlog

from app.state.sealing import Sealer
from models.concurrency import mark_retrieved

T = TypeVar("T")

Kind = Literal["answer", "reading", "response"]
LOOKUP_TIMEOUT_S = 0.05
"""A request waits at most this many seconds for a lookup."""
WRITE_TIMEOUT_S = 5.0
"""Writing an entry may take this many seconds. No request waits for it."""
PAUSE_S = 1.0
"""A store that failed, or was slow several times in a row, is not used for this many seconds."""
_MAX_SLOW = 3
_SWEEP_S = 3600.0
MAX_WRITES = 64
"""At most this many entries wait to be written; further entries are dropped."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """Key under which a value is kept."""

    tenant: str
    kind: Kind
    digest: bytes
    """SHA-256 of the key's content, including the tenant."""


class StoreDown(Exception):
    """Raised if the store cannot be used now, because it is locked, full or not reachable."""


class EntryStore(Protocol):
    """Store of values by key. Values expire by age; if there are too many, some are deleted. Every method may raise
    StoreDown."""

    async def get(self, key: Key) -> bytes | None:
        """Return the value of a key; None if there is none, or it has expired."""

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        """Write a value, completely or not at all."""

    async def delete(self, key: Key) -> bool:
        """Delete a value. Return True if it existed."""

    async def sweep(self) -> int:
        """Delete expired entries, unless the store does that by itself, and return their number."""

    async def purge(self, tenant: str) -> int:
        """Delete all entries of a tenant, and return their number."""

    async def close(self) -> None: ...


class Sweepable(Protocol):
    async def sweep(self) -> int:
        """Delete expired entries, and return their number."""


async def sweep_for_ever(stores: Sequence[Sweepable]) -> None:
    """Delete expired entries, now and every hour."""
    while True:
        for store in stores:
            try:
                await store.sweep()
            except StoreDown as error:
                log.warning("not_swept", store=type(store).__name__, reason=str(error))
        await asyncio.sleep(_SWEEP_S)


class CircuitBreaker:
    """Circuit breaker around a store. After a failure, or several slow calls in a row, the store is not used for a
    while. Afterwards one call after each pause tries it, until one succeeds."""

    def __init__(self, faults: Counter[str] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`faults`: counter of failed calls, by reason."""
        self._faults = Counter[str]() if faults is None else faults
        self._clock = clock
        self._paused_until: float | None = None
        """End of the pause; None if the last call succeeded."""
        self._slow = 0
        """Number of calls in a row that took too long."""
        self._reason = ""
        """Reason for the pause."""

    async def call(self, work: Coroutine[Any, Any, T], patience_s: float) -> T | None:
        """Return the result of `work`, or None if `require` raises StoreDown."""
        try:
            return await self.require(work, patience_s)
        except StoreDown:
            return None

    async def require(self, work: Coroutine[Any, Any, T], patience_s: float) -> T:
        """Return the result of `work`. Raises StoreDown if `work` raises it, takes longer than `patience_s`, or is not
        tried during a pause."""
        if self._paused_until is not None:
            if self._clock() < self._paused_until:
                work.close()
                self._faults["down"] += 1
                raise StoreDown(f"a moment ago: {self._reason}")
            # The others do not wait for this call, which may take long.
            self._paused_until = self._clock() + PAUSE_S
        task = asyncio.create_task(work)
        task.add_done_callback(mark_retrieved)  # Nobody retrieves an exception after the caller has left or given up.
        try:
            await asyncio.wait([task], timeout=patience_s)
        finally:
            task.cancel()
        # A task that is done after all is accepted, because only the load of this server itself caused the delay.
        if not task.done():
            self._slow += 1
            slow = StoreDown(f"it did not answer within {patience_s:g} s")
            self._note_failure("slow", slow, pause=self._slow >= _MAX_SLOW)
            raise slow
        try:
            result = task.result()
        except StoreDown as error:
            log.warning("store_down", reason=str(error))
            self._note_failure("down", error, pause=True)
            raise
        self._slow, self._paused_until = 0, None
        return result

    def _note_failure(self, kind: str, error: StoreDown, *, pause: bool) -> None:
        self._faults[kind] += 1
        if pause:
            self._slow, self._reason, self._paused_until = 0, str(error), self._clock() + PAUSE_S


class Entries:
    """Access of requests to a store. A lookup soon returns a value or None, even if the store is slow or fails.

    Values are bytes of any length that the sealer allows. They are sealed and opened in a thread.
    """

    def __init__(
        self,
        store: EntryStore,
        sealer: Sealer,
        *,
        patience_s: float = LOOKUP_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._patience_s = patience_s
        self._writing: set[asyncio.Task[None]] = set()
        self.faults: Counter[str] = Counter()
        """Number of failed lookups and writes, by reason: `down`, `slow`, `damaged`, `large`, `busy`."""
        self._breaker = CircuitBreaker(self.faults, clock)

    async def get(self, key: Key, read: Callable[[bytes], T]) -> T | None:
        """Return the value, parsed by `read` in a thread. Return None if there is no value, the store does not answer
        in time, or `read` raises ValueError, TypeError or KeyError, for example because another program wrote the
        value."""
        sealed = await self._breaker.call(self._store.get(key), self._patience_s)
        if sealed is None:
            return None

        def opened() -> T:
            value = self._sealer.open(key.digest, sealed)
            if value is None:
                raise ValueError("it was sealed with a different secret, or is damaged or too large")
            return read(value)

        try:
            return await asyncio.to_thread(opened)
        except (ValueError, TypeError, KeyError):
            self.faults["damaged"] += 1
        return None

    def put(self, key: Key, value: Callable[[], bytes], *, max_age_s: float) -> "Written":
        """Begin to write the value that `value` returns; `value` is called in a thread. Return a task that ends once
        the value is written or has been dropped. If too many entries already wait, drop the value and return None."""
        if len(self._writing) >= MAX_WRITES:
            self.faults["busy"] += 1
            return None
        task = asyncio.create_task(self._write(key, value, max_age_s))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _write(self, key: Key, value: Callable[[], bytes], max_age_s: float) -> None:
        try:
            sealed = await asyncio.to_thread(lambda: self._sealer.seal(key.digest, value()))
        except ValueError:
            self.faults["large"] += 1
            return
        await self._breaker.call(self._store.put(key, sealed, max_age_s=max_age_s), WRITE_TIMEOUT_S)

    async def sweep(self) -> int:
        return await self._store.sweep()

    async def close(self) -> None:
        """Wait a while for pending writes, and close the store."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=WRITE_TIMEOUT_S)
        await self._store.close()


Written = asyncio.Task[None] | None
