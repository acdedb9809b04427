"""A store of entries in Redis, which several servers can share."""

from collections.abc import AsyncIterator, Awaitable
from itertools import groupby
from typing import TypeVar

from app.state.entries import Held, Key, StoreDown

T = TypeVar("T")

PREFIX = "openfaze:entry:1:"
"""Prefix of all keys of the cache in Redis, with the version of the stored form of values."""
_CONNECT_S = 1.0
_MOST_CONNECTIONS = 64
_AT_ONCE = 500
"""Number of keys that are scanned in one round trip."""


class RedisEntries:
    """Store of entries in Redis. Redis expires them by age and, if its memory is short, by its `maxmemory-policy`
    (`allkeys-lru`).

    An entry's key is `openfaze:entry:1:TENANT:KIND:HEX`, so that the entries of a tenant can be found."""

    def __init__(self, url: str, prefix: str = PREFIX) -> None:
        """Create the store. `prefix` begins all keys and separates them from other uses of the same Redis. The
        connection is opened at the first call. Raises ValueError for a URL that is not one of Redis."""
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        # A connection that Redis has closed, for example because it was idle, is opened again once.
        retry = Retry(NoBackoff(), 1)
        pool = BlockingConnectionPool.from_url(
            url, max_connections=_MOST_CONNECTIONS, timeout=_CONNECT_S, socket_connect_timeout=_CONNECT_S, retry=retry
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._prefix = prefix

    async def get(self, key: Key) -> bytes | None:
        found = await _tried(self._redis.get(self._name(key)))
        # The client does not decode replies, but its types also allow a string here.
        return found.encode() if isinstance(found, str) else found

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        await _tried(self._redis.set(self._name(key), value, px=max(int(max_age_s * 1000), 1)))

    async def delete(self, key: Key) -> bool:
        return bool(await _tried(self._redis.unlink(self._name(key))))

    async def sweep(self) -> int:
        return 0  # Redis expires entries by itself

    async def held(self) -> list[Held]:
        sizes: list[tuple[str, str, int]] = []
        async for names in self._names(f"{self._prefix}*"):
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.strlen(name)
                lengths = await _tried(pipe.execute())
            for name, length in zip(names, lengths, strict=True):
                tenant, kind, _ = name.removeprefix(self._prefix.encode()).decode().split(":")
                sizes.append((tenant, kind, int(length)))
        grouped = groupby(sorted(sizes), key=lambda one: one[:2])
        found = [(tenant, kind, [size for *_, size in group]) for (tenant, kind), group in grouped]
        return [Held(tenant, kind, len(group), sum(group)) for tenant, kind, group in found]

    async def purge(self, tenant: str | None = None) -> int:
        count = 0
        async for names in self._names(f"{self._prefix}*" if tenant is None else f"{self._prefix}{tenant}:*"):
            count += await _tried(self._redis.unlink(*names))
        return count

    async def close(self) -> None:
        await self._redis.aclose()

    def _name(self, key: Key) -> str:
        return f"{self._prefix}{key.tenant}:{key.kind}:{key.digest.hex()}"

    async def _names(self, pattern: str) -> AsyncIterator[list[bytes]]:
        """Yield the keys that match `pattern`, found by SCAN because KEYS would block Redis."""
        cursor = 0
        while True:
            cursor, names = await _tried(self._redis.scan(cursor, match=pattern, count=_AT_ONCE))
            if names:
                yield [name.encode() if isinstance(name, str) else name for name in names]
            if not cursor:
                return


async def _tried(work: Awaitable[T]) -> T:
    """Return the result of `work`; errors of Redis are raised as StoreDown."""
    from redis.exceptions import RedisError

    try:
        return await work
    except (RedisError, OSError) as error:
        raise StoreDown(f"{type(error).__name__}: {error}") from error
