"""The main program of a worker process: `python -m models.workers.process <socket> <bytes> <modules>`.

The process runs one job at a time until the server closes the socket. `bytes` is the limit of its memory, and `modules`
are those that it imports before it is ready, separated by commas. The kernel ends the process when a job has taken its
time, so no native code can hold it. The module imports only what a message needs.
"""

import contextlib
import importlib
import os
import pickle
import re
import resource
import select
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from models.workers.memory import end_beyond

_COUNTED_BY_KERNEL = sys.platform == "linux"
"""True if RLIMIT_DATA counts all private memory. macOS does not count what malloc maps."""
_NICENESS = 5
"""Niceness of the jobs, so that the server's event loop and its engines go first."""
_KEPT_PART = 4
"""A process that keeps more than the memory limit divided by this between two jobs is replaced."""


class Closable(Protocol):
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """A call of `function`, with the object number `opened` as its first argument if `opened` is not None. If the
    process does not have this object, `factory` makes it."""

    function: Callable[..., object]
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    seconds: float
    """Limit of the processor time."""
    clock_seconds: float
    """Limit of the time by the clock."""
    opened: int | None = None
    factory: Callable[[], Closable] | None = None
    """Function that makes the object; None if the process has it."""


@dataclass(frozen=True, slots=True)
class Close:
    """Message that asks the process to close the object that it has open, without an answer."""


@dataclass(frozen=True, slots=True)
class Returned:
    value: object


@dataclass(frozen=True, slots=True)
class Raised:
    error: Exception


@dataclass(frozen=True, slots=True)
class WornOut:
    """Answer of a process that keeps too much memory and has not begun the job."""


def main() -> None:
    descriptor, memory, modules = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    # A terminal's Ctrl-C and a service manager's SIGTERM reach every process of the server, but are meant for the
    # server alone. Its last requests may still need this process.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    _limit_memory(memory)
    _prefer_for_oom_kill()
    connection = Connection(descriptor)
    threading.Thread(target=_end_with_server, args=(descriptor,), daemon=True).start()
    for module in filter(None, modules.split(",")):
        importlib.import_module(module)
    os.nice(_NICENESS)
    try:
        serve(connection, memory)
    except (EOFError, OSError):
        os._exit(0)  # skips the libraries' own cleanup, which nobody needs


def serve(connection: Connection, memory: int) -> None:
    """Run jobs until the other end is closed, which raises EOFError or OSError."""
    most_kept = _data_bytes() + memory // _KEPT_PART
    opened: dict[int, Closable] = {}
    _send(connection, Returned(os.getpid()))
    while True:
        try:
            job = pickle.loads(connection.recv_bytes())  # noqa: S301 - both ends are this program
            if isinstance(job, Close) or job.opened not in opened:
                _close(opened)
                if isinstance(job, Close):
                    continue
                if _data_bytes() > most_kept:
                    _send(connection, WornOut())
                    continue
            reply = _answer(job, opened)
        except (EOFError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - a job that cannot be unpickled
            reply = Raised(_portable(error))
        _reply(connection, reply)


def _answer(job: Job, opened: dict[int, Closable]) -> Returned | Raised:
    # The signals have no handlers, so the kernel ends the process even if native code never returns.
    signal.setitimer(signal.ITIMER_PROF, job.seconds)
    signal.setitimer(signal.ITIMER_REAL, job.clock_seconds)
    try:
        if job.opened is None:
            result = job.function(*job.arguments, **job.named)
        else:
            if job.factory:
                opened[job.opened] = job.factory()
            result = job.function(opened[job.opened], *job.arguments, **job.named)
        return Returned(result)
    except Exception as error:  # noqa: BLE001 - handed on to the caller
        return Raised(_portable(error))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _close(opened: dict[int, Closable]) -> None:
    for number in list(opened):
        with contextlib.suppress(Exception):
            opened.pop(number).close()


def _reply(connection: Connection, reply: Returned | Raised) -> None:
    try:
        _send(connection, reply)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - a result that cannot be pickled
        _send(connection, Raised(_portable(error)))


def _portable(error: Exception) -> Exception:
    """Return the error without its causes, or a RuntimeError that names its class if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes
    except Exception:  # noqa: BLE001 - constructors may raise anything
        return RuntimeError(f"a job of a worker process ended with {type(error).__name__}")
    return error


def _send(connection: Connection, message: object) -> None:
    connection.send_bytes(pickle.dumps(message, protocol=5))


def _end_with_server(descriptor: int) -> None:
    """End the process when the other end is closed, even during a job, unless the job holds the GIL: then the job's
    time ends it."""
    hangup = select.poll()
    hangup.register(descriptor, 0)
    hangup.poll()
    os._exit(0)


def _limit_memory(limit: int) -> None:
    """Limit the process's private writable memory, or where the kernel does not count it, its resident memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not _COUNTED_BY_KERNEL:
        threading.Thread(target=end_beyond, args=(limit,), daemon=True).start()
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _data_bytes() -> int:
    """Return the bytes that the process's memory limit counts (Linux); 0 elsewhere."""
    try:
        found = re.search(r"^VmData:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _prefer_for_oom_kill() -> None:
    """Make this process the first to be killed if the machine or the container runs out of memory (Linux). Otherwise,
    the server would be chosen, which is usually larger, and all requests would fail instead of one job."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    # The messages' classes belong to the module, not to the program `__main__`.
    from models.workers.process import main as run_main

    run_main()
