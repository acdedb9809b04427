"""Bounds the memory that requests hold: for large bodies, for the stored conversations that they continue, and for the
words that they read.

A request holds its memory until it ends, because its text and its media are views and copies of its body, and its
answer is made of the words. Two rules keep requests from waiting for each other's memory forever:

- A request waits for memory for its body only while it holds no memory at all. If it needs more later, it gets this
  memory at once, or is refused.
- A request that holds words may wait for more words, because nobody knows beforehand how many words a page has. A
  reserve serves these requests one after another, see `ReservedBytes`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from models.base import RETRY_S, MemoryShort
from models.scheduler import SHARE, FairBytes, ReservedBytes, TakenSlots

MB = 1024 * 1024
LARGE = MB
"""The bytes that a request holds are counted only if they are more than this."""
WORDS = 624 * MB
"""The words of all requests may take at most this many bytes together, in addition to the reserve."""
WORDS_RESERVE = 400 * MB
"""Bytes that are reserved for one request at a time whose words need more memory than other requests leave free. The
reserve suffices for the largest number of words that a request may have."""
WORDS_WAIT_S = 60.0
"""A request that holds words waits at most this many seconds for memory for more words. The time is limited, because
the request that uses the reserve may take longer than a client would wait for an error."""


class HeldBytes:
    """Bytes that a request holds. Their number may change until the request ends."""

    def __init__(self, of: FairBytes, taken: TakenSlots) -> None:
        self._pool = of
        self._taken = taken
        self._is_over = False

    @property
    def size(self) -> int:
        return self._taken.slots

    def resize(self, size: int) -> None:
        """Change the number of held bytes to `size`, or to the size of the whole pool if `size` exceeds it. Do nothing
        once the request has ended. Raises MemoryShort."""
        if self._is_over:
            return
        size = min(size, self._pool.at_once)
        self._taken.keep(size)
        if size > self.size and not self._pool.grow(self._taken, size - self.size):
            raise MemoryShort(self._pool.resource, RETRY_S)

    def end(self) -> None:
        self._is_over = True
        self._taken.give_back()


class HeldWords:
    """Bytes that one part of a request holds for its words. Their number may change until the request ends."""

    def __init__(self, of: "_WordsOfRequest") -> None:
        self._pool = of
        self.size = 0

    async def resize(self, size: int) -> None:
        """Change the number of held bytes to `size`, or to the size of the whole pool if `size` exceeds it. Waits until
        other requests have given back enough.

        Raises MemoryShort if that takes too long, or if all parts of the request together would hold more than other
        requests leave and more than the reserve.
        """
        size = min(size, self._pool.most)
        async with self._pool.changing:
            await self._pool.change(size - self.size)
            self.size = size


class _WordsOfRequest:
    """Bytes that all parts of a request hold together for their words, so that one place in the reserve is enough for
    the whole request."""

    def __init__(self, of: ReservedBytes, wait_s: float) -> None:
        self._pool = of
        self._wait_s = wait_s
        self._taken: TakenSlots | None = None
        self._is_over = False
        self.changing = asyncio.Lock()

    @property
    def most(self) -> int:
        return self._pool.at_once

    @property
    def is_empty(self) -> bool:
        return self._taken is None

    async def change(self, by: int) -> None:
        """Change the number of held bytes by `by`, which may be negative. Hold none once the request has ended. Raises
        what `HeldWords.resize` raises, and EngineOverloaded and ShareUsedUp for the first bytes if too many wait."""
        try:
            if self._is_over:
                return
            if self._taken is None:
                self._taken = await self._pool.take(by)
            elif by <= 0:
                self._taken.keep(self._taken.slots + by)
            else:
                await self._grow(self._taken, by)
        finally:
            if self._is_over:  # the request ended while it waited for bytes
                self.end()

    async def _grow(self, taken: TakenSlots, slots: int) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                is_granted = await self._pool.grow_in_turn(taken, slots)
        except TimeoutError:
            is_granted = False
        if not is_granted:
            raise MemoryShort(self._pool.resource, RETRY_S)

    def end(self) -> None:
        self._is_over = True
        if self._taken is not None:
            self._taken.give_back()


@dataclass
class _RequestHoldings:
    """Everything that one request holds."""

    words: _WordsOfRequest
    uncounted: int = 0
    bytes: HeldBytes | None = None
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Lock held while a part of the request waits for the request's first memory, so that no other part takes memory in
    the meantime."""
    users: int = 1
    """Number of users of the memory: the request, and work that other requests joined and that may outlive it."""
    is_over: bool = False
    """True once the request has ended. A task that outlives the request then holds nothing for it."""

    def leave(self) -> None:
        """Record that a user has left, and give everything back after the last one."""
        self.users -= 1
        if self.users:
            return
        self.is_over = True
        self.words.end()
        if self.bytes is not None:
            self.bytes.end()

    async def claim(self, of: FairBytes, size: int, *, waits: bool) -> HeldBytes:
        """Hold `size` bytes. If the claim `waits`, wait until they are free. Otherwise raise MemoryShort if they are
        not."""
        held = HeldBytes(of, await of.take(size) if waits else TakenSlots(of, SHARE.get(), 0))
        if self.is_over:
            held.end()
        held.resize(size)
        return held


_HOLDINGS: ContextVar[_RequestHoldings | None] = ContextVar("held", default=None)
"""Holdings of the running request; None outside of requests."""


def keep_for(work: "asyncio.Task[Any]") -> None:
    """Let the running request hold its memory at least until `work` ends. Other requests may have joined the work, so
    that it goes on when the request's caller has left."""
    held = _HOLDINGS.get()
    if held is not None and not held.is_over:
        held.users += 1
        work.add_done_callback(lambda _: held.leave())


class RequestMemory:
    """The bytes that all requests may hold together, given to keys in turn."""

    def __init__(
        self,
        max_bytes: int,
        *,
        most_waiting: int,
        most_of_words: int = WORDS,
        words_reserve: int = WORDS_RESERVE,
        request_s: float = 300.0,
        words_wait_s: float = WORDS_WAIT_S,
    ) -> None:
        """`request_s` is the longest time that a request may take, its body included, in seconds."""
        self.bytes = FairBytes("memory", max_bytes, most_waiting=most_waiting)
        self.words = ReservedBytes("memory for words", most_of_words, words_reserve, most_waiting=most_waiting)
        self.request_s = request_s
        self._words_wait_s = words_wait_s

    @contextmanager
    def of_request(self) -> Iterator[None]:
        """Run a request in the block. Its bytes are given back when the block ends or, if later, when the last work
        ends for which `keep_for` was called."""
        held = _RequestHoldings(_WordsOfRequest(self.words, self._words_wait_s))
        token = _HOLDINGS.set(held)
        try:
            yield
        finally:
            _HOLDINGS.reset(token)
            held.leave()

    async def hold(self, size: int) -> HeldBytes | None:
        """Hold `size` more bytes, and return everything that the request holds except words. Return None outside of
        requests, and while the request holds too few bytes to count.

        Waits until the bytes are free if the request holds no memory yet. Otherwise raises MemoryShort if they are not
        free. Raises EngineOverloaded and ShareUsedUp if too many requests wait.
        """
        held = _HOLDINGS.get()
        if held is None or held.is_over:
            return None
        async with held.claiming:
            size += held.uncounted
            if held.bytes is None and size <= LARGE:
                held.uncounted = size
                return None
            held.uncounted = 0
            if held.bytes is None:
                held.bytes = await held.claim(self.bytes, size, waits=held.words.is_empty)
            else:
                held.bytes.resize(held.bytes.size + size)
            return held.bytes

    async def hold_words(self, size: int) -> HeldWords | None:
        """Hold `size` bytes for the words that a part of the request will read. Return None outside of requests.

        Waits until they are free. Raises what `hold` raises.
        """
        held = _HOLDINGS.get()
        if held is None or held.is_over:
            return None
        taken = HeldWords(held.words)
        async with held.claiming:
            await taken.resize(size)
        return taken
