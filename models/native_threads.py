"""Finds the threads that a native library starts, and lowers their priority.

This works only on Linux. On other systems no threads are found, and the priority of all threads stays unchanged.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from models.program_priority import lower_threads

_THREAD_NUMBERS = count(1)
_TASKS_FOLDER = Path("/proc/self/task")


class NativeThreads:
    """Threads that were started, directly or not, by the thread that ran the block of `started_here`.

    >>> with NativeThreads.started_here() as threads:
    ...     server = native.Server()
    >>> threads.lower_priority(NICENESS)
    """

    def __init__(self) -> None:
        self.ids: Sequence[int] = ()

    @classmethod
    @contextmanager
    def started_here(cls) -> Iterator["NativeThreads"]:
        """Find the threads that the block starts.

        A thread inherits the name of the thread that starts it. The calling thread therefore has a unique name during
        the block, which threads of other parts of the process do not inherit.
        """
        threads, own = cls(), threading.get_native_id()
        name, earlier_name = f"native-{next(_THREAD_NUMBERS)}", _name_of(own)
        _rename(own, name)
        try:
            yield threads
        finally:
            if earlier_name:
                _rename(own, earlier_name)
            threads.ids = [one for one in _all_threads() if _name_of(one) == name]

    def lower_priority(self, niceness: int) -> None:
        """Give each of the threads at least this niceness for good: a process without privileges cannot raise its
        priority again."""
        lower_threads(list(self.ids), niceness)


def _all_threads() -> list[int]:
    return [int(one.name) for one in _TASKS_FOLDER.iterdir()] if _TASKS_FOLDER.is_dir() else []


def _name_of(thread: int) -> str:
    with suppress(OSError):  # the thread has ended, or this is not Linux
        return (_TASKS_FOLDER / str(thread) / "comm").read_text().strip()
    return ""


def _rename(thread: int, name: str) -> None:
    with suppress(OSError):  # this is not Linux
        (_TASKS_FOLDER / str(thread) / "comm").write_text(name)
