"""Giving memory back to the system."""

import ctypes

LARGE_BLOCK = 8 * 1024 * 1024
"""Bytes from which on a freed block goes back to the system at once."""

_M_MMAP_THRESHOLD = -3
"""glibc's `malloc.h`."""


def give_large_blocks_back() -> bool:
    """Keeps glibc from raising its own threshold to 32 MB as soon as it frees a large block: the bodies of requests
    would then lie in heaps that hardly ever shrink. False where the C library is another, which has no such habit."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK))
