"""Counters in the memory of the process, for one server. No step waits between reading and writing, so none needs a
lock."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.state.counters import (
    WALL,
    Amount,
    Clock,
    Limits,
    RateLevels,
    Refusal,
    Reservation,
    Spending,
    TenantUsage,
    new_lease,
    period_at,
    refused,
)


@dataclass(slots=True)
class _Counted:
    """Counts of a tenant."""

    levels: RateLevels = field(default_factory=RateLevels)
    at: float = 0.0
    """Time of the levels, in seconds of a monotonic clock."""
    running: set[str] = field(default_factory=set)
    """Leases of the requests that run."""
    period: str = ""
    """Period of the budget that the money was spent in."""
    spent: int = 0


class MemoryCounters:
    """Store of counters in memory. What was spent before the process began comes from `spending`."""

    faults = 0

    def __init__(self, spending: Spending, *, clock: Clock = time.monotonic, calendar: Clock = WALL) -> None:
        """`clock` drains the rates, and `calendar` tells the period of a budget."""
        self._spending = spending
        self._clock = clock
        self._calendar = calendar
        self._tenants: dict[str, _Counted] = {}

    async def reserve(self, tenant: str, limits: Limits, amount: Amount) -> Reservation | Refusal:
        counted = self._tenants.setdefault(tenant, _Counted())
        period = period_at(limits.budget_period, self._calendar()) if limits.budget is not None else ""
        if period and counted.period != period:
            spent = await self._spending.spent(tenant, period)
            if counted.period != period:  # no other request was faster
                counted.period, counted.spent = period, spent
        levels = self._levels(counted, limits)
        over = TenantUsage(levels, len(counted.running), counted.spent).exceeded_limit(limits, amount)
        if over is not None:
            return refused(over, limits, amount, levels)
        levels = levels.plus(amount.requests, amount.tokens)
        counted.levels = levels
        lease = new_lease(limits, amount)
        if lease is not None:
            counted.running.add(lease)
        if period:
            counted.spent += amount.money
        return Reservation(tenant, limits, amount, levels, lease, period)

    async def settle(self, reservation: Reservation, used: Amount) -> None:
        counted = self._tenants.get(reservation.tenant)
        lease, reserved = reservation.lease, reservation.amount
        if counted is None or (lease is not None and lease not in counted.running):
            return
        if lease is not None:
            counted.running.remove(lease)
        levels = self._levels(counted, reservation.limits)
        counted.levels = levels.plus(used.requests - reserved.requests, used.tokens - reserved.tokens)
        if reservation.period and reservation.period == counted.period:
            counted.spent += used.money - reserved.money

    def _levels(self, counted: _Counted, limits: Limits) -> RateLevels:
        now = self._clock()
        counted.levels, counted.at = counted.levels.drained(limits, now - counted.at), now
        return counted.levels

    async def renew(self, running: Sequence[Reservation]) -> None:
        """Do nothing, because leases end with the process."""

    async def forget(self, tenant: str) -> None:
        self._tenants.pop(tenant, None)

    async def close(self) -> None:
        """Do nothing, because memory needs no closing."""
