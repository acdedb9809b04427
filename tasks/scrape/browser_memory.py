"""Bounds the memory of a browser's processes, which V8's own bound does not: scripts take buffers outside its heap."""

import sys
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

PROCESS_MB = 1536
"""Largest size in megabytes of the data of one process of the browser. A page's scripts share a heap of 512 MB with
their buffers, its elements and the stacks of its threads beside it."""


def limit_memory(pid: int, megabytes: int = PROCESS_MB) -> None:
    """Limit the data of a process and its descendants, and of all that they start later. A script that wants more gets
    an error, or its page crashes. Linux only."""
    if sys.platform != "linux":
        return
    import resource

    size = megabytes << 20
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            # The limit precedes the look at its children: those that it starts meanwhile inherit it.
            resource.prlimit(one, resource.RLIMIT_DATA, (size, size))
            for thread in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except (ProcessLookupError, FileNotFoundError):
            pass  # it has ended
        except OSError as error:
            log.warning("browser_memory_unlimited", reason=type(error).__name__)
