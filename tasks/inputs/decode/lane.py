"""The processes that decode: each holds the files that share it, and takes their calls one at a time."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any, Concatenate, Generic, cast

import structlog

from models.base import EngineNotReady, EngineUnavailable
from models.scheduler import SHARE, FairSlots
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
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = (str(theirs.fileno()), str(limits.memory_bytes), str(limits.seconds))
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with numbers
                [sys.executable, "-m", "tasks.inputs.decode.worker", *numbers],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
            )
        self._channel = Channel(ours)
        try:
            self._channel.receive(deadline=time.monotonic() + _START_S)
        except (EOFError, OSError) as error:
            raise StartFailed(self.end()) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Request) -> Reply:
        """Raises ProcessDied and CallTooSlow, after which the process must be ended; and what pickling raises."""
        last = deadline = time.monotonic() + self._seconds
        told = None
        try:
            self._channel.send(request, deadline=deadline)
            while isinstance(reply := self._channel.receive(deadline=deadline), Within):
                deadline = min(last, time.monotonic() + reply.seconds)
                told = reply.error if deadline < last else None
        except TimeoutError as error:
            self.end()
            raise CallTooSlow(told) from error
        except (EOFError, OSError) as error:
            raise ProcessDied(self.end()) from error
        assert isinstance(reply, Reply)
        return reply

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
_ATTEMPTS = 2
_OPEN_PART = 4
"""Files that are open in one process take no more than this part of its memory together: the rest is for decoding."""

log = structlog.get_logger(__name__)
_numbers = count()


class ProcessSession(Generic[OpenedT]):
    """An object that lives in a lane's process."""

    def __init__(
        self, lane: "Lane", blob: Blob, factory: Callable[..., Closable], args: Arguments, named: Named
    ) -> None:
        self.number = next(_numbers)
        self.blob = blob
        self.key = SHARE.get().key
        self.opening = Open(self.number, factory, (blob, *args), named)
        """How it is opened, and opened anew after a crash."""
        self._lane = lane

    async def run(self, call: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the method returns. Raises InputError: its own, or `decode_failed` when it breaks or takes too long;
        EngineUnavailable when no process can be started; DecoderFault for what is not in the file."""
        return cast(T, await self._lane.run(self, Call(self.number, call.__name__, args, kwargs)))

    async def close(self) -> None:
        """Returns at once: the process follows when it has answered the calls before."""
        self._lane.leave(self)


@dataclass(eq=False)
class _Job:
    session: ProcessSession[Any]
    request: Call | None
    """None: to see that the file can be opened."""
    abandoned: bool = False


class Lane:
    """A thread and at most one process, started at the first call and again when it has died."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.sessions: set[ProcessSession[Any]] = set()
        self.restarts: Counter[str] = Counter()
        """Counted by its thread."""
        self._limits = limits
        self._turns = FairSlots("decode", 1, most_waiting=1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._lock = threading.Lock()
        """Guards the two below, which other threads than the lane's read in order to kill."""
        self._process: DecodeProcess | None = None
        self._running: _Job | None = None
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

    async def open(self, session: ProcessSession[S]) -> ProcessSession[S]:
        self._stay()
        self.sessions.add(session)
        try:
            await self.run(session, None)
        except BaseException:
            self.leave(session)
            raise
        return session

    async def run(self, session: ProcessSession[Any], request: Call | None) -> object:
        if session not in self.sessions:
            raise RuntimeError("the session is closed")
        # Patient: requests have a bounded number of inputs, and each asks for one thing at a time.
        async with self._turns.slot(patient=True):
            if self._closed:
                raise EngineNotReady("decode", "The server is shutting down.")
            job = _Job(session, request)
            future = self._thread.submit(self._do, job)
            try:
                return await asyncio.wrap_future(future)
            except asyncio.CancelledError:
                if not future.done():
                    asyncio.get_running_loop().call_later(ABANDONED_S, self._abandon, job)
                raise

    def leave(self, session: ProcessSession[Any]) -> None:
        if self._closed or session not in self.sessions:
            return
        self.sessions.discard(session)
        self._thread.submit(self._drop, session)
        if not self.sessions:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._thread.submit, self._end_process)

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
            if self._running is job and self._process:
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
                is_shared = self._process is not None and self._process.openings > 1
                self._end_process("memory")
                log.warning("decode_memory_ran_out", attempt=attempt, is_shared=is_shared, media_type=blob.media_type)
                if not is_shared:
                    raise blob.error(f"needs more than {self._memory} to be decoded.", code="decode_failed") from error
            except ProcessDied as error:
                kind = "start" if isinstance(error, StartFailed) else "abandoned" if job.abandoned else "died"
                self._end_process(kind)
                log.warning("decode_process_died", status=error.status, attempt=attempt, media_type=blob.media_type)
                if job.abandoned or self._closed:
                    break
                if attempt == _ATTEMPTS and isinstance(error, StartFailed):
                    raise EngineUnavailable("decode", "Its process does not start: see the server's log.") from error
        raise blob.error(
            f"cannot be decoded: its decoder crashed, or needs more than {self._memory}.", code="decode_failed"
        )

    def _answer(self, job: _Job) -> object:
        session = job.session
        with self._lock:
            self._running = job
        try:
            process = self._roomy(session)
            if session not in process.opened:
                process.openings += 1
                self._ask(process, session.opening, session.blob)
            process.opened.pop(session, None)
            process.opened[session] = None
            return self._ask(process, job.request, session.blob) if job.request else None
        finally:
            with self._lock:
                self._running = None

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
        except ProcessDied:
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
    - Its process dies: it is tried once more in a new one, then InputError (`decode_failed`). Other files of that
      process are opened anew at their next call.
    - Its process runs out of memory that it has shared with other files: once more in a new one, as after a crash.
    - It takes longer than `limits.seconds`: the process is killed; InputError (`decode_failed`).
    - Its caller is cancelled: it is dropped if it waits; it runs on for a second, and is killed, if it runs.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        self._lanes = [Lane(limits) for _ in range(limits.workers)]
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
        lanes = (self._lanes[number] for number in self._homes.of(SHARE.get()))
        lane = min(lanes, key=lambda lane: (not lane.has_room(blob), len(lane.sessions), lane.pid is None))
        return await lane.open(ProcessSession(lane, blob, factory, args, kwargs))

    async def close(self) -> None:
        """End the processes, whatever they do. What waits for them fails."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))


def native_sessions(limits: DecodeLimits) -> Sessions:
    """Processes; or one thread here where there are to be none, or descriptors cannot be sent to them (Windows)."""
    if limits.workers and hasattr(socket, "send_fds"):
        return DecodePool(limits)
    return Worker("native", threads=1)
