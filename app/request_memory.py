"""Bounds the memory that requests hold for large bodies, for the stored conversations that they continue, and for the
texts of their answers.

A request holds it until it ends: its text and its media are views and copies of its body.
"""

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from models.base import RETRY_S, EngineOverloaded
from models.scheduler import FairSlots, TakenSlots

LARGE = 1024 * 1024
"""Number of bytes that a request may hold without being counted."""
OF_A_KEY = 0.75
"""Part of the memory from which a key gets no more of it, so that some is left for others."""


@dataclass
class _Held:
    """Bytes that one request holds."""

    uncounted: int = 0
    counted: list[TakenSlots] = field(default_factory=list)
    is_over: bool = False
    """True once the request has ended. A task that it started, and that outlives it, holds nothing for it."""

    def add(self, taken: TakenSlots) -> None:
        if self.is_over:
            taken.give_back()
        else:
            self.counted.append(taken)


_HELD: ContextVar[_Held | None] = ContextVar("held", default=None)
"""Holdings of the running request; None outside of requests."""


class RequestMemory:
    """The bytes that all requests may hold together, given to keys in turn."""

    def __init__(self, most_bytes: int, *, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self.bytes = FairSlots("memory", most_bytes, most_waiting=most_waiting, part_of_a_key=OF_A_KEY)

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
            for taken in held.counted:
                taken.give_back()

    async def hold(self, size: int) -> TakenSlots | None:
        """Wait until `size` bytes are free, and hold them until the request ends or gives them back. None as long as
        the request holds too few to count.

        Raises EngineOverloaded and ShareUsedUp if too many wait, and EngineOverloaded instead of waiting if the request
        already holds some: requests that wait for each other's bytes would wait forever.
        """
        held = _HELD.get()
        if held is None or held.is_over:
            return None
        size += held.uncounted
        if size <= LARGE:
            held.uncounted = size
            return None
        if held.counted and not self.bytes.is_free_for(size):
            raise EngineOverloaded("memory", self._most_waiting, RETRY_S)
        held.uncounted = 0
        taken = await self.bytes.take(size)
        held.add(taken)
        return taken


async def _hold_nothing(_: int) -> None:
    """Hold no memory."""


class AnswerMemory:
    """Memory that a request holds for the text of its answer, which may exist long before the client has read it."""

    def __init__(self, hold: Callable[[int], Awaitable[object]] = _hold_nothing) -> None:
        """`hold` waits until the request may hold so many more bytes, and holds them."""
        self._hold = hold
        self._ahead = 0
        """Number of bytes that are held for text that has not been passed on."""

    async def hold_ahead(self, size: int) -> None:
        """Hold memory for `size` bytes of text that exist and have not been passed on. Raises what `hold` raises."""
        if size > self._ahead:
            more, self._ahead = size - self._ahead, size
            await self._hold(more)

    async def pass_on(self, text: str) -> None:
        """Hold memory for a text that is passed on, unless it is held already. Raises what `hold` raises."""
        size = sys.getsizeof(text)
        await self.hold_ahead(size)
        self._ahead -= size
