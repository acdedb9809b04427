"""Compares a plain answer of /v1/responses, stored or not, with the same answer of /v1/chat/completions, both from a
scripted LLM: by the milliseconds until the answer arrives, and by the server's processor time, which other programs on
the machine affect less.

    nice .venv/bin/python -m bench.responses

The contestants take turns in each round, so that a slow minute of the machine slows all of them; ratios are medians of
the rounds' ratios.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from tests.llm_server import Reply, serving_llm
from tests.server import Server, serving

QUESTION = "Say something about the sea."
CHAT = ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]})
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": CHAT,
    "responses, not kept": ("/v1/responses", {"input": QUESTION, "store": False}),
    "responses, kept": ("/v1/responses", {"input": QUESTION}),
}


async def seconds_of(base_url: str, path: str, fields: dict[str, Any], *, callers: int, requests: int) -> float:
    """Return the median seconds of the calls of `callers`, each with one connection for all its calls."""
    body = json.dumps({"model": "auto", **fields}).encode()
    headers = {"content-type": "application/json"}
    taken: list[float] = []
    remaining = iter(range(requests))

    async def call(session: aiohttp.ClientSession) -> None:
        for _ in remaining:
            started = time.perf_counter()
            async with session.post(f"{base_url}{path}", data=body, headers=headers) as answer:
                text = await answer.text()
                assert answer.status == 200, text
            if fields.get("stream"):
                assert text.endswith("data: [DONE]\n\n")
            taken.append(time.perf_counter() - started)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=callers)) as session:
        await asyncio.gather(*(call(session) for _ in range(callers)))
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--requests", type=int, default=200)
    given = parser.parse_args()
    reply = Reply(chunks=[f"word{number} " for number in range(64)])
    with tempfile.TemporaryDirectory() as folder, serving_llm(lambda _: reply) as llm:
        settings = {"llm_base_url": llm.base_url, "llm_model": "scripted", "llm_abilities": "tools"}
        with serving(Path(folder) / "log", **settings) as server:
            for stream in (False, True):
                found: dict[str, list[tuple[float, float]]] = {name: [] for name in KINDS}
                for _ in range(given.rounds + 1):
                    for name, (path, fields) in KINDS.items():
                        body = {**fields, "stream": stream}
                        asked = seconds_of(server.base_url, path, body, callers=given.callers, requests=given.requests)
                        busy = cpu_s(server)
                        waited = asyncio.run(asked)
                        found[name].append((waited, (cpu_s(server) - busy) / given.requests))
                print("streamed" if stream else "whole")
                for name, rounds in found.items():
                    # The first round is a warm-up.
                    told = [_compared(rounds[1:], found["chat"][1:], which) for which in (0, 1)]
                    print(f"  {name}: waited {told[0]}, computed {told[1]}", flush=True)


def cpu_s(server: Server) -> float:
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def _compared(rounds: Sequence[tuple[float, float]], chat: Sequence[tuple[float, float]], which: int) -> str:
    ratio = statistics.median(one[which] / other[which] for one, other in zip(rounds, chat, strict=True))
    return f"{statistics.median(one[which] for one in rounds) * 1000:.1f} ms ({ratio:.2f} times chat)"


if __name__ == "__main__":
    main()
