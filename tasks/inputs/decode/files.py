"""Opens and decodes files in worker processes, and turns the failures of decoders into errors that name the file."""

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import structlog

from models.base import EngineTooSlow
from models.workers.pool import JobCrashed, JobTooLong, OpenObject, Workers
from models.workers.process import Closable
from tasks.inputs.blame import DecoderError, DecoderFault, call_decoder, call_method, do_nothing
from tasks.inputs.limits import megabytes
from tasks.inputs.source import Blob

P = ParamSpec("P")
T = TypeVar("T")
OpenedT = TypeVar("OpenedT", bound=Closable)
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
    limits = workers.limits
    memory = f"{megabytes(limits.memory_bytes)} (OPENFAZE_DECODE_MEMORY_MB)"
    try:
        return await result
    except JobTooLong as error:
        limit = f"{limits.seconds:g} s"
        raise blob.error(f"takes longer than {limit} to decode.", code="decode_failed") from error
    except JobCrashed as error:
        log.warning("decode_process_died", status=error.status, media_type=blob.media_type)
        raise blob.error(
            f"cannot be decoded: its decoder crashed, or needs more than {memory}.", code="decode_failed"
        ) from error
    except EngineTooSlow as error:
        raise EngineTooSlow("decode", error.remedy) from error
    except DecoderError as error:
        if error.is_lack_of_memory:
            log.warning("decode_memory_ran_out", media_type=blob.media_type)
            raise blob.error(f"needs more than {memory} to be decoded.", code="decode_failed") from error
        if error.stack is not None:
            fields = {"error": error.kind, "place": error.place, "stack": error.stack}
            log.error("decoder_fault", **fields, media_type=blob.media_type)
            raise DecoderFault(error.kind, error.place) from error
        log.error("decode_failed", error=error.kind, place=error.place, media_type=blob.media_type)
        raise blob.error(
            "cannot be decoded: it is damaged, or not a usual file of its type.", code="decode_failed"
        ) from error
