"""Measures a server under load: answers per second, percentiles of their times, and errors by status.

    .venv/bin/python -m eval.load body.json [--url http://127.0.0.1:8000/v1/chat/completions] [--callers 16]

Each caller sends the body again as soon as it has an answer. No answer comes from the cache. The key is taken from
OPENFAZE_API_KEY.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections import Counter
from pathlib import Path

import httpx


async def ask_again(
    client: httpx.AsyncClient, url: str, body: bytes, end: float, seconds: list[float], statuses: Counter[int]
) -> None:
    while (began := time.perf_counter()) < end:
        response = await client.post(url, content=body)
        statuses[response.status_code] += 1
        if response.is_success:
            seconds.append(time.perf_counter() - began)


async def measure(url: str, body: bytes, callers: int, duration_s: float) -> None:
    headers = {"content-type": "application/json", "x-interfaze-bypass-cache": "true"}
    if key := os.environ.get("OPENFAZE_API_KEY"):
        headers["authorization"] = f"Bearer {key}"
    seconds: list[float] = []
    statuses = Counter[int]()
    began = time.perf_counter()
    limits = httpx.Limits(max_connections=callers)
    async with httpx.AsyncClient(headers=headers, timeout=600, limits=limits, trust_env=False) as client:
        end = began + duration_s
        await asyncio.gather(*(ask_again(client, url, body, end, seconds, statuses) for _ in range(callers)))
    took = time.perf_counter() - began
    print(f"{len(seconds)} answers in {took:.1f} s: {len(seconds) / took:.2f} a second")
    if len(seconds) > 1:
        cuts = statistics.quantiles(seconds, n=100, method="inclusive")
        print(f"p50 {1e3 * cuts[49]:.0f} ms, p95 {1e3 * cuts[94]:.0f} ms, p99 {1e3 * cuts[98]:.0f} ms")
    print(", ".join(f"{count} with status {status}" for status, count in sorted(statuses.items())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("body", type=Path, help="the request as JSON")
    parser.add_argument("--url", default="http://127.0.0.1:8000/v1/chat/completions")
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    asyncio.run(measure(given.url, given.body.read_bytes(), given.callers, given.seconds))


if __name__ == "__main__":
    main()
