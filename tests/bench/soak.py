"""Many streams at once through the whole pipeline, each caller's chunks carrying its own name: is one lost or crossed?

    python -m tests.bench.soak [seconds] [streams]

Openfaze and the scripted LLM behind it are processes of their own. Every caller asks again as soon as its stream has
ended; a stream is right when it holds exactly the chunks of its own answer, in order, then the reason and `[DONE]`.
"""

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil

from tests.llm_server import Reply, serving_llm
from tests.server import Server, serving

FEWEST, MOST = 20, 120
"""Chunks of an answer."""
PAUSE_S = 0.1
"""Between two chunks of the LLM's."""


def pieces_for(name: str) -> list[str]:
    """The chunks that the caller of this name is to get."""
    return [f"{name}:{number} " for number in range(random.Random(name).randint(FEWEST, MOST))]


def reply_to(body: dict[str, Any]) -> Reply:
    return Reply(chunks=pieces_for(body["messages"][-1]["content"]), delay_s=PAUSE_S)


class Soak:
    def __init__(self, server: Server) -> None:
        self.url = f"{server.base_url}/v1/chat/completions"
        self.outcome: Counter[str] = Counter()
        self.chunks = 0
        self.first_s: list[float] = []

    async def run(self, streams: int, until: float) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(self._caller(session, number, until) for number in range(streams)))

    async def _caller(self, session: aiohttp.ClientSession, number: int, until: float) -> None:
        turn = 0
        while time.monotonic() < until:
            name = f"caller-{number}-{turn}"
            self.outcome[await self._stream(session, name)] += 1
            turn += 1

    async def _stream(self, session: aiohttp.ClientSession, name: str) -> str:
        body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": name}]}
        asked = time.monotonic()
        texts: list[str] = []
        ended = finished = False
        async with session.post(self.url, json=body) as response:
            if response.status != 200:
                return f"status {response.status}"
            async for line in response.content:
                if line == b"data: [DONE]\n":
                    ended = True
                elif line.startswith(b"data: {"):
                    [choice] = json.loads(line.removeprefix(b"data: "))["choices"]
                    if "content" in choice["delta"]:
                        if not texts:
                            self.first_s.append(time.monotonic() - asked)
                        texts.append(choice["delta"]["content"])
                    finished = choice["finish_reason"] == "stop"
                elif line.startswith(b"event: error"):
                    return "error event"
        self.chunks += len(texts)
        if any(not text.startswith(f"{name}:") for text in texts):
            return "crossed"
        return "right" if texts == pieces_for(name) and finished and ended else "lost"


@contextlib.contextmanager
def scripted_llm() -> Iterator[str]:
    """The base URL of the LLM, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.soak", "--llm"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def serve_llm() -> None:
    """Until the other process closes our input."""
    with serving_llm(reply_to) as llm:
        llm.recording = False
        print(llm.base_url, flush=True)
        sys.stdin.read()


async def main(seconds: float, streams: int) -> None:
    with scripted_llm() as llm, tempfile.TemporaryDirectory() as folder:
        settings = {"llm_base_url": llm, "llm_model": "scripted", "llm_abilities": "tools", "llm_context_tokens": 32768}
        with serving(Path(folder) / "log", **settings) as server:
            process = psutil.Process(server.process.pid)
            before = process.memory_info().rss
            soak = Soak(server)
            started = time.monotonic()
            await soak.run(streams, started + seconds)
            wall = time.monotonic() - started
            after = process.memory_info().rss
            errors = [line for line in server.log if line["level"] in ("error", "warning")]
    p50, p99 = np.percentile(soak.first_s, [50, 99]) * 1e3
    print(f"{streams} streams for {wall:.0f} s: {dict(soak.outcome)}")
    print(f"{soak.chunks} chunks, {soak.chunks / wall:.0f}/s; first chunk after {p50:.0f} ms (p50), {p99:.0f} ms (p99)")
    print(f"memory {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after; errors logged: {len(errors)}")
    if soak.outcome.keys() != {"right"}:
        sys.exit("Not every stream was right.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=60.0)
    parser.add_argument("streams", type=int, nargs="?", default=200)
    parser.add_argument("--llm", action="store_true", help="be the scripted LLM")
    arguments = parser.parse_args()
    if arguments.llm:
        serve_llm()
    else:
        asyncio.run(main(arguments.seconds, arguments.streams))
