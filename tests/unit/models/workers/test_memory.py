"""The memory that a server may take by its control groups, and a process that is watched where no kernel counts."""

import asyncio
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.workers import pool as pool_module
from models.workers.memory import memory_of_machine
from models.workers.pool import JobCrashed, WorkerLimits, Workers
from tests.kit.processes.worker_jobs import allocate, same

GB = 1024**3
MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
UNLIMITED_V1 = str(2**63 - 4096)


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"memory.max": f"{GB}"}, GB),
        ("0::/\n", {"memory.max": "max"}, MACHINE),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": f"{GB}"}, GB),
        ("0::/a/b\n", {"a/b/memory.max": f"{GB // 2}", "a/memory.max": f"{GB}"}, GB // 2),
        ("5:cpu,memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": f"{GB}"}, GB),
        ("4:memory:/docker/0a1b\n", {"memory/memory.limit_in_bytes": f"{GB}"}, GB),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": UNLIMITED_V1}, MACHINE),
        ("4:cpu:/a\n", {"memory/a/memory.limit_in_bytes": f"{GB}"}, MACHINE),
        ("", {}, MACHINE),
    ],
)
def test_the_smallest_limit_of_the_groups_counts(
    groups: str, files: dict[str, str], expected: int, tmp_path: Path
) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    assert memory_of_machine(tmp_path) == expected


def test_without_control_groups_it_is_that_of_the_machine(tmp_path: Path) -> None:
    assert memory_of_machine(tmp_path) == MACHINE


async def test_where_the_kernel_does_not_count_a_watcher_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker ends by its resident memory where the kernel counts none, which is so on macOS."""

    def command(module: str, *arguments: str) -> Sequence[str]:
        uncounted = f"import {module} as process; process._COUNTED_BY_KERNEL = False; process.main()"
        # From a small process: Linux counts what the one had that it was forked from.
        return ["/bin/sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", uncounted, *arguments]

    monkeypatch.setattr(pool_module, "python_command", command)
    pool = Workers(WorkerLimits(1, 512 * 1024**2))
    try:
        assert await pool.run(allocate, GB // 8) == 1
        with pytest.raises(JobCrashed) as caught:
            await pool.run(allocate, 4 * GB)
        assert caught.value.status == errno.ENOMEM
        assert await asyncio.gather(pool.run(same, 1), pool.run(same, 2)) == [1, 2]
    finally:
        await pool.close()
