"""Counters in Redis, shared by several servers. Each step is one script, and takes one round trip."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import structlog

from app.state.counters import (
    ENDED_LEASE_S,
    KEPT_DAYS,
    LEASE_S,
    MINUTE_S,
    NO_LIMITS,
    ROUNDING,
    WALL,
    Amount,
    Clock,
    CountedKey,
    Limit,
    Limits,
    RateLevels,
    Refusal,
    Reservation,
    Spending,
    new_lease,
    period_at,
    refused,
)
from app.state.entries import StoreDown
from app.state.redis_entries import delete_matching, open_redis, raise_store_down

ANSWER_S = 2.0
"""Redis may take this many seconds to accept a connection, and this many again to reply."""
_KEPT_S = KEPT_DAYS * 86400
_PREFIX = "openfaze:"

log = structlog.get_logger(__name__)

# All entries of a tenant belong to one slot of a Redis cluster, because a script may only use those of one slot. Lua in
# Redis has only doubles as numbers; '%.0f' writes a double without a fraction.
_COMMON = f"""
local base = ARGV[1]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local rates, leases = base .. ':rates', base .. ':leases'
local rpm, tpm, period = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local spent_key = base .. ':spent:' .. period
local function whole(number) return string.format('%.0f', number) end
local function drained(used, limit, seconds)
  if not limit then return 0 end
  return math.max(0, used - math.max(0, seconds) * limit / {MINUTE_S})
end
local function standing()
  local row = redis.call('HMGET', rates, 'requests', 'tokens', 'at')
  local seconds = now - tonumber(row[3] or now)
  return drained(tonumber(row[1] or 0), rpm, seconds), drained(tonumber(row[2] or 0), tpm, seconds)
end
local function write(requests, tokens)
  redis.call('HSET', rates, 'requests', string.format('%.17g', requests), 'tokens', string.format('%.17g', tokens),
    'at', string.format('%.17g', now))
  local longest = math.max(rpm and requests / rpm or 0, tpm and tokens / tpm or 0)
  redis.call('EXPIRE', rates, whole(math.ceil(longest * {MINUTE_S}) + 60))
end
local function spend(money)
  redis.call('INCRBY', spent_key, whole(money))
  if period ~= 'total' then redis.call('EXPIRE', spent_key, {_KEPT_S}) end
end
"""
_RESERVE = (
    _COMMON
    + f"""
local concurrent, budget = tonumber(ARGV[6]), tonumber(ARGV[7])
local requests, tokens, money, places = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local used_requests, used_tokens = 0, 0
if rpm or tpm then used_requests, used_tokens = standing() end
local running, spent = 0, 0
if concurrent or budget or tpm then
  redis.call('ZREMRANGEBYSCORE', leases, '-inf', string.format('%.17g', now - {ENDED_LEASE_S}))
  running = redis.call('ZCOUNT', leases, '(' .. string.format('%.17g', now), '+inf')
end
if budget then spent = tonumber(redis.call('GET', spent_key) or nil) end
local over = ''
if budget and not spent then over = 'unknown'
elseif budget and money > 0 and spent + money > budget then over = 'budget'
elseif concurrent and places > 0 and running + places > concurrent then over = 'concurrent'
elseif rpm and requests > 0 and used_requests + requests > rpm + {ROUNDING} then over = 'requests'
elseif tpm and tokens > 0 and used_tokens + tokens > tpm + {ROUNDING} then over = 'tokens'
else
  used_requests, used_tokens = used_requests + requests, used_tokens + tokens
  if (rpm or tpm) and (requests > 0 or tokens > 0) then write(used_requests, used_tokens) end
  if budget and money > 0 then spend(money) end
  if ARGV[12] ~= '' then redis.call('ZADD', leases, string.format('%.17g', now + {LEASE_S}), ARGV[12]) end
end
return {{over, string.format('%.17g', used_requests), string.format('%.17g', used_tokens)}}
"""
)
_SETTLE = (
    _COMMON
    + """
local lease = ARGV[6]
local requests, tokens, money = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
if lease ~= '' and redis.call('ZREM', leases, lease) == 0 then return end
if (rpm or tpm) and (requests ~= 0 or tokens ~= 0) then
  local used_requests, used_tokens = standing()
  write(math.max(0, used_requests + requests), math.max(0, used_tokens + tokens))
end
if period ~= '' and money ~= 0 then spend(money) end
"""
)
_RENEW = (
    _COMMON
    + f"""
for place = 6, #ARGV do redis.call('ZADD', leases, 'XX', string.format('%.17g', now + {LEASE_S}), ARGV[place]) end
"""
)


class RedisCounters:
    """Store of counters in Redis. What was spent in a period that Redis knows nothing of comes from `spending`."""

    def __init__(self, url: str, spending: Spending, *, clock: Clock | None = None) -> None:
        """Open the store. Without a `clock`, the time comes from Redis, which all servers share. Raises ValueError for
        an invalid URL."""
        self._spending = spending
        self._clock = clock
        self._redis = open_redis(url, connect_s=ANSWER_S, answer_s=ANSWER_S, decode_responses=True)
        self._scripts = {text: self._redis.register_script(text) for text in (_RESERVE, _SETTLE, _RENEW)}
        self._settling: dict[asyncio.Task[None], CountedKey] = {}
        """Settlements that are being written, with their keys."""
        self.faults = 0

    async def reserve(self, key: CountedKey, limits: Limits, amount: Amount) -> Reservation | Refusal:
        if settling := [task for task, whose in self._settling.items() if whose == key]:
            await asyncio.wait(settling)
        period = period_at(limits.budget_period, (self._clock or WALL)()) if limits.budget is not None else ""
        lease = new_lease(limits, amount)
        wanted = (amount.requests, amount.tokens, amount.money, amount.places, lease)
        ask = (key, limits, period, limits.concurrent, limits.budget, *wanted)
        over, requests, tokens = await self._run(_RESERVE, *ask)
        if over == "unknown":
            await self._begin_period(key, period)
            over, requests, tokens = await self._run(_RESERVE, *ask)
        levels = RateLevels(float(requests), float(tokens))
        if over:
            return refused(cast("Limit", over), limits, amount, levels)
        return Reservation(key, limits, amount, levels, lease, period)

    async def _begin_period(self, key: CountedKey, period: str) -> None:
        spent = await self._spending.spent(key, period)
        seconds = None if period == "total" else _KEPT_S
        await raise_store_down(self._redis.set(f"{_base(key)}:spent:{period}", spent, ex=seconds, nx=True))

    async def settle(self, reservation: Reservation, used: Amount) -> None:
        # The caller need not wait, and may have been cancelled. The next request of the key waits for this task.
        task = asyncio.create_task(self._settle(reservation, used))
        self._settling[task] = reservation.key
        task.add_done_callback(self._settling.pop)

    async def _settle(self, reservation: Reservation, used: Amount) -> None:
        reserved = reservation.amount
        try:
            await self._run(
                _SETTLE,
                reservation.key,
                reservation.limits,
                reservation.period,
                reservation.lease,
                used.requests - reserved.requests,
                used.tokens - reserved.tokens,
                used.money - reserved.money,
            )
        except StoreDown as error:
            self.faults += 1
            log.warning("counters_not_settled", reason=str(error))

    async def renew(self, running: Sequence[Reservation]) -> None:
        leases: dict[CountedKey, list[str]] = {}
        for one in running:
            if one.lease is not None:
                leases.setdefault(one.key, []).append(one.lease)
        for key, own in leases.items():
            await self._run(_RENEW, key, NO_LIMITS, "", *own)

    async def forget(self, tenant: str) -> None:
        await delete_matching(self._redis, f"{_prefix(tenant)}*")

    async def close(self) -> None:
        if self._settling:
            await asyncio.wait(self._settling)
        await self._redis.aclose()

    async def _run(self, script: str, key: CountedKey, limits: Limits, period: str, *arguments: object) -> Any:
        now = self._clock() if self._clock else None
        given = (_base(key), now, limits.requests_per_minute, limits.tokens_per_minute, period, *arguments)
        texts = ["" if one is None else str(one) for one in given]
        return await raise_store_down(self._scripts[script](keys=texts[:1], args=texts))


def _base(key: CountedKey) -> str:
    return f"{_prefix(key.tenant)}{key.name}"


def _prefix(tenant: str) -> str:
    """Return the beginning of the names of a tenant's entries. The part in braces determines the cluster's slot."""
    return f"{_PREFIX}{{{tenant}}}:"
