"""The index of uploaded files: a row of the database for each."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, or_, select, true, tuple_

from app.state.database import Database
from app.state.tables import UPLOADS
from tasks.inputs.limits import MB
from tasks.inputs.loader import Upload


@dataclass(frozen=True, slots=True)
class FileLimits:
    file_bytes: int = 512 * MB
    """Largest number of bytes of one file (OPENFAZE_MAX_FILE_MB)."""
    owner_bytes: int = 10_240 * MB
    """Largest number of bytes of all files of one owner (OPENFAZE_MAX_FILES_MB)."""
    owner_files: int = 10_000
    """Largest number of files of one owner."""
    ttl_s: float = 720 * 3600.0
    """A file is kept for this many seconds; 0 keeps it forever (OPENFAZE_FILES_TTL_HOURS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile(Upload):
    purpose: str
    created: float
    """Seconds since 1970."""
    expires: int | None

    @property
    def name(self) -> str:
        """Name of the file's bytes in the storage. `id` and `owner` are made by the server: no part comes from the
        client."""
        return f"{self.owner}/{self.id}"


class NoRoom(Exception):
    """Raised if the owner has no room for another file. If `too_many`, the number of files is at its limit, and
    otherwise their total size."""

    def __init__(self, *, too_many: bool) -> None:
        super().__init__()
        self.too_many = too_many


class FileIndex:
    """Index of all files. A file exists once it is in the index. Every method may raise StoreDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, file: StoredFile, limits: FileLimits, also: Callable[[Connection], object] | None = None
    ) -> None:
        """Add a file. Uploads of one owner are added one after the other, so that together they keep to the limits.
        `also` is done in the same transaction. Raises NoRoom, and what `also` raises."""

        def add(connection: Connection) -> None:
            count, size = _totals(connection, file.owner)
            if count + 1 > limits.owner_files or size + file.size > limits.owner_bytes:
                raise NoRoom(too_many=count + 1 > limits.owner_files)
            connection.execute(insert(UPLOADS).values(**asdict(file)))
            if also is not None:
                also(connection)

        await self._database.write(add, lock=f"uploads {file.owner}")

    async def find(self, owner: str, file_id: str) -> StoredFile | None:
        return next(iter(await self._select(_of(owner).where(UPLOADS.c.id == file_id))), None)

    async def page(
        self, owner: str, *, now: float, limit: int, after: str | None, purpose: str | None, is_ascending: bool
    ) -> list[StoredFile] | None:
        """Return at most `limit` of the owner's files that have not expired at `now`, the newest first unless
        `is_ascending`; with `after`, those after the file of this id, and None if there is no such file."""
        order = tuple_(UPLOADS.c.created, UPLOADS.c.id)
        beyond: ColumnElement[bool] = true()
        if after is not None:
            last = await self.find(owner, after)
            if last is None:
                return None
            place = tuple_(last.created, last.id)
            beyond = order > place if is_ascending else order < place
        query = _of(owner).where(beyond, or_(UPLOADS.c.expires.is_(None), UPLOADS.c.expires > now))
        if purpose is not None:
            query = query.where(UPLOADS.c.purpose == purpose)
        columns = (UPLOADS.c.created, UPLOADS.c.id)
        query = query.order_by(*(one if is_ascending else one.desc() for one in columns))
        return await self._select(query.limit(limit))

    async def expired(self, now: float) -> list[StoredFile]:
        return await self._select(select(UPLOADS).where(UPLOADS.c.expires <= now))

    async def known(self, owner: str) -> set[str]:
        """Return the ids of the owner's files."""
        return {file.id for file in await self._select(_of(owner))}

    async def totals(self, owner: str) -> tuple[int, int]:
        """Return the number and the bytes of the owner's files."""
        return await self._database.read(lambda connection: _totals(connection, owner))

    async def remove(self, files: Iterable[StoredFile]) -> None:
        ids = [file.id for file in files]
        await self._database.write(lambda connection: connection.execute(delete(UPLOADS).where(UPLOADS.c.id.in_(ids))))

    async def purge(self, owner: str) -> int:
        """Remove all files of an owner, and return their number."""
        query = delete(UPLOADS).where(UPLOADS.c.owner == owner)
        return await self._database.erase(lambda connection: connection.execute(query).rowcount)

    @property
    def is_shared(self) -> bool:
        """True if all servers that use the storage may have this index."""
        return self._database.path is None

    @property
    def is_begun(self) -> bool:
        return self._database.is_begun

    async def _select(self, query: Select[tuple[object, ...]]) -> list[StoredFile]:
        def select_all(connection: Connection) -> list[StoredFile]:
            return [StoredFile(**row._mapping) for row in connection.execute(query)]

        return await self._database.read(select_all)


def _of(owner: str) -> Select[tuple[object, ...]]:
    return select(UPLOADS).where(UPLOADS.c.owner == owner)


def _totals(connection: Connection, owner: str) -> tuple[int, int]:
    query = select(func.count(), func.coalesce(func.sum(UPLOADS.c.size), 0)).where(UPLOADS.c.owner == owner)
    count, size = connection.execute(query).one()
    return int(count), int(size)
