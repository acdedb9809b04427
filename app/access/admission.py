"""What a key's limits make of a request: it is admitted or refused before any work, and charged when it ends.

>>> visit = admission.visit(caller)
>>> await visit.enter("ocr", prompt_tokens=12, answer_tokens=None)
>>> await visit.leave(prompt_tokens=12, answer_tokens=340)
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Literal

import structlog

from app.access.keys import EVERYONE, Caller
from app.errors import LONGEST_RETRY_S as LONGEST_WAIT_S
from app.errors import ApiError, InsufficientQuota, RateLimited, TaskNotAllowed, Unavailable
from app.state.counters import (
    LEASE_S,
    MINUTE_S,
    MOST_UNFORESEEN,
    NANO,
    UNFORESEEN_ANSWER,
    UNFORESEEN_READING,
    Amount,
    CounterStore,
    DailyUsage,
    Limits,
    Prices,
    Refusal,
    Reservation,
    Standing,
    day_at,
)
from app.state.entries import StoreDown
from models.base import RETRY_S

ASSUMED_ANSWER_TOKENS = 1024
"""What an answer is taken for whose request sets no `max_tokens`."""
BYTES_PER_TOKEN = 4
FLUSH_S = 3.0
"""Between two times that usage is written down."""
PAUSE_S = 1.0
"""For how long a store that failed is left alone."""

log = structlog.get_logger(__name__)


class Admission:
    """What all requests share: the store, what runs, and what was used and is not written down yet."""

    def __init__(
        self,
        store: CounterStore,
        prices: Prices,
        *,
        when_down: Literal["refuse", "allow"] = "refuse",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.prices = prices
        self._store = store
        self._when_down = when_down
        self._clock = clock
        self._running: dict[str, Reservation] = {}
        """By lease."""
        self._used: dict[tuple[str, str, str], list[int]] = {}
        """Requests, tokens of prompts and of answers, and money, by tenant, name and day."""
        self._down_until = 0.0
        self._faults = 0

    @property
    def faults(self) -> int:
        """How often the store did not answer."""
        return self._faults + self._store.faults

    def visit(self, caller: Caller, *, is_charged: bool = True) -> "Visit":
        """One request of `caller`; not `is_charged` where it is a GET, which costs nothing."""
        return Visit(self, caller, is_charged=is_charged)

    async def take(self, caller: Caller, ask: Amount) -> Reservation | Refusal | None:
        """None where the store is down, and all may pass. Raises Unavailable where none may."""
        try:
            taken = await self._tried(caller.tenant, caller.limits, ask)
        except StoreDown as error:
            if self._when_down == "allow":
                return None
            raise Unavailable(
                "What this key may use cannot be looked up at the moment: the store of the counters does not answer.",
                code="upstream_unavailable",
                retry_after=RETRY_S,
            ) from error
        if isinstance(taken, Reservation) and taken.lease is not None:
            self._running[taken.lease] = taken
        return taken

    async def _tried(self, tenant: str, limits: Limits, ask: Amount) -> Reservation | Refusal:
        if time.monotonic() < self._down_until:
            raise StoreDown("it was down a moment ago")
        try:
            return await self._store.reserve(tenant, limits, ask)
        except StoreDown as error:
            self._down_until = time.monotonic() + PAUSE_S
            self._faults += 1
            log.warning("counters_down", reason=str(error), requests=self._when_down)
            raise

    async def give_back(self, reservation: Reservation, used: Amount) -> None:
        if reservation.lease is not None:
            self._running.pop(reservation.lease, None)
        await self._store.settle(reservation, used)

    def note(self, caller: Caller, prompt_tokens: int, answer_tokens: int, money: int) -> None:
        """Adds to the usage of a key that has a name."""
        if caller.name:
            sums = self._used.setdefault((caller.tenant, caller.name, day_at(self._clock())), [0, 0, 0, 0])
            for place, more in enumerate((1, prompt_tokens, answer_tokens, money)):
                sums[place] += more

    async def flush(self) -> None:
        """Writes usage down; what cannot be written waits for the next time."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._store.add([DailyUsage(*about, *sums) for about, sums in used.items()])
        except StoreDown as error:
            self._faults += 1
            log.warning("usage_not_written", reason=str(error))
            for about, sums in used.items():
                later = self._used.setdefault(about, [0, 0, 0, 0])
                for place, more in enumerate(sums):
                    later[place] += more

    async def keep_for_ever(self) -> None:
        """Renews the leases of what runs, and writes usage down."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
                if self._running and time.monotonic() - renewed > LEASE_S / 3:
                    renewed = time.monotonic()
                    await self._store.renew(list(self._running.values()))
            except StoreDown as error:
                self._faults += 1
                log.warning("leases_not_renewed", reason=str(error))
            except Exception:
                log.exception("keeping_counters_failed")

    async def close(self) -> None:
        await self.flush()
        await self._store.close()


class Visit:
    """One request, from its admission to its end."""

    __slots__ = (
        "_admission",
        "_chars",
        "_is_charged",
        "_may_work",
        "_pieces",
        "_prompt_tokens",
        "_reservation",
        "_standing",
        "_state",
        "caller",
    )

    def __init__(self, admission: Admission | None = None, caller: Caller | None = None, *, is_charged: bool = True):
        """Without an `admission` everything is free, as on a server without keys."""
        self.caller = caller or Caller(EVERYONE)
        self._admission = admission
        self._is_charged = is_charged
        self._state: Literal["before", "within", "over"] = "before"
        self._reservation: Reservation | None = None
        self._standing: Standing | None = None
        self._may_work: ApiError | None = None
        self._prompt_tokens = 0
        self._chars = self._pieces = 0

    @property
    def is_limited(self) -> bool:
        """Whether it matters how long prompt and answer are: others need not count."""
        return self.caller.limits.any

    async def enter(
        self,
        task: str | None = None,
        prompt_tokens: int = 0,
        answer_tokens: int | None = 0,
        *,
        unforeseen: int = 0,
        is_cached: bool = False,
    ) -> None:
        """Before any work. `task`: what is to run, `chat` for the full model, None for what every key may.
        `answer_tokens`: the most that the client wants; None where it does not say. `unforeseen`: for what may cost
        more than these tokens, such as UNFORESEEN_ANSWER. With `is_cached` a request may enter on a spent budget, as
        the answer may be in the cache: then `pay` comes before any other work.

        Raises TaskNotAllowed, RateLimited, InsufficientQuota and Unavailable; a refused request costs nothing.
        """
        allowed = self.caller.tasks
        if task is not None and allowed is not None and task not in allowed:
            self._state = "over"
            raise TaskNotAllowed(
                f"This key may not run '{task}'. It may run: {', '.join(sorted(allowed)) or 'nothing'}."
            )
        answer_tokens = ASSUMED_ANSWER_TOKENS if answer_tokens is None else answer_tokens
        self._prompt_tokens = prompt_tokens
        self._state = "within"
        if self._admission is None or not self.is_limited:
            return
        money = self._admission.prices.of(prompt_tokens, answer_tokens)
        ask = Amount(1, prompt_tokens + answer_tokens, money, 1, unforeseen)
        try:
            await self._take(ask)
        except InsufficientQuota as refusal:
            if not is_cached:
                raise
            await self._take(Amount(ask.requests, ask.tokens, 0, ask.places))
            self._may_work = refusal

    async def pay(self) -> None:
        """Raises InsufficientQuota where nothing but an answer from the cache may be given; then it costs nothing."""
        if self._may_work is not None:
            await self._end(Amount())
            raise self._may_work

    async def _take(self, ask: Amount) -> None:
        assert self._admission is not None
        try:
            taken = await self._admission.take(self.caller, ask)
        except Unavailable:
            self._state = "over"
            raise
        if taken is None:
            return
        self._standing = taken.standing
        if isinstance(taken, Refusal):
            self._state = "over"
            raise _public(taken, self.caller.limits, ask)
        self._state = "within"
        self._reservation = taken

    def wrote(self, text: str) -> None:
        """Counts what of an answer is on its way: a caller that hangs up has had it."""
        self._chars += len(text)
        self._pieces += 1

    async def leave(self, prompt_tokens: int = 0, answer_tokens: int = 0, *, is_free: bool = False) -> None:
        """The end: what was really used is charged. `is_free`: an answer from the cache. The first end counts."""
        if self._state != "within":
            return
        if self._admission is not None:
            if is_free:
                prompt_tokens = answer_tokens = 0
            money = self._admission.prices.of(prompt_tokens, answer_tokens)
            self._admission.note(self.caller, prompt_tokens, answer_tokens, money)
            await self._end(Amount(1, prompt_tokens + answer_tokens, money))
        self._state = "over"

    async def break_off(self, *, has_begun: bool) -> None:
        """The end of a request that failed, or whose caller hung up. What it wrote is charged, and where it `has_begun`
        its prompt, too. One that never entered, for its body would not do, counts as a request nonetheless.

        Raises as `enter`.
        """
        if self._state == "before":
            await self.answered()
        if has_begun or self._pieces:
            await self.leave(self._prompt_tokens, max(self._pieces, self._chars // BYTES_PER_TOKEN))
        else:
            await self.leave()

    async def answered(self) -> None:
        """Ahead of the first byte of any answer: sees to it that what never entered is counted, and that the rates are
        known. Raises as `enter`."""
        if self._state != "before" or self._admission is None:
            return
        if not self._is_charged:
            self._state = "over"
            if self.caller.limits.has_rates:
                await self._look()
            return
        self._state = "within"
        if self.caller.limits.has_rates:
            await self._take(Amount(requests=1))
        await self.leave()

    async def _look(self) -> None:
        assert self._admission is not None
        try:
            seen = await self._admission.take(self.caller, Amount())
        except Unavailable:
            return  # what is asked for costs nothing, and is given
        self._standing = seen.standing if seen else None

    async def _end(self, used: Amount) -> None:
        self._state = "over"
        taken, self._reservation = self._reservation, None
        if taken is None or self._admission is None:
            return
        if self._standing is not None:
            self._standing = self._standing.plus(used.requests - taken.taken.requests, used.tokens - taken.taken.tokens)
        await self._admission.give_back(taken, used)

    @property
    def headers(self) -> Mapping[str, str]:
        """`x-ratelimit-…`, of the rates that the key has."""
        if self._standing is None:
            return {}
        limits, standing = self.caller.limits, self._standing
        rates = (
            ("requests", limits.requests_per_minute, standing.requests),
            ("tokens", limits.tokens_per_minute, standing.tokens),
        )
        return {
            f"x-ratelimit-{what}-{name}": value
            for name, limit, used in rates
            if limit is not None
            for what, value in (
                ("limit", str(limit)),
                ("remaining", str(max(0, math.floor(limit - used + 1e-6)))),
                ("reset", _duration(used * MINUTE_S / limit)),
            )
        }


def dollars(amount: float) -> str:
    """In decimals, as many as it has: 25, 2.5, 0.000001."""
    return f"{amount:.9f}".rstrip("0").rstrip(".")


def _public(refusal: Refusal, limits: Limits, ask: Amount) -> ApiError:
    if refusal.limit == "budget":
        assert limits.budget is not None
        period = {"day": "for today (UTC)", "month": "for this month (UTC)", "total": "in all"}[limits.budget_period]
        return InsufficientQuota(
            f"This request may cost ${ask.money / NANO:.6f}, and the key's budget of ${dollars(limits.budget / NANO)} "
            f"{period} (budget_usd) has no room for it. Send a lower max_tokens, or ask whoever gave you the key.",
            rejected="budget",
        )
    if refusal.limit == "concurrent":
        return RateLimited(
            f"This key may run {limits.concurrent} requests at a time (concurrent), and so many run. "
            "Try again when one ends.",
            retry_after=1,
            rejected="concurrency",
        )
    if refusal.limit == "unforeseen":
        setting = "budget_usd" if limits.budget is not None else "tokens_per_minute"
        return RateLimited(
            f"What a request reads or writes is known, and charged, when it has ended. Of a key with a limit of that "
            f"({setting}), {MOST_UNFORESEEN // UNFORESEEN_READING} run tasks or transcripts or "
            f"{MOST_UNFORESEEN // UNFORESEEN_ANSWER} other answers run at a time, and so many run. "
            "Try again when one ends.",
            retry_after=1,
            rejected="concurrency",
        )
    setting, limit, what = {
        "requests": ("requests_per_minute", limits.requests_per_minute, "request"),
        "tokens": ("tokens_per_minute", limits.tokens_per_minute, f"request of about {ask.tokens} tokens"),
    }[refusal.limit]
    if math.isinf(refusal.wait_s):
        return RateLimited(
            f"This {what} is larger than the key's limit of {limit} a minute ({setting}), so that it never passes, and "
            "trying again does not help: send less, or a lower max_tokens.",
            # With so many seconds clients are told not to try by themselves.
            retry_after=LONGEST_WAIT_S + 1,
            rejected="rate",
        )
    wait_s = max(1, math.ceil(refusal.wait_s))
    return RateLimited(
        f"The key's limit of {limit} {refusal.limit} a minute ({setting}) has no room for this {what}. "
        f"Try again in {wait_s} s.",
        retry_after=wait_s,
        rejected="rate",
    )


def _duration(seconds: float) -> str:
    """As OpenAI writes it: `0s`, `17s`, `6m0s`."""
    minutes, rest = divmod(math.ceil(seconds - 1e-6), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
