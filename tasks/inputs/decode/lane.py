"""Runs the decode processes. Each process holds several files and answers one call at a time."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Concatenate, Generic, cast

import structlog

from models.base import EngineNotReady, EngineTooSlow, EngineUnavailable, ran_out
from models.fair_executor import Rests
from models.loop_turns import LoopTurns
from models.scheduler import SHARE, FairQueue, Share
from models.turns import Homes
from tasks.errors import InputError
from tasks.inputs.blame import DecoderFault
from tasks.inputs.decode.channel import (
    Arguments,
    Call,
    Channel,
    Closable,
    Close,
    Failed,
    Named,
    Open,
    OpenedT,
    P,
    Raised,
    Reply,
    Request,
    S,
    Sessions,
    T,
    Within,
)
from tasks.inputs.decode.threads import Worker
from tasks.inputs.limits import MB, megabytes
from tasks.inputs.source import Blob

_LOOK_S = 0.1
"""The time and the memory of a process in a call are checked at intervals of about this many seconds."""
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
"""Number of clock ticks per second. `/proc` counts processor time in clock ticks."""
_START_S = 60.0
"""A process may take this long, in seconds, to start on a busy machine."""

_LEAN = {
    # A decoder computes no matrices, and every idle BLAS thread takes memory.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # By default, glibc returns the memory of every picture to the kernel and requests it again for the next one, which
    # doubles the time of a page. This process may keep its memory, because it ends when it is idle.
    "MALLOC_MMAP_THRESHOLD_": str(32 * MB),
    "MALLOC_TRIM_THRESHOLD_": str(64 * MB),
}
CLOCK_FACTOR = 5
"""A call may last this many times as long by the clock as the processor time that it may take."""
IDLE_S = 60.0
"""A process without an open file ends after this many seconds, to free its memory."""
ABANDONED_S = 1.0
"""If the caller of a call has left, the process of the call is killed after this many seconds. Starting a process again
costs less than letting other calls wait for one that hangs."""
QUICK_S = 2.0
"""Processor time in seconds after which a call counts as long, so that its key leaves a process to other keys. By the
clock, a call counts as long after CLOCK_FACTOR × QUICK_S, because on a busy machine a short call may last QUICK_S."""
REST, REST_AFTER_S = 1.0, 0.25
"""While keys compete, a key's files are decoded at most half of the time, from when this has lately taken REST_AFTER_S
seconds more than that. The processors then have room for the steps of small requests of other keys."""
_ATTEMPTS = 2
_OWN_PART = 2
"""If the memory runs out in a call that took more than the memory limit divided by this, the call itself is the
cause."""
_LEFT_BEHIND = 4
"""If the memory runs out in a process that has opened several files, and the process held more than the memory limit
divided by this before the call, the other files may be the cause."""
_OPEN_PART = 4
"""Several open files of a process have together at most as many bytes as the memory limit divided by this, so that
enough memory remains for decoding."""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    workers: int = 2
    """Number of processes (OPENFAZE_DECODE_WORKERS); 0 decodes in a thread of this process."""
    memory_bytes: int = 2048 * MB
    """Memory limit of one process (OPENFAZE_DECODE_MEMORY_MB)."""
    seconds: float = 60.0
    """Limit of the processor time of one call in seconds (OPENFAZE_DECODE_SECONDS)."""


class ProcessDied(Exception):
    """Raised if the process crashed, was killed or exceeded its memory limit. `status` is `Popen.returncode`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the decode process ended with status {status}")
        self.status = status


class StartFailed(ProcessDied):
    """Raised if the process ended before it could do anything."""


class _OutOfMemory(Exception):
    """Raised if the call needs more memory than the process has left."""


class _Moved(Exception):
    """Raised if the call has to be made in another process, because its key may no longer use this one."""


class CallTooSlow(Exception):
    """Raised if the call did not return in time. Its process has been ended."""

    def __init__(self, client_error: InputError | None) -> None:
        super().__init__("a call took too long")
        self.client_error = client_error
        """The error for the client, if a part of the call took too long."""


class ProcessorsBusy(Exception):
    """Raised if the call did not return in time because the processors were busy with other work. Its process has been
    ended."""


class DecodeProcess:
    """A decode process, on which `end` must be called. The constructor raises StartFailed."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.opened: dict[ProcessSession[Any], None] = {}
        """Files that are open in the process, with the most recently called one at the end."""
        self.openings = 0
        """Number of files that the process has opened. Each may have left something behind."""
        self._seconds = limits.seconds
        self._since = time.monotonic()
        self.held = 0
        """Number of bytes that the process had taken since its start, measured before the last call."""
        self.taken = 0
        """Largest number of bytes seen during the last call."""
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = (str(theirs.fileno()), str(limits.memory_bytes), str(CLOCK_FACTOR * limits.seconds))
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with numbers
                    # Libraries' warnings about unusual files do not help an operator.
                    [sys.executable, "-W", "ignore", "-m", "tasks.inputs.decode.worker", *numbers],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env=_environment(),
                )
            except BaseException:
                ours.close()
                raise
        self._channel = Channel(ours)
        try:
            self._channel.receive(deadline=time.monotonic() + _START_S)
        except (EOFError, OSError) as error:
            raise StartFailed(self.end()) from error
        self._at_start = self._memory()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Request) -> Reply:
        """Send a request and return the reply. Raises ProcessDied, CallTooSlow, ProcessorsBusy, what pickling raises,
        and OSError or MemoryError if this server itself ran out of open files or memory, which ends the process."""
        call_limit_s = limit_s = self.spent_s() + self._seconds
        end = time.monotonic() + CLOCK_FACTOR * self._seconds
        client_error = None
        self.held = self.taken = self._memory() - self._at_start
        try:
            self._channel.send(request, deadline=end)
            while isinstance(reply := self._received(limit_s, end), Within):
                limit_s = min(call_limit_s, self.spent_s() + reply.seconds)
                client_error = reply.error if limit_s < call_limit_s else None
        except TimeoutError as error:
            has_had_its_time = self.spent_s() >= limit_s
            self.end()
            raise (CallTooSlow(client_error) if has_had_its_time else ProcessorsBusy()) from error
        except (EOFError, OSError, MemoryError) as error:
            status = self.end()
            if ran_out(error):
                raise
            raise ProcessDied(status) from error
        assert isinstance(reply, Reply)
        return reply

    def _received(self, limit_s: float, end: float) -> object:
        """Receive a message. Raises TimeoutError at the time `end`, and once the process has used `limit_s` seconds of
        processor time since its start."""
        while not self._channel.has_message(_LOOK_S):
            if self.spent_s() >= limit_s or time.monotonic() >= end:
                raise TimeoutError
            self.taken = max(self.taken, self._memory() - self._at_start)
        return self._channel.receive(deadline=end)

    def spent_s(self) -> float:
        """Return the processor time of the process in seconds. On a busy machine, a call may last much longer by the
        clock, for which its file is not to blame. Without `/proc`, return the time by the clock."""
        try:
            after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return time.monotonic() - self._since
        # The user and the system time are the 14th and 15th field of the line, of which the name is the second.
        return (int(after_name[11]) + int(after_name[12])) / _TICKS

    def _memory(self) -> int:
        """Return the bytes that the process's memory limit counts (Linux)."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(r"^VmData:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0  # a process that has just ended has none

    def kill(self) -> None:
        """End the process at once, from any thread."""
        self._process.kill()

    def end(self) -> int:
        """Kill the process and wait for its end. May be called again."""
        self._channel.close()
        self._process.kill()
        return self._process.wait()


def _environment() -> dict[str, str]:
    """Return this process's environment without its secrets, but with its module path, so that installations, checkouts
    and test modules are found in the same way."""
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("OPENFAZE_")}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return environment | {"PYTHONPATH": path} | _LEAN


log = structlog.get_logger(__name__)
_numbers = count()


class ProcessSession(Generic[OpenedT]):
    """An object that lives in a decode process."""

    def __init__(
        self, pool: "DecodePool", blob: Blob, factory: Callable[..., Closable], args: Arguments, named: Named
    ) -> None:
        self.number = next(_numbers)
        self.blob = blob
        self.key = SHARE.get().key
        self.opening = Open(self.number, factory, (blob, *args), named)
        """Request that opens the object: at first, after a crash, and in another process."""
        self.lane: Lane | None = None
        """Lane of the object's process; None after closing."""
        self._pool = pool

    async def run(self, call: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method in the process. Raises InputError (the method's own, or `decode_failed` if it breaks or takes
        too long), EngineUnavailable if no process can be started or the processors are busy, and DecoderFault for a
        fault that is not in the file."""
        return cast(T, await self._pool.run(self, Call(self.number, call.__name__, args, kwargs)))

    async def close(self) -> None:
        """Close the object. The call returns immediately; in the process, the object is closed after the earlier
        calls."""
        if self.lane:
            self.lane.leave(self)


@dataclass(eq=False)
class _Job:
    session: ProcessSession[Any]
    request: Call | None
    """The method to call, or None to only check that the file can be opened."""
    share: Share
    turn: "asyncio.Future[Lane]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    process: DecodeProcess | None = None
    """Process that is in the call; None before the call and after it."""
    begun: float = 0.0
    """Start of the call in its process, on time.monotonic's clock."""
    spent_before: float = 0.0
    """Processor time in seconds that the process had used before the call."""
    spent_s: float = 0.0
    """Processor time of the ended calls in seconds."""
    watch: asyncio.TimerHandle | None = None
    is_long: bool = False
    """True once `seconds` has reached QUICK_S."""
    was_moved: bool = False
    """True if its process was ended so that the call can continue in another one."""
    abandoned: bool = False

    @property
    def seconds(self) -> float:
        """Processor time of the call in seconds, or its duration by the clock divided by CLOCK_FACTOR, if that is
        more."""
        if (process := self.process) is None:
            return 0.0
        elapsed_s = time.monotonic() - self.begun
        # A process that has just died tells no time of its own.
        return max(min(process.spent_s() - self.spent_before, elapsed_s), elapsed_s / CLOCK_FACTOR)


class Lane:
    """A thread with at most one process, which starts with the first call and restarts after it has died."""

    def __init__(self, number: int, limits: DecodeLimits, rests: Rests) -> None:
        self.number = number
        self.sessions: set[ProcessSession[Any]] = set()
        self.restarts: Counter[str] = Counter()
        """Number of replaced processes by reason, counted by the lane's thread."""
        self.waiting: FairQueue[_Job] = FairQueue()
        self.running: _Job | None = None
        """The job whose turn it is."""
        self._limits = limits
        self._rests = rests
        self._waking: asyncio.TimerHandle | None = None
        """Timer that runs while only jobs of resting keys wait."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._lock = threading.Lock()
        """Lock for `_process` and `_in_call`, which other threads read in order to kill the process."""
        self._process: DecodeProcess | None = None
        self._in_call: _Job | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Id of the lane's process; None if there is none."""
        process = self._process
        return process.pid if process else None

    def has_room(self, blob: Blob) -> bool:
        """True if the lane has room for the file together with all its other files."""
        return _fits([blob, *(session.blob for session in self.sessions)], self._limits)

    def enter(self, session: ProcessSession[Any]) -> None:
        if session.lane:
            session.lane.leave(session)
        self._cancel_idle_end()
        self.sessions.add(session)
        session.lane = self

    def leave(self, session: ProcessSession[Any]) -> None:
        session.lane = None
        if self._closed or session not in self.sessions:
            return
        self.sessions.discard(session)
        self._thread.submit(self._drop, session)
        if not self.sessions:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._thread.submit, self._end_process)

    def wait(self, job: _Job) -> None:
        """Queue a job. Its `turn` resolves later, after which `release` must be called. A job that had already begun in
        another process goes first."""
        self.waiting.push(job, job.share, first=job.was_moved)
        self._start_next()

    def withdraw(self, job: _Job) -> None:
        self.waiting.keep(lambda one: one is not job)

    def release(self) -> None:
        self.running = None
        self._start_next()

    def _start_next(self) -> None:
        now, until = time.perf_counter(), self._rests.until()
        while self.running is None and (job := self.waiting.pop(lambda share: until.get(share.key, now) <= now)):
            if not job.turn.done():
                self.running = job
                job.turn.set_result(self)
        if self._waking:
            self._waking.cancel()
            self._waking = None
        if self.running is None and self.waiting:
            next_s = min(until[job.share.key] for job in self.waiting) - now
            self._waking = asyncio.get_running_loop().call_later(next_s, self._start_next)

    async def answer(self, job: _Job) -> object:
        """Run the job in the lane's process. Raises _Moved if it has to run elsewhere."""
        if self._closed:
            raise EngineNotReady("decode", "The server is shutting down.")
        if job.session.lane is not self:
            raise _Moved
        job.was_moved = False
        began = time.perf_counter()
        future = self._thread.submit(self._run_job, job)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if not future.done():
                asyncio.get_running_loop().call_later(ABANDONED_S, self._abandon, job)
            raise
        finally:
            if job.share.part < 1 and LoopTurns.of_running_loop().rivalry.is_on:
                self._rests.add(job.share.key, time.perf_counter() - began)

    def move(self, job: _Job) -> None:
        """End the process that is busy with `job`, so that the job starts again elsewhere."""
        with self._lock:
            if self._in_call is job and self._process:
                job.was_moved = True
                self._process.kill()

    async def close(self) -> None:
        """End the process, even during a call."""
        self._closed = True
        self._cancel_idle_end()
        if self._waking:
            self._waking.cancel()
        with self._lock:
            if self._process:
                self._process.kill()

        def end() -> None:
            self._thread.shutdown(cancel_futures=True)
            self._end_process()

        await asyncio.to_thread(end)

    def _cancel_idle_end(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    def _abandon(self, job: _Job) -> None:
        with self._lock:
            if self._in_call is job and self._process:
                job.abandoned = True
                self._process.kill()

    # The methods below run in the lane's thread.

    def _run_job(self, job: _Job) -> object:
        blob = job.session.blob
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._answer(job)
            except CallTooSlow as error:
                self._end_process("slow")
                limit = f"{self._limits.seconds:g} s (OPENFAZE_DECODE_SECONDS)"
                raise error.client_error or blob.error(
                    f"takes longer than {limit} to decode.", code="decode_failed"
                ) from error
            except ProcessorsBusy as error:
                self._end_process("slow")
                limit = f"{self._limits.seconds:g} s of processor time (OPENFAZE_DECODE_SECONDS)"
                waited_s = CLOCK_FACTOR * self._limits.seconds
                raise EngineTooSlow(
                    "decode", f"The processors are busy: within {waited_s:g} s, decoding got less than {limit}."
                ) from error
            except _OutOfMemory as error:
                is_shared = self._is_shared()
                self._end_process("memory")
                log.warning("decode_memory_ran_out", attempt=attempt, is_shared=is_shared, media_type=blob.media_type)
                if not is_shared:
                    raise self._needs_more(blob) from error
            except ProcessDied as error:
                if job.was_moved:
                    self._end_process("moved")
                    raise _Moved from error
                reason = _reason_of_death(error, job)
                is_large, is_alone = self._used_most_of_the_memory(), self._is_alone()
                self._end_process(reason)
                log.warning("decode_process_died", status=error.status, attempt=attempt, media_type=blob.media_type)
                if job.abandoned or self._closed:
                    break
                if is_large:
                    raise self._needs_more(blob) from error
                # The process crashed because of this file, unless another file has left something behind.
                if is_alone and error.status != -signal.SIGKILL:
                    break
                if attempt == _ATTEMPTS and isinstance(error, StartFailed):
                    raise EngineUnavailable(
                        "decode", "The decode process does not start: see the server's log."
                    ) from error
            except (OSError, MemoryError):
                # The server itself caused the fault, so the message to or from the process may be incomplete.
                self._end_process("died" if self._process else "start")
                raise
        raise blob.error(
            f"cannot be decoded: its decoder crashed, or needs more than {self._memory}.", code="decode_failed"
        )

    def _answer(self, job: _Job) -> object:
        session = job.session
        with self._lock:
            self._in_call = job
        try:
            process = self._process_with_room_for(session)
            job.begun, job.spent_before, job.process = time.monotonic(), process.spent_s(), process
            if session not in process.opened:
                process.openings += 1
                self._ask(process, session.opening, session.blob)
            process.opened.pop(session, None)
            process.opened[session] = None
            return self._ask(process, job.request, session.blob) if job.request else None
        finally:
            job.spent_s += job.seconds
            job.process = None
            with self._lock:
                self._in_call = None

    def _ask(self, process: DecodeProcess, request: Request, blob: Blob) -> object:
        match process.ask(request):
            case Raised(error):
                raise error
            case Failed(is_lack_of_memory=True):
                raise _OutOfMemory
            case Failed(kind, place, str(stack)):
                log.error("decoder_fault", error=kind, place=place, stack=stack, media_type=blob.media_type)
                raise DecoderFault(kind, place)
            case Failed(kind, place):
                log.error("decode_failed", error=kind, place=place, media_type=blob.media_type)
                raise blob.error(
                    "cannot be decoded: it is damaged, or not a usual file of its type.", code="decode_failed"
                )
            case returned:
                return returned.value

    def _process_with_room_for(self, session: ProcessSession[Any]) -> DecodeProcess:
        """Return the process, with room for `session`. If necessary, other files are closed, and reopened at their next
        call. The files of the key that holds the most are closed first, beginning with the least recently called."""
        while (process := self._process) is not None and session not in process.opened:
            if not process.opened or _fits([session.blob, *(one.blob for one in process.opened)], self._limits):
                break
            held = Counter[str]()
            for one in process.opened:
                held[one.key] += len(one.blob.data)
            [(largest, _)] = held.most_common(1)
            self._drop(next(one for one in process.opened if one.key == largest))
        return self._started()

    def _started(self) -> DecodeProcess:
        process = self._process
        if process is None:
            process = DecodeProcess(self._limits)
            with self._lock:
                self._process = process
            if self._closed:
                process.kill()
        return process

    def _drop(self, session: ProcessSession[Any]) -> None:
        process = self._process
        if process is None or session not in process.opened:
            return
        del process.opened[session]
        try:
            self._ask(process, Close(session.number), session.blob)
        except (ProcessDied, OSError, MemoryError):
            self._end_process("died")
        except (CallTooSlow, ProcessorsBusy):
            self._end_process("slow")
        except _OutOfMemory:
            self._end_process("memory")
        except InputError:
            pass  # the error is logged, and the file is removed in any case

    def _end_process(self, reason: str | None = None) -> None:
        """End the process. `reason` is None if it was idle."""
        if reason is not None and not self._closed:
            self.restarts[reason] += 1
        with self._lock:
            process, self._process = self._process, None
        if process:
            process.end()

    def _is_alone(self) -> bool:
        """True if the process has opened this file and no other."""
        return self._process is not None and self._process.openings == 1

    def _is_shared(self) -> bool:
        """True if other files may have used up the memory."""
        process = self._process
        return process is not None and process.openings > 1 and process.held > self._limits.memory_bytes // _LEFT_BEHIND

    def _used_most_of_the_memory(self) -> bool:
        """True if the last call took most of the memory."""
        process = self._process
        return process is not None and process.taken - process.held > self._limits.memory_bytes // _OWN_PART

    def _needs_more(self, blob: Blob) -> InputError:
        return blob.error(f"needs more than {self._memory} to be decoded.", code="decode_failed")

    @property
    def _memory(self) -> str:
        return f"{megabytes(self._limits.memory_bytes)} (OPENFAZE_DECODE_MEMORY_MB)"


def _reason_of_death(error: ProcessDied, job: _Job) -> str:
    if isinstance(error, StartFailed):
        return "start"
    return "abandoned" if job.abandoned else "died"


def _fits(blobs: Iterable[Blob], limits: DecodeLimits) -> bool:
    return sum(len(blob.data) for blob in blobs) <= limits.memory_bytes // _OPEN_PART


class DecodePool:
    """Opens files in a few processes, each of which holds several files and answers one call at a time.

        session = await pool.open(PdfPages, blob, limits)
        picture = await session.run(PdfPages.picture, 3)
        await session.close()

    Factory, arguments and results are pickled. Their large buffers, such as the bytes of a file or a NumPy array, go
    through shared memory. All arrays are writable. Processes start at first use, which takes 100–200 ms each, and end
    when idle.

    A call can end in these ways:

    - It raises InputError or InputTooLarge, which are passed on, or another exception, which is logged and becomes
      InputError (`decode_failed`), or DecoderFault if the program is at fault.
    - Its process dies: InputError (`decode_failed`) if the call has taken most of the memory, or if the process has
      held no other file and was not killed. Otherwise the call is tried once more, in a new process. Other files of
      the process are opened again at their next call.
    - Its process runs out of memory: InputError (`decode_failed`), or another try in a new process if other files hold
      much of the memory.
    - It takes more than `limits.seconds` of processor time: the process is killed; InputError (`decode_failed`).
    - It lasts CLOCK_FACTOR times as long by the clock without taking that much processor time: the process is killed;
      EngineTooSlow.
    - Its caller is cancelled: a waiting call is dropped; a running one gets a second and is then killed.
    - It takes more than QUICK_S of processor time while other keys wait: its key may no longer use the last process or
      any process that the other keys use. If the call runs in one of these processes, that process is killed, and the
      call starts again in another one. A key whose calls are long together is treated in the same way.

    While keys compete, a key rests after its calls by `rests`.
    """

    def __init__(self, limits: DecodeLimits, rests: Rests | None = None) -> None:
        rests = rests or Rests(REST, REST_AFTER_S)
        self._lanes = [Lane(index, limits, rests) for index in range(limits.workers)]
        self._homes = Homes(limits.workers, is_contested=lambda: LoopTurns.of_running_loop().rivalry.is_on)

    @property
    def restarts(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for lane in self._lanes:
            total.update(dict(lane.restarts))  # a copy, because the lane's thread goes on counting
        return total

    @property
    def pids(self) -> list[int]:
        """Ids of the running processes."""
        return [lane.pid for lane in self._lanes if lane.pid is not None]

    async def open(
        self, factory: Callable[Concatenate[Blob, P], S], blob: Blob, /, *args: P.args, **kwargs: P.kwargs
    ) -> ProcessSession[S]:
        """Open `factory(blob, *args)` in one of the processes that the caller's key may use: preferably one with room
        for the file, then the one with the fewest files, then a running one."""
        session: ProcessSession[S] = ProcessSession(self, blob, factory, args, kwargs)
        self._settle(session, self._homes.of(SHARE.get()))
        try:
            await self.run(session, None)
        except BaseException:
            await session.close()
            raise
        return session

    async def run(self, session: ProcessSession[Any], request: Call | None) -> object:
        job = _Job(session, request, SHARE.get())
        try:
            while True:
                lane = await self._turn_of(job)
                try:
                    self._watch(job)
                    return await lane.answer(job)
                except _Moved:
                    job.turn = asyncio.get_running_loop().create_future()
                finally:
                    if job.watch:
                        job.watch.cancel()
                    lane.release()
        finally:
            if job.is_long:
                self._homes.ended_long(job.share)
            self._homes.ended(job.share, job.spent_s)

    async def _turn_of(self, job: _Job) -> Lane:
        if job.session.lane is None:
            raise RuntimeError("the session is closed")
        self._settle(job.session, self._homes.of(job.share))
        job.session.lane.wait(job)
        self._keep_apart()
        try:
            return await job.turn
        except asyncio.CancelledError:
            if job.turn.done() and not job.turn.cancelled():
                job.turn.result().release()
            else:
                for lane in self._lanes:
                    lane.withdraw(job)
            raise

    def _settle(self, session: ProcessSession[Any], usable: Collection[int]) -> None:
        """Place `session` in one of the `usable` lanes."""
        if session.lane is None or session.lane.number not in usable:
            lanes = (self._lanes[number] for number in usable)
            best_lane = min(
                lanes, key=lambda lane: (not lane.has_room(session.blob), len(lane.sessions), lane.pid is None)
            )
            best_lane.enter(session)

    def _watch(self, job: _Job) -> None:
        """Watch how long a job runs, from its turn to its end."""
        remaining_s = QUICK_S - job.seconds
        if remaining_s <= 0:
            if not job.is_long:
                job.is_long = True
                self._homes.began_long(job.share)
            self._keep_apart()
        delay_s = max(remaining_s, _LOOK_S) if remaining_s > 0 else QUICK_S
        job.watch = asyncio.get_running_loop().call_later(delay_s, self._watch, job)

    def _keep_apart(self) -> None:
        """Move jobs, waiting or long-running, out of lanes that their key may no longer use."""
        for lane in self._lanes:
            for job in list(lane.waiting):
                if lane.number not in (usable := self._homes.usable(job.share)) and job.session.lane:
                    lane.withdraw(job)
                    self._settle(job.session, usable)
                    job.session.lane.wait(job)
            running = lane.running
            if running and running.is_long and lane.number not in self._homes.usable(running.share):
                lane.move(running)

    async def close(self) -> None:
        """End the processes, even during calls. Waiting calls fail."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))


def native_sessions(limits: DecodeLimits) -> Sessions:
    """Return a pool of processes, or one thread of this process if `limits.workers` is 0 or if descriptors cannot be
    sent to processes (Windows)."""
    if limits.workers and hasattr(socket, "send_fds"):
        return DecodePool(limits)
    return Worker("native", threads=1)
