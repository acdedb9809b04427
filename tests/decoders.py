"""Classes whose calls misbehave in a decode process as no good decoder does.

The imports are few, because each process imports this module.
"""

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.decode.within import allow
from tasks.inputs.source import Blob

NICENESS_OF_IMPORT = os.nice(0)


class Fragile:
    """Document opened from a blob. Refuses a blob of b"refused"."""

    def __init__(self, blob: Blob, note: str = "") -> None:
        if blob.data == b"refused":
            raise blob.error("is refused.", code="refused")
        self._blob = blob
        self._note = note
        self._asked = False

    def about(self) -> tuple[Blob, str]:
        return self._blob, self._note

    def was_asked(self) -> bool:
        """True if this was called before, since the document was opened."""
        asked, self._asked = self._asked, True
        return asked

    def pid(self) -> int:
        return os.getpid()

    def modules(self, *names: str) -> list[bool]:
        return [name in sys.modules for name in names]

    def niceness(self) -> tuple[int, int]:
        """Return the process's niceness while it imported this module, and now."""
        return NICENESS_OF_IMPORT, os.nice(0)

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def numbers(self, count: int) -> dict[str, list[NDArray[np.uint8]]]:
        return {"nested": [np.arange(count, dtype=np.uint8), np.zeros(3, np.uint8)]}

    def noted(self, folder: str) -> int:
        """Return the number of calls so far with `folder`, this call included."""
        with (Path(folder) / "calls").open("ab") as file:
            file.write(b".")
            return file.tell()

    def stuck(self, folder: str, port: int, times: int) -> int:
        """Connect to `port` and hang, in the first `times` calls with this folder."""
        call = self.noted(folder)
        if call <= times:
            with socket.create_connection(("127.0.0.1", port)):
                signal.pause()
        return call

    def meet(self, mine: str, yours: str) -> str:
        """End only when another process calls `meet` with swapped arguments: the first one opens its FIFO for the
        second."""
        first = mine < yours
        if first:
            Path(mine).write_bytes(b"hello")
        heard = Path(yours).read_bytes()
        if not first:
            Path(mine).write_bytes(b"hello")
        return heard.decode()

    def compute_for_ever(self) -> None:
        while True:
            pass

    def hang_in_native_code(self) -> None:
        """Hang without releasing the interpreter."""
        ctypes.PyDLL(None).pause()

    def allowed(self, seconds: list[float], hangs: bool = False) -> int:
        """Announce each part with its time limit, and return their number. If `hangs`, the last part never ends."""
        for part, most in enumerate(seconds):
            allow(most, self._blob.error(f"part {part} is slow."))
        if hangs:
            signal.pause()
        return len(seconds)

    def crash(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def allocate(self, size: int) -> int:
        return int(np.ones(size, np.uint8)[-1])

    def hoard(self, size: int) -> None:
        """Allocate `size` bytes, and keep them while the file is open."""
        self._hoarded = np.ones(size, np.uint8)

    def stay_with(self, size: int) -> None:
        """Allocate `size` bytes, and never return."""
        taken = np.ones(size, np.uint8)
        signal.pause()
        del taken

    def refuse(self) -> None:
        raise InputError("no", code="a_code", param="a.param")

    def refuse_as_too_large(self) -> None:
        raise InputTooLarge("too much", param="a.param")

    def fail(self) -> None:
        raise KeyError("what the file says")

    def misuse(self) -> None:
        """Fail as if another version of a library were installed."""
        from PIL.Image import of_another_version  # type: ignore[attr-defined]  # noqa: F401

    def unpicklable(self) -> object:
        return lambda: None

    def close(self) -> None:
        pass
