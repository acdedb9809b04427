"""The processes that decode: each holds the files that share it, and takes their calls one at a time."""

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

from models.base import EngineNotReady, EngineUnavailable, ran_out
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
"""Seconds between two looks at the memory of a process that is in a call."""
_START_S = 60.0
"""Seconds that a process may take to start, on a machine that is busy."""

_LEAN = {
    # A decoder computes no matrices, and every idle thread of BLAS takes memory.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # glibc gives the memory of every picture back to the kernel and takes it anew for the next, which doubles the time
    # of a page. A process that ends when it is idle may keep it.
    "MALLOC_MMAP_THRESHOLD_": str(32 * MB),
    "MALLOC_TRIM_THRESHOLD_": str(64 * MB),
}


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    workers: int = 2
    """Processes (OPENFAZE_DECODE_WORKERS); 0 decodes in a thread of this process."""
    memory_bytes: int = 2048 * MB
    """Memory of one process (OPENFAZE_DECODE_MEMORY_MB)."""
    seconds: float = 60.0
    """That one call may take (OPENFAZE_DECODE_SECONDS)."""


class ProcessDied(Exception):
    """It crashed, was killed, or broke its limit of memory. `status` as `Popen.returncode`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the decode process ended with status {status}")
        self.status = status


class StartFailed(ProcessDied):
    """It was gone before it could do anything."""


class _OutOfMemory(Exception):
    """What was asked for needs more memory than the process has left."""


class _Moved(Exception):
    """The call is to be made in another process, as its key may not use this one any longer."""


class CallTooSlow(Exception):
    """The call did not return in time; the process is dead."""

    def __init__(self, told: InputError | None) -> None:
        super().__init__("a call took too long")
        self.told = told
        """What the client is told, where it was a part of the call that took too long."""


class DecodeProcess:
    """Raises StartFailed. Must be ended."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.opened: dict[ProcessSession[Any], None] = {}
        """What is open in it, that which was called last at the end."""
        self.openings = 0
        """How many files it has been given, each of which may have left something behind."""
        self._seconds = limits.seconds
        self.held = 0
        """Bytes that it has taken since its start, before the call that was asked for last."""
        self.taken = 0
        """The most that were seen during that call."""
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = (str(theirs.fileno()), str(limits.memory_bytes), str(limits.seconds))
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with numbers
                    # Libraries warn of what is odd in a file, which is nothing that an operator could mend.
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
        """Raises ProcessDied and CallTooSlow, and what says that memory or open files of the server ran out, after
        which the process must be ended; and what pickling raises."""
        last = deadline = time.monotonic() + self._seconds
        told = None
        self.held = self.taken = self._memory() - self._at_start
        try:
            self._channel.send(request, deadline=deadline)
            while isinstance(reply := self._received(deadline), Within):
                deadline = min(last, time.monotonic() + reply.seconds)
                told = reply.error if deadline < last else None
        except TimeoutError as error:
            self.end()
            raise CallTooSlow(told) from error
        except (EOFError, OSError, MemoryError) as error:
            status = self.end()
            if ran_out(error):
                raise
            raise ProcessDied(status) from error
        assert isinstance(reply, Reply)
        return reply

    def _received(self, deadline: float) -> object:
        while not self._channel.has_message(_LOOK_S) and time.monotonic() < deadline:
            self.taken = max(self.taken, self._memory() - self._at_start)
        return self._channel.receive(deadline=deadline)

    def _memory(self) -> int:
        """What its limit counts, in bytes (Linux)."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(r"^VmData:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0  # one that has just ended has none

    def kill(self) -> None:
        """From any thread: whatever it does ends now."""
        self._process.kill()

    def end(self) -> int:
        """Kill it, and wait until it is gone. May be called again."""
        self._channel.close()
        self._process.kill()
        return self._process.wait()


def _environment() -> dict[str, str]:
    """What this process has but its secrets, and its own module path: an installation, a checkout and a test's modules
    are found alike."""
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("OPENFAZE_")}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return environment | {"PYTHONPATH": path} | _LEAN


IDLE_S = 60.0
"""Seconds without an open file after which a process ends, to give its memory back."""
ABANDONED_S = 1.0
"""Seconds that a running call gets to end after its caller left, before its process is killed: a process costs less
than what waits behind a call that hangs."""
QUICK_S = 2.0
"""Seconds after which a call takes long: its key leaves a process to the others."""
_ATTEMPTS = 2
_OWN_PART = 2
"""A call that has taken more than this part of a process's memory by itself is to blame where that is used up."""
_LEFT_BEHIND = 4
"""Where other files hold more than this part of it, they may be."""
_OPEN_PART = 4
"""Files that are open in one process take no more than this part of its memory together: the rest is for decoding."""

log = structlog.get_logger(__name__)
_numbers = count()


class ProcessSession(Generic[OpenedT]):
    """An object that lives in a process."""

    def __init__(
        self, pool: "DecodePool", blob: Blob, factory: Callable[..., Closable], args: Arguments, named: Named
    ) -> None:
        self.number = next(_numbers)
        self.blob = blob
        self.key = SHARE.get().key
        self.opening = Open(self.number, factory, (blob, *args), named)
        """How it is opened, and opened anew after a crash, or elsewhere."""
        self.lane: Lane | None = None
        """Whose process it is in; None once it is closed."""
        self._pool = pool

    async def run(self, call: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the method returns. Raises InputError: its own, or `decode_failed` when it breaks or takes too long;
        EngineUnavailable when no process can be started; DecoderFault for what is not in the file."""
        return cast(T, await self._pool.run(self, Call(self.number, call.__name__, args, kwargs)))

    async def close(self) -> None:
        """Returns at once: the process follows when it has answered the calls before."""
        if self.lane:
            self.lane.leave(self)


@dataclass(eq=False)
class _Job:
    session: ProcessSession[Any]
    request: Call | None
    """None: to see that the file can be opened."""
    share: Share
    turn: "asyncio.Future[Lane]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    begun: float | None = None
    """When its process took it up, on time.monotonic's clock."""
    watch: asyncio.TimerHandle | None = None
    is_long: bool = False
    """Whether it has run for QUICK_S."""
    was_moved: bool = False
    """Whether its process was ended so that it goes on in another one."""
    abandoned: bool = False

    @property
    def seconds(self) -> float:
        """For how long it has been running."""
        return 0.0 if self.begun is None else time.monotonic() - self.begun


class Lane:
    """A thread and at most one process, started at the first call and again when it has died."""

    def __init__(self, number: int, limits: DecodeLimits) -> None:
        self.number = number
        self.sessions: set[ProcessSession[Any]] = set()
        self.restarts: Counter[str] = Counter()
        """Counted by its thread."""
        self.waiting: FairQueue[_Job] = FairQueue()
        self.running: _Job | None = None
        """Whose turn it is."""
        self._limits = limits
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._lock = threading.Lock()
        """Guards the two below, which other threads than the lane's read in order to kill."""
        self._process: DecodeProcess | None = None
        self._in_call: _Job | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Its process's, None while there is none."""
        process = self._process
        return process.pid if process else None

    def has_room(self, blob: Blob) -> bool:
        """Whether it can be open beside all others."""
        return _fits([blob, *(session.blob for session in self.sessions)], self._limits)

    def enter(self, session: ProcessSession[Any]) -> None:
        if session.lane:
            session.lane.leave(session)
        self._stay()
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
        """Lines it up; its `turn` comes, after which `release` must follow. What was begun goes on first."""
        self.waiting.push(job, job.share, first=job.was_moved)
        self._next()

    def withdraw(self, job: _Job) -> None:
        self.waiting.keep(lambda one: one is not job)

    def release(self) -> None:
        self.running = None
        self._next()

    def _next(self) -> None:
        while self.running is None and (job := self.waiting.pop()) is not None:
            if not job.turn.done():
                self.running = job
                job.turn.set_result(self)

    async def answer(self, job: _Job) -> object:
        """Raises _Moved where it has to be made elsewhere."""
        if self._closed:
            raise EngineNotReady("decode", "The server is shutting down.")
        if job.session.lane is not self:
            raise _Moved
        job.was_moved = False
        future = self._thread.submit(self._do, job)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if not future.done():
                asyncio.get_running_loop().call_later(ABANDONED_S, self._abandon, job)
            raise

    def move(self, job: _Job) -> None:
        """Ends the process that `job` keeps, so that it is made anew elsewhere."""
        with self._lock:
            if self._in_call is job and self._process:
                job.was_moved = True
                self._process.kill()

    async def close(self) -> None:
        """Ends the process, whatever it does."""
        self._closed = True
        self._stay()
        with self._lock:
            if self._process:
                self._process.kill()

        def end() -> None:
            self._thread.shutdown(cancel_futures=True)
            self._end_process()

        await asyncio.to_thread(end)

    def _stay(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    def _abandon(self, job: _Job) -> None:
        with self._lock:
            if self._in_call is job and self._process:
                job.abandoned = True
                self._process.kill()

    # From here on in the lane's thread.

    def _do(self, job: _Job) -> object:
        blob = job.session.blob
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._answer(job)
            except CallTooSlow as error:
                self._end_process("slow")
                limit = f"{self._limits.seconds:g} s (OPENFAZE_DECODE_SECONDS)"
                raise error.told or blob.error(f"takes longer than {limit} to decode.", code="decode_failed") from error
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
                kind = "start" if isinstance(error, StartFailed) else "abandoned" if job.abandoned else "died"
                is_large, is_alone = self._took_its_part(), self._is_alone()
                self._end_process(kind)
                log.warning("decode_process_died", status=error.status, attempt=attempt, media_type=blob.media_type)
                if job.abandoned or self._closed:
                    break
                if is_large:
                    raise self._needs_more(blob) from error
                # What nobody killed has crashed on this file, unless another one has left something behind.
                if is_alone and error.status != -signal.SIGKILL:
                    break
                if attempt == _ATTEMPTS and isinstance(error, StartFailed):
                    raise EngineUnavailable("decode", "Its process does not start: see the server's log.") from error
            except (OSError, MemoryError):
                # The server's own, whatever the file: what was on its way to the process, or back, is torn.
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
            process = self._roomy(session)
            job.begun = job.begun or time.monotonic()
            if session not in process.opened:
                process.openings += 1
                self._ask(process, session.opening, session.blob)
            process.opened.pop(session, None)
            process.opened[session] = None
            return self._ask(process, job.request, session.blob) if job.request else None
        finally:
            with self._lock:
                self._in_call = None

    def _ask(self, process: DecodeProcess, request: Request, blob: Blob) -> object:
        match process.ask(request):
            case Raised(error):
                raise error
            case Failed(is_of_memory=True):
                raise _OutOfMemory
            case Failed(kind, place, str(stack)):
                log.error("decoder_fault", error=kind, place=place, stack=stack, media_type=blob.media_type)
                raise DecoderFault(kind, place)
            case Failed(kind, place):
                log.error("decode_failed", error=kind, place=place, media_type=blob.media_type)
                raise blob.error(
                    "cannot be decoded: it is damaged, or unlike others of its type.", code="decode_failed"
                )
            case returned:
                return returned.value

    def _roomy(self, session: ProcessSession[Any]) -> DecodeProcess:
        """The process, in which files are closed that leave no room for `session`'s: they are opened anew at their next
        call. First that of the key that holds the most, and of those what was called longest ago."""
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
        except CallTooSlow:
            self._end_process("slow")
        except _OutOfMemory:
            self._end_process("memory")
        except InputError:
            pass  # is logged, and the file is forgotten all the same

    def _end_process(self, reason: str | None = None) -> None:
        """`reason`: why it has to, where it is not idle."""
        if reason is not None and not self._closed:
            self.restarts[reason] += 1
        with self._lock:
            process, self._process = self._process, None
        if process:
            process.end()

    def _is_alone(self) -> bool:
        """Whether the process has been given one file and no other."""
        return self._process is not None and self._process.openings == 1

    def _is_shared(self) -> bool:
        """Whether other files may have used up the memory."""
        process = self._process
        return process is not None and process.openings > 1 and process.held > self._limits.memory_bytes // _LEFT_BEHIND

    def _took_its_part(self) -> bool:
        """Whether the last call took most of the memory."""
        process = self._process
        return process is not None and process.taken - process.held > self._limits.memory_bytes // _OWN_PART

    def _needs_more(self, blob: Blob) -> InputError:
        return blob.error(f"needs more than {self._memory} to be decoded.", code="decode_failed")

    @property
    def _memory(self) -> str:
        return f"{megabytes(self._limits.memory_bytes)} (OPENFAZE_DECODE_MEMORY_MB)"


def _fits(blobs: Iterable[Blob], limits: DecodeLimits) -> bool:
    return sum(len(blob.data) for blob in blobs) <= limits.memory_bytes // _OPEN_PART


class DecodePool:
    """Opens files in a few processes, each of which holds several files and answers one call at a time.

        session = await pool.open(PdfPages, blob, limits)
        picture = await session.run(PdfPages.picture, 3)
        await session.close()

    Factory, arguments and results are pickled; numpy arrays among the results come through shared memory, uncopied and
    writable. Processes start at the first use, with 100–200 ms for each, and end when they have been idle.

    What happens to a call:
    - InputError and InputTooLarge come out as they are, any other exception as InputError (`decode_failed`), logged.
    - Its process dies: InputError (`decode_failed`) where the call has taken most of its memory, or the process has
      held no other file and was not killed; else it is tried once more in a new one. Other files of that process are
      opened anew at their next call.
    - Its process runs out of memory: the same, by how much other files hold of it.
    - It takes longer than `limits.seconds`: the process is killed; InputError (`decode_failed`).
    - Its caller is cancelled: it is dropped if it waits; it runs on for a second, and is killed, if it runs.
    - It takes longer than QUICK_S while other keys ask: its key leaves the last process, and all that the others use,
      to them. Where it runs there, the process is killed, and it is made anew in another one.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        self._lanes = [Lane(number, limits) for number in range(limits.workers)]
        self._homes = Homes(limits.workers)

    @property
    def restarts(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for lane in self._lanes:
            total.update(dict(lane.restarts))  # a copy: its thread goes on counting
        return total

    @property
    def pids(self) -> list[int]:
        """Those of the processes that run."""
        return [lane.pid for lane in self._lanes if lane.pid is not None]

    async def open(
        self, factory: Callable[Concatenate[Blob, P], S], blob: Blob, /, *args: P.args, **kwargs: P.kwargs
    ) -> ProcessSession[S]:
        """`factory(blob, *args)` in the process that holds the fewest files, with room for this one if there is such a
        process, a running one rather than a new one, of those that the caller's key may use."""
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
                    job.turn, job.begun = asyncio.get_running_loop().create_future(), None
                finally:
                    if job.watch:
                        job.watch.cancel()
                    lane.release()
        finally:
            if job.is_long:
                self._homes.ended_long(job.share)

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
        """Has `session` in one of the `usable` lanes."""
        if session.lane is None or session.lane.number not in usable:
            lanes = (self._lanes[number] for number in usable)
            least = min(lanes, key=lambda lane: (not lane.has_room(session.blob), len(lane.sessions), lane.pid is None))
            least.enter(session)

    def _watch(self, job: _Job) -> None:
        """From when its turn comes until it is over."""
        left = QUICK_S - job.seconds
        if left <= 0:
            if not job.is_long:
                job.is_long = True
                self._homes.began_long(job.share)
            self._keep_apart()
        job.watch = asyncio.get_running_loop().call_later(left if left > 0 else QUICK_S, self._watch, job)

    def _keep_apart(self) -> None:
        """Moves what is where its key may not be any longer: what waits, and what has run for long."""
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
        """End the processes, whatever they do. What waits for them fails."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))


def native_sessions(limits: DecodeLimits) -> Sessions:
    """Processes; or one thread here where there are to be none, or descriptors cannot be sent to them (Windows)."""
    if limits.workers and hasattr(socket, "send_fds"):
        return DecodePool(limits)
    return Worker("native", threads=1)
