"""A store of responses and their inputs, for clients that fetch a response again or continue its conversation."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pydantic_core

from app.state.entries import EntryStore, Key, StoreDown
from app.state.sealing import Seal, unpacked_size
from models.base import ModelError
from models.fair_executor import FairExecutor

RESPONSE_PREFIX = "openfaze:response:1:"
"""Prefix of the keys in Redis."""
LARGEST_RESPONSE = 64 * 1024 * 1024
"""Largest size, in bytes, of a response with its input. A larger one is sent to the client, but not stored."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Stored response and its input, as JSON."""

    previous: str | None
    """Id of the response whose conversation this one continues, if any."""
    input: bytes
    """Input items of this turn, a JSON list."""
    output: bytes
    """Output items, a JSON list."""
    response: bytes
    """Response that the client got, a JSON object."""

    @property
    def size(self) -> int:
        return len(self.input) + len(self.output)

    def packed(self) -> bytes:
        """Return the stored form: a line with `previous` and the lengths, followed by the three parts."""
        head = pydantic_core.to_json([self.previous, len(self.input), len(self.output)])
        return b"".join((head, b"\n", self.input, self.output, self.response))

    @classmethod
    def unpacked(cls, data: bytes) -> "Stored":
        head, _, rest = data.partition(b"\n")
        previous, size, more = pydantic_core.from_json(head)
        return cls(previous, rest[:size], rest[size : size + more], rest[size + more :])


class ResponseStore:
    """Stored responses of each key, by their ids. Methods raise StoreDown, and ModelError if the threads are
    overloaded."""

    def __init__(self, store: EntryStore, seal: Seal, threads: FairExecutor, *, max_age_s: float) -> None:
        self._store = store
        self._seal = seal
        self._threads = threads
        self.max_age_s = max_age_s
        """Seconds that responses are kept; 0 keeps none."""
        self.faults = 0
        """Number of responses that could not be stored or looked up because the store or its threads failed."""

    async def put(self, tenant: str, response_id: str, stored: Callable[[], Stored], *, is_short: bool = False) -> None:
        """Store the response that `stored` returns. It is packed in a thread, unless `is_short`, because packing then
        takes less time than starting a thread. Raises ValueError for a response that is larger than the seal allows."""
        key = _key(tenant, response_id)

        def sealed() -> bytes:
            return self._seal.closed(key.digest, stored().packed())

        with self._counted():
            value = sealed() if is_short else await self._threads.run(sealed)
            await self._store.put(key, value, max_age_s=self.max_age_s)

    async def get(
        self, tenant: str, response_id: str, hold: Callable[[int], Awaitable[object]] | None = None
    ) -> Stored | None:
        """Return a response. `hold` is awaited with its size in bytes before it is unpacked."""
        key = _key(tenant, response_id)
        with self._counted():
            sealed = await self._store.get(key)
            packed = sealed and await self._threads.run(self._seal.packed, key.digest, sealed)
        if packed is None:
            return None
        if hold:
            await hold(unpacked_size(packed))
        with self._counted():
            data = await self._threads.run(self._seal.unpacked, packed)
            return None if data is None else await self._threads.run(Stored.unpacked, data)

    async def delete(self, tenant: str, response_id: str) -> bool:
        """Delete a response. Return True if it existed."""
        with self._counted():
            return await self._store.delete(_key(tenant, response_id))

    async def sweep(self) -> int:
        with self._counted():
            return await self._store.sweep()

    async def purge(self, tenant: str) -> int:
        return await self._store.purge(tenant)

    async def close(self) -> None:
        await self._store.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except (StoreDown, ModelError):
            self.faults += 1
            raise


def _key(tenant: str, response_id: str) -> Key:
    return Key(tenant, "response", hashlib.sha256(f"{tenant} {response_id}".encode()).digest())
