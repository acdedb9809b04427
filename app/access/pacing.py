"""Limits the pace at which the requests of one key begin while another key also sends requests.

All requests share one event loop, and a short request spends most of its time there, before and after the work of its
engine. Without a limit, a hundred requests of one key would all be read, decoded and queued as soon as they arrive, and
a request of another key would wait for all of them at each of its own steps.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.loop_turns import LoopTurns
from models.scheduler import Share

PACED_S = 0.1
"""A request counts as just begun for this time, in seconds. A request that takes longer waits for something other than
the event loop, such as an LLM, a slow client, or a long recording."""


REQUEST_BYTES = 40 * 1024
"""A request takes as much of its key's speed (`LoopTurns.wait_for_bytes`) as this many bytes of a body: 2 ms. Requests
that need no engine, such as lists and refusals, take 0.3 ms of the event loop each. A key may send some twenty at a
time, and then 500 a second."""


class Pacer:
    """Lets only `at_once` requests of a key begin together while keys compete, and any number otherwise. An object of
    this class belongs to one event loop.

    >>> pacer = Pacer(at_once=2)
    >>> async with pacer.turn(share):
    ...     await answer(request)
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._begun: Counter[str] = Counter()
        """Number of requests per key that have just begun."""
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, share: Share) -> AsyncIterator[None]:
        """Wait until a request of `share` may begin, and count it while the block runs, but no longer than PACED_S."""
        key = share.key
        rivalry = LoopTurns.of_running_loop().rivalry
        rivalry.record_request(key)
        if rivalry.is_on and self._begun[key] >= self._at_once:
            await self._wait(key)
        else:
            self._begun[key] += 1
        has_ended = False

        def end() -> None:
            nonlocal has_ended
            if not has_ended:
                has_ended = True
                self._end(key)

        timer: asyncio.TimerHandle | None = None
        try:
            await LoopTurns.of_running_loop().wait_for_bytes(REQUEST_BYTES)
            timer = asyncio.get_running_loop().call_later(PACED_S, end)
            yield
        finally:
            if timer is not None:
                timer.cancel()
            end()

    async def _wait(self, key: str) -> None:
        """Wait until the oldest request that counts as just begun makes room for another."""
        place = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(key, deque())
        waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._end(key)  # it got its place before its caller left
            elif place in waiting:  # otherwise `_end` has already passed it over
                waiting.remove(place)
            raise

    def _end(self, key: str) -> None:
        waiting = self._waiting.get(key)
        while waiting:
            place = waiting.popleft()
            if not place.done():
                place.set_result(None)  # the place goes from one request to the next
                return
        self._waiting.pop(key, None)
        self._begun[key] -= 1
        if not self._begun[key]:
            del self._begun[key]
