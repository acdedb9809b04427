"""One decode process, as the thread that it belongs to sees it."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

from tasks.inputs.decode.channel import Channel, Close, Open, Reply, Request, Returned
from tasks.inputs.limits import MB

_START_S = 60.0
"""Seconds that a process may take to start, on a machine that is busy."""

_LEAN = {
    # A decoder computes no matrices, and every idle thread of BLAS takes memory.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # glibc gives the memory of every picture back to the kernel and takes it anew for the next, which doubles the time
    # of a page. A process that ends when it is idle may keep it.
    "MALLOC_MMAP_THRESHOLD_": str(32 * MB),
    "MALLOC_TRIM_THRESHOLD_": str(64 * MB),
}


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    workers: int = 2
    """Processes (OPENFAZE_DECODE_WORKERS); 0 decodes in a thread of this process."""
    memory_bytes: int = 2048 * MB
    """Of one process (OPENFAZE_DECODE_MEMORY_MB)."""
    seconds: float = 60.0
    """That one call may take (OPENFAZE_DECODE_SECONDS)."""


class ProcessDied(Exception):
    """It crashed, was killed, or broke its limit of memory. `status` as `Popen.returncode`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the decode process ended with status {status}")
        self.status = status


class StartFailed(ProcessDied):
    """It was gone before it could do anything."""


class CallTooSlow(Exception):
    """The call did not return in time; the process is dead."""


class DecodeProcess:
    """Raises StartFailed. Must be ended."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.opened: set[int] = set()
        """The sessions that are open in it."""
        self._seconds = limits.seconds
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = (str(theirs.fileno()), str(limits.memory_bytes), str(limits.seconds))
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with numbers
                [sys.executable, "-m", "tasks.inputs.decode.worker", *numbers],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
            )
        self._channel = Channel(ours)
        try:
            self._channel.receive(deadline=time.monotonic() + _START_S)
        except (EOFError, OSError) as error:
            raise StartFailed(self.end()) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Request) -> Reply:
        """Raises ProcessDied and CallTooSlow, after which the process must be ended; and what pickling raises."""
        deadline = time.monotonic() + self._seconds
        try:
            self._channel.send(request, deadline=deadline)
            reply = self._channel.receive(deadline=deadline)
        except TimeoutError as error:
            self.end()
            raise CallTooSlow from error
        except (EOFError, OSError) as error:
            raise ProcessDied(self.end()) from error
        assert isinstance(reply, Reply)
        match request, reply:
            case Open(), Returned():
                self.opened.add(request.session)
            case Close(), _:
                self.opened.discard(request.session)
        return reply

    def kill(self) -> None:
        """From any thread: whatever it does ends now."""
        self._process.kill()

    def end(self) -> int:
        """Kill it, and wait until it is gone. May be called again."""
        self._channel.close()
        self._process.kill()
        return self._process.wait()


def _environment() -> dict[str, str]:
    """What this process has but its secrets, and its own module path: an installation, a checkout and a test's modules
    are found alike."""
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("OPENFAZE_")}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return environment | {"PYTHONPATH": path} | _LEAN
