"""Limits the pace of requests without a valid key (public pages, probes, refused requests) while requests with valid
keys are served.

Anybody can send such requests, and each takes time on the event loop that all requests share. A request with a key
returns to the loop dozens of times. In a flood, each return would wait until one request from every other connection
has run.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import RateLimited
from models.scheduler import FairQueue, Share

CONTESTED_S = 60.0
"""Requests without a key are slowed down for this many seconds after a request with a valid key."""
PAUSE_FACTOR = 4
"""The pause after a request lasts this many times as long as the request took, but at least SHORTEST_PAUSE_S and at
most LONGEST_PAUSE_S. Short requests without a key thus get at most a fifth of the loop's time."""
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.005, 0.1
PAUSE_CREDIT_S = 0.1
"""The next request begins at once if the outstanding pauses add up to at most this many seconds. Therefore, a few
requests in a row, such as the requests of a page, need not wait."""
LONGEST_TURN_S = 0.1
"""A request delays the next one for at most this time, in seconds. A request that takes longer is waiting for a slow
client or a file."""
MAX_WAITING = 512
"""At most this many requests wait. If there are more, the newest request of the address with the most waiting requests
is refused."""
RETRY_S = 1


class Turnstile:
    """Lets requests through one at a time, addresses in turn, with a pause after each request. While no requests with
    valid keys are served, requests need not wait. An object of this class belongs to one event loop.

    >>> turnstile = Turnstile()
    >>> async with turnstile.turn("192.0.2.1"):
    ...     await answer(request)
    """

    def __init__(self) -> None:
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()
        self._contested_until = -math.inf
        self._paused_until = -math.inf
        """Time, on the loop's clock, at which the pauses of all requests so far have ended."""
        self._is_held = False

    def note_key(self) -> None:
        """Record that a request with a valid key is served."""
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
                pause_s = min(max(SHORTEST_PAUSE_S, PAUSE_FACTOR * (loop.time() - started)), LONGEST_PAUSE_S)
                self._paused_until = max(self._paused_until, loop.time()) + pause_s
                loop.call_at(self._paused_until - PAUSE_CREDIT_S, self._let_next)

        timer = loop.call_later(LONGEST_TURN_S, end)
        try:
            yield
        finally:
            timer.cancel()
            end()

    async def _wait(self, address: str) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.push(waiter, Share(address))
        if len(self._waiting) > MAX_WAITING:
            refused = next(self._waiting.longest())
            self._withdraw(refused)
            if not refused.done():  # a request that was just cancelled has not withdrawn its place yet
                refused.set_exception(
                    RateLimited(
                        f"{MAX_WAITING} requests without a key are waiting, which is the limit. Try again later.",
                        retry_after=RETRY_S,
                    )
                )
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._withdraw(waiter)
            elif waiter.exception() is None:
                self._let_next()  # it got its turn before its caller left
            raise

    def _withdraw(self, waiter: "asyncio.Future[None]") -> None:
        self._waiting.keep(lambda other: other is not waiter)

    def _let_next(self) -> None:
        waiter = self._waiting.pop()
        while waiter is not None and waiter.done():
            waiter = self._waiting.pop()  # its caller has left
        self._is_held = waiter is not None
        if waiter is not None:
            waiter.set_result(None)
