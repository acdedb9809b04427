"""Admits or refuses each request by the limits of its key before any work begins, and charges the key when the request
ends.

>>> admission = control.admit(caller)
>>> await admission.reserve("ocr", prompt_tokens=12, answer_tokens=None)
>>> await admission.settle(prompt_tokens=12, answer_tokens=340)
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

import structlog

from app.access.keys import EVERYONE, Caller
from app.errors import (
    LONGEST_RETRY_S,
    ApiError,
    InsufficientQuota,
    KeyLimitReached,
    TaskNotAllowed,
    Unavailable,
)
from app.state.counters import (
    LEASE_S,
    MINUTE_S,
    NANO,
    Amount,
    CountedKey,
    CounterStore,
    Limits,
    Prices,
    RateLevels,
    Refusal,
    Reservation,
    day_at,
)
from app.state.entries import StoreDown
from app.state.usage import DailyUsage, UsageStore
from models.base import RETRY_S
from models.concurrency import outlast
from models.language.llm import BYTES_PER_TOKEN

ASSUMED_ANSWER_TOKENS = 1024
"""Tokens that are reserved for an answer if the request has no `max_tokens`."""
FLUSH_S = 1.0
"""Time between two writes of the keys' usage to the store, in seconds."""
PAUSE_S = 1.0
"""No reservation is attempted for this many seconds after a failure of the store."""

log = structlog.get_logger(__name__)


class AdmissionControl:
    """Admission control shared by all requests. It holds the store of the counters, the reservations of running
    requests, and the usage that is not written yet."""

    def __init__(
        self,
        store: CounterStore,
        usage: UsageStore,
        prices: Prices,
        *,
        when_down: Literal["refuse", "allow"] = "refuse",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.prices = prices
        self._store = store
        self._usage = usage
        self._when_down = when_down
        self._clock = clock
        self._running: dict[str, Reservation] = {}
        """Reservations of running requests, by their leases."""
        self._used: dict[tuple[str, str, str], list[int]] = {}
        """Usage that is not written yet: requests, tokens of prompts and of answers, and money, by tenant, name and
        day."""
        self._spent: Counter[tuple[CountedKey, str]] = Counter()
        """Money spent of budgets that is not written yet, by key and period."""
        self._writing: asyncio.Task[None] | None = None
        """Write of usage that has begun last."""
        self._down_until = 0.0
        self._faults = 0

    @property
    def faults(self) -> int:
        """Number of calls that the store did not answer."""
        return self._faults + self._store.faults

    def admit(self, caller: Caller, *, is_charged: bool = True) -> "Admission":
        """Return the admission of one request of `caller`. `is_charged` is False for a GET, which costs nothing."""
        return Admission(self, caller, is_charged=is_charged)

    async def reserve(self, caller: Caller, amount: Amount) -> Reservation | Refusal | None:
        """Reserve `amount` for a request of `caller`. While the store is down, return None if the operator lets
        requests pass without it; otherwise raise Unavailable."""
        try:
            taken = await self._reserve(caller.counted_as, caller.limits, amount)
        except StoreDown as error:
            if self._when_down == "allow":
                return None
            raise Unavailable(
                "What this key may use cannot be checked at the moment: the counter store does not answer.",
                code="upstream_unavailable",
                retry_after=RETRY_S,
            ) from error
        if isinstance(taken, Reservation) and taken.lease is not None:
            self._running[taken.lease] = taken
        return taken

    async def _reserve(self, key: CountedKey, limits: Limits, amount: Amount) -> Reservation | Refusal:
        if time.monotonic() < self._down_until:
            raise StoreDown("it was down a moment ago")
        try:
            return await self._store.reserve(key, limits, amount)
        except StoreDown as error:
            self._down_until = time.monotonic() + PAUSE_S
            self._faults += 1
            log.warning("counters_down", reason=str(error), requests=self._when_down)
            raise

    async def settle(self, reservation: Reservation, used: Amount) -> None:
        if reservation.lease is not None:
            self._running.pop(reservation.lease, None)
        if reservation.period and used.money:
            self._spent[reservation.key, reservation.period] += used.money
        await self._store.settle(reservation, used)

    def add_usage(self, caller: Caller, prompt_tokens: int, answer_tokens: int, money: int) -> None:
        """Add one request, with its tokens and its money, to the usage of the caller's key, if the key has a name."""
        if caller.name:
            sums = self._used.setdefault((caller.tenant, caller.name, day_at(self._clock())), [0, 0, 0, 0])
            for index, added in enumerate((1, prompt_tokens, answer_tokens, money)):
                sums[index] += added

    async def flush(self) -> None:
        """Write the collected usage; usage that cannot be written is kept for the next call. A write that has begun is
        finished even if the caller is cancelled, because nobody could tell whether it had an effect."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait([self._writing])
        self._writing = asyncio.create_task(self._write_usage())
        await outlast(self._writing)

    async def _write_usage(self) -> None:
        used, self._used = self._used, {}
        spent, self._spent = self._spent, Counter()
        if not used and not spent:
            return
        try:
            await self._usage.add([DailyUsage(*owner_and_day, *sums) for owner_and_day, sums in used.items()], spent)
        except Exception as error:
            self._faults += 1
            log.warning("usage_not_written", reason=str(error), exc_info=not isinstance(error, StoreDown))
            self._spent.update(spent)
            for owner_and_day, sums in used.items():
                later = self._used.setdefault(owner_and_day, [0, 0, 0, 0])
                for index, added in enumerate(sums):
                    later[index] += added

    async def maintain_for_ever(self) -> None:
        """Write usage and renew the leases of running requests at intervals, until cancelled."""
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
        """Write the collected usage, and close the store. Usage that cannot be written now is lost, and logged."""
        await self.flush()
        if self._used or self._spent:
            requests = sum(sums[0] for sums in self._used.values())
            log.error("usage_lost", requests=requests, money=sum(sums[3] for sums in self._used.values()))
        await self._store.close()


class Admission:
    """Admission of one request. It reserves the amounts that the request may use, and settles the amounts used when the
    request ends."""

    def __init__(
        self, control: AdmissionControl | None = None, caller: Caller | None = None, *, is_charged: bool = True
    ):
        """Without `control`, nothing is limited or charged, as on a server without keys."""
        self.caller = caller or Caller(EVERYONE)
        self._control = control
        self._is_charged = is_charged
        self._state: Literal["unreserved", "reserved", "ended"] = "unreserved"
        self._reservation: Reservation | None = None
        self._rate_levels: RateLevels | None = None
        self._budget_refusal: ApiError | None = None
        self._prompt_tokens = 0
        self._bytes = self._pieces = 0
        self._counted_prompt = self._counted_answer = 0

    @property
    def is_limited(self) -> bool:
        """True if the key has any limit, so that the tokens of prompt and answer have to be counted."""
        return self.caller.limits.any

    async def reserve(
        self,
        task: str | None = None,
        prompt_tokens: int = 0,
        answer_tokens: int | None = 0,
        *,
        is_cached: bool = False,
    ) -> None:
        """Reserve the tokens and the money that the request may use, before any work.

        `task`: the task to run, `chat` for the full model, None for requests that every key may send. `answer_tokens`:
        the client's limit on the answer; None if the request has none. `is_cached`: the answer may be in the cache, so
        the request passes even on a spent budget. If it is not there, `require_budget` must be called before a new
        answer is begun.

        Raises TaskNotAllowed, KeyLimitReached, InsufficientQuota and Unavailable; a refused request costs nothing.
        """
        allowed = self.caller.tasks
        if task is not None and allowed is not None and task not in allowed:
            self._state = "ended"
            raise TaskNotAllowed(
                f"This key may not run '{task}'. It may run: {', '.join(sorted(allowed)) or 'nothing'}."
            )
        answer_tokens = ASSUMED_ANSWER_TOKENS if answer_tokens is None else answer_tokens
        self._prompt_tokens = prompt_tokens
        self._state = "reserved"
        if self._control is None or not self.is_limited:
            return
        money = self._control.prices.of(prompt_tokens, answer_tokens)
        amount = Amount(1, prompt_tokens + answer_tokens, money, 1)
        try:
            await self._take(amount)
        except InsufficientQuota as refusal:
            if not is_cached:
                raise
            await self._take(Amount(amount.requests, amount.tokens, 0, amount.places))
            self._budget_refusal = refusal

    async def require_budget(self) -> None:
        """Check the budget of a request whose answer is not in the cache. Raises InsufficientQuota; the request then
        costs nothing."""
        if self._budget_refusal is not None:
            await self._end(Amount())
            raise self._budget_refusal

    async def _take(self, amount: Amount) -> None:
        assert self._control is not None
        try:
            taken = await self._control.reserve(self.caller, amount)
        except Unavailable:
            self._state = "ended"
            raise
        if taken is None:
            return
        self._rate_levels = taken.levels
        if isinstance(taken, Refusal):
            self._state = "ended"
            raise _to_error(taken, self.caller.limits, amount)
        self._state = "reserved"
        self._reservation = taken

    def count_text(self, text: str) -> None:
        """Count text of an answer that is being written, whether it is sent or held back. The caller pays for it even
        after hanging up."""
        self._bytes += len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
        self._pieces += 1

    def count_call(self, prompt_tokens: int, answer_tokens: int) -> None:
        """Count the tokens of a finished call to the LLM, or of another answer that is ready to be sent. The caller
        pays for them even after hanging up. They replace the estimate for the text of the call."""
        self._counted_prompt += prompt_tokens
        self._counted_answer += answer_tokens
        self._bytes = self._pieces = 0

    @property
    def _written_tokens(self) -> int:
        """Number of tokens written so far. The tokens of a running call are estimated: at least one for each piece of
        text."""
        return self._counted_answer + max(self._pieces, self._bytes // BYTES_PER_TOKEN)

    async def settle(self, prompt_tokens: int = 0, answer_tokens: int = 0, *, is_free: bool = False) -> None:
        """Charge the tokens of the request, but at least the tokens that were counted, because an answer may have been
        written and then withheld. Only the first call has an effect. `is_free`: the answer came from the cache."""
        if self._state != "reserved":
            return
        if self._control is not None:
            prompt_tokens = 0 if is_free else max(prompt_tokens, self._counted_prompt)
            answer_tokens = 0 if is_free else max(answer_tokens, self._written_tokens)
            money = self._control.prices.of(prompt_tokens, answer_tokens)
            self._control.add_usage(self.caller, prompt_tokens, answer_tokens, money)
            await self._end(Amount(1, prompt_tokens + answer_tokens, money))
        self._state = "ended"

    async def abort(self, *, has_begun: bool) -> None:
        """Settle a request that failed, or whose caller hung up. The prompt and the written text are charged if the
        request `has_begun` or any text was written. A request that reserved nothing, because its body was refused,
        still counts as a request.

        Raises the errors of `reserve`.
        """
        if self._state == "unreserved":
            await self.count_unreserved()
        await self.settle(self._prompt_tokens if has_begun or self._written_tokens else 0)

    async def count_unreserved(self) -> None:
        """Count a request that reserved nothing, and look up the rates for the response's headers. Called before the
        first byte of any response. Raises the errors of `reserve`."""
        if self._state != "unreserved" or self._control is None:
            return
        if not self._is_charged:
            self._state = "ended"
            if self.caller.limits.has_rates:
                await self._look_up_rates()
            return
        self._state = "reserved"
        if self.caller.limits.has_rates:
            await self._take(Amount(requests=1))
        await self.settle()

    async def _look_up_rates(self) -> None:
        assert self._control is not None
        try:
            seen = await self._control.reserve(self.caller, Amount())
        except Unavailable:
            return  # the request costs nothing, so it is answered without the store
        self._rate_levels = seen.levels if seen else None

    async def _end(self, used: Amount) -> None:
        self._state = "ended"
        reservation, self._reservation = self._reservation, None
        if reservation is None or self._control is None:
            return
        if self._rate_levels is not None:
            self._rate_levels = self._rate_levels.plus(
                used.requests - reservation.amount.requests, used.tokens - reservation.amount.tokens
            )
        await self._control.settle(reservation, used)

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers `x-ratelimit-…` for the key's rate limits."""
        if self._rate_levels is None:
            return {}
        limits, levels = self.caller.limits, self._rate_levels
        rates = (
            ("requests", limits.requests_per_minute, levels.requests),
            ("tokens", limits.tokens_per_minute, levels.tokens),
        )
        return {
            f"x-ratelimit-{what}-{name}": value
            for name, limit, used in rates
            if limit is not None
            for what, value in (
                ("limit", str(limit)),
                ("remaining", str(max(0, math.floor(limit - used + 1e-6)))),
                ("reset", _format_duration(used * MINUTE_S / limit)),
            )
        }


def format_dollars(amount: float) -> str:
    """Return `amount` without trailing zeros: 25, 2.5, 0.000001."""
    return f"{amount:.9f}".rstrip("0").rstrip(".")


def _to_error(refusal: Refusal, limits: Limits, amount: Amount) -> ApiError:
    if refusal.limit == "budget":
        assert limits.budget is not None
        period = {"day": "for today (UTC)", "month": "for this month (UTC)", "total": "in all"}[limits.budget_period]
        budget = format_dollars(limits.budget / NANO)
        return InsufficientQuota(
            f"This request may cost ${amount.money / NANO:.6f}, and the key's budget of ${budget} "
            f"{period} (budget_usd) has no room for it. Send a lower max_tokens, or ask whoever gave you the key.",
            rejected="budget",
        )
    if refusal.limit == "concurrent":
        return KeyLimitReached(
            f"This key may run {limits.concurrent} requests at a time (concurrent), and that many are running. "
            "Try again when one ends.",
            retry_after=1,
            rejected="concurrency",
        )
    setting, limit, what = {
        "requests": ("requests_per_minute", limits.requests_per_minute, "request"),
        "tokens": ("tokens_per_minute", limits.tokens_per_minute, f"request of about {amount.tokens} tokens"),
    }[refusal.limit]
    if math.isinf(refusal.wait_s):
        return KeyLimitReached(
            f"This {what} is larger than the key's limit of {limit} a minute ({setting}), so "
            "trying again does not help: send less, or a lower max_tokens.",
            # Longer than LONGEST_RETRY_S, so that clients are told not to try again by themselves.
            retry_after=LONGEST_RETRY_S + 1,
            rejected="rate",
        )
    wait_s = max(1, math.ceil(refusal.wait_s))
    return KeyLimitReached(
        f"The key's limit of {limit} {refusal.limit} a minute ({setting}) has no room for this {what}. "
        f"Try again in {wait_s} s.",
        retry_after=wait_s,
        rejected="rate",
    )


def _format_duration(seconds: float) -> str:
    """Return a duration in OpenAI's notation: `0s`, `17s`, `6m0s`."""
    minutes, rest = divmod(math.ceil(seconds - 1e-6), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
