"""Keeps native libraries from taking signals for themselves."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator

_ROOM = 512
"""Bytes: more than any system's `struct sigaction` (152 on Linux x86-64)."""


@contextlib.contextmanager
def signal_handlers_kept(*numbers: signal.Signals) -> Iterator[None]:
    """Puts the handlers of these signals back that were there before the block.

    The C library is asked, because `signal.signal` works on the main thread alone and engines load on others.
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
