"""Memory that the C library keeps after it was freed, and how the system gets it back."""

import asyncio
import ctypes
from dataclasses import dataclass

LARGE_BLOCK = 8 * 1024 * 1024
"""Bytes from which on a freed block goes back to the system at once."""

_M_MMAP_THRESHOLD = -3
"""glibc's `malloc.h`."""


def give_large_blocks_back() -> bool:
    """Keeps glibc from raising its own threshold to 32 MB as soon as it frees a large block: the bodies of requests
    would then lie in heaps that hardly ever shrink. False where the C library is another, which has no such habit."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK))


_LOOK_S = 5.0


@dataclass(slots=True)
class Activity:
    """How many requests run, and how many have ended since the process started."""

    running: int = 0
    ended: int = 0


async def return_free_memory_for_ever(activity: Activity) -> None:
    """Gives the system what glibc keeps of the small blocks that were freed, once the requests of a burst have ended:
    it would hold on to most of the peak."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    seen = activity.ended
    while trim is not None:
        await asyncio.sleep(_LOOK_S)
        # While requests run, their threads would wait for it, and take the memory again.
        if activity.ended != seen and not activity.running:
            seen = activity.ended
            await asyncio.to_thread(trim, 0)
