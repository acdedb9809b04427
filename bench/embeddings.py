"""Compares POST /v1/embeddings with its engine: passages per second for 32 callers of openfaze, for the engine alone in
full batches, and for the simplest HTTP server around the engine.

    nice .venv/bin/python -m bench.embeddings

The contestants take turns in each round, so that a slow minute of the machine slows all of them; ratios are medians of
the rounds' ratios. The callers use the same processors as the server, which lowers its speed; the loss of the simplest
server compared with the engine is therefore the least possible here. The processor time is measured, too: the time that
the server's process takes, and the time that the engine alone takes for the same texts in the same batches. Other
programs on the machine affect processor time less. The time that the server and the callers spend on a request apart
from the engine hardly depends on the texts.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench import passthrough
from bench.responses import cpu_s
from models.embedding.capability import SENTENCES_AT_ONCE
from models.embedding.minilm import MiniLm
from tests.server import Server, free_port, serving

WORDS = ("the", "invoice", "of", "a", "shipping", "company", "was", "due", "in", "march", "before", "it", "left")


def passages(count: int, words: int) -> list[str]:
    """Return different texts with about as many tokens as `words`."""
    return [" ".join(WORDS[(at * 7 + place) % len(WORDS)] for place in range(words)) + f" {at}" for at in range(count)]


def by_the_engine(engine: MiniLm, texts: Sequence[str]) -> float:
    """Return the seconds in which the engine alone embeds `texts`."""
    started = time.perf_counter()
    for at in range(0, len(texts), SENTENCES_AT_ONCE):
        engine.run(texts[at : at + SENTENCES_AT_ONCE])
    return time.perf_counter() - started


async def by_callers(base_url: str, texts: Sequence[str], callers: int, each: int) -> float:
    """Return the seconds in which callers get the vectors of `texts`; a request contains `each` texts."""
    bodies = [
        json.dumps(
            {"model": "openfaze-embedding", "encoding_format": "base64", "input": texts[at : at + each]}
        ).encode()
        for at in range(0, len(texts), each)
    ]
    remaining = iter(bodies)

    async def call(session: aiohttp.ClientSession) -> None:
        for body in remaining:
            headers = {"content-type": "application/json"}
            async with session.post(f"{base_url}/v1/embeddings", data=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()

    connector = aiohttp.TCPConnector(limit=callers)
    async with aiohttp.ClientSession(connector=connector) as session:
        started = time.perf_counter()
        await asyncio.gather(*(call(session) for _ in range(callers)))
        return time.perf_counter() - started


def bare_server(port: int) -> None:
    """Serve the engine with as little as possible: FastAPI, its JSON, and batches of the texts that arrived
    meanwhile."""
    import uvicorn
    from fastapi import FastAPI, Request

    application, engine = FastAPI(), MiniLm()
    engine.load()
    waiting: asyncio.Queue[tuple[str, asyncio.Future[object]]] = asyncio.Queue()
    computing: list[asyncio.Task[None]] = []

    async def compute() -> None:
        while True:
            batch = [await waiting.get()]
            while len(batch) < SENTENCES_AT_ONCE and not waiting.empty():
                batch.append(waiting.get_nowait())
            vectors = await asyncio.to_thread(engine.run, [text for text, _ in batch])
            for (_, result), vector in zip(batch, vectors, strict=True):
                result.set_result(vector)

    async def embed(request: Request) -> dict[str, object]:
        if not computing:
            computing.append(asyncio.create_task(compute()))
        asked = [(text, asyncio.get_running_loop().create_future()) for text in (await request.json())["input"]]
        for one in asked:
            waiting.put_nowait(one)
        vectors = await asyncio.gather(*(result for _, result in asked))
        return {"data": [{"index": at, "embedding": base64.b64encode(one)} for at, one in enumerate(vectors)]}

    application.post("/v1/embeddings")(embed)
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="error", access_log=False)


@contextlib.contextmanager
def bare() -> Iterator[str]:
    """Yield the address of the bare server."""
    port = free_port()
    program = f"from bench.embeddings import bare_server; bare_server({port})"
    with passthrough.running([sys.executable, "-c", program], f"http://127.0.0.1:{port}/openapi.json"):
        yield f"http://127.0.0.1:{port}"


@dataclass
class Round:
    """Seconds that each contestant takes for the texts of a round."""

    alone: float
    served: float
    barely: float
    """Seconds by the bare server."""
    computed_alone: float
    """Seconds of processor time of the engine alone; the fields below are processor time, too."""
    computed: float
    callers: float


def a_round(engine: MiniLm, texts: Sequence[str], server: Server, bare_url: str, callers: int, each: int) -> Round:
    busy = time.process_time()
    alone = by_the_engine(engine, texts)
    computed_alone = time.process_time() - busy
    busy, servers = time.process_time(), cpu_s(server)
    served = asyncio.run(by_callers(server.base_url, texts, callers, each))
    spent, computed = time.process_time() - busy, cpu_s(server) - servers
    barely = asyncio.run(by_callers(bare_url, texts, callers, each))
    return Round(alone, served, barely, computed_alone, computed, spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--count", type=int, default=640, help="passages of a round")
    parser.add_argument("--words", type=int, nargs="+", default=[16, 100, 240], help="of a passage")
    parser.add_argument("--each", type=int, nargs="+", default=[1, 16], help="passages of a request")
    given = parser.parse_args()
    engine = MiniLm()
    engine.load()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log", llm="off") as server,
        bare() as bare_url,
    ):
        for words in given.words:
            for each in given.each:
                texts = passages(given.count, words)
                a_round(engine, texts[:64], server, bare_url, given.callers, each)
                rounds = [a_round(engine, texts, server, bare_url, given.callers, each) for _ in range(given.rounds)]
                print(f"{words} words, {each} a request: {told(rounds, given.count, each)}", flush=True)


def told(rounds: Sequence[Round], count: int, each: int) -> str:
    def median(what: Callable[[Round], float]) -> float:
        return statistics.median(map(what, rounds))

    requests = count / each / 1000
    alone, served = (count / median(lambda one: one.alone), count / median(lambda one: one.served))
    ratio, bare_ratio = median(lambda one: one.alone / one.served), median(lambda one: one.alone / one.barely)
    share = median(lambda one: one.computed_alone / one.computed)
    beside = median(lambda one: (one.computed - one.computed_alone) / requests)
    return (
        f"engine {alone:.0f}/s, served {served:.0f}/s, ratio {ratio:.2f}, that of a bare route {bare_ratio:.2f}; "
        f"of what the server computes, the engine alone takes {share:.2f}; a request takes {beside:.2f} ms beside it, "
        f"and {median(lambda one: one.callers / requests):.1f} ms of its caller"
    )


if __name__ == "__main__":
    main()
