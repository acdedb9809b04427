"""Returns freed memory to the operating system, because the C library would keep it."""

import ctypes

LARGE_BLOCK = 8 * 1024 * 1024
"""A freed block of at least this size, in bytes, goes back to the system at once."""

_M_MMAP_THRESHOLD = -3
"""Number of this parameter in glibc's `malloc.h`."""


def give_large_blocks_back() -> bool:
    """Fix the threshold above which glibc returns a freed block to the system. Return False if the C library is not
    glibc.

    Without this, glibc raises the threshold up to 32 MB when a large block is freed, and places the bodies of requests
    in heaps that hardly ever shrink. Other C libraries do not raise the threshold.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK))
