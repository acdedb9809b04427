"""Returns freed memory to the operating system, because the C library would keep it."""

import asyncio
import ctypes
from collections.abc import Callable
from dataclasses import dataclass

from models import garbage

LARGE_BLOCK = 8 * 1024 * 1024
"""A freed block of at least this size, in bytes, goes back to the system at once."""

_M_MMAP_THRESHOLD = -3
"""Number of this parameter in glibc's `malloc.h`."""
_TRIM_INTERVAL_S = 5.0


def give_large_blocks_back() -> bool:
    """Fix the threshold above which glibc returns a freed block to the system. Return False if the C library is not
    glibc.

    Without this, glibc raises the threshold up to 32 MB when a large block is freed, and places the bodies of requests
    in heaps that hardly ever shrink. Other C libraries do not raise the threshold.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK))


@dataclass(slots=True)
class Activity:
    """Number of running requests, and number of requests that have ended since the process started."""

    running: int = 0
    ended: int = 0


async def return_free_memory_for_ever(activity: Activity) -> None:
    """Return the memory of freed small blocks to the system after each burst of requests.

    Otherwise glibc would keep most of the memory that was in use at the burst's peak. Python would keep the memory of
    its free lists and of unreachable objects until a full garbage collection, which does not happen in an idle server.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    seen = activity.ended
    while trim is not None:
        await asyncio.sleep(_TRIM_INTERVAL_S)
        # Trimming now would block the threads of running requests, and they would take the memory again.
        if activity.ended != seen and not activity.running:
            seen = activity.ended
            await asyncio.to_thread(_collect_and_trim, trim)


def _collect_and_trim(trim: Callable[[int], int]) -> None:
    garbage.collect()
    trim(0)
