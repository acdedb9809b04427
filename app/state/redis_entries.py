"""Stores cache entries in a Redis, which several servers can share. Redis deletes each entry once it is too old, and
those that were not used for longest when its `maxmemory` is reached (`maxmemory-policy` `volatile-lru` or
`allkeys-lru`)."""

from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from app.state.entries import Key, StoreDown

T = TypeVar("T")

PREFIX = "openfaze:entry:1:"
"""Prefix of the keys of all entries in Redis. The number is the version of the form in which values are stored."""
CONNECT_S = 1.0
_ANSWER_S = 5.0
"""Redis may take this many seconds to receive a command, and this many again to reply. They are enough for the largest
values."""
_MAX_CONNECTIONS = 64
_KEYS_PER_SCAN = 500


class RedisEntries:
    """Store of cache entries in Redis. The key of an entry is `openfaze:entry:1:TENANT:KIND:HEX`, by which the entries
    of a tenant are found."""

    def __init__(self, url: str) -> None:
        """Create the store. The connection is opened at the first call. Raises ValueError if `url` is not the URL of a
        Redis."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=CONNECT_S,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=_ANSWER_S,
            # A connection that Redis has closed, for example because it was idle, is opened again once. After a timeout
            # nothing is sent again, because that would make the caller wait twice as long.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._redis: Redis = Redis.from_pool(pool)

    async def get(self, key: Key) -> bytes | None:
        found: Any = await raise_store_down(self._redis.get(_name(key)))
        return None if found is None else bytes(found)

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        await raise_store_down(self._redis.set(_name(key), value, px=max(int(max_age_s * 1000), 1)))

    async def delete(self, key: Key) -> bool:
        return bool(await raise_store_down(self._redis.unlink(_name(key))))

    async def sweep(self) -> int:
        return 0

    async def purge(self, tenant: str) -> int:
        count = 0
        async for names in self._names(f"{PREFIX}{tenant}:*"):
            count += await raise_store_down(self._redis.unlink(*names))
        return count

    async def close(self) -> None:
        await self._redis.aclose()

    async def _names(self, pattern: str) -> AsyncIterator[list[Any]]:
        """Yield the keys that match `pattern`, found by SCAN because KEYS would block Redis."""
        cursor = 0
        while True:
            cursor, names = await raise_store_down(self._redis.scan(cursor, match=pattern, count=_KEYS_PER_SCAN))
            if names:
                yield list(names)
            if not cursor:
                return


def _name(key: Key) -> str:
    return f"{PREFIX}{key.tenant}:{key.kind}:{key.digest.hex()}"


async def raise_store_down(work: Awaitable[T]) -> T:
    """Return the result of `work`; errors of Redis are raised as StoreDown."""
    try:
        return await work
    except (RedisError, OSError) as error:
        raise StoreDown(f"{type(error).__name__}: {error}") from error
