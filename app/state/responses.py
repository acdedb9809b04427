"""Responses that are kept for a while, each with the input that it answers: for who asks for one again, or goes on with
its conversation."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pydantic_core

from app.state.entries import EntryStore, Key, Sealing, StoreDown
from models.base import ModelError
from models.fair_executor import FairExecutor

RESPONSE_PREFIX = "openfaze:response:1:"
"""How keys in Redis begin."""


@dataclass(frozen=True, slots=True)
class Stored:
    """JSON, but for `previous`."""

    previous: str | None
    """The id of the response whose conversation it goes on with."""
    input: bytes
    """The items of this turn alone, a list."""
    output: bytes
    """A list, too."""
    response: bytes
    """As it was answered."""

    @property
    def size(self) -> int:
        return len(self.input) + len(self.output)

    def packed(self) -> bytes:
        """A line that says what follows, and that."""
        head = pydantic_core.to_json([self.previous, len(self.input), len(self.output)])
        return b"".join((head, b"\n", self.input, self.output, self.response))

    @classmethod
    def unpacked(cls, data: bytes) -> "Stored":
        head, _, rest = data.partition(b"\n")
        previous, size, more = pydantic_core.from_json(head)
        return cls(previous, rest[:size], rest[size : size + more], rest[size + more :])


class ResponseStore:
    """Each key's responses, by their ids. Raises StoreDown, and ModelError where too much waits for the threads."""

    def __init__(self, store: EntryStore, seal: Sealing, threads: FairExecutor, *, max_age_s: float) -> None:
        self._store = store
        self._seal = seal
        self._threads = threads
        self.max_age_s = max_age_s
        """For how long; 0: none is kept."""
        self.faults = 0
        """How often one was not kept, or not looked up, for the store or its threads."""

    async def put(self, tenant: str, response_id: str, stored: Callable[[], Stored], *, is_short: bool = False) -> None:
        """Keeps what `stored` makes: in a thread, unless it `is_short`, and made in less time than another thread takes
        to begin. Raises ValueError for more than the seal takes."""
        key = _key(tenant, response_id)

        def sealed() -> bytes:
            return self._seal.closed(key.digest, stored().packed())

        with self._counted():
            value = sealed() if is_short else await self._threads.run(sealed)
            await self._store.put(key, value, max_age_s=self.max_age_s)

    async def get(self, tenant: str, response_id: str) -> Stored | None:
        key = _key(tenant, response_id)
        with self._counted():
            sealed = await self._store.get(key)
            if sealed is None:
                return None
            data = await self._threads.run(self._seal.opened, key.digest, sealed)
            return None if data is None else await self._threads.run(Stored.unpacked, data)

    async def delete(self, tenant: str, response_id: str) -> bool:
        """Whether it was there."""
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
