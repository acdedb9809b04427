"""The processes that decode what can crash or hang: that costs a file there, and here the server."""

import asyncio
import socket
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from models.scheduler import SHARE
from models.turns import Homes
from tasks.inputs.blob import Blob
from tasks.inputs.decode.lane import Lane, Opening, ProcessSession
from tasks.inputs.decode.process import DecodeLimits
from tasks.inputs.decode.threads import Worker
from tasks.inputs.sessions import S, Sessions

__all__ = ["DecodeLimits", "DecodePool", "native_sessions"]

P = ParamSpec("P")


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
    - It takes longer than `limits.seconds`: the process is killed; InputError (`decode_failed`).
    - Its caller is cancelled: it is dropped if it waits; it runs on for a second, and is killed, if it runs.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        self._lanes = [Lane(limits) for _ in range(limits.workers)]
        self._homes = Homes(limits.workers)

    @property
    def pids(self) -> list[int]:
        """Of the processes that run."""
        return [lane.pid for lane in self._lanes if lane.pid is not None]

    async def open(
        self, factory: Callable[Concatenate[Blob, P], S], blob: Blob, /, *args: P.args, **kwargs: P.kwargs
    ) -> ProcessSession[S]:
        """`factory(blob, *args)` in the process that holds the fewest files, a running one rather than a new one, of
        those that the caller's key may use."""
        lanes = (self._lanes[number] for number in self._homes.of(SHARE.get()))
        lane = min(lanes, key=lambda lane: (len(lane.sessions), lane.pid is None))
        return await lane.open(Opening(factory, blob, args, kwargs))

    async def close(self) -> None:
        """End the processes, whatever they do. What waits for them fails."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))


def native_sessions(limits: DecodeLimits) -> Sessions:
    """Processes, or one thread of this process where there are to be none, or file descriptors cannot be sent to them
    (Windows)."""
    if limits.workers and hasattr(socket, "send_fds"):
        return DecodePool(limits)
    return Worker("native", threads=1)
