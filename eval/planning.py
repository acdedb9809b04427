"""Measures the time that planning adds to a request, for messages of several lengths and for the whole table of
examples, by rules alone and with the router.

    .venv/bin/python -m eval.planning --rounds 5

Prints the microseconds of processor time for each length (the least of many measurements), the milliseconds per request
(p50, p99), and the share of right plans. With the router, a separate row shows the requests that called it. The
router's first call, which also embeds the examples, is timed separately.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.chat.inputs import Turn
from app.chat.plan import Planner
from models.embedding.embedder import Embedder, PassageEmbedder, Vector
from models.embedding.minilm import MiniLm, passages
from models.embedding.minilm_weights import SPEC, embedding_remedy
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from tests.plans import LATER, ROUTED, RULED, UNSEEN, Case, turn_of

TABLE = (*RULED, *ROUTED, *LATER, *UNSEEN)
AIM_RULES_MS = 2.0
AIM_ROUTER_MS = 10.0

QUESTION = "Say something about the sea."
PROSE = """I am preparing a short talk on how coastal towns deal with rising water. Give me three points that a general
audience would follow, each with one example from Europe, and keep the tone calm and factual. The harbour was quiet in
the morning, and the fishermen had already left with the tide. On the quay, boxes of ice stood in rows; a clerk wrote
the prices on a board, and two children counted the gulls. """
LENGTHS = (28, 199, 2000, 15_600)
TRIES = 60


class Counted:
    """An embedder that counts its calls."""

    def __init__(self, embedder: Embedder) -> None:
        self.asked = 0
        self._embedder = embedder

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += 1
        return await self._embedder.embed(texts)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    await print_lengths()
    print(f"{len(TABLE)} requests, {rounds} rounds\n{'':34}{'p50 ms':>9}{'p99 ms':>9}{'right':>9}")
    times, _, right = await measured(Planner(), rounds)
    print_row(f"rules alone (aim: p50 ≤ {AIM_RULES_MS:g})", times, f"{right:.1%}")
    if remedy := embedding_remedy():
        print(f"no router: {remedy}")
        return
    host = EngineHost[str, Vector](SPEC, MiniLm, HostLimits(max_batch=16))
    try:
        await with_router(host, rounds)
    finally:
        await host.close()


async def print_lengths() -> None:
    print(f"{'characters, without media':34}{'µs':>9}")
    for length in LENGTHS:
        text = QUESTION if length == len(QUESTION) else (PROSE * (length // len(PROSE) + 1))[:length]
        least = float("inf")
        for _ in range(TRIES):
            started = time.process_time()
            await Planner().plan(Turn(text, ()))
            least = min(least, 1e6 * (time.process_time() - started))
        print(f"{length:<34}{least:9.0f}")


async def with_router(host: EngineHost[str, Vector], rounds: int) -> None:
    await host.load()
    counted = Counted(PassageEmbedder(host, passages()))
    planner = Planner(counted)
    started = time.perf_counter()
    for media in ((), ("image",)):
        await planner.plan(turn_of(Case("Hm?", media, ())))
    print(f"{'embedding the examples, once':34}{1e3 * (time.perf_counter() - started):9.1f}")
    times, routed, right = await measured(planner, rounds, counted)
    print_row(f"with router (aim: p50 ≤ {AIM_ROUTER_MS:g})", times, f"{right:.1%}")
    print_row(f"… {len(routed) // rounds} that it was asked about", routed, "")


async def measured(
    planner: Planner, rounds: int, counted: Counted | None = None
) -> tuple[list[float], list[float], float]:
    """Return the seconds of each request, the seconds of each request that called the embedder, and the share of right
    plans."""
    turns = [turn_of(case) for case in TABLE]
    times, routed, right = [], [], 0
    for _ in range(rounds):
        for case, turn in zip(TABLE, turns, strict=True):
            asked = counted.asked if counted else 0
            started = time.perf_counter()
            plan = await planner.plan(turn)
            times.append(time.perf_counter() - started)
            if counted and counted.asked > asked:
                routed.append(times[-1])
            right += sorted(plan.summary) == sorted(case.steps)
    return times, routed, right / len(times)


def print_row(name: str, times: Sequence[float], right: str) -> None:
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    print(f"{name:34}{p50:9.2f}{p99:9.2f}{right:>9}")


if __name__ == "__main__":
    asyncio.run(main())
