"""POST /v1/embeddings beside its engine: passages a second by 32 callers, and by the engine alone in full batches.

    nice .venv/bin/python -m tests.bench.embeddings

Rounds of both take turns, so that a slow minute of the machine slows both; ratios are medians of the rounds'. The
callers run on the same processors as the server, so that its speed pays for them, too. Fair to the server is the time
that its process, and the engine alone on the same texts in the same batches, spend on processors: besides, that is less
at other work's mercy. What server and callers spend on a request beside the engine hardly depends on the texts.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from models.language.capability import SENTENCES_AT_ONCE
from models.language.minilm.engine import MiniLm
from tests.bench.responses import cpu_s
from tests.server import serving

WORDS = ("the", "invoice", "of", "a", "shipping", "company", "was", "due", "in", "march", "before", "it", "left")


def passages(count: int, words: int) -> list[str]:
    """Texts of about as many tokens as `words`, no two the same."""
    return [" ".join(WORDS[(at * 7 + place) % len(WORDS)] for place in range(words)) + f" {at}" for at in range(count)]


def by_the_engine(engine: MiniLm, texts: Sequence[str]) -> float:
    """Seconds."""
    started = time.perf_counter()
    for at in range(0, len(texts), SENTENCES_AT_ONCE):
        engine.run(texts[at : at + SENTENCES_AT_ONCE])
    return time.perf_counter() - started


async def by_callers(base_url: str, texts: Sequence[str], callers: int, each: int) -> float:
    """Seconds; a request holds `each` texts."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--count", type=int, default=640, help="passages of a round")
    parser.add_argument("--words", type=int, nargs="+", default=[16, 100, 240], help="of a passage")
    given = parser.parse_args()
    engine = MiniLm()
    engine.load()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log", llm="off") as server:
        for words in given.words:
            for each in (1, 16):
                texts = passages(given.count, words)
                asyncio.run(by_callers(server.base_url, texts[:64], given.callers, each))
                by_the_engine(engine, texts[:64])
                rounds = []
                for _ in range(given.rounds):
                    own, busy = time.process_time(), cpu_s(server)
                    raw = by_the_engine(engine, texts)
                    own = time.process_time() - own
                    callers = time.process_time()
                    served = asyncio.run(by_callers(server.base_url, texts, given.callers, each))
                    callers = time.process_time() - callers
                    rounds.append((raw, served, own, cpu_s(server) - busy, callers))
                raw, served = (given.count / statistics.median(one[which] for one in rounds) for which in (0, 1))
                speed = statistics.median(one[0] / one[1] for one in rounds)
                share = statistics.median(one[2] / one[3] for one in rounds)
                requests = given.count / each / 1000
                beside = statistics.median((one[3] - one[2]) / requests for one in rounds)
                callers = statistics.median(one[4] / requests for one in rounds)
                print(
                    f"{words} words, {each} a request: engine {raw:.0f}/s, served {served:.0f}/s, ratio {speed:.2f}; "
                    f"of what the server computes, the engine alone takes {share:.2f}; "
                    f"a request takes {beside:.1f} ms beside it, and {callers:.1f} ms of its caller",
                    flush=True,
                )


if __name__ == "__main__":
    main()
