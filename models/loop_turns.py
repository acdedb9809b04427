"""Gives turns of the event loop to work in many small pieces whose number a client or a foreign server decides: chunks
of bodies, pieces of fetched pages, and pieces of answers.

Each piece costs little, but a task lets no other task run as long as its next piece is already there. One client that
sends a thousand pieces at a time over each of ten connections would make every step of other requests wait for ten
thousand pieces. Such work therefore stops after a few pieces and waits for its turn. There is one turn in each pass of
the loop, and keys get turns alternately, so that other requests wait for a few pieces at most. After a turn, a key with
rivals rests, so that the processor is left to engines and to requests of others.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from models.scheduler import SHARE, FairQueue, Share
from models.turns import Rivalry

PIECES_OF_A_TURN = 4
"""Number of pieces that are handled in one turn. A piece of an answer or of a fetched page takes about 0.1 ms, and each
step of another request may be delayed by one such turn."""
REST_S = 0.001
"""Time, in seconds, for which a key rests after a turn: three times as long as most turns take, and the shortest time
that uvloop measures."""
_MOST_RESTING = 64
"""If more keys than this are remembered, those whose rest is over are forgotten."""
BYTES_PER_S = 20 * 1024 * 1024
"""The bodies of a key with rivals, and its large answers and streams, have this speed together at most. One event loop
receives ten times as much when it does nothing else, whether or not the bodies are refused."""
BYTES_AHEAD_S = 0.05
"""A key may be ahead of its speed by this many seconds, so that bodies of up to a megabyte do not wait."""


@dataclass(frozen=True, slots=True)
class _Turn:
    work: Callable[[], object]
    share: Share
    rests: bool
    is_given_up: Callable[[], bool] = bool
    """Function that returns True once the turn is not wanted any more; such a turn is skipped, and costs no rest."""


class LoopTurns:
    """The turns of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] | None = None) -> None:
        self._loop = loop
        self._clock = clock or loop.time
        self.rivalry = Rivalry()
        """The keys that send requests."""
        self._queue: FairQueue[_Turn] = FairQueue()
        self._is_serving = False
        self._rest_until: dict[str, float] = {}
        """Times until which keys rest, by key. Some of these times may be in the past."""
        self._waking: asyncio.TimerHandle | None = None
        self._receives_until: dict[str, float] = {}
        """Times until which keys would have sent their bytes at BYTES_PER_S. Some of these times may be in the past."""

    @classmethod
    def of_running_loop(cls) -> "LoopTurns":
        loop = asyncio.get_running_loop()
        turns = _OF_LOOPS.get(loop)
        if turns is None:
            turns = _OF_LOOPS[loop] = cls(loop)
        return turns

    def call(
        self,
        work: Callable[[], object],
        share: Share,
        *,
        rests: bool = False,
        is_given_up: Callable[[], bool] = bool,
    ) -> None:
        """Call `work` in the next turn of `share`. If `rests`, the key of `share` rests afterwards. Once `is_given_up`
        returns True, `work` is not called, and costs no turn."""
        self._queue.push(_Turn(work, share, rests, is_given_up), share)
        self._begin_to_serve()

    async def wait(self) -> None:
        """Wait for the next turn of the running task's SHARE."""
        share = SHARE.get()
        turn = self._loop.create_future()
        rests = share.part < 1 and self.rivalry.is_on
        self._queue.push(_Turn(partial(_begin, turn), share, rests, is_given_up=turn.done), share)
        self._begin_to_serve()
        await turn

    async def wait_for_bytes(self, size: int) -> None:
        """Wait until the key of the running task, if it has rivals, may send or receive more bytes after `size`."""
        share = SHARE.get()
        if share.part == 1 or not self.rivalry.is_on:
            return
        now = self._clock()
        if len(self._receives_until) > _MOST_RESTING:
            self._receives_until = {key: until for key, until in self._receives_until.items() if until > now}
        until = max(now, self._receives_until.get(share.key, now)) + size / BYTES_PER_S
        self._receives_until[share.key] = until
        if until - now > BYTES_AHEAD_S:
            await asyncio.sleep(until - now)

    def _begin_to_serve(self) -> None:
        if not self._is_serving:
            self._is_serving = True
            self._loop.call_soon(self._serve)

    def _serve(self) -> None:
        now = self._clock()
        turn = self._queue.pop(lambda share: self._rest_until.get(share.key, now) <= now)
        if turn is None:
            self._is_serving = False
            if len(self._queue) and self._waking is None:
                self._waking = self._loop.call_later(REST_S, self._wake)
            return
        self._loop.call_soon(self._serve)
        if turn.is_given_up():
            return
        if turn.rests:
            if len(self._rest_until) > _MOST_RESTING:
                self._rest_until = {key: until for key, until in self._rest_until.items() if until > now}
            self._rest_until[turn.share.key] = now + REST_S
        turn.work()

    def _wake(self) -> None:
        self._waking = None
        self._begin_to_serve()


_OF_LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopTurns] = WeakKeyDictionary()


class PieceCounter:
    """Counts the pieces that a task has handled, and lets it wait for a turn after every few of them.

    >>> counter = PieceCounter()
    >>> async for piece in pieces:
    ...     await counter.count()
    """

    def __init__(self) -> None:
        self._count = 0

    async def count(self) -> None:
        self._count += 1
        if self._count % PIECES_OF_A_TURN == 0:
            await LoopTurns.of_running_loop().wait()


def _begin(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_result(None)
