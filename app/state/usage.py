"""The durable record of what keys have used, by day, and of the money that they have spent in each period of their
budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, select

from app.state.counters import KEPT_DAYS, WALL, Clock, CountedKey, day_at
from app.state.database import Database, upsert
from app.state.tables import SPENT, USAGE


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """Usage of a key on one day."""

    tenant: str
    name: str
    """Name of the key in the file of keys."""
    day: str
    """Day in UTC, such as `2026-01-31`."""
    requests: int
    input_tokens: int
    output_tokens: int
    money: int
    """Price, in billionths of a dollar."""


class UsageStore:
    """Usage and spending of all keys. Every method may raise StoreDown."""

    def __init__(self, database: Database, *, clock: Clock = WALL) -> None:
        self._database = database
        self._clock = clock
        self._cleared = ""
        """Day on which old rows were last deleted."""

    async def add(self, usage: Sequence[DailyUsage], spent: Mapping[tuple[CountedKey, str], int]) -> None:
        """Add to the usage of keys, and to the money that they have spent, by key and period."""

        def add(connection: Connection) -> None:
            for one in usage:
                insert = upsert(connection, USAGE).values(**asdict(one))
                added = {name: USAGE.c[name] + insert.excluded[name] for name in _SUMS}
                connection.execute(insert.on_conflict_do_update(index_elements=USAGE.primary_key, set_=added))
            for (key, period), money in spent.items():
                insert = upsert(connection, SPENT).values(**asdict(key), period=period, money=money)
                total = {"money": SPENT.c.money + insert.excluded.money}
                connection.execute(insert.on_conflict_do_update(index_elements=SPENT.primary_key, set_=total))
            self._clear_old(connection)

        await self._database.write(add)

    def _clear_old(self, connection: Connection) -> None:
        today = day_at(self._clock())
        if self._cleared != today:
            oldest = day_at(self._clock() - KEPT_DAYS * 86400)
            connection.execute(delete(USAGE).where(USAGE.c.day < oldest))
            connection.execute(delete(SPENT).where(SPENT.c.period < oldest[:7], SPENT.c.period != "total"))
            self._cleared = today

    async def spent(self, key: CountedKey, period: str) -> int:
        """Return the money that a key has spent in a period of its budget."""
        if not self._database.is_begun:
            return 0
        is_keys = (SPENT.c.tenant == key.tenant) & (SPENT.c.name == key.name)
        query = select(SPENT.c.money).where(is_keys, SPENT.c.period == period)
        return await self._database.read(lambda connection: connection.execute(query).scalar() or 0)

    async def usage(self) -> list[DailyUsage]:
        """Return the usage of all keys, ordered by name and day."""
        if not self._database.is_begun:
            return []
        query = select(USAGE).order_by(USAGE.c.name, USAGE.c.day)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [DailyUsage(**row._mapping) for row in rows]

    async def forget(self, tenant: str) -> int:
        """Delete the usage of a tenant's keys, and return the number of days deleted."""

        def forget(connection: Connection) -> int:
            connection.execute(delete(SPENT).where(SPENT.c.tenant == tenant))
            return connection.execute(delete(USAGE).where(USAGE.c.tenant == tenant)).rowcount

        return await self._database.erase(forget) if self._database.is_begun else 0


_SUMS = ("requests", "input_tokens", "output_tokens", "money")
"""Columns of usage that are added up."""
