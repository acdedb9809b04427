"""Stores cache entries in Redis, which several servers can share.

The script that writes an entry also keeps the entries of each tenant, and those of all tenants together, below their
bounds.
"""

from collections.abc import AsyncIterator, Awaitable
from itertools import groupby
from typing import TypeVar, cast

import structlog

from app.state.entries import EntryTotals, Key, StoreDown

T = TypeVar("T")

PREFIX = "openfaze:entry:1:"
"""Prefix of the keys of all entries in Redis. The number is the version of the form in which values are stored."""
_CONNECT_S = 1.0
_ANSWER_S = 5.0
"""Redis may take this many seconds to receive a command, and this many again to reply. They are enough for the largest
values."""
_MAX_CONNECTIONS = 64
_KEYS_PER_SCAN = 500
"""Number of keys that are scanned in one round trip."""
ENTRY_BYTES = 1024
"""An entry counts this many bytes in addition to its value: for its key and its places in the index. With a value of 20
bytes, Redis 7.0 took 786 bytes. The number is larger, because the allocator adds more to larger values."""
_MAX_FREED = 500
"""One script deletes at most this many entries, so that Redis keeps no other caller waiting for long."""
_MAX_ROUNDS = 1000
"""A value is sent to Redis at most this many times, because other writers may take the room that was made for it."""

log = structlog.get_logger(__name__)

# Three indexes of each tenant hold the last use, the time of expiry and the size of each of its entries. `totals` has
# the total size of each tenant's entries, and `sum` that of all entries. An entry that Redis evicts is counted until
# its time of expiry.
_COMMON = """
local entries, index, tenant = ARGV[1], ARGV[2], ARGV[3]
local totals, sum = index .. 'totals', index .. 'sum'
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local function exact(number) return string.format('%.17g', number) end
local function whole(number) return string.format('%.0f', number) end
local function names(owner)
  return index .. 'used:' .. owner, index .. 'ends:' .. owner, index .. 'sizes:' .. owner
end
local function total_of(owner) return tonumber(redis.call('ZSCORE', totals, owner) or 0) end
local function sum_of_all() return tonumber(redis.call('GET', sum) or 0) end
local function forget_all(owner)
  local used, ends, sizes = names(owner)
  redis.call('UNLINK', used, ends, sizes)
  redis.call('DECRBY', sum, whole(total_of(owner)))
  redis.call('ZREM', totals, owner)
  if redis.call('EXISTS', totals) == 0 then redis.call('DEL', sum) end
end
local function delete(owner, member)
  local used, ends, sizes = names(owner)
  local size = redis.call('HGET', sizes, member) or '0'
  local existed = redis.call('UNLINK', entries .. owner .. ':' .. member)
  redis.call('ZREM', used, member)
  redis.call('ZREM', ends, member)
  redis.call('HDEL', sizes, member)
  redis.call('ZINCRBY', totals, '-' .. size, owner)
  redis.call('DECRBY', sum, size)
  if redis.call('EXISTS', used) == 0 then forget_all(owner) end
  return existed
end
local function sweep(owner, most)
  local _, ends = names(owner)
  local old = redis.call('ZRANGEBYSCORE', ends, '-inf', exact(now), 'LIMIT', 0, most)
  for _, member in ipairs(old) do delete(owner, member) end
  return #old
end
local function delete_oldest(owner)
  local oldest = redis.call('ZRANGE', (names(owner)), 0, 0)[1]
  if oldest then delete(owner, oldest) else forget_all(owner) end
end
-- Delete entries until the tenant may store `size` more bytes, and return true; return false if this would take more
-- than `most` deletions. Entries of the tenant are deleted while it exceeds its own bound, then entries of the largest
-- tenant while all together exceed theirs.
local function make_room(size, max_per_tenant, max_total, most)
  local left = most - sweep(tenant, most)
  while total_of(tenant) > 0 and total_of(tenant) + size > max_per_tenant do
    if left <= 0 then return false end
    delete_oldest(tenant)
    left = left - 1
  end
  while sum_of_all() > 0 and sum_of_all() + size > max_total do
    if left <= 0 then return false end
    local largest = redis.call('ZREVRANGE', totals, 0, 0)[1]
    if not largest then redis.call('DEL', sum) else delete_oldest(largest) end
    left = left - 1
  end
  return true
end
"""
_MAKE_ROOM = (
    _COMMON
    + """
return make_room(tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])) and 1 or 0
"""
)
_PUT = (
    _COMMON
    + """
local size, member, milliseconds, value = tonumber(ARGV[4]), ARGV[8], ARGV[9], ARGV[10]
local used, ends, sizes = names(tenant)
if redis.call('HEXISTS', sizes, member) == 1 then delete(tenant, member) end
if not make_room(size, tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])) then return 0 end
redis.call('SET', entries .. tenant .. ':' .. member, value, 'PX', milliseconds)
redis.call('ZADD', used, exact(now), member)
redis.call('ZADD', ends, exact(now + tonumber(milliseconds) / 1000), member)
redis.call('HSET', sizes, member, whole(size))
redis.call('ZINCRBY', totals, whole(size), tenant)
redis.call('INCRBY', sum, whole(size))
return 1
"""
)
_TOUCH = """
local time = redis.call('TIME')
redis.call('ZADD', ARGV[1], 'XX', time[1] .. '.' .. string.format('%06d', time[2]), ARGV[2])
"""
_DELETE = _COMMON + "return delete(tenant, ARGV[4])"
_FORGET = _COMMON + "forget_all(tenant)"
_SWEEP = _COMMON + "return sweep(tenant, tonumber(ARGV[4]))"
_ADD_UP = (
    _COMMON
    + """
local all, rows = 0, redis.call('ZRANGE', totals, 0, -1, 'WITHSCORES')
for place = 2, #rows, 2 do all = all + tonumber(rows[place]) end
if all > 0 then redis.call('SET', sum, whole(all)) else redis.call('DEL', sum) end
"""
)


class RedisEntries:
    """Store of cache entries in Redis, which deletes each entry once it is too old.

    If a tenant's entries exceed `max_per_tenant`, the tenant's least recently used entries are deleted. If all entries
    exceed `max_total`, the least recently used entries of the largest tenant are deleted. An entry that is larger than
    a bound is not stored.

    The key of an entry is `openfaze:entry:1:TENANT:KIND:HEX`, so that the entries of a tenant can be found.
    """

    def __init__(self, url: str, prefix: str = PREFIX, *, max_per_tenant: int, max_total: int) -> None:
        """Create the store. The connection is opened at the first call.

        `prefix`, with or without its last colon, begins all keys and separates them from other uses of the same Redis.
        `max_per_tenant` is the largest total size of a tenant's entries, and `max_total` that of all entries, in bytes.
        Raises ValueError if `url` is not the URL of a Redis.
        """
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as RedisConnectionError

        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=_CONNECT_S,
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=_ANSWER_S,
            # A connection that Redis has closed, for example because it was idle, is opened again once. After a timeout
            # nothing is sent again, because that would make the caller wait twice as long.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._prefix = prefix
        self._index = f"{prefix.removesuffix(':')}-index:"
        self._max_per_tenant = max_per_tenant
        self._max_total = max_total

    async def get(self, key: Key) -> bytes | None:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(self._name(key))
            pipe.eval(_TOUCH, 0, f"{self._index}used:{key.tenant}", _member(key))
            found, touched = await _raise_store_down(pipe.execute(raise_on_error=False))
        if isinstance(found, Exception):
            raise StoreDown(f"{type(found).__name__}: {found}") from found
        if isinstance(touched, Exception):
            # A full Redis answers a lookup, but refuses to store the time of this last use.
            log.debug("cache_use_not_noted", reason=str(touched))
        # The client does not decode replies, but its types also allow a string here.
        return found.encode() if isinstance(found, str) else found

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        size = len(value) + ENTRY_BYTES
        if size > min(self._max_per_tenant, self._max_total):
            return
        bounds = (size, self._max_per_tenant, self._max_total, _MAX_FREED)
        milliseconds = max(int(max_age_s * 1000), 1)
        for _ in range(_MAX_ROUNDS):
            if await self._run(_PUT, key.tenant, *bounds, _member(key), milliseconds, value):
                return
            # A value may be large, so it is sent again only when there is room.
            while not await self._run(_MAKE_ROOM, key.tenant, *bounds):
                pass
        raise StoreDown("other writers took the room as soon as it was made")

    async def delete(self, key: Key) -> bool:
        return bool(await self._run(_DELETE, key.tenant, _member(key)))

    async def sweep(self) -> int:
        """Remove expired entries from the index, and return their number. Redis itself has deleted the values."""
        tenants = await _raise_store_down(self._redis.zrange(f"{self._index}totals", 0, -1))
        swept = 0
        for tenant in cast("list[bytes]", tenants):
            while count := await self._run(_SWEEP, tenant, _MAX_FREED):
                swept += count
        await self._run(_ADD_UP, "")
        return swept

    async def entry_totals(self) -> list[EntryTotals]:
        sizes: list[tuple[str, str, int]] = []
        async for names in self._names(f"{self._prefix}*"):
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.strlen(name)
                lengths = await _raise_store_down(pipe.execute())
            for name, length in zip(names, lengths, strict=True):
                tenant, kind, _ = name.removeprefix(self._prefix.encode()).decode().split(":")
                sizes.append((tenant, kind, int(length)))
        grouped = groupby(sorted(sizes), key=lambda one: one[:2])
        groups = [(tenant, kind, [size for *_, size in group]) for (tenant, kind), group in grouped]
        return [EntryTotals(tenant, kind, len(group), sum(group)) for tenant, kind, group in groups]

    async def purge(self, tenant: str | None = None) -> int:
        count = 0
        async for names in self._names(f"{self._prefix}*" if tenant is None else f"{self._prefix}{tenant}:*"):
            count += await _raise_store_down(self._redis.unlink(*names))
        if tenant is not None:
            await self._run(_FORGET, tenant)
        else:
            async for names in self._names(f"{self._index}*"):
                await _raise_store_down(self._redis.unlink(*names))
        return count

    async def close(self) -> None:
        await self._redis.aclose()

    async def _run(self, script: str, tenant: str | bytes, *arguments: str | bytes | int) -> int:
        return int(
            await _raise_store_down(self._redis.eval(script, 0, self._prefix, self._index, tenant, *arguments)) or 0
        )

    def _name(self, key: Key) -> str:
        return f"{self._prefix}{key.tenant}:{_member(key)}"

    async def _names(self, pattern: str) -> AsyncIterator[list[bytes]]:
        """Yield the keys that match `pattern`, found by SCAN because KEYS would block Redis."""
        cursor = 0
        while True:
            cursor, names = await _raise_store_down(self._redis.scan(cursor, match=pattern, count=_KEYS_PER_SCAN))
            if names:
                yield [name.encode() if isinstance(name, str) else name for name in names]
            if not cursor:
                return


def _member(key: Key) -> str:
    """Return the name of an entry in the index of its tenant."""
    return f"{key.kind}:{key.digest.hex()}"


async def _raise_store_down(work: Awaitable[T]) -> T:
    """Return the result of `work`; errors of Redis are raised as StoreDown."""
    from redis.exceptions import RedisError

    try:
        return await work
    except (RedisError, OSError) as error:
        raise StoreDown(f"{type(error).__name__}: {error}") from error
