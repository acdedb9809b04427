"""Worker processes: long Python over a caller's content, one job a process, with a limit of time and of memory.

    workers = Workers(WorkerLimits(processes=2))
    lines = await workers.run(split_into_lines, text)
    lines = await workers.run_sized(len(text), split_into_lines, text)  # a short text in a thread

    document = workers.open(PdfPages, blob, limits)
    picture = await document.run(PdfPages.picture, 3)
    await document.close()

Functions, arguments and results are pickled. A job is ended, and its process replaced, when it has taken its time or
its memory, and when its caller leaves. Between the jobs of two callers, nothing stays in a process but what libraries
cache.
"""

import asyncio
import contextlib
import errno
import io
import os
import pickle
import signal
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from models.base import (
    BUSY_RETRY_S,
    EngineFailed,
    EngineNotReady,
    EngineOverloaded,
    EngineTooSlow,
    EngineUnavailable,
    available_cpus,
)
from models.python_process import python_command, python_environment
from models.queues import KEY, FairQueue, QueueFull
from models.workers.process import Closable, Close, Job, Raised, Returned, WornOut

P = ParamSpec("P")
T = TypeVar("T")
OpenedT = TypeVar("OpenedT", bound=Closable)

ABANDONED_S = 0.5
"""A process whose caller has left is killed after this many seconds, because starting another one costs more than the
rest of a short job."""
MAX_WAITING = 10_000
SMALL = 20_000
"""Work on at most this many characters runs in a thread: it takes a tenth of a second or less, and a busy process would
have to finish its job first."""
CHARS_OF_WORD = 6
"""A word on a page counts as this many characters: with its place, it takes as long to lay out."""
_START_S = 60.0
"""A process may take this long, in seconds, to start on a busy machine."""
_MB = 1024 * 1024
_BUFFER = 4 * _MB
_ENVIRONMENT = {
    # Every idle thread of BLAS takes memory, and each processor has a worker already.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # By default, glibc returns the memory of every picture to the kernel and requests it again for the next one, which
    # doubles the time of a page.
    "MALLOC_MMAP_THRESHOLD_": str(32 * _MB),
    "MALLOC_TRIM_THRESHOLD_": str(64 * _MB),
}


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    processes: int = field(default_factory=available_cpus)
    """Largest number of processes."""
    memory_bytes: int = 2048 * _MB
    """Memory limit of one process."""
    seconds: float = 60.0
    """Limit of the processor time of one job in seconds."""
    clock_factor: int = 5
    """A job may last this many times as long by the clock, for which it is not to blame on a busy machine."""

    @property
    def clock_seconds(self) -> float:
        return self.clock_factor * self.seconds


class JobTooLong(EngineTooSlow):
    """Raised if a job took more processor time than it may. Its process has been ended."""

    def __init__(self, seconds: float) -> None:
        super().__init__("workers", f"A job took longer than {seconds:g} s.")


class JobCrashed(EngineFailed):
    """Raised if a job ended its process, by a crash or because it needed more memory than it may take."""

    def __init__(self, status: int) -> None:
        super().__init__("workers")
        self.status = status
        """Exit status of the process, as of `Popen.returncode`."""


class Workers:
    """A pool of processes. It belongs to one event loop. API keys take turns for the processes, job by job.

    A process starts when a job needs it, because all others are busy.
    """

    def __init__(self, limits: WorkerLimits | None = None, modules: Sequence[str] = ()) -> None:
        """Each process imports `modules` before its first job."""
        self.limits = limits or WorkerLimits()
        self.restarts: Counter[str] = Counter()
        """Number of processes that had to be replaced, by reason: `died`, `start`, `slow`, `memory`, `abandoned`."""
        self._waiting: FairQueue[_Task] = FairQueue(MAX_WAITING)
        self._workers = [_Worker(self, ",".join(modules)) for _ in range(self.limits.processes)]
        self._idle = list(self._workers)
        """Workers without a job, the longest idle first."""
        self._threads = ThreadPoolExecutor(self.limits.processes, thread_name_prefix="worker")
        self.closing = threading.Event()

    @property
    def pids(self) -> list[int]:
        """Ids of the running processes."""
        return [worker.process.pid for worker in self._workers if worker.process]

    async def start(self) -> None:
        """Start the first process, so that the first job need not wait for it. Raises EngineUnavailable."""
        await self.run(os.getpid)

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function` returns. Raises what the function raises, JobTooLong, JobCrashed, EngineTooSlow if the
        processors are busy, EngineUnavailable if no process starts, and EngineOverloaded."""
        return cast(T, await self._result(_Task(function, args, kwargs)))

    async def run_sized(self, size: int, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function` returns, whose work grows with a text of `size` characters. If they are SMALL or
        fewer, it runs in a thread of this process, and is not ended if the caller leaves. Raises what `run` raises."""
        if size <= SMALL:
            return await asyncio.to_thread(function, *args, **kwargs)
        return await self.run(function, *args, **kwargs)

    def open(self, factory: Callable[P, OpenedT], /, *args: P.args, **kwargs: P.kwargs) -> "OpenObject[OpenedT]":
        """Return an object that `factory` makes in a process, at the object's first job."""
        return OpenObject(self, partial(factory, *args, **kwargs))

    async def _result(self, task: "_Task") -> object:
        if self.closing.is_set():
            raise _closing()
        try:
            self._waiting.put(task.key, task)
        except QueueFull as error:
            raise EngineOverloaded("workers", error.waiting, BUSY_RETRY_S) from error
        self._hand_out()
        try:
            return await task.result
        except asyncio.CancelledError:
            self._waiting.remove(task.key, task)
            if task.worker:
                asyncio.get_running_loop().call_later(ABANDONED_S, task.worker.abandon, task)
            raise

    def _hand_out(self) -> None:
        loop = asyncio.get_running_loop()
        while self._idle and (task := self._waiting.pop()):
            worker = min(self._idle, key=lambda worker: worker.cost(task))
            self._idle.remove(worker)
            task.worker = worker
            ended = loop.run_in_executor(self._threads, worker.answer, task)
            ended.add_done_callback(partial(self._end, task, worker))

    def _end(self, task: "_Task", worker: "_Worker", ended: "asyncio.Future[object]") -> None:
        task.worker = None
        self._idle.append(worker)
        if task.result.cancelled():
            ended.exception()  # nobody waits for it any more
        elif error := ended.exception():
            task.result.set_exception(error)
        else:
            task.result.set_result(ended.result())
        if not self.closing.is_set():
            self._hand_out()

    def forget(self, number: int) -> None:
        """Close the object `number` if an idle process has it."""
        for worker in self._idle:
            if worker.opened == number:
                worker.close_object()

    async def close(self) -> None:
        """End the processes, even during jobs. Waiting jobs fail."""
        self.closing.set()
        while task := self._waiting.pop():
            task.result.set_exception(_closing())
        for worker in self._workers:
            worker.kill()
        await asyncio.to_thread(self._threads.shutdown)
        for worker in self._workers:
            worker.end()


class OpenObject(Generic[OpenedT]):
    """An object that lives in a worker process between its jobs, such as an opened file. If the process is needed for
    other jobs or ends, the object is made again for its next job. Jobs should therefore only read."""

    _numbers = count(1)

    def __init__(self, workers: Workers, factory: Callable[[], OpenedT]) -> None:
        self._workers = workers
        self._factory = factory
        self._number: int | None = next(self._numbers)

    async def run(self, function: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function(object, *args)` returns. Raises what `Workers.run` raises."""
        if self._number is None:
            raise RuntimeError("the object is closed")
        task = _Task(function, args, kwargs, opened=self._number, factory=self._factory)
        return cast(T, await self._workers._result(task))

    async def close(self) -> None:
        """Close the object. May be called again."""
        number, self._number = self._number, None
        if number is not None:
            self._workers.forget(number)


@dataclass(eq=False)
class _Task:
    """A job that waits or runs, and its result."""

    function: Callable[..., object]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    opened: int | None = None
    factory: Callable[[], Closable] | None = None
    key: str = field(default_factory=KEY.get)
    worker: "_Worker | None" = None
    """Worker that runs the job; None before and after it."""

    def __post_init__(self) -> None:
        self.result: asyncio.Future[object] = asyncio.get_running_loop().create_future()


class _Ended(Exception):
    """Raised if the process ended during a job."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the process ended with status {status}")
        self.status = status


class _Frames(io.BytesIO):
    """A file that `pickle` reads and writes in frames of 64 KiB, between which other threads can run. `pickle.dumps`
    and `pickle.loads` would hold the interpreter for tenths of a second if a page has thousands of words."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size)

    def write(self, data: Any, /) -> int:
        return super().write(data)


def _pickled(value: object) -> bytes:
    file = _Frames()
    pickle.Pickler(file, protocol=5).dump(value)
    return file.getvalue()


class _Worker:
    """At most one process, which starts with the first job and again after it has ended."""

    def __init__(self, pool: Workers, modules: str) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.opened: int | None = None
        """Number of the object that the process has open."""
        self._connection: Connection | None = None
        self._pool = pool
        self._modules = modules
        self._killed: str | None = None
        """Reason for which this server has killed the process."""

    def cost(self, task: _Task) -> int:
        """Return how unsuitable the worker is for a job: best is the one that has the job's object."""
        if task.opened is not None and self.opened == task.opened:
            return 0
        return (1 if self.process else 2) if self.opened is None else 3

    def abandon(self, task: _Task) -> None:
        if task.worker is self:
            self.kill()

    def kill(self) -> None:
        """End the process at once, because nobody waits for its job any more."""
        self._killed = "abandoned"
        if self.process:
            self.process.kill()

    def close_object(self) -> None:
        self.opened = None
        if self._connection:
            with contextlib.suppress(OSError):  # if the process has ended, the object has, too
                self._connection.send_bytes(pickle.dumps(Close(), protocol=5))

    def end(self) -> int:
        """Kill the process and wait for its end. Return its exit status, or 0 if there is none. May be called again."""
        process, self.process, self.opened = self.process, None, None
        if self._connection:
            self._connection.close()
            self._connection = None
        if process is None:
            return 0
        process.kill()
        return process.wait()

    # The methods below run in the thread of the worker's job.

    def answer(self, task: _Task) -> object:
        for attempt in (1, 2):
            try:
                return self._answer(task)
            except _Ended as error:
                reason = self._killed or ("slow" if error.status in (-signal.SIGPROF, -signal.SIGALRM) else "died")
                self._pool.restarts[reason] += 1
                seconds = self._pool.limits.seconds
                if error.status == -signal.SIGPROF:
                    raise JobTooLong(seconds) from error
                if error.status == -signal.SIGALRM:
                    raise EngineTooSlow(
                        "workers",
                        f"The processors are busy: within {self._pool.limits.clock_seconds:g} s, a job got less than "
                        f"{seconds:g} s of processor time.",
                    ) from error
                if self._pool.closing.is_set():
                    raise _closing() from error
                # The kernel kills a process if the machine runs out of memory, for which the job need not be to blame.
                if self._killed or error.status != -signal.SIGKILL or attempt == 2:
                    raise JobCrashed(error.status) from error
        raise AssertionError

    def _answer(self, task: _Task) -> object:
        self.started()
        reply = self._asked(task)
        if isinstance(reply, WornOut):
            self._pool.restarts["memory"] += 1
            self.end()
            self.started()
            reply = self._asked(task)
        if isinstance(reply, Raised):
            raise reply.error
        assert isinstance(reply, Returned)
        return reply.value

    def _asked(self, task: _Task) -> object:
        """Send the job, and return the first message that comes back."""
        factory = task.factory if task.opened != self.opened else None
        limits = self._pool.limits
        job = Job(task.function, task.args, task.kwargs, limits.seconds, limits.clock_seconds, task.opened, factory)
        data = _pickled(job)
        self.opened = task.opened
        assert self._connection
        try:
            self._connection.send_bytes(data)
        except OSError as error:
            raise _Ended(self.end()) from error
        return self._received()

    def _received(self) -> object:
        assert self._connection
        try:
            data = self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise _Ended(self._status()) from error
        except BaseException:
            self.end()  # the message is incomplete
            raise
        return pickle.Unpickler(_Frames(data)).load()  # noqa: S301 - both ends are this program

    def _status(self) -> int:
        assert self.process
        status = self.process.wait()
        self.end()
        return status

    def started(self) -> None:
        """Start the process unless it runs. Raises EngineUnavailable."""
        if self.process:
            return
        if self._pool.closing.is_set():
            raise _closing()
        self._killed = None
        ours, theirs = socket.socketpair()
        with theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            arguments = (str(theirs.fileno()), str(self._pool.limits.memory_bytes), self._modules)
            self._connection = Connection(ours.detach())
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter, with numbers
                python_command("models.workers.process", *arguments),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=python_environment() | _ENVIRONMENT,
            )
        if self._pool.closing.is_set():
            self.process.kill()
        try:
            if not self._connection.poll(_START_S):
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            self._pool.restarts["start"] += 1
            self.end()
            if self._pool.closing.is_set():
                raise _closing() from error
            raise EngineUnavailable("workers", "The worker process does not start: see the server's log.") from error


def _closing() -> EngineNotReady:
    return EngineNotReady("workers", "The server is shutting down.")
