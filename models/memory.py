"""What the process keeps in memory: the rounds of its garbage collector, and what goes back to the system.

The rounds are kept short: while the collector looks through objects, no other thread runs. A server has some hundred
thousand that live as long as it does: modules, schemas, engines. Looking through them takes a tenth of a second, and
any request that makes many objects of its own brings it about.
"""

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Iterator
from dataclasses import dataclass


@contextlib.contextmanager
def left_alone() -> Iterator[None]:
    """No rounds meanwhile: for imports, which make a lot and drop little. They take a fifth longer with them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def set_aside() -> None:
    """Leaves out of later rounds what there is now. It costs nothing, however much that is."""
    gc.freeze()


def collect_all() -> None:
    """Frees what only refers to itself, what was set aside included, such as an engine that was closed."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


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
