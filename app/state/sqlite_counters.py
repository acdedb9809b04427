"""A store of counters in one SQLite file, which the servers of one machine can share without another service."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from app.state.counters import (
    ENDED_LEASE_S,
    KEPT_DAYS,
    LEASE_S,
    WALL,
    Amount,
    Clock,
    DailyUsage,
    Limits,
    RateLevels,
    Refusal,
    Reservation,
    TenantUsage,
    Unsettled,
    day_at,
    new_lease,
    period_at,
    refused,
)
from app.state.sqlite_file import Schema, SharedJobs, SqliteFile, erase_log

T = TypeVar("T")

SCHEMA = Schema(
    1,
    """
CREATE TABLE rates (tenant TEXT PRIMARY KEY, requests REAL NOT NULL, tokens REAL NOT NULL, at REAL NOT NULL)
    WITHOUT ROWID;
CREATE TABLE leases (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, ends REAL NOT NULL, period TEXT NOT NULL, money INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX leases_by_tenant ON leases (tenant, ends);
CREATE TABLE spent (
    tenant TEXT NOT NULL, period TEXT NOT NULL, money INTEGER NOT NULL, PRIMARY KEY (tenant, period)
) WITHOUT ROWID;
CREATE TABLE usage (
    tenant TEXT NOT NULL, name TEXT NOT NULL, day TEXT NOT NULL, requests INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, money INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, day)
) WITHOUT ROWID;
""",
)
_LOCKED_S = 1.0
"""A connection waits this many seconds for the lock of another process."""
_SETTLED_S = 0.02

_Step = Callable[[sqlite3.Connection, float], Any]
_USAGE_QUERY = """
SELECT rates.requests, rates.tokens, rates.at, spent.money, held.running, held.unforeseen, held.first, held.last
FROM (
    SELECT count(*) FILTER (WHERE ends > :now) AS running, min(ends) AS first, max(ends) AS last,
        sum(CAST(substr(id, instr(id, '-') + 1) AS INTEGER)) FILTER (WHERE ends > :now AND instr(id, '-')) AS unforeseen
    FROM leases WHERE tenant = :tenant
) AS held
LEFT JOIN rates ON rates.tenant = :tenant
LEFT JOIN spent ON spent.tenant = :tenant AND spent.period = :period
"""


class SqliteCounters:
    """Store of counters in SQLite. Steps run in the order in which they were requested, in one thread with one
    connection; waiting steps share a transaction."""

    def __init__(self, path: Path, *, clock: Clock = WALL) -> None:
        self._file = SqliteFile(path, SCHEMA, "counters", locked_s=_LOCKED_S, is_cache=False)
        self._clock = clock
        self._steps: SharedJobs[_Step, Any] = SharedJobs(self._file, self._do)
        self._later: asyncio.TimerHandle | None = None
        """Timer that starts steps for which no caller waits, unless another step comes first."""
        self._unsettled = Unsettled()
        self._cleared = ""
        """Day on which old rows were last deleted."""

    @property
    def faults(self) -> int:
        return self._unsettled.faults

    async def reserve(self, tenant: str, limits: Limits, amount: Amount) -> Reservation | Refusal:
        return await self._done(lambda db, now: _reserve(db, now, tenant, limits, amount))

    async def settle(self, reservation: Reservation, used: Amount) -> None:
        # The caller need not wait, because later steps are done after this one. Steps that come soon share its
        # transaction.
        self._steps.later(
            lambda db, now: _settle(db, now, reservation, used),
            lambda failure: self._unsettled.keep(reservation, used, failure),
        )
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(_SETTLED_S, self._do_later)

    async def settle_again(self) -> None:
        for reservation, used in self._unsettled.take():
            await self.settle(reservation, used)

    def _do_later(self) -> None:
        self._later = None
        self._steps.begin()

    async def renew(self, running: Sequence[Reservation]) -> None:
        await self._done(
            lambda db, now: db.executemany(
                "UPDATE leases SET ends = ? WHERE id = ?", [(now + LEASE_S, one.lease) for one in running]
            )
        )

    async def add(self, usage: Sequence[DailyUsage]) -> None:
        await self._done(lambda db, now: self._add(db, now, usage))

    def _add(self, db: sqlite3.Connection, now: float, usage: Sequence[DailyUsage]) -> None:
        db.executemany(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens, "
            "output_tokens = output_tokens + excluded.output_tokens, money = money + excluded.money",
            [
                (one.tenant, one.name, one.day, one.requests, one.input_tokens, one.output_tokens, one.money)
                for one in usage
            ],
        )
        if self._cleared != day_at(now):
            oldest = day_at(now - KEPT_DAYS * 86400)
            db.execute("DELETE FROM usage WHERE day < ?", (oldest,))
            db.execute("DELETE FROM spent WHERE period < ? AND period <> 'total'", (oldest[:7],))
            self._cleared = day_at(now)

    async def usage(self) -> list[DailyUsage]:
        rows = await self._done(lambda db, _: db.execute("SELECT * FROM usage ORDER BY name, day").fetchall())
        return [DailyUsage(*row) for row in rows]

    async def forget(self, tenant: str) -> int:
        def delete(db: sqlite3.Connection, _: float) -> int:
            for table in ("rates", "leases", "spent"):
                db.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant,))  # noqa: S608 - names of ours
            deleted: int = db.execute("DELETE FROM usage WHERE tenant = ?", (tenant,)).rowcount
            return deleted

        count: int = await self._done(delete)
        await self._file.run(erase_log)
        return count

    async def close(self) -> None:
        """Finish all requested steps, and close the file."""
        if self._later is not None:
            self._later.cancel()
        await self._steps.end()
        await self._file.close()

    async def _done(self, work: Callable[[sqlite3.Connection, float], T]) -> T:
        done: T = await self._steps.done(work)
        return done

    def _do(self, db: sqlite3.Connection, steps: Sequence[_Step]) -> list[Any]:
        with db:
            db.execute("BEGIN IMMEDIATE")
            now = self._clock()
            return [step(db, now) for step in steps]


def _read_usage(db: sqlite3.Connection, now: float, tenant: str, limits: Limits, period: str) -> TenantUsage:
    key = {"tenant": tenant, "period": period, "now": now}
    requests, tokens, at, spent, running, unforeseen, first, last = db.execute(_USAGE_QUERY, key).fetchone()
    if first is not None and (first <= now - ENDED_LEASE_S or last > now + LEASE_S):
        _tidy_leases(db, now, tenant)
        return _read_usage(db, now, tenant, limits, period)
    if at is not None and at > now:
        # The clock was ahead and has been set back. The bucket drains from this moment instead of from the later time.
        db.execute("UPDATE rates SET at = ? WHERE tenant = ?", (now, tenant))
    levels = RateLevels() if at is None else RateLevels(requests, tokens).drained(limits, now - at)
    return TenantUsage(levels, running, unforeseen or 0, spent or 0)


def _reserve(db: sqlite3.Connection, now: float, tenant: str, limits: Limits, amount: Amount) -> Reservation | Refusal:
    period = period_at(limits.budget_period, now) if limits.budget is not None else ""
    known = _read_usage(db, now, tenant, limits, period)
    over = known.exceeded_limit(limits, amount)
    if over is not None:
        return refused(over, limits, amount, known.levels)
    levels = known.levels.plus(amount.requests, amount.tokens)
    if limits.has_rates and (amount.requests or amount.tokens):
        _write_rates(db, now, tenant, levels)
    lease = new_lease(limits, amount)
    if period and amount.money:
        _spend(db, tenant, period, amount.money)
    if lease is not None:
        db.execute("INSERT INTO leases VALUES (?, ?, ?, ?, ?)", (lease, tenant, now + LEASE_S, period, amount.money))
    return Reservation(tenant, limits, amount, levels, lease, period)


def _settle(db: sqlite3.Connection, now: float, reservation: Reservation, used: Amount) -> None:
    tenant, limits, reserved = reservation.tenant, reservation.limits, reservation.amount
    if reservation.lease is not None and not _delete_lease(db, reservation.lease):
        return
    if limits.has_rates and (reserved.requests, reserved.tokens) != (used.requests, used.tokens):
        levels = _rate_levels(db, now, tenant, limits)
        _write_rates(db, now, tenant, levels.plus(used.requests - reserved.requests, used.tokens - reserved.tokens))
    if reservation.period and used.money != reserved.money:
        _spend(db, tenant, reservation.period, used.money - reserved.money)


def _delete_lease(db: sqlite3.Connection, lease: str) -> bool:
    return db.execute("DELETE FROM leases WHERE id = ?", (lease,)).rowcount > 0


def _rate_levels(db: sqlite3.Connection, now: float, tenant: str, limits: Limits) -> RateLevels:
    row = db.execute("SELECT requests, tokens, at FROM rates WHERE tenant = ?", (tenant,)).fetchone()
    return RateLevels(row[0], row[1]).drained(limits, now - row[2]) if row else RateLevels()


def _write_rates(db: sqlite3.Connection, now: float, tenant: str, levels: RateLevels) -> None:
    db.execute("INSERT OR REPLACE INTO rates VALUES (?, ?, ?, ?)", (tenant, levels.requests, levels.tokens, now))


def _tidy_leases(db: sqlite3.Connection, now: float, tenant: str) -> None:
    """Delete the leases that ended long ago. A lease that was given while the clock was ahead is shortened to the
    duration of a new lease. A running server renews it."""
    longest = now + LEASE_S
    db.execute("UPDATE leases SET ends = ? WHERE tenant = ? AND ends > ?", (longest, tenant, longest))
    db.execute("DELETE FROM leases WHERE tenant = ? AND ends <= ?", (tenant, now - ENDED_LEASE_S))


def _spend(db: sqlite3.Connection, tenant: str, period: str, money: int) -> None:
    db.execute(
        "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET money = money + excluded.money",
        (tenant, period, money),
    )
