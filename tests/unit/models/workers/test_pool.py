"""Worker processes: their answers, and the end of a job, of its caller and of a process."""

import asyncio
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from models.base import EngineNotReady, EngineTooSlow, EngineUnavailable
from models.queues import KEY
from models.workers import pool as workers_module
from models.workers.pool import SMALL, JobCrashed, JobTooLong, WorkerLimits, Workers
from tasks.errors import InputError
from tests.kit.processes.worker_jobs import (
    Counter,
    allocate,
    compute_for_ever,
    crash,
    environment,
    fail,
    hang_in_native_code,
    has_loaded,
    meet,
    numbers,
    refuse,
    return_function,
    same,
    stick,
)

MB = 1024 * 1024
PATIENT = 600.0
"""Seconds that a job may take where a test is not about that."""
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")

Pools = Callable[..., Workers]


@pytest.fixture
async def pools() -> AsyncIterator[Pools]:
    made: list[Workers] = []

    def make(processes: int = 1, memory_mb: int = 2048, seconds: float = PATIENT, clock_factor: int = 600) -> Workers:
        made.append(Workers(WorkerLimits(processes, memory_mb * MB, seconds, clock_factor)))
        return made[-1]

    yield make
    for pool in made:
        await pool.close()


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Workers]:
    """A pool for the tests that neither end its process nor need another setting."""
    pool = Workers(WorkerLimits(1, 2048 * MB, PATIENT))
    yield pool
    await pool.close()


async def stuck(pool: Workers, folder: Path, times: int) -> "asyncio.Task[int]":
    """Return a job that is stuck in its first `times` runs, and has begun."""
    before = calls_in(folder)
    job = asyncio.create_task(pool.run(stick, str(folder), times))
    await begun(folder, before + 1)
    return job


def calls_in(folder: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return (folder / "calls").stat().st_size
    return 0


async def begun(folder: Path, calls: int) -> None:
    while calls_in(folder) < calls:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("value", [1, "text", b"\0" * 3 * MB, {"a": [1.5, None]}])
async def test_values_arrive_as_they_were(pool: Workers, value: object) -> None:
    assert await pool.run(same, value) == value


def test_large_values_are_pickled_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other threads can run between two pieces."""
    sizes: list[int] = []
    write = workers_module._Frames.write

    def noted(file: Any, data: Any) -> int:
        sizes.append(len(data))
        return write(file, data)

    monkeypatch.setattr(workers_module._Frames, "write", noted)
    value = [{"text": f"word {number}", "confidence": 0.5} for number in range(50_000)]
    assert pickle.loads(workers_module._pickled(value)) == value
    assert len(sizes) > 10
    assert max(sizes) < 100_000


@pytest.mark.parametrize("count", [5, 5 * MB])
async def test_arrays_come_back_whole_and_writable(pool: Workers, count: int) -> None:
    array = await pool.run(numbers, count)
    assert np.array_equal(array, np.arange(count, dtype=np.uint8))
    array[0] = 7


async def test_what_a_function_raises_comes_out_as_it_is(pool: Workers) -> None:
    with pytest.raises(InputError) as caught:
        await pool.run(refuse)
    assert (caught.value.message, caught.value.code, caught.value.param) == ("no", "a_code", "a.param")
    with pytest.raises(KeyError):
        await pool.run(fail)


async def test_what_cannot_be_pickled_breaks_nothing(pool: Workers) -> None:
    before = await pool.run(os.getpid)
    with pytest.raises(Exception, match="pickle|local object"):
        await pool.run(return_function)
    with pytest.raises(Exception, match="pickle|local object"):
        await pool.run(same, lambda: None)
    assert await pool.run(os.getpid) == before


async def test_processes_start_when_they_are_needed(pools: Pools) -> None:
    pool = pools(processes=3)
    assert pool.pids == []
    await pool.start()
    assert [await pool.run(os.getpid) for _ in range(3)] == pool.pids * 3
    assert len(pool.pids) == 1
    await asyncio.gather(*(pool.run(os.getpid) for _ in range(2)))
    assert len(pool.pids) == 2


async def test_small_work_runs_in_this_process_and_large_work_in_a_worker(pool: Workers) -> None:
    assert await pool.run_sized(SMALL, os.getpid) == os.getpid()
    assert await pool.run_sized(SMALL + 1, os.getpid) in pool.pids


async def test_modules_are_imported_before_the_first_job() -> None:
    pool = Workers(WorkerLimits(1), ["wave"])
    assert await pool.run(has_loaded, "wave")
    assert not await pool.run(has_loaded, "asyncio")
    await pool.close()


async def test_jobs_run_at_the_same_time(pools: Pools, tmp_path: Path) -> None:
    pool, one, two = pools(processes=2), str(tmp_path / "1"), str(tmp_path / "2")
    os.mkfifo(one)
    os.mkfifo(two)
    assert await asyncio.gather(pool.run(meet, one, two), pool.run(meet, two, one)) == ["hello"] * 2


async def test_keys_take_turns(pool: Workers) -> None:
    order: list[str] = []

    async def job(key: str) -> None:
        KEY.set(key)
        await pool.run(same, key)
        order.append(key)

    await asyncio.gather(*(job(key) for key in ["flood"] * 6 + ["other"] * 2))
    assert order == ["flood", "flood", "other", "flood", "other", "flood", "flood", "flood"]


async def test_an_object_stays_open_until_other_work_needs_its_process(pool: Workers) -> None:
    opened, other = pool.open(Counter), pool.open(Counter)
    assert [(await opened.run(Counter.call))[1] for _ in range(3)] == [1, 2, 3]
    assert (await other.run(Counter.call))[1] == 1
    assert [(await opened.run(Counter.call))[1] for _ in range(2)] == [1, 2]
    await pool.run(same, 1)
    assert (await opened.run(Counter.call))[1] == 1


async def test_an_object_is_found_in_its_process(pools: Pools) -> None:
    pool = pools(processes=2)
    opened, other = pool.open(Counter), pool.open(Counter)
    for call in (1, 2, 3):
        assert (await opened.run(Counter.call))[1] == (await other.run(Counter.call))[1] == call
    assert len(pool.pids) == 2


async def test_a_closed_object_says_so(pool: Workers) -> None:
    opened = pool.open(Counter)
    await opened.run(Counter.call)
    await opened.close()
    await opened.close()
    with pytest.raises(RuntimeError, match="closed"):
        await opened.run(Counter.call)


async def test_a_job_that_takes_its_time_is_ended(pools: Pools) -> None:
    pool = pools(seconds=0.3)
    before = await pool.run(os.getpid)
    with pytest.raises(JobTooLong, match=r"0\.3 s"):
        await pool.run(compute_for_ever)
    assert not psutil.pid_exists(before)
    assert await pool.run(same, 1) == 1
    assert pool.restarts == {"slow": 1}


async def test_a_job_that_gets_no_processor_is_not_to_blame(pools: Pools) -> None:
    pool = pools(seconds=0.1, clock_factor=5)
    with pytest.raises(EngineTooSlow, match="processors are busy") as caught:
        await pool.run(hang_in_native_code)
    assert not isinstance(caught.value, JobTooLong)
    assert caught.value.retry_after
    assert pool.restarts == {"slow": 1}


async def test_a_crash_is_an_error_of_its_job(pools: Pools) -> None:
    pool = pools()
    with pytest.raises(JobCrashed) as caught:
        await pool.run(crash)
    assert caught.value.status == -signal.SIGSEGV
    assert await pool.run(same, 1) == 1
    assert pool.restarts == {"died": 1}


async def test_a_job_whose_process_is_killed_is_made_again_once(pools: Pools, tmp_path: Path) -> None:
    pool = pools()
    job = await stuck(pool, tmp_path, 1)
    waiting = asyncio.create_task(pool.run(same, "other"))
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await job == 2
    assert await waiting == "other"
    job = await stuck(pool, tmp_path, 9)
    os.kill(pool.pids[0], signal.SIGKILL)
    await begun(tmp_path, 4)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(JobCrashed):
        await job
    assert calls_in(tmp_path) == 4


@linux
async def test_memory_is_limited(pools: Pools) -> None:
    pool = pools(memory_mb=512)
    assert await pool.run(allocate, 100 * MB) == 1
    with pytest.raises(MemoryError):
        await pool.run(allocate, 1024 * MB)
    assert await pool.run(allocate, 100 * MB) == 1


@linux
async def test_memory_of_an_object_is_free_for_the_next_job(pools: Pools) -> None:
    pool = pools(memory_mb=512)
    hoarder = pool.open(Counter, 300 * MB)
    assert (await hoarder.run(Counter.call))[1] == 1
    assert await pool.run(allocate, 300 * MB) == 1


async def test_a_job_whose_caller_leaves_is_killed(pools: Pools, tmp_path: Path) -> None:
    pool = pools()
    job = await stuck(pool, tmp_path, 9)
    waiting = asyncio.create_task(pool.run(same, "other"))
    left_at = time.monotonic()
    job.cancel()
    assert await waiting == "other"
    assert time.monotonic() - left_at < workers_module.ABANDONED_S + 5.0
    assert pool.restarts == {"abandoned": 1}


async def test_a_waiting_job_is_dropped_when_its_caller_leaves(pools: Pools, tmp_path: Path) -> None:
    pool = pools()
    running = await stuck(pool, tmp_path, 1)
    (tmp_path / "other").mkdir()
    waiting = asyncio.create_task(pool.run(stick, str(tmp_path / "other"), 0))
    await asyncio.sleep(0)
    waiting.cancel()
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await running == 2
    await pool.run(same, 1)
    assert calls_in(tmp_path / "other") == 0


async def test_closing_ends_what_hangs(pools: Pools, tmp_path: Path) -> None:
    pool = pools()
    running = await stuck(pool, tmp_path, 9)
    (pid,) = pool.pids
    waiting = asyncio.create_task(pool.run(same, 1))
    await asyncio.sleep(0)
    await pool.close()
    assert not psutil.pid_exists(pid)
    results = await asyncio.gather(running, waiting, return_exceptions=True)
    assert [type(result) for result in results] == [EngineNotReady] * 2
    with pytest.raises(EngineNotReady):
        await pool.run(same, 1)


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
async def test_the_servers_signals_are_not_for_its_processes(pool: Workers, signal_: signal.Signals) -> None:
    pid = await pool.run(os.getpid)
    os.kill(pid, signal_)
    assert await pool.run(os.getpid) == pid


async def test_secrets_of_the_server_are_not_handed_on(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_API_KEYS", "hunter2")
    assert "hunter2" not in str(await pools().run(environment))


async def test_processes_that_do_not_start_are_the_operators_to_mend(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineUnavailable, match="does not start"):
        await pools().run(same, 1)


SERVER = """
import asyncio, sys
from models.workers.pool import Workers
from tests.kit.processes.worker_jobs import stick

async def main():
    pool = Workers()
    await pool.start()
    print(*pool.pids, flush=True)
    await pool.run(stick, sys.argv[1], 9)

asyncio.run(main())
"""


@pytest.mark.parametrize("signal_", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.deep)])
async def test_processes_end_with_their_server_whatever_they_do(tmp_path: Path, signal_: signal.Signals) -> None:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, str(tmp_path)),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert server.stdout
    pids: list[Any] = (await server.stdout.readline()).split()
    processes = [psutil.Process(int(pid)) for pid in pids]
    await begun(tmp_path, 1)
    server.send_signal(signal_)
    await server.wait()
    assert processes
    assert (await asyncio.to_thread(psutil.wait_procs, processes, timeout=60))[1] == []
