"""Stores cache entries in a Redis, which several servers can share. Redis deletes each entry once it is too old, and
those that were not used for longest when its `maxmemory` is reached (`maxmemory-policy` `volatile-lru` or
`allkeys-lru`)."""

from collections.abc import Awaitable
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


class RedisEntries:
    """Store of cache entries in Redis. The key of an entry is `openfaze:entry:1:TENANT:KIND:HEX`, by which the entries
    of a tenant are found."""

    def __init__(self, url: str) -> None:
        """Create the store. The connection is opened at the first call. Raises ValueError if `url` is not the URL of a
        Redis."""
        self._redis = open_redis(url, connect_s=CONNECT_S, answer_s=_ANSWER_S)

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
        return await delete_matching(self._redis, f"{PREFIX}{tenant}:*")

    async def close(self) -> None:
        await self._redis.aclose()


def _name(key: Key) -> str:
    return f"{PREFIX}{key.tenant}:{key.kind}:{key.digest.hex()}"


async def raise_store_down(work: Awaitable[T]) -> T:
    """Return the result of `work`; errors of Redis are raised as StoreDown."""
    try:
        return await work
    except (RedisError, OSError) as error:
        raise StoreDown(f"{type(error).__name__}: {error}") from error


def open_redis(url: str, *, connect_s: float, answer_s: float, decode_responses: bool = False) -> Redis:
    """Return a client, whose connections are opened when they are needed. Raises ValueError if `url` is not the URL of
    a Redis."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_MAX_CONNECTIONS,
        timeout=connect_s,
        socket_connect_timeout=connect_s,
        socket_timeout=answer_s,
        # A connection that Redis has closed, for example because it was idle, is opened again once. After a timeout
        # nothing is sent again, because Redis may still be at work on it.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        decode_responses=decode_responses,
    )
    return Redis.from_pool(pool)


async def delete_matching(redis: Redis, pattern: str) -> int:
    """Delete all keys that match `pattern`, and return their number. Raises StoreDown."""

    async def delete() -> int:
        # KEYS would block Redis, while SCAN finds a few at a time.
        names = [name async for name in redis.scan_iter(match=pattern, count=1000)]
        return int(await redis.unlink(*names)) if names else 0

    return await raise_store_down(delete())
