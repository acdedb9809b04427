"""Counters in the memory of the process, for one server. No step waits between reading and writing, so none needs a
lock."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

from app.state.counters import (
    WALL,
    Amount,
    BudgetPeriod,
    Clock,
    CountedKey,
    KeyUsage,
    Limits,
    RateLevels,
    Refusal,
    Reservation,
    Spending,
    new_lease,
    period_at,
    refused,
)


@dataclass(slots=True)
class _Counted:
    """Counts of a key."""

    levels: RateLevels = field(default_factory=RateLevels)
    at: float = 0.0
    """Time of the levels, in seconds of a monotonic clock."""
    running: set[str] = field(default_factory=set)
    """Leases of the requests that run."""
    spent: dict[str, int] = field(default_factory=dict)
    """Money spent by period. It holds at most the present day, the present month and `total`, because the period of a
    key's budget may be changed and changed back."""


class MemoryCounters:
    """Store of counters in memory. What was spent before the process began comes from `spending`."""

    faults = 0

    def __init__(self, spending: Spending, *, clock: Clock = time.monotonic, calendar: Clock = WALL) -> None:
        """`clock` drains the rates, and `calendar` tells the period of a budget."""
        self._spending = spending
        self._clock = clock
        self._calendar = calendar
        self._keys: dict[CountedKey, _Counted] = {}

    async def reserve(self, key: CountedKey, limits: Limits, amount: Amount) -> Reservation | Refusal:
        counted = self._keys.setdefault(key, _Counted())
        period = period_at(limits.budget_period, self._calendar()) if limits.budget is not None else ""
        if period and period not in counted.spent:
            spent = await self._spending.spent(key, period)
            present = {period_at(one, self._calendar()) for one in get_args(BudgetPeriod)}
            counted.spent = {one: money for one, money in counted.spent.items() if one in present}
            counted.spent.setdefault(period, spent)  # another request may have been faster
        levels = self._levels(counted, limits)
        over = KeyUsage(levels, len(counted.running), counted.spent.get(period, 0)).exceeded_limit(limits, amount)
        if over is not None:
            return refused(over, limits, amount, levels)
        levels = levels.plus(amount.requests, amount.tokens)
        counted.levels = levels
        lease = new_lease(limits, amount)
        if lease is not None:
            counted.running.add(lease)
        if period:
            counted.spent[period] += amount.money
        return Reservation(key, limits, amount, levels, lease, period)

    async def settle(self, reservation: Reservation, used: Amount) -> None:
        counted = self._keys.get(reservation.key)
        lease, reserved = reservation.lease, reservation.amount
        if counted is None or (lease is not None and lease not in counted.running):
            return
        if lease is not None:
            counted.running.remove(lease)
        levels = self._levels(counted, reservation.limits)
        counted.levels = levels.plus(used.requests - reserved.requests, used.tokens - reserved.tokens)
        if reservation.period in counted.spent:
            counted.spent[reservation.period] += used.money - reserved.money

    def _levels(self, counted: _Counted, limits: Limits) -> RateLevels:
        now = self._clock()
        counted.levels, counted.at = counted.levels.drained(limits, now - counted.at), now
        return counted.levels

    async def renew(self, running: Sequence[Reservation]) -> None:
        """Do nothing, because leases end with the process."""

    async def forget(self, tenant: str) -> None:
        self._keys = {key: counted for key, counted in self._keys.items() if key.tenant != tenant}

    async def close(self) -> None:
        """Do nothing, because memory needs no closing."""
