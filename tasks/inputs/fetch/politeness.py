"""Scrapes politely: robots.txt is obeyed and visits are rate-limited.

These rules are for pages that openfaze finds or follows by itself. Inputs that a user names are fetched as a browser
would.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import httpx
from protego import Protego

from models.queues import KEY, Slots
from tasks.errors import InputTooLarge
from tasks.inputs.fetch.fetcher import Fetched, Fetcher
from tasks.inputs.fetch.url_policy import Fetch, FetchFailed, UrlRefused

AGENT = "openfaze"
"""Our product token in a robots.txt."""
_MAX_BYTES = 512 * 1024
"""A robots.txt with more bytes than this counts as too large. RFC 9309, section 2.5, demands that at least 500 KiB are
read."""
_MAX_ORIGINS = 200
"""The rules of at most this many origins are remembered, each of which may take some megabytes."""
_KEPT_FOR_S = 3600.0
"""Rules are remembered for this many seconds. RFC 9309, section 2.4, allows a day."""
_MAX_LINES = 5_000
"""A robots.txt with more lines than this counts as too large, because parsing this many takes up to a tenth of a
second."""
_MAX_RULES = 20_000
"""A robots.txt whose agents have more rules than this together counts as too large, too."""
_FAILURE_KEPT_FOR_S = 60.0
_LONGEST_DELAY_S = 10.0
"""A Crawl-delay is obeyed up to this many seconds. Delays are meant for crawls of a whole site, whereas a user is
waiting here."""
_MAX_HOSTS = 1000
"""If more hosts than this are remembered, those that have no visit now and may be visited at once are forgotten."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of one origin."""

    parsed: Protego | None = None
    """The parsed file, or None if it has no rules or they are unknown."""
    failure: str | None = None
    """Reason why the rules are unknown, in which case nothing is allowed."""
    until: float = float("-inf")


class Robots:
    """Fetches an origin's robots.txt when its rules are needed and are unknown or too old. It does so through
    `fetcher`, so that the policy for addresses of pages applies to robots.txt, too."""

    def __init__(self, fetcher: Fetcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._rules: OrderedDict[tuple[str, str], _Rules] = OrderedDict()
        """Rules by key and origin. Each key has its own, because otherwise the time that a fetch takes would reveal
        which hosts other keys have visited."""
        self._reading: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        """Locks for reading the rules of an origin, by key and origin."""

    async def delay(self, url: httpx.URL, visit: Fetch) -> float | None:
        """Return the Crawl-delay of the host in seconds (0 without one), or None if robots.txt disallows `url`.

        Raises FetchFailed if the rules of the host cannot be read at present.
        """
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        place = KEY.get(), origin
        async with self._reading.setdefault(place, asyncio.Lock()):
            rules = self._known(place)
            if rules is None:
                rules = self._rules[place] = await self._read(origin)
                self._rules.move_to_end(place)
                if len(self._rules) > _MAX_ORIGINS:
                    self._rules.popitem(last=False)
        if rules.failure is not None:
            raise visit.failed(f"is on a host whose robots.txt {rules.failure} (OPENFAZE_SCRAPE_ROBOTS)")
        return await asyncio.to_thread(_crawl_delay, rules.parsed, str(url)) if rules.parsed else 0.0

    def _known(self, place: tuple[str, str]) -> _Rules | None:
        """Return the rules that a key has of an origin unless they are unknown or old."""
        rules = self._rules.get(place)
        if rules is None or self._clock() >= rules.until:
            return None
        self._rules.move_to_end(place)
        return rules

    async def _read(self, origin: str) -> _Rules:
        parsed, failure, kept_s = None, None, _KEPT_FOR_S
        try:
            fetched = await self._fetcher.fetch(f"{origin}/robots.txt", max_bytes=_MAX_BYTES)
            parsed = await asyncio.to_thread(_parsed, fetched.data)
        except InputTooLarge:
            failure = "is too large"
        except FetchFailed as error:
            # A server without a robots.txt answers 4xx. After any other failure, there may be rules that are unknown.
            if not error.is_reached:
                kept_s = 0.0  # fetching the page says why
            elif error.status is None:
                failure = "could not be read"
            elif not 400 <= error.status < 500 or error.status == 429:
                failure = f"answered with status {error.status}"
        except UrlRefused as error:
            # If a redirect is not permitted, there may be rules. If the URL itself is not, for example because of its
            # port, fetching the page raises the same refusal with the page's URL.
            failure = "could not be read" if error.redirected else None
            kept_s = 0.0
        return _Rules(parsed, failure, self._clock() + (_FAILURE_KEPT_FOR_S if failure else kept_s))


def _parsed(data: bytes) -> Protego | None:
    """Return the rules of a robots.txt; None if it has no lines. Raises InputTooLarge."""
    text = data.decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    if len(lines) > _MAX_LINES or _count_rules(lines) > _MAX_RULES:
        raise InputTooLarge("robots.txt has too many lines or rules")
    return Protego.parse(text) if lines else None


def _count_rules(lines: Sequence[str]) -> int:
    """Return at least the number of rules that the parser makes: each agent of a group gets each rule of the group, so
    that 2,500 lines of both take half a minute and gigabytes."""
    rules = agents = own = 0
    has_ended = False
    for line in lines:
        words = " ".join(line.lower().split())
        if words.startswith(("user-agent", "user agent", "useragent")):
            if has_ended:
                rules += agents * own
                agents, own, has_ended = 0, 0, False
            agents += 1
        elif words and not words.startswith("#"):
            own += 1
            # Whatever else may be between two agents, the parser may take them for agents of one group.
            has_ended = has_ended or words.startswith(("allow:", "disallow:"))
    return rules + agents * own


def _crawl_delay(parsed: Protego, url: str) -> float | None:
    return (parsed.crawl_delay(AGENT) or 0.0) if parsed.can_fetch(url, AGENT) else None


@dataclass(frozen=True, slots=True)
class ScrapePolicy:
    robots: bool = True
    """True if robots.txt is obeyed (OPENFAZE_SCRAPE_ROBOTS)."""
    host_rps: float = 2.0
    """Visits per host and second (OPENFAZE_SCRAPE_HOST_RPS)."""
    host_concurrent: int = 2
    """Simultaneous visits per host."""


@dataclass(slots=True)
class _HostTurns:
    """The queue and the next permitted visit of one host."""

    slots: Slots
    pause: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Lock of the visitor who waits for the next permitted visit. Visitors with a slot take it one after the other."""
    next_visit: float = float("-inf")
    visitors: int = 0


@dataclass(slots=True)
class Politeness:
    """Fetches pages within `policy`. `clock` returns seconds; `sleep` waits for a number of seconds."""

    fetcher: Fetcher
    policy: ScrapePolicy = field(default_factory=ScrapePolicy)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _robots: Robots = field(init=False)
    _turns: dict[str, _HostTurns] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._robots = Robots(self.fetcher, self.clock)

    async def fetch(
        self,
        url: str,
        *,
        param: str | None = None,
        max_bytes: int | None = None,
        arrived: Callable[[int], None] | None = None,
    ) -> Fetched:
        """Fetch like `Fetcher.fetch`, but wait (within its time limit) until the host may be visited, also before each
        redirect.

        Raises what `Fetcher.fetch` raises, and InputError (`url_not_allowed`) for a page that robots.txt disallows.
        """
        return await self.fetcher.fetch(url, param=param, max_bytes=max_bytes, gate=self._admit, arrived=arrived)

    @asynccontextmanager
    async def _admit(self, url: httpx.URL, visit: Fetch) -> AsyncIterator[None]:
        delay: float | None = 0.0
        if self.policy.robots:
            delay = await self._robots.delay(url, visit)
        if delay is None:
            raise visit.refused("is closed to robots by its host's robots.txt (OPENFAZE_SCRAPE_ROBOTS)")
        async with self._turn(url.host, max(min(delay, _LONGEST_DELAY_S), 1 / self.policy.host_rps)):
            yield

    @asynccontextmanager
    async def _turn(self, host: str, interval: float) -> AsyncIterator[None]:
        turns = self._turns.setdefault(host, _HostTurns(Slots("scrape", self.policy.host_concurrent)))
        turns.visitors += 1
        try:
            # The wait has no limit of its own, because requests visit a bounded number of pages, each within the time
            # of a fetch.
            async with turns.slots.slot():
                async with turns.pause:
                    if (seconds := turns.next_visit - self.clock()) > 0:
                        await self.sleep(seconds)
                    # Only a visit that begins delays the next one. A client that hangs up while it waits costs nobody
                    # any time.
                    turns.next_visit = self.clock() + interval
                yield
        finally:
            turns.visitors -= 1
            self._forget_idle()

    def _forget_idle(self) -> None:
        if len(self._turns) > _MAX_HOSTS:
            now = self.clock()
            idle = [host for host, turns in self._turns.items() if not turns.visitors and turns.next_visit <= now]
            for host in idle:
                del self._turns[host]
