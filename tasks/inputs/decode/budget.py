"""Limits the decoded bytes that the whole process holds at a time."""

import asyncio
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.scheduler import SHARE, FairQueue
from tasks.errors import Overloaded
from tasks.inputs.limits import megabytes

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])

WAIT_S = 60.0
"""Seconds that a picture waits for memory. The wait has a limit, because the memory may be held by requests that are
themselves waiting for a second picture."""
_RETRY_S = 10


class DecodedBudget:
    """Admits pictures for decoding as long as all existing ones take at most `limit` bytes. Others wait, and API keys
    take turns. A picture larger than the limit is decoded when there is no other."""

    def __init__(self, limit: int, *, largest: int, wait_s: float = WAIT_S) -> None:
        """Set the limit. Pictures of more than `largest` bytes need no room, because their decoder refuses them."""
        self._limit = limit
        self._largest = largest
        self._wait_s = wait_s
        self._used = 0
        self._returned: deque[int] = deque()
        """Sizes that were given back but not yet subtracted from `_used`. Arrays are freed in any thread and during
        garbage collection, where waiting for a lock is impossible; everything but this deque belongs to the event loop.
        """
        self._waiting: FairQueue[tuple[int, asyncio.Future[None]]] = FairQueue()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def used(self) -> int:
        """Number of bytes that are decoded or being decoded."""
        return self._used - sum(self._returned.copy())

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
        weakref.finalize(_memory_owner(array), self._give_back, size).atexit = False
        return array

    async def _take(self, size: int) -> None:
        self._loop = asyncio.get_running_loop()
        admitted = self._loop.create_future()
        self._waiting.push((size, admitted), SHARE.get())
        self._admit()
        try:
            async with asyncio.timeout(self._wait_s):
                await admitted
        except BaseException as error:
            if admitted.cancel() or admitted.cancelled():
                self._admit()  # smaller pictures behind it may fit
            else:
                self._give_back(size)
            if isinstance(error, TimeoutError):
                raise Overloaded(
                    "Other inputs are using the memory for decoded pictures "
                    f"({megabytes(self._limit)}, OPENFAZE_MAX_DECODED_MB), and this one needs {megabytes(size)}. "
                    "Try again later.",
                    retry_after=_RETRY_S,
                ) from error
            raise

    def _give_back(self, size: int) -> None:
        self._returned.append(size)
        if self._waiting and self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._admit)

    def _admit(self) -> None:
        while self._returned:
            self._used -= self._returned.popleft()
        while (first := self._waiting.peek()) is not None:
            size, admitted = first
            if not admitted.done():
                if self._used and self._used + size > self._limit:
                    return
                self._used += size
                admitted.set_result(None)
            self._waiting.pop()


def _memory_owner(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array that all views of `array`'s memory keep alive."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
