"""Limits the pace of requests that need no key, or have none that opens, while requests of keys are served.

Whoever can reach the server may send them, and the work of each is done on the event loop, which all requests share.
A request of a key returns to the loop dozens of times, and would each time wait for one request of every connection of
a flood.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import RateLimited
from models.scheduler import FairQueue, Share

CONTESTED_S = 60.0
"""Seconds after a request of a key for which the others are slowed down."""
REST = 4
"""Length of the pause after a request, in multiples of the time that the request took. A fifth of the loop's time is
left to these requests."""
SHORTEST_REST_S, LONGEST_REST_S = 0.005, 0.1
CREDIT_S = 0.1
"""Pauses, in seconds, that may be owed. A few requests in a row, such as those of a page, thus do not wait."""
LONGEST_TURN_S = 0.1
"""Longest time, in seconds, for which a request holds up the next one. Later, it waits for a slow client or a file."""
MAX_WAITING = 512
"""Largest number of requests that wait. The newest one of the address with the most is refused for another."""
RETRY_S = 1


class Turnstile:
    """Lets requests through one at a time, addresses in turn, and rests after each. Belongs to one event loop.

    >>> turnstile = Turnstile()
    >>> async with turnstile.turn("192.0.2.1"):
    ...     await answer(request)
    """

    def __init__(self) -> None:
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()
        self._contested_until = -math.inf
        self._rested_at = -math.inf
        """Time, in the loop's seconds, at which no pause is owed any more."""
        self._is_held = False

    def note_key(self) -> None:
        """Record that a request of a key is served."""
        self._contested_until = asyncio.get_running_loop().time() + CONTESTED_S

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait until a request from `address` may be answered. Raises RateLimited if too many wait."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._contested_until and not self._is_held:
            yield
            return
        if self._is_held:
            await self._wait(address)
        self._is_held = True
        started = loop.time()
        has_ended = False

        def end() -> None:
            nonlocal has_ended
            if not has_ended:
                has_ended = True
                rest = min(max(SHORTEST_REST_S, REST * (loop.time() - started)), LONGEST_REST_S)
                self._rested_at = max(self._rested_at, loop.time()) + rest
                loop.call_at(self._rested_at - CREDIT_S, self._let_next)

        timer = loop.call_later(LONGEST_TURN_S, end)
        try:
            yield
        finally:
            timer.cancel()
            end()

    async def _wait(self, address: str) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting.push(place, Share(address))
        if len(self._waiting) > MAX_WAITING:
            refused = next(self._waiting.longest())
            self._withdraw(refused)
            refused.set_exception(
                RateLimited(
                    f"{MAX_WAITING} requests without a key wait already, as many as may. Try again later.",
                    retry_after=RETRY_S,
                )
            )
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._withdraw(place)
            elif place.exception() is None:
                self._let_next()  # it got its turn before its caller left
            raise

    def _withdraw(self, place: "asyncio.Future[None]") -> None:
        self._waiting.keep(lambda one: one is not place)

    def _let_next(self) -> None:
        place = self._waiting.pop()
        while place is not None and place.done():
            place = self._waiting.pop()  # its caller has left
        self._is_held = place is not None
        if place is not None:
            place.set_result(None)
