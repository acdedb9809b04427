"""A store of responses and their inputs, for clients that fetch a response again or continue its conversation."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pydantic_core

from app.state.entries import CircuitBreaker, EntryStore, Key, StoreDown
from app.state.sealing import Sealer

LARGEST_RESPONSE = 64 * 1024 * 1024
"""A response is stored only if it has at most this size, in bytes, with its input. Larger responses are sent to the
client, but not stored."""
ANSWER_S = 5.0
"""A request waits at most this many seconds for the store."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
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
        """Return the stored form: a line with `previous` and the sizes of the input and the output, followed by the
        three parts."""
        head = pydantic_core.to_json([self.previous, len(self.input), len(self.output)])
        return b"".join((head, b"\n", self.input, self.output, self.response))

    @classmethod
    def unpacked(cls, data: bytes) -> "StoredResponse":
        head, _, rest = data.partition(b"\n")
        previous, size, more = pydantic_core.from_json(head)
        return cls(previous, rest[:size], rest[size : size + more], rest[size + more :])


class ResponseStore:
    """Stored responses of each key, by their ids. Methods may raise StoreDown."""

    def __init__(self, store: EntryStore, sealer: Sealer, *, max_age_s: float) -> None:
        self._store = store
        self._sealer = sealer
        # A store that is full refuses to write, but can still be read.
        self._reading, self._writing = CircuitBreaker(), CircuitBreaker()
        self.max_age_s = max_age_s
        """Seconds that responses are kept; 0 keeps none."""
        self.faults = 0
        """Number of responses that could not be stored or looked up because the store failed."""

    async def put(self, tenant: str, response_id: str, stored: Callable[[], StoredResponse]) -> None:
        """Store the response that `stored` returns, in a thread. Raises ValueError for a response that is larger than
        the sealer allows."""
        key = _key(tenant, response_id)
        with self._counted():
            value = await asyncio.to_thread(lambda: self._sealer.seal(key.digest, stored().packed()))
            await self._writing.require(self._store.put(key, value, max_age_s=self.max_age_s), ANSWER_S)

    async def get(self, tenant: str, response_id: str) -> StoredResponse | None:
        """Return a response; None if there is none."""
        key = _key(tenant, response_id)
        with self._counted():
            sealed = await self._reading.require(self._store.get(key), ANSWER_S)
        if sealed is None:
            return None
        data = await asyncio.to_thread(self._sealer.open, key.digest, sealed)
        return None if data is None else StoredResponse.unpacked(data)

    async def delete(self, tenant: str, response_id: str) -> bool:
        """Delete a response. Return True if it existed."""
        with self._counted():
            return await self._writing.require(self._store.delete(_key(tenant, response_id)), ANSWER_S)

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
        except StoreDown:
            self.faults += 1
            raise


def _key(tenant: str, response_id: str) -> Key:
    return Key(tenant, "response", hashlib.sha256(f"{tenant} {response_id}".encode()).digest())
