"""The store of batches, which all servers share.

Only the server that holds the lease of a batch runs the batch. Writes of a server that lost the lease are refused. The
result of a line is written once, in one transaction with the batch's counts.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, tuple_, update

from app.access.keys import KeyReference
from app.state.database import Database, upsert
from app.state.tables import BATCHES, LINES

Status = Literal["validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"]
Ended = Literal["completed", "failed", "expired", "cancelled"]
RUNNING: tuple[Status, ...] = ("validating", "in_progress", "finalizing", "cancelling")

_OVERDUE_S = 24 * 3600.0
"""A batch whose notice was never sent, for example because the settings no longer name a webhook, may be deleted after
this many seconds."""
MAX_FINISHED = 1000
"""At most this many finished batches are kept per key. A batch with metadata and a hundred errors takes about 36 kB."""
_PAGE = 16
"""At most this many records are read at once, because each may have megabytes."""


class LeaseLost(Exception):
    """Raised if another server runs the batch now."""


class TooManyResults(Exception):
    """Raised if the results of a batch would be larger than a file may be."""


class TooManyBatches(Exception):
    """Raised if the key already has its maximum of unfinished batches."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch. The fields are columns of the table."""

    id: str
    tenant: str
    endpoint: str
    input_file: str
    created: float
    """Time in seconds since 1970, as in all fields that hold a time."""
    expires: float
    metadata: dict[str, str] | None = None
    status: Status = "validating"
    outcome: Ended = "completed"
    """Status of the batch once its files are written, unless it is cancelled."""
    moments: dict[str, int] = field(default_factory=dict)
    """Time at which the batch reached each status, by status."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    """Number of lines."""
    completed: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    reasoning_tokens: int = 0
    result_bytes: int = 0
    """Number of bytes of the results, each with its line end."""
    output_file: str | None = None
    error_file: str | None = None
    output_keep_s: float | None = None
    """Time for which the files of results are kept, in seconds; None for the server's own."""
    key_digest: str = ""
    """Digest of the key that made the batch, in the form of KeyReference."""
    key_name: str = ""
    tries: int = 0
    """Number of calls of the webhook."""

    @property
    def key(self) -> KeyReference:
        return KeyReference(self.tenant, self.key_digest, self.key_name)


@dataclass(frozen=True, slots=True)
class Record:
    """The result of a line."""

    number: int
    """Number of the line in the input file, from 1."""
    is_answer: bool
    """False for an error."""
    line: bytes
    """Line of the output file, or of the error file."""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    reasoning_tokens: int = 0


_COLUMNS = [BATCHES.c[one.name] for one in fields(Batch)]
_IS_UNFINISHED = BATCHES.c.status.in_(RUNNING)


class BatchStore:
    """Store of batches. Every method may raise StoreDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_begun(self) -> bool:
        """True if there may be batches."""
        return self._database.is_begun

    async def add(self, batch: Batch, limit: int) -> None:
        """Add a batch, and delete the finished batches of its key beyond the newest MAX_FINISHED. Raises TooManyBatches
        if the key already has `limit` unfinished batches."""
        own = BATCHES.c.tenant == batch.tenant

        def add(connection: Connection) -> None:
            if connection.execute(select(func.count()).where(own, _IS_UNFINISHED)).scalar_one() >= limit:
                raise TooManyBatches
            connection.execute(insert(BATCHES).values(**asdict(batch)))
            finished = select(BATCHES.c.id).where(own, ~_IS_UNFINISHED, BATCHES.c.notice_due.is_(None))
            newest_first = finished.order_by(BATCHES.c.created.desc(), BATCHES.c.id.desc())
            old = newest_first.offset(MAX_FINISHED).limit(MAX_FINISHED)
            connection.execute(delete(BATCHES).where(BATCHES.c.id.in_(old)))

        await self._database.write(add, lock=f"batches {batch.tenant}")

    async def find(self, tenant: str, batch_id: str) -> Batch | None:
        if not self.is_begun:
            return None
        is_it = (BATCHES.c.id == batch_id) & (BATCHES.c.tenant == tenant)
        return await self._database.read(lambda connection: _find(connection, is_it))

    async def page(self, tenant: str, after: Batch | None, limit: int) -> list[Batch]:
        """Return a page of a tenant's batches after the batch `after`, the newest first."""
        if not self.is_begun:
            return []
        query = select(*_COLUMNS).where(BATCHES.c.tenant == tenant)
        if after is not None:
            query = query.where(tuple_(BATCHES.c.created, BATCHES.c.id) < tuple_(after.created, after.id))
        query = query.order_by(BATCHES.c.created.desc(), BATCHES.c.id.desc()).limit(limit)
        return await self._database.read(
            lambda connection: [Batch(**row._mapping) for row in connection.execute(query)]
        )

    async def cancel(self, tenant: str, batch_id: str, now: float) -> Batch | None:
        """Mark a batch as being cancelled unless its lines are finished, and return the batch; None if the tenant has
        no such batch. The server that runs the batch sees the new status when it renews the lease."""

        def cancel(connection: Connection) -> Batch | None:
            batch = _find(connection, (BATCHES.c.id == batch_id) & (BATCHES.c.tenant == tenant), lock="wait")
            if batch is None or batch.status not in ("validating", "in_progress"):
                return batch
            moments = {**batch.moments, "cancelling": int(now)}
            return _update(connection, BATCHES.c.id == batch_id, status="cancelling", moments=moments)

        return await self._database.write(cancel)

    async def claim(
        self, holder: str, now: float, until: float, running: Iterable[str] = (), full: Iterable[str] = ()
    ) -> Batch | None:
        """Lease and return the oldest unfinished batch that no server runs; None if there is none. Batches in `running`
        and batches of tenants in `full` are skipped."""
        is_free = _IS_UNFINISHED & (BATCHES.c.held_until < now)
        may_run = is_free & BATCHES.c.id.not_in(list(running)) & BATCHES.c.tenant.not_in(list(full))

        def claim(connection: Connection) -> Batch | None:
            batch = _find(connection, may_run, BATCHES.c.created, lock="skip")
            return batch and _update(connection, BATCHES.c.id == batch.id, holder=holder, held_until=until)

        return await self._database.write(claim)

    async def renew(self, holder: str, until: float, batches: Sequence[str]) -> dict[str, Status]:
        """Renew the leases that `holder` still has, and return the statuses of these batches."""
        own = (BATCHES.c.holder == holder) & BATCHES.c.id.in_(batches)

        def renew(connection: Connection) -> dict[str, Status]:
            connection.execute(update(BATCHES).where(own).values(held_until=until))
            rows = connection.execute(select(BATCHES.c.id, BATCHES.c.status).where(own))
            return {row.id: row.status for row in rows}

        return await self._database.write(renew)

    async def release(self, batch_id: str, holder: str, until: float = 0) -> None:
        """End the lease of a batch. No server claims the batch before `until`."""
        query = update(BATCHES).where(_is_held(batch_id, holder)).values(holder=None, held_until=until)
        await self._database.write(lambda connection: connection.execute(query))

    async def change(self, batch_id: str, holder: str, **values: Any) -> Batch:
        """Change fields of a batch. Raises LeaseLost if `holder` no longer has its lease."""
        return await self._database.write(self.changing(batch_id, holder, **values))

    def changing(self, batch_id: str, holder: str, **values: Any) -> Callable[[Connection], Batch]:
        """Return `change` as work for a transaction that does something else, too."""
        return lambda connection: _update(connection, _is_held(batch_id, holder), **values)

    async def advance(self, batch_id: str, holder: str, status: Status, now: float, **values: Any) -> Batch:
        """Change fields of a batch and also its status, unless the batch is being cancelled. Raises LeaseLost."""

        def advance(connection: Connection) -> Batch:
            batch = _update(connection, _is_held(batch_id, holder), **values)
            if batch.status == "cancelling":
                return batch
            moments = {**batch.moments, status: int(now)}
            return _update(connection, BATCHES.c.id == batch_id, status=status, moments=moments)

        return await self._database.write(advance)

    async def end(self, batch_id: str, holder: str, status: Ended, now: float, *, tell: bool, **values: Any) -> Batch:
        """End a batch, and delete the results of its lines. By then, the results that the client gets are in files.
        `tell` is True if the webhook is to be called. Raises LeaseLost."""

        def end(connection: Connection) -> Batch:
            batch = _update(connection, _is_held(batch_id, holder), **values)
            connection.execute(delete(LINES).where(LINES.c.batch == batch_id))
            moments = {**batch.moments, status: int(now)}
            ended = {"holder": None, "held_until": 0.0, "notice_due": now if tell else None}
            return _update(connection, BATCHES.c.id == batch_id, status=status, moments=moments, **ended)

        return await self._database.write(end)

    async def note(self, batch_id: str, holder: str, records: Sequence[Record], most_bytes: float = math.inf) -> None:
        """Write results of lines. A line that already has a result keeps it. Raises LeaseLost, and TooManyResults,
        without writing anything, if the batch would have more than `most_bytes` of results."""

        def note(connection: Connection) -> None:
            _update(connection, _is_held(batch_id, holder))
            new = [record for record in records if _insert(connection, batch_id, record)]
            added = {
                "completed": sum(record.is_answer for record in new),
                "failed": sum(not record.is_answer for record in new),
                "prompt_tokens": sum(record.prompt_tokens for record in new),
                "answer_tokens": sum(record.answer_tokens for record in new),
                "reasoning_tokens": sum(record.reasoning_tokens for record in new),
                "result_bytes": sum(len(record.line) + 1 for record in new),
            }
            sums = {name: BATCHES.c[name] + number for name, number in added.items()}
            if _update(connection, BATCHES.c.id == batch_id, **sums).result_bytes > most_bytes:
                raise TooManyResults

        await self._database.write(note)

    async def done(self, batch_id: str) -> set[int]:
        """Return the numbers of the lines that have results."""
        query = select(LINES.c.number).where(LINES.c.batch == batch_id)
        return await self._database.read(lambda connection: set(connection.execute(query).scalars()))

    async def file_bytes(self, batch_id: str, *, is_answer: bool) -> int:
        """Return the size that the output or error file of a batch will have."""
        size = func.sum(func.length(LINES.c.record) + 1)
        query = select(size).where(LINES.c.batch == batch_id, LINES.c.is_answer == is_answer)
        return await self._database.read(lambda connection: int(connection.execute(query).scalar() or 0))

    async def records(self, batch_id: str, *, is_answer: bool, after: int) -> list[tuple[int, bytes]]:
        """Return the next lines of an output or error file, in order; empty at its end."""
        own = (LINES.c.batch == batch_id) & (LINES.c.is_answer == is_answer) & (LINES.c.number > after)
        query = select(LINES.c.number, LINES.c.record).where(own).order_by(LINES.c.number).limit(_PAGE)
        return await self._database.read(
            lambda connection: [(number, bytes(record)) for number, record in connection.execute(query)]
        )

    async def claim_notice(self, now: float, until: float) -> Batch | None:
        """Return the batch whose end the webhook has to report now, the longest overdue first, and reserve it for this
        server until `until`; None if there is none."""

        def claim(connection: Connection) -> Batch | None:
            batch = _find(connection, BATCHES.c.notice_due <= now, BATCHES.c.notice_due, lock="skip")
            return batch and _update(connection, BATCHES.c.id == batch.id, notice_due=until)

        return await self._database.write(claim)

    async def note_notice(self, batch_id: str, again_at: float | None) -> None:
        """Count a call of the webhook. The next call is due at `again_at`; None if there is no next call."""
        query = update(BATCHES).where(BATCHES.c.id == batch_id)
        counted = query.values(notice_due=again_at, tries=BATCHES.c.tries + 1)
        await self._database.write(lambda connection: connection.execute(counted))

    async def sweep(self, before: float, now: float) -> int:
        """Delete the finished batches that were made before `before`, and return their number. A batch whose notice
        waits is deleted only when the notice is overdue by _OVERDUE_S."""
        due = BATCHES.c.notice_due
        is_old = (BATCHES.c.created < before) & ~_IS_UNFINISHED & or_(due.is_(None), due < now - _OVERDUE_S)
        query = delete(BATCHES).where(is_old)
        return await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def purge(self, tenant: str) -> int:
        """Delete all batches of a tenant, including running ones, and return their number."""
        query = delete(BATCHES).where(BATCHES.c.tenant == tenant)
        if not self.is_begun:
            return 0
        return await self._database.erase(lambda connection: connection.execute(query).rowcount)


def _is_held(batch_id: str, holder: str) -> ColumnElement[bool]:
    return (BATCHES.c.id == batch_id) & (BATCHES.c.holder == holder)


def _find(
    connection: Connection,
    condition: ColumnElement[bool],
    order: ColumnElement[Any] = BATCHES.c.id,
    *,
    lock: Literal["wait", "skip"] | None = None,
) -> Batch | None:
    """Return the first batch that meets the condition. With `lock`, no other server changes it before the transaction
    ends; a batch that another server has locked is waited for, or skipped."""
    query = select(*_COLUMNS).where(condition).order_by(order).limit(1)
    if lock is not None:
        query = query.with_for_update(skip_locked=lock == "skip")
    row = connection.execute(query).one_or_none()
    return None if row is None else Batch(**row._mapping)


def _update(connection: Connection, condition: ColumnElement[bool], **values: Any) -> Batch:
    """Change the batch that meets the condition, and return it. Raises LeaseLost if there is none."""
    query = update(BATCHES).where(condition).values(**values or {"id": BATCHES.c.id}).returning(*_COLUMNS)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise LeaseLost
    return Batch(**row._mapping)


def _insert(connection: Connection, batch_id: str, record: Record) -> bool:
    """Write the result of a line, unless it has one. Return True if it was written."""
    row = {"batch": batch_id, "number": record.number, "is_answer": record.is_answer, "record": record.line}
    query = upsert(connection, LINES).values(**row).on_conflict_do_nothing()
    return bool(connection.execute(query).rowcount)
