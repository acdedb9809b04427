"""The parent process of the sandbox: it starts bubblewrap, adds up the memory of all processes in the sandbox, and ends
them if they exceed a limit.

This is a separate program: `python -I -S memory_watch.py BYTES bwrap …`. The server would check too late, because
its threads take turns, and during one thread's turn five processes can touch a gigabyte. The server ends the script by
closing this program's standard input. The exit status is 0 if the script ended by itself, or if the server ended it
after it had begun. Otherwise, the status is one of the constants below.
"""

import _thread
import os
import select
import sys
import time

TOO_MUCH_MEMORY, NOT_STARTED, TOO_MANY_STARTS = 3, 4, 5
"""Exit statuses: the script was ended because it held too much memory; no script was started, because bubblewrap
failed, because its memory could not be read, or because the server ended it before; the script was ended because its
processes started and ended too fast to be counted."""

_MIN_INTERVAL_S, _MAX_INTERVAL_S = 0.005, 0.05
"""The time between two counts, in seconds, is at least the first number and at most the second."""
_TOUCHED_PER_S = 4 << 30
"""Number of bytes that one processor can touch per second. Together with the bytes that are left, it determines the
time until the next count."""
_MAPS_BYTES = 1 << 20
"""The script is ended if the `maps` file of one of its processes has this many bytes. The file has a line of fifty
bytes or more for each mapped range of addresses. Each range takes 250 bytes of kernel memory that are counted nowhere:
5 MB for 20,000 ranges. A process that computes has hundreds of ranges; the kernel allows 65,530, on some systems a
million."""
_MAX_ROUNDS = 3
"""A count has at most this many rounds. A round reads all processes, and is repeated while it finds new ones, because a
process whose parent ends becomes a child of the first process and may be missed in that round."""
_MAX_READ_PER_ROUND = 1000
"""At most this many processes are read in a round. At most `SandboxLimits.processes` exist at a time."""
_MAX_UNSETTLED = 10
"""The script is ended after this many counts in a row in which every round missed a process, because the process ended
before it could be read. Python takes a millisecond to fork, which is long enough to read a process ten times; a program
that calls the kernel directly may be faster."""
_START_S = 10.0
"""Bubblewrap may take this many seconds to start."""
_COUNTED_LINES = (b"RssAnon:", b"VmSwap:", b"VmPTE:", b"HugetlbPages:")
"""Lines of a process's `status` that are added up: the process's own memory, present or swapped out, and the tables
that map it. Memory that it shares with other processes does not count: the sandbox's files, whose file system has its
own limit, and the system's libraries. The filter of system calls allows no other shared memory."""


def main() -> None:
    limit = int(sys.argv[1])
    begin, stop = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(begin, 0)
        # All processes of the sandbox share this session, which has no terminal.
        os.setsid()
        # With this score, the kernel ends a script and not the server if memory runs short.
        try:  # contextlib.suppress would take milliseconds to import
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("1000")
        except OSError:  # as good as it gets
            pass
        os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell; the arguments are the server's
    os.close(begin)
    os._exit(_watch(child, stop, limit))


def _watch(child: int, stop: int, limit: int) -> int:
    """Count the script's memory until bubblewrap ends. Return the exit status of this process."""
    ended = os.pidfd_open(child)
    waiting = select.poll()
    waiting.register(0, select.POLLIN)
    waiting.register(ended, select.POLLIN)
    first = _first_process(child, waiting)
    if first is None:
        os.close(stop)
        os.waitpid(child, 0)
        return NOT_STARTED
    os.write(stop, b".")  # the script begins only now
    too_many, tell = os.pipe()
    waiting.register(too_many, select.POLLIN)
    known = {child, first}
    # A separate thread watches the maps, because reading a process's maps blocks while the process changes them.
    _thread.start_new_thread(_watch_maps, (known, tell))
    a_socket, fastest = _socket_buffer_bytes(), _TOUCHED_PER_S * len(os.sched_getaffinity(0))
    status: int | None = None
    pause, unsettled = _MIN_INTERVAL_S, 0
    while status is None:
        ready = {descriptor for descriptor, _ in waiting.poll(pause * 1000)}
        if ended in ready:
            os.waitpid(child, 0)
            return 0
        if 0 in ready:
            status = 0
            break
        left, settled = _count_memory(known, limit - a_socket * _socket_count(first))
        unsettled = 0 if settled else unsettled + 1
        if too_many in ready or left < 0:
            status = TOO_MUCH_MEMORY
        elif unsettled >= _MAX_UNSETTLED:
            status = TOO_MANY_STARTS
        pause = min(max(left / fastest, _MIN_INTERVAL_S), _MAX_INTERVAL_S) if settled else _MIN_INTERVAL_S
    os.close(stop)  # the first process in the sandbox ends all others, and reports
    os.waitpid(child, 0)
    return status


def _first_process(child: int, waiting: select.poll) -> int | None:
    """Return the first process in the sandbox once its memory can be read. Return None if that never happens, or if the
    server ends the script before."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until and not waiting.poll(2):
        for one in _children(child):
            if _memory_of(_threads(one)):
                return one
    return None


def _watch_maps(processes: set[int], tell: int) -> None:
    """Write to `tell` once the address space of a process has too many parts."""
    while all(len(_read(f"/proc/{one}/maps", _MAPS_BYTES)) < _MAPS_BYTES for one in tuple(processes)):
        time.sleep(_MAX_INTERVAL_S)
    os.write(tell, b".")


def _count_memory(processes: set[int], limit: int) -> tuple[int, bool]:
    """Return the bytes of `limit` that the processes and their descendants have not used, and True if at least one
    round could read all processes that it found. The number of bytes is negative once the processes exceed the limit. A
    process that was found stays in `processes` until it ends, even if its parent ends first. The kernel does not reuse
    its number before the next count."""
    least, settled = limit, False
    for _ in range(_MAX_ROUNDS):
        left, new, missed = _count_round(processes, limit)
        least = min(least, left)
        settled = settled or not missed
        if least < 0 or not new:
            break
    return least, settled


def _count_round(processes: set[int], bytes_left: int) -> tuple[int, bool, bool]:
    """Return the bytes that remain of `bytes_left`, whether there were new processes, and whether a process could not
    be read. Pages that a fork has not copied yet count for each process, so the sum is an upper bound and not a
    measurement."""
    read: set[int] = set()
    new = missed = False
    waiting = list(processes)
    while waiting and bytes_left >= 0:
        pid = waiting.pop()
        if pid in read:
            continue
        if len(read) == _MAX_READ_PER_ROUND:
            missed = True
            break
        read.add(pid)
        waiting += _children(pid)
        threads = _threads(pid)
        own = _memory_of(threads)
        bytes_left -= own
        # A new process that holds no memory ended before it could be read, and may have left children. A process with
        # several threads holds none only if these threads ended while they were read.
        missed = missed or (own == 0 and (pid not in processes or len(threads) > 1))
        new = new or pid not in processes
        processes.add(pid)
        if not threads:
            processes.discard(pid)
    return bytes_left, new, missed


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in _threads(pid):
        found += map(int, _read(f"{thread}/children").split())
    return found


def _memory_of(threads: list[str]) -> int:
    """Return the memory of the process with these threads, in bytes; 0 if the process has ended."""
    # If the first thread of a process has ended, only the other threads show the memory.
    for thread in threads:
        lines = _read(f"{thread}/status").splitlines()
        if held := sum(int(line.split()[1]) for line in lines if line.startswith(_COUNTED_LINES)):
            return held << 10
    return 0


def _threads(pid: int) -> list[str]:
    folder = f"/proc/{pid}/task"
    try:
        return [f"{folder}/{thread}" for thread in os.listdir(folder)]
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # the process has ended meanwhile, or is hidden
        return []


def _socket_count(first: int) -> int:
    """Number of sockets in the sandbox, which are in the network namespace of its first process."""
    words = _read(f"/proc/{first}/net/sockstat").split()
    return int(words[2]) if words else 0


def _socket_buffer_bytes() -> int:
    """Return the largest number of bytes that can wait in one socket. As long as there is any room, the kernel accepts
    another message, which may have half the size of the buffer."""
    sent = _read("/proc/sys/net/core/wmem_default")
    return int(sent or 212_992) * 3 // 2


def _read(path: str, limit: int = 1 << 16) -> bytes:
    """Return the first `limit` bytes of the file; empty if the process has ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
    try:
        data = b""
        while len(data) < limit and (chunk := os.read(descriptor, limit - len(data))):
            data += chunk
        return data
    except ProcessLookupError:
        return b""
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
