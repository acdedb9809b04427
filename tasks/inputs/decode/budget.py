"""Limits the decoded bytes that the whole process holds at a time."""

import asyncio
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.scheduler import FairBytes, Share, TakenSlots
from tasks.errors import Overloaded
from tasks.inputs.limits import megabytes

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])

WAIT_S = 60.0
"""Seconds that a picture waits for memory. The wait has a limit, because the memory may be held by requests that are
themselves waiting for a second picture."""
_RETRY_S = 10


class PictureBytes(FairBytes):
    """Bytes of decoded pictures. A small picture may go ahead of larger pictures of other keys, but not of larger ones
    of its own key, which would find no room as long as small ones arrived."""

    def _may_pass(self, share: Share) -> bool:
        return not self._has_waiting(share)


class DecodedBudget:
    """Admits pictures for decoding as long as all existing ones take at most `limit` bytes. Further pictures wait. API
    keys share the bytes as FairBytes describes. A picture is held until its text has been read, which takes long, so a
    key must always leave room for pictures that other keys may send later. A picture larger than the limit is decoded
    when no other picture is held."""

    def __init__(self, limit: int, *, largest: int, wait_s: float = WAIT_S) -> None:
        """Set the limit. Pictures of more than `largest` bytes need no room, because their decoder refuses them."""
        # `most_waiting` has no effect, because all callers pass `patient=True`.
        self._bytes = PictureBytes("memory for decoded pictures", limit, most_waiting=0)
        self._largest = largest
        self._wait_s = wait_s
        self._freed: deque[TakenSlots] = deque()
        """Bytes of freed arrays that have yet to be given back. Arrays are freed in any thread and during garbage
        collection, where waiting for a lock is impossible; everything but this deque belongs to the event loop."""

    @property
    def used(self) -> int:
        """Number of bytes that are decoded or being decoded."""
        return self._bytes.running - sum(taken.slots for taken in self._freed.copy())

    async def hold(self, size: int, decode: Callable[[], Awaitable[ArrayT]]) -> ArrayT:
        """Return the array of `size` bytes that `decode` returns. Its bytes count until the array and all its views are
        freed.

        Raises Overloaded if there is no room for `wait_s` seconds, and what `decode` raises.
        """
        if size > self._largest:
            return await decode()
        taken = await self._take(size)
        try:
            array = await decode()
        except BaseException:
            taken.give_back()
            raise
        loop = asyncio.get_running_loop()
        weakref.finalize(_memory_owner(array), self._note_freed, taken, loop).atexit = False
        return array

    async def _take(self, size: int) -> TakenSlots:
        self._give_back_freed()
        try:
            async with asyncio.timeout(self._wait_s):
                return await self._bytes.take(size, patient=True)
        except TimeoutError as error:
            raise Overloaded(
                "Other inputs are using the memory for decoded pictures "
                f"({megabytes(self._bytes.at_once)}, OPENFAZE_MAX_DECODED_MB), and this one needs {megabytes(size)}. "
                "Try again later.",
                retry_after=_RETRY_S,
            ) from error

    def _note_freed(self, taken: TakenSlots, loop: asyncio.AbstractEventLoop) -> None:
        self._freed.append(taken)
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._give_back_freed)

    def _give_back_freed(self) -> None:
        while self._freed:
            self._freed.popleft().give_back()


def _memory_owner(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array that all views of `array`'s memory keep alive."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
