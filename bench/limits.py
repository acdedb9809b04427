"""Measures the time that a key's limits add to a request (reserve and settle), for one caller at a time and for 200 at
once.

python -m bench.limits            # SQLite, and Redis where redis-server is installed
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from app.access.admission import AdmissionControl
from app.access.keys import Caller
from app.state.counters import NANO, CounterStore, Limits, Prices
from app.state.redis_counters import RedisCounters
from app.state.sqlite_counters import SqliteCounters
from tests.redis_server import serving_redis

ALL = Limits(requests_per_minute=10**9, tokens_per_minute=10**9, concurrent=10**6, budget=10**6 * NANO)
RATES = Limits(requests_per_minute=10**9, tokens_per_minute=10**9)
AT_ONCE = 200


async def visited(control: AdmissionControl, caller: Caller) -> None:
    admission = control.admit(caller)
    await admission.reserve("chat", 100, 100)
    await admission.settle(100, 50)


async def one_after_the_other(control: AdmissionControl, caller: Caller, count: int) -> tuple[float, float]:
    """Return the median milliseconds per request, and the mean processor time of this process."""
    taken = []
    computed = time.process_time()
    for _ in range(count):
        started = time.perf_counter()
        await visited(control, caller)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), (time.process_time() - computed) * 1000 / count


async def at_once(control: AdmissionControl, caller: Caller, count: int) -> tuple[float, float]:
    """Return the milliseconds per request of many at a time, and the processor time of this process."""
    started, computed = time.perf_counter(), time.process_time()
    for _ in range(count // AT_ONCE):
        await asyncio.gather(*(visited(control, caller) for _ in range(AT_ONCE)))
    each = 1000 / (count // AT_ONCE * AT_ONCE)
    return (time.perf_counter() - started) * each, (time.process_time() - computed) * each


def stores(stack: ExitStack, folder: Path) -> Iterator[tuple[str, CounterStore]]:
    yield "SQLite", SqliteCounters(folder / "counters.sqlite")
    if shutil.which("redis-server"):
        yield "Redis", RedisCounters(stack.enter_context(serving_redis(folder)).url)


async def measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        print("milliseconds a request, and in brackets those that this process computed: others may be busy")
        print(f"{'store':8}{'limits':10}{'one by one':>20}{f'{AT_ONCE} at once':>20}")
        for name, store in stores(stack, Path(folder)):
            control = AdmissionControl(store, Prices(1.5, 3.5))
            for what, limits in (("none", Limits()), ("rates", RATES), ("all", ALL)):
                caller = Caller(what, name="bench", limits=limits)
                await at_once(control, caller, AT_ONCE)
                single = await one_after_the_other(control, caller, count)
                many = await at_once(control, caller, count)
                print(f"{name:8}{what:10}{_shown(single):>20}{_shown(many):>20}", flush=True)
            await control.close()


def _shown(measured: tuple[float, float]) -> str:
    return f"{measured[0]:.3f} ({measured[1]:.3f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="requests of each kind")
    asyncio.run(measure(parser.parse_args().count))
