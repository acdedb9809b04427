"""What a host's robots.txt lets openfaze scrape (RFC 9309)."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from protego import Protego

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.fetch.url_policy import FetchFailed, Visit

AGENT = "openfaze"
"""The product token that a robots.txt addresses us by."""
_MAX_BYTES = 1024 * 1024
"""Of a robots.txt: RFC 9309, section 2.5, wants 500 KiB at least."""
_KEPT_BYTES = 8 * 1024 * 1024
"""Of all that are remembered."""
_KEPT_FOR_S = 3600.0
"""RFC 9309, section 2.4, allows a day."""
_FAILURE_KEPT_FOR_S = 60.0


@dataclass(frozen=True, slots=True)
class Permission:
    allowed: bool
    delay_s: float = 0.0
    """What the host asks for between two visits (Crawl-delay)."""


@dataclass(slots=True)
class _Rules:
    """Of one origin. Kept as text, because parsed it takes many times the memory."""

    text: str = ""
    failure: str | None = None
    """Why the rules are not known; then nothing is allowed."""
    unreachable: str | None = None
    """Why the host cannot be asked at all, for its pages as little as for its rules."""
    until: float = float("-inf")
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class Robots:
    """Asks each origin once in a while, by way of `fetcher`, so that no robots.txt leads where a page may not."""

    def __init__(self, fetcher: Fetcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._rules: OrderedDict[str, _Rules] = OrderedDict()

    async def permission(self, url: httpx.URL, visit: Visit) -> Permission:
        """Raises FetchFailed where the host cannot be reached, or its rules cannot be known now."""
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        rules = self._rules.setdefault(origin, _Rules())
        self._rules.move_to_end(origin)
        async with rules.reading:
            if self._clock() >= rules.until:
                await self._read(origin, rules)
                self._forget_old()
        if rules.unreachable is not None:
            raise visit.unreachable(rules.unreachable)
        if rules.failure is not None:
            raise visit.failed(f"is on a host whose robots.txt {rules.failure} (OPENFAZE_SCRAPE_ROBOTS)")
        return await asyncio.to_thread(_judge, rules.text, str(url)) if rules.text else Permission(allowed=True)

    async def _read(self, origin: str, rules: _Rules) -> None:
        rules.text, rules.failure, rules.unreachable = "", None, None
        try:
            fetched = await self._fetcher.fetch(f"{origin}/robots.txt", max_bytes=_MAX_BYTES)
            rules.text = fetched.data.decode("utf-8-sig", errors="replace")
        except InputTooLarge:
            rules.failure = "is too large"
        except FetchFailed as error:
            # A server that has none says so with 4xx; any other failure may hide rules.
            if error.unreachable is not None:
                rules.unreachable = error.unreachable
            elif error.status is None:
                rules.failure = "could not be read"
            elif not 400 <= error.status < 500 or error.status == 429:
                rules.failure = f"answered with status {error.status}"
        except InputError:
            pass  # not a host that may be asked: the page itself meets the same refusal, in words about the page
        known = rules.failure is None and rules.unreachable is None
        rules.until = self._clock() + (_KEPT_FOR_S if known else _FAILURE_KEPT_FOR_S)

    def _forget_old(self) -> None:
        kept = sum(_size(rules) for rules in self._rules.values())
        while kept > _KEPT_BYTES and len(self._rules) > 1:
            kept -= _size(self._rules.popitem(last=False)[1])


def _size(rules: _Rules) -> int:
    return 1024 + len(rules.text)


def _judge(text: str, url: str) -> Permission:
    parsed = Protego.parse(text)
    return Permission(parsed.can_fetch(url, AGENT), parsed.crawl_delay(AGENT) or 0.0)
