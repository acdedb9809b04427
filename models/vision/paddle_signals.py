"""Keeping Paddle from taking over the signals of the process."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator

# What Paddle handles from its first predictor on: it prints a stack and ends the process, where a server that is
# told to stop by SIGTERM should drain.
_TAKEN = ("SIGSEGV", "SIGILL", "SIGFPE", "SIGABRT", "SIGBUS", "SIGTERM")

_ROOM = 512
"""Bytes: more than any system's `struct sigaction` (152 on Linux x86-64)."""


@contextlib.contextmanager
def signals_kept() -> Iterator[None]:
    """Puts the signal handlers back that were there before the block.

    Through the C library, because `signal.signal` works on the main thread alone and engines load on others, and
    because `paddle.disable_signal_handler` leaves the system's defaults instead of what was there.
    """
    if os.name != "posix":
        yield
        return
    sigaction = ctypes.CDLL(None, use_errno=True).sigaction
    numbers = [getattr(signal, name) for name in _TAKEN]
    kept = {number: ctypes.create_string_buffer(_ROOM) for number in numbers}
    for number, action in kept.items():
        _checked(sigaction(number, None, action))
    try:
        yield
    finally:
        for number, action in kept.items():
            _checked(sigaction(number, action, None))


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "sigaction failed")
