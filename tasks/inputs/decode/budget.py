"""Limits the decoded bytes that the whole process holds at a time."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.queues import Slots
from tasks.errors import Overloaded
from tasks.inputs.limits import megabytes

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])

WAIT_S = 60.0
"""Seconds that a picture waits for memory. The wait has a limit, because the memory may be held by requests that are
themselves waiting for a second picture."""
_RETRY_S = 10


class DecodedBudget:
    """Admits pictures for decoding as long as all existing ones take at most `limit` bytes. Further pictures wait, and
    keys take turns. A picture is held until its text has been read. A picture larger than the limit is decoded when no
    other picture is held."""

    def __init__(self, limit: int, *, largest: int, wait_s: float = WAIT_S) -> None:
        """Set the limit. Pictures of more than `largest` bytes need no room, because their decoder refuses them."""
        self.used = 0
        """Number of bytes that are decoded or being decoded."""
        self._limit = limit
        self._largest = largest
        self._wait_s = wait_s
        self._line = Slots("decoded pictures", 1)
        self._freed = asyncio.Event()

    async def hold(self, size: int, decode: Callable[[], Awaitable[ArrayT]]) -> ArrayT:
        """Return the array of `size` bytes that `decode` returns. Its bytes count until the array and all its views are
        freed.

        Raises Overloaded if there is no room for `wait_s` seconds, and what `decode` raises.
        """
        if size > self._largest:
            return await decode()
        await self._take(size)
        try:
            array = await decode()
        except BaseException:
            self._give_back(size)
            raise
        loop = asyncio.get_running_loop()
        # Arrays are freed in any thread and during garbage collection; the budget belongs to the event loop.
        weakref.finalize(_memory_owner(array), _call_in_loop, loop, self._give_back, size).atexit = False
        return array

    async def _take(self, size: int) -> None:
        try:
            # Only the first in line waits for room, so that no small picture overtakes it.
            async with asyncio.timeout(self._wait_s), self._line.slot(wait=True):
                while self.used and self.used + size > self._limit:
                    self._freed.clear()
                    await self._freed.wait()
                self.used += size
        except TimeoutError as error:
            raise Overloaded(
                "Other inputs are using the memory for decoded pictures "
                f"({megabytes(self._limit)}), and this one needs {megabytes(size)}. "
                "Try again later.",
                retry_after=_RETRY_S,
            ) from error

    def _give_back(self, size: int) -> None:
        self.used -= size
        self._freed.set()


def _call_in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[int], None], size: int) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, size)


def _memory_owner(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array that all views of `array`'s memory keep alive."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
