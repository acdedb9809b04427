"""Limits the memory of a browser's processes. V8's own limit does not suffice, because scripts take buffers outside its
heap."""

import sys
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

PROCESS_MB = 1536
"""A process of the browser has at most this many megabytes of data. V8's heap takes up to 512 MB of them. The rest is
for buffers, the page's elements and the stacks of its threads."""


def limit_memory(pid: int, megabytes: int = PROCESS_MB) -> None:
    """Limit the data of a process, of its descendants, and of all processes that they start later. A script that wants
    more gets an error, or its page crashes. Linux only."""
    if sys.platform != "linux":
        return
    import resource

    size = megabytes << 20
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            # The limit is set before the children are listed, so that those started meanwhile inherit it.
            resource.prlimit(one, resource.RLIMIT_DATA, (size, size))
            for thread in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except (ProcessLookupError, FileNotFoundError):
            pass  # it has ended
        except OSError as error:
            log.warning("browser_memory_unlimited", reason=type(error).__name__)
