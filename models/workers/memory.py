"""Memory: what the server may take with all its processes, and a limit for one process whose kernel does not count."""

import errno
import os
import re
import resource
import sys
import time
from pathlib import Path

_LOOKS_EVERY_S = 0.02
"""A decoder writes some tens of megabytes in this time."""
_RUSAGE_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes that `ru_maxrss` counts in: getrusage(2) of macOS, of Linux and the BSDs."""


def memory_of_machine(root: Path = Path("/")) -> int:
    """Return the bytes that the server may take with all its processes: the machine's, or the smallest limit of the
    control groups (v1 or v2) that it is in, which are read below `root`. Within a container of v1, the path of the
    group is that outside, but the limits are where the tree begins."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    try:
        groups = (root / "proc/self/cgroup").read_text()
    except OSError:
        groups = ""  # not Linux
    for controllers, path in re.findall(r"^\d+:([^:]*):/?(.*)$", groups, re.MULTILINE):
        if controllers == "":
            tree, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            tree, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        for group in (Path(path), *Path(path).parents):
            try:
                found.append(int((tree / group / name).read_text()))
            except (OSError, ValueError):
                continue  # no such group here, or "max"
    return min(found)


def end_beyond(limit: int) -> None:
    """Watch this process, and end it with the status ENOMEM once it has had more than `limit` bytes resident. Native
    code that keeps the interpreter is not watched meanwhile."""
    # Some kernels count what the process had that started this one.
    bound = max(limit, _most_resident())
    while _most_resident() <= bound:
        time.sleep(_LOOKS_EVERY_S)
    os._exit(errno.ENOMEM)


def _most_resident() -> int:
    """Return the most bytes that this process ever had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RUSAGE_UNIT
