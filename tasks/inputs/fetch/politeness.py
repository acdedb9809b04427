"""Scraping that hosts need not mind: by their robots.txt, and not too often.

For pages that openfaze finds or follows by itself. What a user names as an input is fetched like a browser would.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tasks.inputs.fetch.fetcher import Fetched, Fetcher
from tasks.inputs.fetch.robots import Robots
from tasks.inputs.fetch.url_policy import Visit

_LONGEST_DELAY_S = 10.0
"""A longer Crawl-delay is cut to this: it is meant for crawls of a whole site, and somebody waits."""
_MAX_PLACES = 1000
"""Hosts that are remembered without a visitor."""


@dataclass(frozen=True, slots=True)
class ScrapePolicy:
    robots: bool = True
    """Whether robots.txt is obeyed (OPENFAZE_SCRAPE_ROBOTS)."""
    host_rps: float = 2.0
    """Visits of one host a second (OPENFAZE_SCRAPE_HOST_RPS)."""
    host_concurrent: int = 2
    """Visits of one host at a time (OPENFAZE_SCRAPE_HOST_CONCURRENT)."""


@dataclass(slots=True)
class _Place:
    """One host, as its visitors see it."""

    slots: asyncio.Semaphore
    next_visit: float = float("-inf")
    visitors: int = 0


@dataclass(slots=True)
class Politeness:
    """Fetches pages within `policy`. `clock` gives seconds, `sleep` waits for some."""

    fetcher: Fetcher
    policy: ScrapePolicy = field(default_factory=ScrapePolicy)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _robots: Robots = field(init=False)
    _places: dict[str, _Place] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._robots = Robots(self.fetcher, self.clock)

    async def fetch(
        self,
        url: str,
        *,
        param: str | None = None,
        max_bytes: int | None = None,
        owner: str = "",
        fresh: bool = False,
    ) -> Fetched:
        """As `Fetcher.fetch`, waiting within its time limit until the host may be visited; each redirect too.

        Raises as that does; InputError (`url_not_allowed`) for a page that is closed to robots.
        """
        return await self.fetcher.fetch(
            url, param=param, max_bytes=max_bytes, owner=owner, fresh=fresh, gate=self._admit
        )

    @asynccontextmanager
    async def _admit(self, url: httpx.URL, visit: Visit) -> AsyncIterator[None]:
        delay = 0.0
        if self.policy.robots:
            permission = await self._robots.permission(url, visit)
            if not permission.allowed:
                raise visit.refused("is closed to robots by its host's robots.txt (OPENFAZE_SCRAPE_ROBOTS)")
            delay = min(permission.delay_s, _LONGEST_DELAY_S)
        async with self._turn(url.host, max(delay, 1 / self.policy.host_rps)):
            yield

    @asynccontextmanager
    async def _turn(self, host: str, interval: float) -> AsyncIterator[None]:
        place = self._places.setdefault(host, _Place(asyncio.Semaphore(self.policy.host_concurrent)))
        place.visitors += 1
        try:
            async with place.slots:
                now = self.clock()
                start = max(now, place.next_visit)
                place.next_visit = start + interval
                if start > now:
                    await self.sleep(start - now)
                yield
        finally:
            place.visitors -= 1
            self._forget_idle()

    def _forget_idle(self) -> None:
        if len(self._places) > _MAX_PLACES:
            now = self.clock()
            idle = [host for host, place in self._places.items() if not place.visitors and place.next_visit <= now]
            for host in idle:
                del self._places[host]
