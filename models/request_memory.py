"""Bounds the memory that requests hold: for large bodies, for the stored conversations that they continue, and for the
words that they read.

A request holds it until it ends: its text and its media are views and copies of its body, and its answer is made of the
words. No requests wait for each other's memory: a request waits only before it holds any of a kind, and while it holds
words, it waits for no other kind. Whoever needs more than it has waited for gets it at once, or is refused.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from models.base import RETRY_S, MemoryShort
from models.scheduler import SHARE, FairBytes, TakenSlots

MB = 1024 * 1024
LARGE = MB
"""Number of bytes that a request may hold without being counted."""
WORDS = 1024 * MB
"""Number of bytes that the words of all requests may take together."""


class HeldBytes:
    """Bytes that a request holds, which may become more and fewer until it ends."""

    def __init__(self, of: FairBytes, taken: TakenSlots) -> None:
        self._of = of
        self._taken = taken
        self._is_over = False

    @property
    def size(self) -> int:
        return self._taken.slots

    def resize(self, size: int) -> None:
        """Hold `size` bytes in all, at most all that there are, and none once the request has ended. Raises
        MemoryShort."""
        if self._is_over:
            return
        size = min(size, self._of.at_once)
        self._taken.keep(size)
        if size > self.size and not self._of.grow(self._taken, size - self.size):
            raise MemoryShort(self._of.resource, RETRY_S)

    def end(self) -> None:
        self._is_over = True
        self._taken.give_back()


@dataclass
class _Held:
    """Everything that one request holds."""

    uncounted: int = 0
    bytes: HeldBytes | None = None
    words: list[HeldBytes] = field(default_factory=list)
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Lock of the part of the request that waits for memory, so that no other part holds some meanwhile."""
    is_over: bool = False
    """True once the request has ended. A task that it started, and that outlives it, holds nothing for it."""

    async def claim(self, of: FairBytes, size: int, *, waits: bool) -> HeldBytes:
        """Hold `size` bytes, once they are free if the claim `waits`."""
        held = HeldBytes(of, await of.take(size) if waits else TakenSlots(of, SHARE.get(), 0))
        if self.is_over:
            held.end()
        held.resize(size)
        return held


_HELD: ContextVar[_Held | None] = ContextVar("held", default=None)
"""Holdings of the running request; None outside of requests."""


class RequestMemory:
    """The bytes that all requests may hold together, given to keys in turn."""

    def __init__(
        self, most_bytes: int, *, most_waiting: int, most_of_words: int = WORDS, request_s: float = 300.0
    ) -> None:
        """`request_s` is the longest time that a request may take, its body included, in seconds."""
        self.bytes = FairBytes("memory", most_bytes, most_waiting=most_waiting)
        self.words = FairBytes("memory for words", most_of_words, most_waiting=most_waiting)
        self.request_s = request_s

    @contextmanager
    def of_request(self) -> Iterator[None]:
        """Give back the bytes that the block holds when it ends."""
        held = _Held()
        token = _HELD.set(held)
        try:
            yield
        finally:
            _HELD.reset(token)
            held.is_over = True
            for one in (*filter(None, (held.bytes,)), *held.words):
                one.end()

    async def hold(self, size: int) -> HeldBytes | None:
        """Hold `size` more bytes, and return all that the request holds, words excepted. None as long as these are too
        few to count.

        Waits until they are free if the request holds none yet. Raises EngineOverloaded and ShareUsedUp if too many
        wait, and MemoryShort.
        """
        held = _HELD.get()
        if held is None or held.is_over:
            return None
        async with held.claiming:
            size += held.uncounted
            if held.bytes is None and size <= LARGE:
                held.uncounted = size
                return None
            held.uncounted = 0
            if held.bytes is None:
                held.bytes = await held.claim(self.bytes, size, waits=not held.words)
            else:
                held.bytes.resize(held.bytes.size + size)
            return held.bytes

    async def hold_words(self, size: int) -> HeldBytes | None:
        """Hold `size` bytes for the words that a part of the request will read. None outside of requests.

        Waits until they are free if the request holds none for words yet. Raises what `hold` raises.
        """
        held = _HELD.get()
        if held is None or held.is_over:
            return None
        async with held.claiming:
            taken = await held.claim(self.words, size, waits=not held.words)
            held.words.append(taken)
            return taken
