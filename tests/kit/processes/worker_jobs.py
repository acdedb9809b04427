"""Jobs that misbehave in a worker process as no good function does.

The imports are few, because each process imports this module.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.errors import InputError


def same(value: object) -> object:
    return value


def numbers(count: int) -> NDArray[np.uint8]:
    return np.arange(count, dtype=np.uint8)


def has_loaded(name: str) -> bool:
    return name in sys.modules


def environment() -> dict[str, str]:
    return dict(os.environ)


def meet(mine: str, yours: str) -> str:
    """End only when another process calls `meet` with swapped arguments: the first one opens its FIFO for the
    second."""
    first = mine < yours
    if first:
        Path(mine).write_bytes(b"hello")
    heard = Path(yours).read_bytes()
    if not first:
        Path(mine).write_bytes(b"hello")
    return heard.decode()


def stick(folder: str, times: int) -> int:
    """Hang, in the first `times` calls with this folder. Return the number of calls so far."""
    with (Path(folder) / "calls").open("ab") as file:
        file.write(b".")
        calls = file.tell()
    if calls <= times:
        signal.pause()
    return calls


def compute_for_ever() -> None:
    while True:
        pass


def hang_in_native_code() -> None:
    """Hang without releasing the interpreter."""
    ctypes.PyDLL(None).pause()


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def allocate(size: int) -> int:
    return int(np.ones(size, np.uint8)[-1])


def refuse() -> None:
    raise InputError("no", code="a_code", param="a.param")


def fail() -> None:
    raise KeyError("what the file says")


def misuse() -> None:
    """Fail as if another version of a library were installed."""
    from PIL.Image import of_another_version  # type: ignore[attr-defined]  # noqa: F401


def return_function() -> object:
    return lambda: None


class Counter:
    """An object with a state, which shows whether it was made again."""

    def __init__(self, kept: int = 0) -> None:
        self.calls = 0
        self._kept = np.ones(kept, np.uint8)

    def call(self) -> tuple[int, int]:
        """Return the process, and the number of calls so far."""
        self.calls += 1
        return os.getpid(), self.calls

    def crash(self) -> None:
        crash()

    def refuse(self) -> None:
        refuse()

    def fail(self) -> None:
        fail()

    def misuse(self) -> None:
        misuse()

    def allocate(self, size: int) -> int:
        return allocate(size)

    def close(self) -> None:
        pass
