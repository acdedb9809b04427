"""Gives turns of the event loop to work in many small pieces whose number a client or a foreign server decides: chunks
of bodies, pieces of fetched pages, and pieces of answers.

Each piece costs little, but a task lets no other task run as long as its next piece is already there. One client that
sends a thousand pieces at a time over each of ten connections would make every step of other requests wait for ten
thousand pieces. Such work therefore stops after a few pieces and waits for its turn. There is one turn in each pass of
the loop, and keys get turns alternately, so that other requests wait for a few pieces at most.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from weakref import WeakKeyDictionary

from models.scheduler import SHARE, FairQueue, Share

PIECES_OF_A_TURN = 16
"""Number of pieces that are handled in one turn. A piece of an answer or of a fetched page takes some 0.1 ms."""


class LoopTurns:
    """The turns of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: FairQueue[Callable[[], object]] = FairQueue()
        self._is_serving = False

    @classmethod
    def of_running_loop(cls) -> "LoopTurns":
        loop = asyncio.get_running_loop()
        turns = _OF_LOOPS.get(loop)
        if turns is None:
            turns = _OF_LOOPS[loop] = cls(loop)
        return turns

    def call(self, work: Callable[[], object], share: Share) -> None:
        """Call `work` in the next turn of `share`."""
        self._queue.push(work, share)
        if not self._is_serving:
            self._is_serving = True
            self._loop.call_soon(self._serve)

    async def wait(self) -> None:
        """Wait for the next turn of the running task's SHARE."""
        turn = self._loop.create_future()
        self.call(partial(_begin, turn), SHARE.get())
        await turn

    def _serve(self) -> None:
        work = self._queue.pop()
        self._is_serving = len(self._queue) > 0
        if self._is_serving:
            self._loop.call_soon(self._serve)
        if work is not None:
            work()


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
