"""Compares openfaze with LiteLLM's proxy for a plain chat that is passed through to the same scripted LLM server.

    python -m venv /tmp/litellm && /tmp/litellm/bin/pip install 'litellm[proxy]'
    .venv/bin/python -m eval.passthrough --litellm /tmp/litellm/bin/litellm

In each round, the upstream itself, openfaze and LiteLLM are measured in turn, so that other load on the machine slows
all of them. "Added" is a proxy's time less the upstream's own in the same round; ratios are medians of the rounds'
ratios. openfaze's pipeline is complete (planning, prompts, usage, logs) except for web search. Web search is off, as in
the tests' servers, so the router has no task to choose and embeds no question.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx
import psutil

from tests.kit.servers.server import free_port, serving

QUESTION = {"messages": [{"role": "user", "content": "Say something about the sea."}], "max_tokens": 64}
KEY = "sk-a-key-for-this-alone"


@dataclass(frozen=True)
class Contestant:
    name: str
    base_url: str
    model: str
    process: psutil.Process

    @property
    def resident_mb(self) -> float:
        family = [self.process, *self.process.children(recursive=True)]
        return sum(process.memory_info().rss for process in family) / 1e6


@dataclass(frozen=True)
class Outcome:
    wall_s: float
    latencies_s: list[float]
    first_tokens_s: list[float]
    chunks: int

    def p(self, quantile: float, values: list[float]) -> float:
        ordered = sorted(values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * quantile))]


async def load(contestant: Contestant, *, callers: int, requests: int, stream: bool) -> Outcome:
    """Let `callers` callers make `requests` calls in all. Each caller uses one connection for all its calls."""
    body = json.dumps({**QUESTION, "model": contestant.model, "stream": stream}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    latencies: list[float] = []
    first_tokens: list[float] = []
    chunks = 0
    remaining = iter(range(requests))

    async def caller(session: aiohttp.ClientSession) -> None:
        nonlocal chunks
        for _ in remaining:
            started = time.perf_counter()
            async with session.post(f"{contestant.base_url}/chat/completions", data=body, headers=headers) as response:
                first = True
                async for line in response.content:
                    if stream and line.startswith(b"data: {"):
                        if first:
                            first_tokens.append(time.perf_counter() - started)
                            first = False
                        chunks += 1
                assert response.status == 200, response.status
            latencies.append(time.perf_counter() - started)

    connector = aiohttp.TCPConnector(limit=callers)
    async with aiohttp.ClientSession(connector=connector) as session:
        started = time.perf_counter()
        await asyncio.gather(*(caller(session) for _ in range(callers)))
        return Outcome(time.perf_counter() - started, latencies, first_tokens, chunks)


UPSTREAM = """
import time
from tests.kit.servers.llm_server import Reply, serving_llm
with serving_llm(lambda _: Reply(chunks=[f"word{{number}} " for number in range(16)]), port={port}):
    time.sleep(3600)
"""
"""Program of the LLM's server behind all contestants."""


@contextlib.contextmanager
def upstream() -> Iterator[Contestant]:
    port = free_port()
    command = [sys.executable, "-c", UPSTREAM.format(port=port)]
    with running(command, f"http://127.0.0.1:{port}/v1/models") as process:
        yield Contestant("upstream itself", f"http://127.0.0.1:{port}/v1", "scripted", process)


@contextlib.contextmanager
def litellm(program: Path, upstream: Contestant, folder: Path, **variables: str) -> Iterator[Contestant]:
    port = free_port()
    config = folder / "litellm.yaml"
    parameters = {"model": "openai/scripted", "api_base": upstream.base_url, "api_key": KEY}
    config.write_text(json.dumps({"model_list": [{"model_name": "scripted", "litellm_params": parameters}]}))
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    probe = f"http://127.0.0.1:{port}/health/liveliness"
    variables |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": KEY}
    with running(command, probe, **variables) as process:
        yield Contestant("LiteLLM's proxy", f"http://127.0.0.1:{port}/v1", "scripted", process)


@contextlib.contextmanager
def running(command: list[str], probe: str, **variables: str) -> Iterator[psutil.Process]:
    process = subprocess.Popen(
        command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 400
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(probe, trust_env=False).status_code == 200:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"did not start: {' '.join(command)}")
            time.sleep(0.02)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--litellm", type=Path, help="LiteLLM's program; without it, openfaze alone is measured")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=400, help="calls of a contestant in a round")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        source = stack.enter_context(upstream())
        server = stack.enter_context(
            serving(folder / "log", llm_base_url=source.base_url, llm_model="scripted", api_keys=KEY)
        )
        ours = Contestant("openfaze", f"{server.base_url}/v1", "auto", psutil.Process(server.process.pid))
        contestants = [source, ours]
        if arguments.litellm:
            contestants.append(stack.enter_context(litellm(arguments.litellm, source, folder)))
        for stream in (False, True):
            for callers in (1, 32, 200):
                compare(contestants, callers, stream, arguments.rounds, max(arguments.requests, callers * 5))


def compare(contestants: list[Contestant], callers: int, stream: bool, rounds: int, requests: int) -> None:
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for contestant in contestants:
        asyncio.run(load(contestant, callers=callers, requests=max(50, callers), stream=stream))
    for _ in range(rounds):
        for contestant in contestants:
            outcomes[contestant.name].append(
                asyncio.run(load(contestant, callers=callers, requests=requests, stream=stream))
            )
    base = outcomes[contestants[0].name]
    kind = "streamed" if stream else "whole"
    print(f"\n{callers} callers, {kind} answers, {requests} requests a round, {rounds} rounds")
    head = ("requests/s", "p50 ms", "p99 ms", "added p50", "added p99", "first tok.", "added", "chunks/s", "MB")
    print(f"{'':18}" + "".join(f"{name:>11}" for name in head))
    for contestant in contestants:
        print(
            f"{contestant.name:18}"
            + "".join(f"{cell:>11}" for cell in row(contestant, outcomes[contestant.name], base))
        )
    if len(contestants) > 2:
        ours, theirs = (outcomes[contestant.name] for contestant in contestants[1:])
        speed = statistics.median(t.wall_s / o.wall_s for o, t in zip(ours, theirs, strict=True))
        added = statistics.median(
            (o.p(0.5, o.latencies_s) - b.p(0.5, b.latencies_s)) / (t.p(0.5, t.latencies_s) - b.p(0.5, b.latencies_s))
            for o, t, b in zip(ours, theirs, base, strict=True)
        )
        print(f"openfaze : LiteLLM: requests/s {speed:.1f}, added p50 {added:.3f}")


def row(contestant: Contestant, outcomes: list[Outcome], base: list[Outcome]) -> list[str]:
    def median_ms(quantile: float, which: str, less: list[Outcome] | None = None) -> str:
        values = []
        for index, outcome in enumerate(outcomes):
            measured = getattr(outcome, which)
            if not measured:
                return "–"
            value = outcome.p(quantile, measured)
            if less is not None:
                value -= less[index].p(quantile, getattr(less[index], which))
            values.append(value * 1000)
        return f"{statistics.median(values):.2f}"

    return [
        f"{statistics.median(len(o.latencies_s) / o.wall_s for o in outcomes):.0f}",
        median_ms(0.5, "latencies_s"),
        median_ms(0.99, "latencies_s"),
        median_ms(0.5, "latencies_s", base),
        median_ms(0.99, "latencies_s", base),
        median_ms(0.5, "first_tokens_s"),
        median_ms(0.5, "first_tokens_s", base),
        f"{statistics.median(o.chunks / o.wall_s for o in outcomes):.0f}",
        f"{contestant.resident_mb:.0f}",
    ]


if __name__ == "__main__":
    main()
