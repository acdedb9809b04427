"""Protects this process's signal handlers from native libraries."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator

_ROOM = 512
"""Size in bytes of a buffer for a `struct sigaction`, larger than any system's (152 on Linux x86-64)."""


@contextlib.contextmanager
def signal_handlers_kept(*numbers: signal.Signals) -> Iterator[None]:
    """Restore the handlers of these signals after the block.

    The handlers are read and set by the C library, because `signal.signal` works on the main thread only and engines
    load on other threads.
    """
    if os.name != "posix":
        yield
        return
    sigaction = ctypes.CDLL(None, use_errno=True).sigaction
    kept = {number: ctypes.create_string_buffer(_ROOM) for number in numbers}
    for number, action in kept.items():
        _check(sigaction(int(number), None, action))
    try:
        yield
    finally:
        for number, action in kept.items():
            _check(sigaction(int(number), action, None))


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "sigaction failed")
