"""Measures the time that planning adds to a request, for messages of several lengths and for the whole table of
examples.

    .venv/bin/python -m eval.planning --rounds 5

Prints the microseconds of processor time for each length (the least of many measurements), the milliseconds per request
(p50, p99), and the share of right plans.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Sequence

import numpy as np
import structlog

from app.chat.inputs import Turn
from app.chat.plan import Planner
from tests.plans import LATER, ROUTED, RULED, UNSEEN, turn_of

TABLE = (*RULED, *ROUTED, *LATER, *UNSEEN)
AIM_MS = 2.0

QUESTION = "Say something about the sea."
PROSE = """I am preparing a short talk on how coastal towns deal with rising water. Give me three points that a general
audience would follow, each with one example from Europe, and keep the tone calm and factual. The harbour was quiet in
the morning, and the fishermen had already left with the tide. On the quay, boxes of ice stood in rows; a clerk wrote
the prices on a board, and two children counted the gulls. """
LENGTHS = (28, 199, 2000, 15_600)
TRIES = 60


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    await print_lengths()
    print(f"{len(TABLE)} requests, {rounds} rounds\n{'':34}{'p50 ms':>9}{'p99 ms':>9}{'right':>9}")
    times, right = await measured(Planner(), rounds)
    print_row(f"aim: p50 ≤ {AIM_MS:g}", times, f"{right:.1%}")


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


async def measured(planner: Planner, rounds: int) -> tuple[list[float], float]:
    """Return the seconds of each request, and the share of right plans."""
    turns = [turn_of(case) for case in TABLE]
    times, right = [], 0
    for _ in range(rounds):
        for case, turn in zip(TABLE, turns, strict=True):
            started = time.perf_counter()
            plan = await planner.plan(turn)
            times.append(time.perf_counter() - started)
            right += sorted(plan.summary) == sorted(case.steps)
    return times, right / len(times)


def print_row(name: str, times: Sequence[float], right: str) -> None:
    p50, p99 = np.percentile(times, [50, 99]) * 1e3
    print(f"{name:34}{p50:9.2f}{p99:9.2f}{right:>9}")


if __name__ == "__main__":
    asyncio.run(main())
