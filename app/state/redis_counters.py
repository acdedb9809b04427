"""Counters in Redis, shared by several servers. Each step is one script, and takes one round trip."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError

from app.state.counters import (
    ENDED_LEASE_S,
    KEPT_DAYS,
    LEASE_S,
    MAX_UNFORESEEN,
    MINUTE_S,
    NO_LIMITS,
    ROUNDING,
    WALL,
    Amount,
    Clock,
    DailyUsage,
    Limit,
    Limits,
    RateLevels,
    Refusal,
    Reservation,
    Unsettled,
    new_lease,
    period_at,
    refused,
)
from app.state.entries import StoreDown

T = TypeVar("T")

_ANSWER_S = 2.0
"""Redis may take this many seconds to accept a connection, and this many again to reply."""
_USAGE_COMMANDS = 6
"""Number of commands that add a day's usage."""
_MAX_AT_ONCE = 256
"""At most this many steps share one round trip. If it fails, all of them fail."""
_KEPT_S = KEPT_DAYS * 86400
_PREFIX = "openfaze:"

log = structlog.get_logger(__name__)

# All keys of a tenant belong to one slot of a Redis cluster, because a script may only use keys of one slot. Lua in
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
  if seconds < 0 then
    -- The clock was ahead and was set back. The usage drains from now on, instead of from the time of the wrong clock.
    redis.call('HSET', rates, 'at', string.format('%.17g', now))
  end
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
local unforeseen = tonumber(ARGV[13])
local used_requests, used_tokens = 0, 0
local after_now = '(' .. string.format('%.17g', now)
if rpm or tpm then used_requests, used_tokens = standing() end
local running, spent = 0, 0
if concurrent or budget or tpm then
  -- A lease that was given while the clock was ahead lasts no longer than one that is given now.
  local longest = string.format('%.17g', now + {LEASE_S})
  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', leases, '(' .. longest, '+inf')) do
    redis.call('ZADD', leases, longest, lease)
  end
  redis.call('ZREMRANGEBYSCORE', leases, '-inf', string.format('%.17g', now - {ENDED_LEASE_S}))
  running = redis.call('ZCOUNT', leases, after_now, '+inf')
end
local under_way = 0
if unforeseen > 0 and (budget or tpm) then
  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', leases, after_now, '+inf')) do
    under_way = under_way + tonumber(string.match(lease, '%-(%d+)$') or 0)
  end
end
if budget then spent = tonumber(redis.call('GET', spent_key) or 0) end
local over = ''
if budget and money > 0 and spent + money > budget then over = 'budget'
elseif concurrent and places > 0 and running + places > concurrent then over = 'concurrent'
elseif under_way + unforeseen > {MAX_UNFORESEEN} and (budget or tpm) then over = 'unforeseen'
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
_HEAL = (
    _COMMON
    + """
local damaged = {}
local function heal(key, kind, is_sound)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and (found ~= kind or not is_sound()) then
    redis.call('DEL', key)
    table.insert(damaged, key)
  end
end
heal(rates, 'hash', function()
  for _, value in ipairs(redis.call('HVALS', rates)) do
    local number = tonumber(value)
    -- The difference of an infinite number, or of one that is none, is not 0.
    if not number or number - number ~= 0 then return false end
  end
  return true
end)
heal(leases, 'zset', function() return true end)
heal(spent_key, 'string', function()
  local value = redis.call('GET', spent_key)
  return string.match(value, '^%-?%d+$') and #value < 17
end)
return damaged
"""
)
"""Script that deletes the damaged counters of a tenant, and returns their names."""


_DIGESTS = {
    text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() for text in (_RESERVE, _SETTLE, _RENEW, _HEAL)
}
"""Digests of the scripts. Redis finds the scripts that it has loaded by their digests."""


@dataclass(slots=True, eq=False)
class _Step:
    script: str
    arguments: list[str]
    result: "asyncio.Future[Any] | None" = None
    """Future of the caller; None if no caller waits."""
    failed: Callable[[Exception], None] | None = None
    """Function that gets the error if no caller waits."""


class RedisCounters:
    """Store of counters in Redis. Waiting steps share a round trip, and run in the order in which they were
    requested."""

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        """Open the store. Without a `clock`, the time comes from Redis, which all servers share. Raises ValueError for
        an invalid URL."""
        self._clock = clock
        self._redis = Redis.from_url(
            url,
            socket_timeout=_ANSWER_S,
            socket_connect_timeout=_ANSWER_S,
            # A connection that Redis closed while it was idle is reopened once. After a timeout nothing is sent again,
            # because Redis may still be running the step.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            decode_responses=True,
        )
        self._steps: deque[_Step] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._unsettled = Unsettled()

    @property
    def faults(self) -> int:
        return self._unsettled.faults

    async def reserve(self, tenant: str, limits: Limits, amount: Amount) -> Reservation | Refusal:
        has_budget = limits.budget is not None
        period = period_at(limits.budget_period, (self._clock or WALL)()) if has_budget else ""
        lease = new_lease(limits, amount)
        try:
            over, requests, tokens = await self._run_script(
                _RESERVE,
                tenant,
                limits,
                period,
                limits.concurrent,
                limits.budget,
                amount.requests,
                amount.tokens,
                amount.money,
                amount.places,
                lease,
                amount.unforeseen,
            )
        except StoreDown:
            # Redis may have run the step before its answer was lost. The caller is refused, so nothing is charged.
            self._unsettled.keep(Reservation(tenant, limits, amount, RateLevels(), lease, period), Amount())
            raise
        levels = RateLevels(float(requests), float(tokens))
        if over:
            return refused(cast("Limit", over), limits, amount, levels)
        return Reservation(tenant, limits, amount, levels, lease, period)

    async def settle(self, reservation: Reservation, used: Amount) -> None:
        # The caller need not wait, because later steps of this server come after this one.
        reserved = reservation.amount
        step = self._step(
            _SETTLE,
            reservation.tenant,
            reservation.limits,
            reservation.period,
            reservation.lease,
            used.requests - reserved.requests,
            used.tokens - reserved.tokens,
            used.money - reserved.money,
        )
        step.failed = lambda failure: self._unsettled.keep(reservation, used, failure)
        self._queue(step)

    async def settle_again(self) -> None:
        for reservation, used in self._unsettled.take():
            await self.settle(reservation, used)

    async def renew(self, running: Sequence[Reservation]) -> None:
        leases: dict[str, list[str]] = {}
        for one in running:
            if one.lease is not None:
                leases.setdefault(one.tenant, []).append(one.lease)
        await asyncio.gather(*(self._run_script(_RENEW, tenant, NO_LIMITS, "", *own) for tenant, own in leases.items()))

    async def add(self, usage: Sequence[DailyUsage]) -> None:
        keys: list[str] = []
        async with self._redis.pipeline(transaction=True) as pipe:
            for one in usage:
                key = f"{_base(one.tenant)}:usage:{one.day}"
                keys += [key] * _USAGE_COMMANDS
                pipe.hset(key, "name", one.name)
                for field in ("requests", "input_tokens", "output_tokens", "money"):
                    pipe.hincrby(key, field, getattr(one, field))
                pipe.expire(key, _KEPT_S)
            # The keys of the other tenants are written even if one is damaged. They must not be written again.
            results = await _raise_store_down(pipe.execute(raise_on_error=False))
        damaged = {key for key, result in zip(keys, results, strict=True) if isinstance(result, ResponseError)}
        if damaged:
            log.error("counters_damaged", keys=sorted(damaged))
            await _raise_store_down(self._redis.delete(*damaged))

    async def usage(self) -> list[DailyUsage]:
        rows = []
        for key in await self._keys("*", ":usage:*"):
            row = await _raise_store_down(cast("Awaitable[dict[str, str]]", self._redis.hgetall(key)))
            if row:
                tenant, day = key.removeprefix(f"{_PREFIX}{{").split("}:usage:")
                numbers = (int(row[field]) for field in ("requests", "input_tokens", "output_tokens", "money"))
                rows.append(DailyUsage(tenant, row["name"], day, *numbers))
        return sorted(rows, key=lambda one: (one.name, one.day))

    async def forget(self, tenant: str) -> int:
        keys = await self._keys(tenant, ":*")
        if keys:
            await _raise_store_down(self._redis.delete(*keys))
        return sum(":usage:" in key for key in keys)

    async def close(self) -> None:
        if self._sending is not None:
            await asyncio.wait([self._sending])
        await self._redis.aclose()

    async def _keys(self, tenant: str, rest: str) -> list[str]:
        async def scan() -> list[str]:
            return [key async for key in self._redis.scan_iter(match=f"{_base(tenant)}{rest}", count=1000)]

        return await _raise_store_down(scan())

    async def _run_script(self, script: str, tenant: str, limits: Limits, period: str, *arguments: object) -> Any:
        step = self._step(script, tenant, limits, period, *arguments)
        step.result = asyncio.get_running_loop().create_future()
        self._queue(step)
        return await step.result

    def _step(self, script: str, tenant: str, limits: Limits, period: str, *arguments: object) -> _Step:
        now = self._clock() if self._clock else None
        given = (_base(tenant), now, limits.requests_per_minute, limits.tokens_per_minute, period, *arguments)
        return _Step(script, ["" if one is None else str(one) for one in given])

    def _queue(self, step: _Step) -> None:
        self._steps.append(step)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._steps:
            steps = [self._steps.popleft() for _ in range(min(_MAX_AT_ONCE, len(self._steps)))]
            try:
                results = await self._send(steps)
                results = await self._repeat(steps, results, _is_unknown, loads=True)
                # What is damaged is one tenant's, so the store is not down for the others.
                if await self._heal([step for step, result in zip(steps, results, strict=True) if _failed(result)]):
                    results = await self._repeat(steps, results, _failed)
            except (RedisError, OSError, TimeoutError) as error:
                results = [error] * len(steps)
            for step, result in zip(steps, results, strict=True):
                _deliver(step, result)
        self._sending = None

    async def _repeat(
        self, steps: Sequence[_Step], results: list[Any], is_wanted: Callable[[object], bool], *, loads: bool = False
    ) -> list[Any]:
        """Send the steps with such results again, and return the results of all steps."""
        repeated = [step for step, result in zip(steps, results, strict=True) if is_wanted(result)]
        if not repeated:
            return results
        second_results = dict(zip(repeated, await self._send(repeated, loads=loads), strict=True))
        return [second_results.get(step, result) for step, result in zip(steps, results, strict=True)]

    async def _heal(self, failed: Sequence[_Step]) -> bool:
        """Delete the damaged counters of the tenants whose steps failed. Return True if there were any."""
        if not failed:
            return False
        found = await self._send([_Step(_HEAL, step.arguments) for step in failed], loads=True)
        damaged = [key for keys in found if isinstance(keys, list) for key in keys]
        if damaged:
            log.error("counters_damaged", keys=damaged)
        return bool(damaged)

    async def _send(self, steps: Sequence[_Step], *, loads: bool = False) -> list[Any]:
        """Send steps in one round trip. If `loads`, load the scripts first, because a restarted Redis has none."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for text in _DIGESTS if loads else ():
                pipe.script_load(text)
            for step in steps:
                pipe.evalsha(_DIGESTS[step.script], 1, step.arguments[0], *step.arguments)
            results: list[Any] = await pipe.execute(raise_on_error=False)
            return results[-len(steps) :]


def _deliver(step: _Step, result: object) -> None:
    waiting = step.result
    if waiting is None:
        if isinstance(result, Exception) and step.failed is not None:
            step.failed(result)
    elif waiting.cancelled():
        return
    elif isinstance(result, Exception):
        down = StoreDown(type(result).__name__)
        down.__cause__ = result
        waiting.set_exception(down)
    else:
        waiting.set_result(result)


def _is_unknown(result: object) -> bool:
    return isinstance(result, NoScriptError)


def _failed(result: object) -> bool:
    """Return True if a script failed by itself. If Redis refuses all scripts, for example because it is full, the error
    belongs to a subclass."""
    return type(result) is ResponseError


def _base(tenant: str) -> str:
    return f"{_PREFIX}{{{tenant}}}"


async def _raise_store_down(work: Awaitable[T]) -> T:
    try:
        return await work
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreDown(type(error).__name__) from error
