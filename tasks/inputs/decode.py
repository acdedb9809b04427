"""Decodes files in worker processes, so that a file which makes a decoder crash or hang affects nothing else, turns the
failures of decoders into errors that name the file, and limits the decoded bytes that are held at a time."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from models.base import BUSY_RETRY_S, EngineTooSlow
from models.queues import Slots
from models.workers.pool import JobCrashed, JobTooLong, OpenObject, Workers
from models.workers.process import Closable
from tasks.errors import Overloaded
from tasks.inputs.blame import DecoderError, DecoderFault, call_decoder, call_method, do_nothing
from tasks.inputs.limits import megabytes
from tasks.inputs.source import Blob

P = ParamSpec("P")
T = TypeVar("T")
OpenedT = TypeVar("OpenedT", bound=Closable)
ArrayT = TypeVar("ArrayT", bound=NDArray[Any])

WAIT_S = 60.0
"""Seconds that a picture waits for memory. The wait has a limit, because the memory may be held by requests that are
themselves waiting for a second picture."""

log = structlog.get_logger(__name__)


class OpenFile(Generic[OpenedT]):
    """A file that is open in a worker process. A call names a method of its class:

        file = await open_file(workers, blob, PdfPages, blob, limits)
        picture = await file.run(PdfPages.picture, 3)
        await file.close()

    Methods are looked up by name, so a base class's method calls the override.
    """

    def __init__(self, workers: Workers, blob: Blob, opened: OpenObject[OpenedT]) -> None:
        self._workers = workers
        self._blob = blob
        self._opened = opened

    async def run(self, call: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method in the process. Raises InputError (the method's own, or `decode_failed` if it breaks or takes
        too long), EngineUnavailable if no process can be started or the processors are busy, and DecoderFault for a
        fault that is not in the file."""
        return await _translated(self._workers, self._blob, self._opened.run(call_method, call.__name__, args, kwargs))

    async def close(self) -> None:
        await self._opened.close()


async def open_file(
    workers: Workers, blob: Blob, factory: Callable[P, OpenedT], /, *args: P.args, **kwargs: P.kwargs
) -> OpenFile[OpenedT]:
    """Open `factory(*args)` in a worker process. Errors name `blob`. Raises what `OpenFile.run` raises."""
    opened: OpenObject[OpenedT] = workers.open(call_decoder, factory, args, kwargs)
    await _translated(workers, blob, opened.run(do_nothing))
    return OpenFile(workers, blob, opened)


async def decode(workers: Workers, blob: Blob, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `function` returns in a worker process. Errors name `blob`. Raises what `OpenFile.run` raises."""
    return await _translated(workers, blob, workers.run(call_decoder, function, args, kwargs))


async def _translated(workers: Workers, blob: Blob, result: Coroutine[Any, Any, T]) -> T:
    limits, most = workers.limits, megabytes(workers.limits.memory_bytes)
    try:
        return await result
    except JobTooLong as error:
        limit = f"{limits.seconds:g} s"
        raise blob.error(f"takes longer than {limit} to decode.", code="decode_failed") from error
    except JobCrashed as error:
        log.warning("decode_process_died", status=error.status, media_type=blob.media_type)
        raise blob.error(
            f"cannot be decoded: its decoder crashed, or needs more than {most}.", code="decode_failed"
        ) from error
    except EngineTooSlow as error:
        raise EngineTooSlow("decode", error.remedy) from error
    except DecoderError as error:
        if error.is_lack_of_memory:
            log.warning("decode_memory_ran_out", media_type=blob.media_type)
            raise blob.error(f"needs more than {most} to be decoded.", code="decode_failed") from error
        if error.stack is not None:
            fields = {"error": error.kind, "place": error.place, "stack": error.stack}
            log.error("decoder_fault", **fields, media_type=blob.media_type)
            raise DecoderFault(error.kind, error.place) from error
        log.error("decode_failed", error=error.kind, place=error.place, media_type=blob.media_type)
        raise blob.error(
            "cannot be decoded: it is damaged, or not a usual file of its type.", code="decode_failed"
        ) from error


class DecodedBudget:
    """Admits pictures for decoding as long as all existing ones take at most `limit` bytes. Further pictures wait, and
    keys take turns. A picture is held until its text has been read. A picture larger than the limit is decoded when no
    other picture is held."""

    def __init__(self, limit: int, *, largest: int, wait_s: float = WAIT_S) -> None:
        """Set the limit. Pictures of more than `largest` bytes need no room, because their decoder refuses them."""
        self.used = 0
        """Number of bytes that are decoded or being decoded."""
        self._limit = limit
        self._largest = largest
        self._wait_s = wait_s
        self._line = Slots("decoded pictures", 1)
        self._freed = asyncio.Event()

    async def hold(self, size: int, decode: Callable[[], Awaitable[ArrayT]]) -> ArrayT:
        """Return the array of `size` bytes that `decode` returns. Its bytes count until the array and all its views are
        freed.

        Raises Overloaded if there is no room for `wait_s` seconds, and what `decode` raises.
        """
        if size > self._largest:
            return await decode()
        await self._take(size)
        try:
            array = await decode()
        except BaseException:
            self._give_back(size)
            raise
        loop = asyncio.get_running_loop()
        # Arrays are freed in any thread and during garbage collection; the budget belongs to the event loop.
        weakref.finalize(_memory_owner(array), _call_in_loop, loop, self._give_back, size).atexit = False
        return array

    async def _take(self, size: int) -> None:
        try:
            # Only the first in line waits for room, so that no small picture overtakes it.
            async with asyncio.timeout(self._wait_s), self._line.slot(wait=True):
                while self.used and self.used + size > self._limit:
                    self._freed.clear()
                    await self._freed.wait()
                self.used += size
        except TimeoutError as error:
            raise Overloaded(
                "Other inputs are using the memory for decoded pictures "
                f"({megabytes(self._limit)}), and this one needs {megabytes(size)}. "
                "Try again later.",
                retry_after=BUSY_RETRY_S,
            ) from error

    def _give_back(self, size: int) -> None:
        self.used -= size
        self._freed.set()


def _call_in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[int], None], size: int) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, size)


def _memory_owner(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array that all views of `array`'s memory keep alive."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
