"""The interface of the stores that count what each key uses now: its rates, its budget, and its running requests.

In one step, a request reserves the whole amount that it may use; a refused request reserves nothing. Settling the
request returns the unused part. One server counts in its own memory, several count in Redis. What a budget has spent is
also recorded in the database (`usage`), from which a store that knows nothing of a period begins.
"""

import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

BudgetPeriod = Literal["day", "month", "total"]
Limit = Literal["requests", "tokens", "concurrent", "budget"]

NANO = 1_000_000_000
"""Units of money per dollar: money is counted in whole billionths, because their sums are exact in SQL and in Redis'
Lua."""
MINUTE_S = 60.0
LEASE_S = 30.0
"""A reservation ends after this many seconds unless its server renews it."""
ENDED_LEASE_S = 3600.0
"""A lease that ended without a settlement is kept for this many seconds. A settlement that comes later is ignored."""
KEPT_DAYS = 400
"""Number of days for which daily usage, and spending by day or month, are kept."""
ROUNDING = 1e-6
"""Tolerance of a rate, because fractions of time are inexact."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in dollars per million tokens."""

    input: float
    output: float

    @classmethod
    def read(cls, text: str) -> "Prices":
        """Read prices such as `input=1.50,output=3.50`. Raises ValueError."""
        pairs = [part.partition("=") for part in text.split(",")]
        prices = {name.strip(): price.strip() for name, _, price in pairs}
        try:
            read = {name: float(price) for name, price in prices.items()}
        except ValueError:
            read = {}
        if set(read) != {"input", "output"} or not all(0 <= price < math.inf for price in read.values()):
            raise ValueError("write dollars per million tokens as 'input=1.50,output=3.50'")
        return cls(**read)

    def of(self, prompt_tokens: int, answer_tokens: int) -> int:
        """Return the price of the tokens, in billionths of a dollar."""
        return math.ceil(prompt_tokens * self.input * 1000 + answer_tokens * self.output * 1000)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on the usage of one key; None for no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None
    """At most this many requests run at the same time."""
    budget: int | None = None
    """Largest amount of money that may be spent in a period, in billionths of a dollar."""
    budget_period: BudgetPeriod = "month"
    """Calendar period of the budget, in UTC."""

    @property
    def has_rates(self) -> bool:
        return self.requests_per_minute is not None or self.tokens_per_minute is not None

    @property
    def has_leases(self) -> bool:
        """True if reservations last as long as their requests run, so that they need leases."""
        return self.concurrent is not None or self.tokens_per_minute is not None or self.budget is not None

    @property
    def any(self) -> bool:
        return self.has_rates or self.has_leases


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class CountedKey:
    """A key as its usage is counted. Keys of the same tenant are counted separately; a rotated key counts as the same
    key."""

    tenant: str
    name: str = ""
    """Name of the key in the file of keys; empty for a key of OPENFAZE_API_KEYS, which is the only key of its tenant
    without a name."""


@dataclass(frozen=True, slots=True)
class Amount:
    """The amount that a request reserves, or has used."""

    requests: int = 0
    tokens: int = 0
    money: int = 0
    places: int = 0
    """Number of places under the limit of concurrent requests: 1 for a running request."""


@dataclass(frozen=True, slots=True)
class RateLevels:
    """Levels of the leaky buckets that limit a key's rates. A level is the usage that has not drained yet; a full
    bucket drains in a minute."""

    requests: float = 0.0
    tokens: float = 0.0

    def drained(self, limits: Limits, seconds: float) -> "RateLevels":
        return RateLevels(
            _drained(self.requests, limits.requests_per_minute, seconds),
            _drained(self.tokens, limits.tokens_per_minute, seconds),
        )

    def plus(self, requests: float, tokens: float) -> "RateLevels":
        return RateLevels(max(0.0, self.requests + requests), max(0.0, self.tokens + tokens))


def _drained(used: float, limit: int | None, seconds: float) -> float:
    return 0.0 if limit is None else max(0.0, used - max(0.0, seconds) * limit / MINUTE_S)


@dataclass(frozen=True, slots=True)
class Reservation:
    """The amount that was reserved for a request."""

    key: CountedKey
    limits: Limits
    amount: Amount
    levels: RateLevels
    """Levels of the rates after the reservation."""
    lease: str | None = None
    """Name of the lease while the request runs; None if the reservation needs no lease."""
    period: str = ""
    """Period of the budget from which the money is taken; empty without a budget."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The limit that refuses a request, and the time until the request may pass."""

    limit: Limit
    wait_s: float
    """Seconds until the same request may pass; infinite if waiting does not help."""
    levels: RateLevels


@dataclass(slots=True)
class KeyUsage:
    """Usage of a key by which a store admits or refuses a request."""

    levels: RateLevels = field(default_factory=RateLevels)
    running: int = 0
    spent: int = 0
    """Money spent in the period, with the reservations of running requests."""

    def exceeded_limit(self, limits: Limits, amount: Amount) -> Limit | None:
        """Return the limit that refuses `amount`, if any. The budget comes first, because waiting a little does not
        help against it."""
        if limits.budget is not None and amount.money and self.spent + amount.money > limits.budget:
            return "budget"
        if limits.concurrent is not None and amount.places and self.running + amount.places > limits.concurrent:
            return "concurrent"
        if _is_over(self.levels.requests, amount.requests, limits.requests_per_minute):
            return "requests"
        if _is_over(self.levels.tokens, amount.tokens, limits.tokens_per_minute):
            return "tokens"
        return None


def _is_over(used: float, added: int, limit: int | None) -> bool:
    return limit is not None and added > 0 and used + added > limit + ROUNDING


def refused(limit: Limit, limits: Limits, amount: Amount, levels: RateLevels) -> Refusal:
    match limit:
        case "requests":
            wait_s = _wait_s(levels.requests, amount.requests, limits.requests_per_minute)
        case "tokens":
            wait_s = _wait_s(levels.tokens, amount.tokens, limits.tokens_per_minute)
        case "concurrent":
            wait_s = 1.0
        case "budget":
            wait_s = math.inf
    return Refusal(limit, wait_s, levels)


def _wait_s(used: float, added: int, limit: int | None) -> float:
    assert limit is not None
    return math.inf if added > limit else (used + added - limit) * MINUTE_S / limit


def new_lease(limits: Limits, amount: Amount) -> str | None:
    """Return a new name for the lease of a request; None if the request needs no lease."""
    return secrets.token_hex(12) if limits.has_leases and amount.places else None


def period_at(period: BudgetPeriod, now: float) -> str:
    """Return the name of the budget period that contains `now` (Unix seconds), such as `2026-01`."""
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
    """Interface of the stores. Every method but `settle` may raise StoreDown."""

    @property
    def faults(self) -> int:
        """Number of settlements that could not be written."""

    async def reserve(self, key: CountedKey, limits: Limits, amount: Amount) -> Reservation | Refusal:
        """Reserve all of `amount`, or nothing."""

    async def settle(self, reservation: Reservation, used: Amount) -> None:
        """End a reservation: return the unused part, and charge any additional usage even if that exceeds a limit.

        All later requests of this server are handled after this step. If the store is down, this is logged, and the
        request stays charged as reserved. A reservation is settled once: if its lease is no longer known, nothing
        changes.
        """

    async def renew(self, running: Sequence[Reservation]) -> None:
        """Extend the leases by another LEASE_S."""

    async def forget(self, tenant: str) -> None:
        """Delete what is counted of the keys of a tenant."""

    async def close(self) -> None: ...


class Spending(Protocol):
    async def spent(self, key: CountedKey, period: str) -> int:
        """Return the money that a key has spent in a period of its budget, in billionths of a dollar."""


Clock = Callable[[], float]
WALL: Clock = time.time
