"""Adds up the memory that a process and its descendants hold (Linux)."""

from collections.abc import Iterator
from pathlib import Path

_COUNTED_LINES = ("RssAnon:", "VmSwap:", "VmPTE:")
"""Lines of a process's `status` that are added up: the process's own memory, present or swapped out, and the tables
that map it. Memory that processes share does not count: the sandbox's files, whose file system has its own limit, and
the system's libraries. The filter of system calls allows no other shared memory."""


def held_bytes(pid: int) -> int:
    """Return the bytes that the process `pid` and its descendants hold. Pages that a fork has not copied yet count for
    each process, so the sum is an upper bound."""
    return sum(map(_own_bytes, _family(pid)))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        for child in _read(thread / "children").split():
            yield from _family(int(child))


def _own_bytes(pid: int) -> int:
    # If the first thread of a process has ended, only the other threads show the memory.
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        counted = [line for line in _read(thread / "status").splitlines() if line.startswith(_COUNTED_LINES)]
        if counted:
            return 1024 * sum(int(line.split()[1]) for line in counted)
    return 0


def _read(path: Path) -> str:
    """Return the content of a file in `/proc`; an empty text if its process has ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
