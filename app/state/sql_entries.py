"""A store of entries in a table of a database."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, true

from app.state.database import Database, upsert
from app.state.entries import Key

_ENTRY_BYTES = 200
"""Estimated bytes of a row in addition to its value."""
_MAX_AT_ONCE = 256


class SqlEntries:
    """Store of entries in a table. If there are too many, the oldest are deleted."""

    def __init__(
        self,
        database: Database,
        table: Table,
        max_bytes: int,
        *,
        per_tenant: bool = False,
        owns_database: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`max_bytes` is the largest total size of all entries or, with `per_tenant`, of each tenant's entries.
        With `owns_database`, the database is closed with the store."""
        self._database = database
        self._owns_database = owns_database
        self._table = table
        self._max_bytes = max_bytes
        self._per_tenant = per_tenant
        self._clock = clock

    async def get(self, key: Key) -> bytes | None:
        columns = self._table.c
        query = select(columns.value).where(columns.key == key.digest, columns.ends >= self._clock())
        value = await self._database.read(lambda connection: connection.execute(query).scalar())
        return None if value is None else bytes(value)

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        now = self._clock()
        row = {
            "tenant": key.tenant,
            "kind": key.kind,
            "ends": now + max_age_s,
            "written": now,
            "size": len(value) + _ENTRY_BYTES,
            "value": value,
        }

        def put(connection: Connection) -> None:
            insert = upsert(connection, self._table).values(key=key.digest, **row)
            connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=row))
            self._keep_below_maximum(connection, key.tenant)

        await self._database.write(put)

    def _keep_below_maximum(self, connection: Connection, tenant: str) -> None:
        columns = self._table.c
        own = columns.tenant == tenant if self._per_tenant else true()
        size = connection.execute(select(func.coalesce(func.sum(columns.size), 0)).where(own)).scalar_one()
        excess = size - self._max_bytes
        oldest = select(columns.key, columns.size).where(own).order_by(columns.written).limit(_MAX_AT_ONCE)
        while excess > 0 and (rows := connection.execute(oldest).all()):
            keys = []
            for row in rows:
                keys.append(row.key)
                excess -= row.size
                if excess <= 0:
                    break
            connection.execute(delete(self._table).where(columns.key.in_(keys)))

    async def delete(self, key: Key) -> bool:
        columns = self._table.c
        return await self._delete(columns.key == key.digest, columns.ends >= self._clock()) > 0

    async def sweep(self) -> int:
        return await self._delete(self._table.c.ends < self._clock())

    async def purge(self, tenant: str) -> int:
        return await self._delete(self._table.c.tenant == tenant)

    async def close(self) -> None:
        if self._owns_database:
            await self._database.close()

    async def _delete(self, *conditions: ColumnElement[bool]) -> int:
        query: Any = delete(self._table).where(*conditions)
        if not self._database.is_begun:
            return 0
        return await self._database.erase(lambda connection: int(connection.execute(query).rowcount))
