"""Calculates the number of replicas that a load needs, by a model of queues, batches and autoscaling that is checked
against real hosts.

    python -m bench.capacity check      # the model against real engine hosts, 1, 2 and 4 of them
    python -m bench.capacity plan       # measures OCR and speech here, and prints the replicas for each load

The assumptions of the model are in docs/capacity.md.
"""

import argparse
import asyncio
import logging
import math
import random
import statistics
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy
import structlog

from bench.speech import quiet_services
from models.base import EngineOverloaded, EngineSpec
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from tasks.base import TaskRequest
from tasks.inputs.source import Origin, Source
from tests.conftest import SHARED

Steps = Generator[simpy.Event, Any, None]

MAX_WAITING = 64
"""Largest number of requests that wait for a replica: the default of OPENFAZE_MAX_QUEUE."""
LOADS = (10, 100, 1_000, 10_000)
"""Loads in requests per second."""
FLEET = 40
"""Largest number of replicas that are simulated together. A larger number is simulated as several fleets of this size:
with more replicas to choose from, a router performs no worse."""
SLOWER = 2.0
"""Largest 95th percentile of the time of a request, in multiples of its service time."""


@dataclass(frozen=True)
class Service:
    """Service times of a replica: a batch of n items takes `base_s` + n · `item_s` on average."""

    name: str
    base_s: float
    item_s: float
    spread: float = 0.0
    """Standard deviation of a batch's time, divided by its mean (log-normal)."""
    batch: int = 1

    def seconds(self, count: int, rng: random.Random) -> float:
        mean = self.base_s + count * self.item_s
        if not self.spread:
            return mean
        variance = math.log(1 + self.spread**2)
        return mean * rng.lognormvariate(-variance / 2, math.sqrt(variance))

    @property
    def most_a_second(self) -> float:
        """Items per second of one replica whose batches are always full."""
        return self.batch / (self.base_s + self.batch * self.item_s)


@dataclass(frozen=True)
class Scaling:
    """Scaling like Ray Serve's: it checks the number of requests per replica, and adds or removes replicas once the
    need has lasted a while."""

    least: int
    most: int
    ongoing: float = 2.0
    """Number of requests that each replica should have."""
    look_s: float = 1.0
    up_after_s: float = 10.0
    down_after_s: float = 120.0
    start_s: float = 8.0
    """Seconds until a new replica has loaded its weights."""


@dataclass
class Outcome:
    waits: list[float] = field(default_factory=list)
    """Seconds from arrival to answer, for each request."""
    refused: int = 0
    replicas: list[int] = field(default_factory=list)
    """Number of replicas at each check."""

    def percentile(self, share: float) -> float:
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan

    @property
    def refused_share(self) -> float:
        return self.refused / max(1, self.refused + len(self.waits))


class Replica:
    """A replica in the model."""

    def __init__(self, env: simpy.Environment, service: Service, rng: random.Random, outcome: Outcome) -> None:
        self._env, self._service, self._rng, self._outcome = env, service, rng, outcome
        self._waiting: deque[float] = deque()
        self._running = 0
        self._arrived = env.event()
        self.leaving = False
        env.process(self._work())

    @property
    def ongoing(self) -> int:
        return len(self._waiting) + self._running

    def take(self) -> None:
        self._waiting.append(self._env.now)
        if not self._arrived.triggered:
            self._arrived.succeed()

    def _work(self) -> Steps:
        while True:
            if not self._waiting:
                self._arrived = self._env.event()
                yield self._arrived
            # The batch consists of the requests that arrived meanwhile; it waits for no others.
            count = self._running = min(len(self._waiting), self._service.batch)
            came = [self._waiting.popleft() for _ in range(count)]
            yield self._env.timeout(self._service.seconds(count, self._rng))
            self._running = 0
            self._outcome.waits += [self._env.now - at for at in came]


def least_busy(replicas: Sequence[Any], rng: random.Random) -> Any:
    """Return the less busy of two replicas drawn at random, like Ray Serve's router (power of two choices)."""
    return min(rng.sample(replicas, min(2, len(replicas))), key=lambda one: one.ongoing)


def arrivals(rate: float, seconds: float, rng: random.Random) -> Iterator[float]:
    """Yield the pauses between independent requests (Poisson)."""
    at = 0.0
    while (at := at + (pause := rng.expovariate(rate))) < seconds:
        yield pause


def simulated(
    service: Service,
    rates: Sequence[tuple[float, float]],
    replicas: int,
    *,
    scaling: Scaling | None = None,
    seed: int = 0,
) -> Outcome:
    """Simulate the replicas. `rates` are pairs of requests per second and their duration in seconds, in succession."""
    env, rng, outcome = simpy.Environment(), random.Random(seed), Outcome()
    running = [Replica(env, service, rng, outcome) for _ in range(replicas)]

    def ask() -> Steps:
        for rate, seconds in rates:
            for pause in arrivals(rate, seconds, rng):
                yield env.timeout(pause)
                replica = least_busy(running, rng)
                if replica.ongoing >= MAX_WAITING + service.batch:
                    outcome.refused += 1
                else:
                    replica.take()

    def scale(how: Scaling) -> Steps:
        starting, over_since, under_since = 0, math.inf, math.inf

        def start() -> Steps:
            nonlocal starting
            yield env.timeout(how.start_s)
            starting -= 1
            running.append(Replica(env, service, rng, outcome))

        while True:
            yield env.timeout(how.look_s)
            outcome.replicas.append(len(running))
            have = len(running) + starting
            wanted = math.ceil(sum(one.ongoing for one in running) / how.ongoing)
            wanted = max(how.least, min(how.most, wanted))
            over_since = min(over_since, env.now) if wanted > have else math.inf
            under_since = min(under_since, env.now) if wanted < have else math.inf
            if env.now - over_since >= how.up_after_s:
                for _ in range(wanted - have):
                    starting += 1
                    env.process(start())
                over_since = math.inf
            if env.now - under_since >= how.down_after_s:
                del running[wanted:]  # they finish their requests
                under_since = math.inf

    asking = env.process(ask())
    if scaling is not None:
        env.process(scale(scaling))
    env.run(until=asking)
    env.run(until=env.now + 60)
    return outcome


class Sleeper:
    """Implementation of `models.base.Engine` that sleeps for the duration of a batch."""

    def __init__(self, service: Service, seed: int) -> None:
        self._service, self._rng = service, random.Random(seed)

    def load(self) -> None:
        pass

    def run(self, items: Sequence[int]) -> list[int]:
        time.sleep(self._service.seconds(len(items), self._rng))
        return list(items)

    def close(self) -> None:
        pass


class Hosted:
    """A real host of a Sleeper."""

    def __init__(self, service: Service, number: int) -> None:
        spec = EngineSpec(f"sleeper-{number}", "toy", "Apache-2.0", "here")
        self.host = EngineHost[int, int](
            spec, lambda: Sleeper(service, number), HostLimits(service.batch, max_queue=MAX_WAITING)
        )
        self.ongoing = 0

    async def run(self, item: int) -> None:
        self.ongoing += 1
        try:
            await self.host.run(item)
        finally:
            self.ongoing -= 1


async def measured(service: Service, rate: float, seconds: float, replicas: int, seed: int = 1) -> Outcome:
    """Measure the same load on real hosts, in real time."""
    hosts, rng, outcome = [Hosted(service, number) for number in range(replicas)], random.Random(seed), Outcome()
    await asyncio.gather(*(one.host.load() for one in hosts))

    async def ask(due: float) -> None:
        try:
            await least_busy(hosts, rng).run(0)
        except EngineOverloaded:
            outcome.refused += 1
            return
        outcome.waits.append(time.perf_counter() - due)

    asking, due = [], time.perf_counter()
    for pause in arrivals(rate, seconds, rng):
        due += pause
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        asking.append(asyncio.create_task(ask(due)))
    await asyncio.gather(*asking)
    await asyncio.gather(*(one.host.close() for one in hosts))
    return outcome


async def check(seconds: float) -> None:
    print("| engine | replicas | load | p50 predicted, measured (ms) | p95 predicted, measured (ms) |")
    print("|---|---|---|---|---|")
    for service in (
        Service("one at a time, 100 ms ± 30 %", 0.0, 0.100, 0.3),
        Service("batches of 8, 50 ms + 20 ms each", 0.050, 0.020, 0.1, batch=8),
    ):
        for replicas in (1, 2, 4):
            for load in (0.5, 0.8):
                rate = load * replicas * service.most_a_second
                model = simulated(service, [(rate, 40 * seconds)], replicas)
                real = await measured(service, rate, seconds, replicas)
                cells = (
                    f"{1000 * model.percentile(share):.0f}, {1000 * real.percentile(share):.0f}"
                    for share in (0.5, 0.95)
                )
                print(f"| {service.name} | {replicas} | {load:.0%} | {' | '.join(cells)} |", flush=True)


async def services_here(rounds: int) -> list[Service]:
    """Measure OCR of a receipt and of eleven seconds of speech on this machine, one request at a time."""
    services, found = quiet_services(), []
    for task, sample in (("ocr", "receipt_000.jpg"), ("speech_to_text", "speech_jfk.flac")):
        data = (SHARED / "samples" / sample).read_bytes()
        times = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            await services.tasks.find(task).run(TaskRequest("", (Source(Origin("sample"), data=data),)))
            times.append(time.perf_counter() - began)
        mean = statistics.mean(times[1:])  # the first request includes the load of the engine
        found.append(Service(task, 0.0, mean, statistics.stdev(times[1:]) / mean))
    await services.close()
    return found


def replicas_for(service: Service, rate: float) -> tuple[int, Outcome]:
    """Return the least number of replicas that refuse no request and whose 95th percentile is at most SLOWER service
    times."""
    one = service.base_s + service.item_s
    fleets = math.ceil(rate / service.most_a_second / FLEET)
    rate /= fleets
    seconds = max(40 * one, 4_000 / rate)

    def run(count: int) -> Outcome:
        return simulated(service, [(rate, seconds)], count)

    def suffices(count: int) -> bool:
        outcome = run(count)
        return not outcome.refused and outcome.percentile(0.95) <= SLOWER * one

    low = max(1, math.ceil(rate / service.most_a_second))
    high = low
    while not suffices(high):
        low, high = high + 1, math.ceil(1.25 * high) + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle + 1, high)
    return low * fleets, run(low)


async def plan(rounds: int) -> None:
    found = await services_here(rounds)
    print("| engine | a request alone | requests a second | replicas | busy | p50 | p95 |")
    print("|---|---|---|---|---|---|---|")
    for service in found:
        for rate in LOADS:
            count, outcome = replicas_for(service, rate)
            busy = rate * service.item_s / count
            print(
                f"| {service.name} | {1000 * service.item_s:.0f} ms | {rate:,} | {count:,} | {busy:.0%} "
                f"| {1000 * outcome.percentile(0.5):.0f} ms | {1000 * outcome.percentile(0.95):.0f} ms |",
                flush=True,
            )
    print("\nA load that grows tenfold at once, from what two replicas serve with ease:\n")
    print("| engine | starts in | refused | p95 | replicas at the end |\n|---|---|---|---|---|")
    for service in found:
        calm = 0.6 * 2 * service.most_a_second
        for start_s in (2.0, 8.0, 60.0):
            how = Scaling(least=2, most=200, start_s=start_s)
            outcome = simulated(service, [(calm, 60), (10 * calm, 240)], 2, scaling=how)
            print(
                f"| {service.name} | {start_s:.0f} s | {outcome.refused_share:.1%} | {outcome.percentile(0.95):.1f} s "
                f"| {outcome.replicas[-61]} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("check", "plan"))
    parser.add_argument("--seconds", type=float, default=20, help="of each check (default 20)")
    parser.add_argument("--rounds", type=int, default=12, help="measurements of each engine (default 12)")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(check(given.seconds) if given.what == "check" else plan(given.rounds))


if __name__ == "__main__":
    main()
