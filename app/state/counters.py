"""The seam of the stores that count what each key uses: its rates, its budget, and what runs for it.

All that a request may use is taken in one step or not at all, and a request that is refused takes nothing. In another
step comes back what it did not use. What was taken by a server that died comes back when its lease ends.
"""

import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol, get_args

Period = Literal["day", "month", "total"]
PERIODS: tuple[Period, ...] = get_args(Period)
Limit = Literal["requests", "tokens", "concurrent", "unforeseen", "budget"]

NANO = 1_000_000_000
"""Money is counted in billionths of a dollar, whole ones: sums of them are exact, in SQLite and in Redis' Lua."""
MINUTE_S = 60.0
LEASE_S = 30.0
"""After which what a server holds, and has not renewed, is free again."""
MOST_UNFORESEEN = 16
"""How much may be under way at a time, of a key with a budget or a number of tokens a minute, that may cost more than
was taken for it: by so much at the most these two are exceeded, however many requests begin together."""
UNFORESEEN_ANSWER = 1
"""Of MOST_UNFORESEEN, for an answer of an LLM: it costs a few times what the LLM takes at once, at the most."""
UNFORESEEN_READING = 4
"""The same for a run task and for speech: what a document says is known when it is read, and may be a book."""
KEPT_DAYS = 400
"""For which usage is kept by day, and what was spent in a day or a month."""
ROUNDING = 1e-6
"""By so much a rate may be exceeded: time has no exact fractions."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars a million tokens."""

    input: float
    output: float

    @classmethod
    def read(cls, text: str) -> "Prices":
        """`input=1.50,output=3.50`. Raises ValueError."""
        pairs = [part.partition("=") for part in text.split(",")]
        prices = {name.strip(): price.strip() for name, _, price in pairs}
        try:
            read = {name: float(price) for name, price in prices.items()}
        except ValueError:
            read = {}
        if set(read) != {"input", "output"} or not all(0 <= price < math.inf for price in read.values()):
            raise ValueError("write dollars a million tokens as 'input=1.50,output=3.50'")
        return cls(**read)

    def of(self, prompt_tokens: int, answer_tokens: int) -> int:
        """Billionths of a dollar."""
        return math.ceil(prompt_tokens * self.input * 1000 + answer_tokens * self.output * 1000)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one key may use; None where that has no bound."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None
    """Requests that run at a time."""
    budget: int | None = None
    """Billionths of a dollar."""
    budget_period: Period = "month"
    """By the calendar, UTC."""

    @property
    def has_rates(self) -> bool:
        return self.requests_per_minute is not None or self.tokens_per_minute is not None

    @property
    def bounds_cost(self) -> bool:
        """Whether it matters that a request costs more than was taken for it."""
        return self.tokens_per_minute is not None or self.budget is not None

    @property
    def has_leases(self) -> bool:
        """Whether it matters how long a request runs."""
        return self.concurrent is not None or self.bounds_cost

    @property
    def any(self) -> bool:
        return self.has_rates or self.has_leases


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Amount:
    """What a request takes, or has used."""

    requests: int = 0
    tokens: int = 0
    money: int = 0
    places: int = 0
    """One for a request that runs."""
    unforeseen: int = 0
    """Of MOST_UNFORESEEN, for one that runs and may cost more than is taken for it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How full the rates are: what was used and has not drained yet. They drain evenly, in a minute from full."""

    requests: float = 0.0
    tokens: float = 0.0

    def drained(self, limits: Limits, seconds: float) -> "Standing":
        return Standing(
            _drained(self.requests, limits.requests_per_minute, seconds),
            _drained(self.tokens, limits.tokens_per_minute, seconds),
        )

    def plus(self, requests: float, tokens: float) -> "Standing":
        return Standing(max(0.0, self.requests + requests), max(0.0, self.tokens + tokens))


def _drained(used: float, limit: int | None, seconds: float) -> float:
    return 0.0 if limit is None else max(0.0, used - max(0.0, seconds) * limit / MINUTE_S)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was taken for a request."""

    tenant: str
    limits: Limits
    taken: Amount
    standing: Standing
    """After it was taken."""
    lease: str | None = None
    """Names what is held while the request runs."""
    period: str = ""
    """What the money is of."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not taken, and why."""

    limit: Limit
    wait_s: float
    """Seconds until the same may be taken; infinite where waiting does not help."""
    standing: Standing


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """What a key has used on a day."""

    tenant: str
    name: str
    """The key's, in the file of keys."""
    day: str
    """`2026-01-31`, UTC."""
    requests: int
    input_tokens: int
    output_tokens: int
    money: int


@dataclass(slots=True)
class Spending:
    """What a store knows of a tenant when it decides."""

    standing: Standing = field(default_factory=Standing)
    running: int = 0
    unforeseen: int = 0
    """Of MOST_UNFORESEEN, what runs."""
    spent: int = 0
    """In the period, what is held by what runs included."""

    def exceeded(self, limits: Limits, ask: Amount) -> Limit | None:
        """The limit that does not allow `ask`; first the one for which waiting does not help."""
        if limits.budget is not None and ask.money and self.spent + ask.money > limits.budget:
            return "budget"
        if limits.concurrent is not None and ask.places and self.running + ask.places > limits.concurrent:
            return "concurrent"
        if limits.bounds_cost and ask.unforeseen and self.unforeseen + ask.unforeseen > MOST_UNFORESEEN:
            return "unforeseen"
        if _is_over(self.standing.requests, ask.requests, limits.requests_per_minute):
            return "requests"
        if _is_over(self.standing.tokens, ask.tokens, limits.tokens_per_minute):
            return "tokens"
        return None


def _is_over(used: float, more: int, limit: int | None) -> bool:
    return limit is not None and more > 0 and used + more > limit + ROUNDING


def refused(limit: Limit, limits: Limits, ask: Amount, standing: Standing) -> Refusal:
    match limit:
        case "requests":
            wait_s = _wait(standing.requests, ask.requests, limits.requests_per_minute)
        case "tokens":
            wait_s = _wait(standing.tokens, ask.tokens, limits.tokens_per_minute)
        case "concurrent" | "unforeseen":
            wait_s = 1.0
        case "budget":
            wait_s = math.inf
    return Refusal(limit, wait_s, standing)


def _wait(used: float, more: int, limit: int | None) -> float:
    assert limit is not None
    return math.inf if more > limit else (used + more - limit) * MINUTE_S / limit


def new_lease(limits: Limits, ask: Amount) -> str | None:
    """The name of what is held while a request runs, which ends with a hyphen and the number of its unforeseen; None
    where nothing is held."""
    return f"{secrets.token_hex(12)}-{ask.unforeseen}" if limits.has_leases and ask.places else None


def period_at(period: Period, now: float) -> str:
    """What the budget's period is called that `now`, in Unix seconds, lies in: `2026-01`."""
    match period:
        case "day":
            return day_at(now)
        case "month":
            return day_at(now)[:7]
        case "total":
            return "total"


def day_at(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()


class CounterStore(Protocol):
    """Every method but `settle` raises StoreDown."""

    faults: int
    """How often nothing came of a `settle`."""

    async def reserve(self, tenant: str, limits: Limits, ask: Amount) -> Reservation | Refusal:
        """Takes all of `ask`, or nothing."""

    async def settle(self, reservation: Reservation, used: Amount) -> None:
        """Ends it: what was taken and not used comes back, and what was used beyond it is taken, whatever is left.
        It is done ahead of what this server asks for from now on, and nobody waits for it: what is taken comes back
        when its lease ends where the store is down, which is logged."""

    async def renew(self, running: Sequence[Reservation]) -> None:
        """Keeps what they hold for another LEASE_S."""

    async def add(self, usage: Sequence[DailyUsage]) -> None: ...

    async def usage(self) -> list[DailyUsage]:
        """By name and day."""

    async def forget(self, tenant: str) -> int:
        """Deletes all that is known of it; the number of days."""

    async def close(self) -> None: ...


Clock = Callable[[], float]
WALL: Clock = time.time
