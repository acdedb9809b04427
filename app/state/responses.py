"""A store of responses and their inputs, for clients that fetch a response again or continue its conversation."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pydantic_core

from app.state.entries import READ_AT_ONCE, CircuitBreaker, EntryStore, Key, StoreDown
from app.state.sealing import Sealer, unpacked_size

LARGEST_RESPONSE = 64 * 1024 * 1024
"""A response is stored only if it has at most this size, in bytes, with its input. Larger responses are sent to the
client, but not stored."""
ANSWER_S = 5.0
"""A request waits at most this many seconds for the store."""
_RUN_ITEMS, _RUN_BYTES = 250, 256 * 1024
"""A stored input of more items or bytes is parsed in lists of at most so many items, each of which ends once it has so
many bytes. Other threads may run between the lists."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """Stored response and its input, as JSON."""

    previous: str | None
    """Id of the response whose conversation this one continues, if any."""
    input: bytes | memoryview
    """Input items of this turn, a JSON list."""
    output: bytes | memoryview
    """Output items, a JSON list."""
    response: bytes | memoryview
    """Response that the client got, a JSON object."""
    lengths: Sequence[int] = ()
    """Lengths of the parts of `input`, so that a long input can be read part by part. They exclude the list's brackets
    and the commas between parts. Empty for a short input."""
    ids: Sequence[str] = ()
    """Ids of the items, each of which is a part of `input`. If they are empty, the parts are runs of items, as earlier
    builds stored them."""

    @property
    def size(self) -> int:
        return len(self.input) + len(self.output)

    @classmethod
    def of_items(
        cls, previous: str | None, items: Sequence[tuple[str, bytes]], output: bytes, response: bytes
    ) -> "StoredResponse":
        """Return a stored response whose input items are given by their ids and JSON."""
        content = b"".join((b"[", b",".join(text for _, text in items), b"]"))
        if len(items) <= _RUN_ITEMS and len(content) <= _RUN_BYTES:
            # A short input is stored without lengths and ids, because version 0.1.0 reads only this form.
            return cls(previous, content, output, response)
        lengths = tuple(len(text) for _, text in items)
        return cls(previous, content, output, response, lengths, tuple(item_id for item_id, _ in items))

    def items(self) -> Sequence[tuple[str, bytes | memoryview]]:
        """Return the id and the JSON of each input item."""
        if self.ids:
            return list(zip(self.ids, self._parts(), strict=True))
        return [(item["id"], pydantic_core.to_json(item)) for item in pydantic_core.from_json(bytes(self.input))]

    def lists(self) -> Iterator[bytes]:
        """Yield JSON lists, of which the first are runs of the input and the last is the output."""
        if not self.lengths:
            yield bytes(self.input)
        run: list[memoryview] = []
        for part in self._parts():
            run.append(part)
            if not self.ids or len(run) == _RUN_ITEMS or sum(map(len, run)) >= _RUN_BYTES:
                yield _json_list(run)
                run = []
        if run:
            yield _json_list(run)
        yield bytes(self.output)

    def _parts(self) -> Iterator[memoryview]:
        start = 1
        for length in self.lengths:
            yield memoryview(self.input)[start : start + length]
            start += length + 1

    def packed(self) -> bytes:
        """Return the stored form: a line with `previous`, lengths and ids, followed by the three parts."""
        ids = [self.ids] if self.ids else []
        head = pydantic_core.to_json([self.previous, len(self.input), len(self.output), *self.lengths, *ids])
        return b"".join((head, b"\n", self.input, self.output, self.response))

    @classmethod
    def unpacked(cls, data: bytes) -> "StoredResponse":
        """Return the response in its stored form, as views of `data`."""
        end = data.index(b"\n")
        previous, size, more, *lengths = pydantic_core.from_json(data[:end])
        ids = lengths.pop() if lengths and isinstance(lengths[-1], list) else ()
        rest = memoryview(data)[end + 1 :]
        return cls(previous, rest[:size], rest[size : size + more], rest[size + more :], tuple(lengths), tuple(ids))


def _json_list(parts: Sequence[memoryview]) -> bytes:
    return b"".join((b"[", b",".join(parts), b"]"))


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

    async def put(
        self, tenant: str, response_id: str, stored: Callable[[], StoredResponse], *, is_short: bool = False
    ) -> None:
        """Store the response that `stored` returns. It is packed in a thread. With `is_short`, it is packed at once,
        because that takes less time than starting a thread. Raises ValueError for a response that is larger than the
        sealer allows."""
        key = _key(tenant, response_id)

        def sealed() -> bytes:
            return self._sealer.seal(key.digest, stored().packed())

        with self._counted():
            value = sealed() if is_short else await asyncio.to_thread(sealed)
            await self._writing.require(self._store.put(key, value, max_age_s=self.max_age_s), ANSWER_S)

    async def get(self, tenant: str, response_id: str) -> StoredResponse | None:
        """Return a response; None if there is none."""
        key = _key(tenant, response_id)
        with self._counted():
            sealed = await self._reading.require(self._store.get(key), ANSWER_S)
        if sealed is None:
            return None
        if len(sealed) <= READ_AT_ONCE:
            # A short sealed response may have a long content.
            packed = self._sealer.open_packed(key.digest, sealed)
            if packed is None or 0 <= unpacked_size(packed) <= READ_AT_ONCE:
                return self._unpack(packed)
        return await asyncio.to_thread(lambda: self._unpack(self._sealer.open_packed(key.digest, sealed)))

    def _unpack(self, packed: bytes | memoryview | None) -> StoredResponse | None:
        data = None if packed is None else self._sealer.unpack(packed)
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
