"""Lowers the priority of programs that run beside the server, such as the sandbox and the browser.

Linux gives each session the same share of the processors, however many processes it has (`sched_autogroup_enabled`).
The niceness of a process counts only against the other processes of its session. A program with a session of its own
would therefore get as much as the whole server, however nice it is, so the session itself is lowered. See sched(7),
"The autogroup feature". Where sessions do not count, as in most containers, the niceness of each thread does.

The module imports only what every Python has loaded, because `models/sandbox/memory_watch.py` starts with it.
"""

import os

NICENESS = 10
"""Niceness of programs beside the server, and of their sessions: all processes of a session together get a tenth of a
processor if they share it with the busy server, and all of an idle processor. With niceness 19, they would get a
seventieth, and others' scripts and pages would reach their time limits as soon as the server is busy."""
RETRY_S = 0.1
"""Interval, in seconds, in which Linux accepts one change of all users without privileges together."""
_LOWEST = 19
_STEP = 1.25
"""Factor between the shares of two consecutive nicenesses (`sched_prio_to_weight` in Linux's `kernel/sched/core.c`)."""


def lower_session_priority(pid: int) -> bool:
    """Lower the session of the process `pid`, unless it is the caller's own. Return False if the kernel accepts it only
    in another attempt, after RETRY_S."""
    try:
        if os.getsid(pid) == os.getsid(0):
            return True
        descriptor = os.open(f"/proc/{pid}/autogroup", os.O_WRONLY)
    except OSError:  # the process has ended, or this system shares processors in another way
        return True
    try:
        os.write(descriptor, b"%d" % NICENESS)
    except BlockingIOError:
        return False
    except OSError:  # the process has ended, or belongs to another user
        pass
    finally:
        os.close(descriptor)
    return True


def shared_niceness(threads: int) -> int:
    """Return the niceness with which so many threads together get as much as one of NICENESS, or at most 19: about
    that much for nine threads, and four times as much for 32."""
    niceness = NICENESS
    while niceness < _LOWEST and threads > _STEP ** (niceness - NICENESS):
        niceness += 1
    return niceness


def lower_threads(threads: list[int], niceness: int) -> None:
    """Give each of the threads at least this niceness."""
    for thread in threads:
        try:
            os.setpriority(os.PRIO_PROCESS, thread, max(niceness, os.getpriority(os.PRIO_PROCESS, thread)))
        except OSError:  # the thread has ended; contextlib.suppress would take milliseconds to import
            continue
