"""Measures the time of the embedded text guard for texts of several lengths, alone and as a part of a request.

    .venv/bin/python -m bench.guard --rounds 40

Prints the milliseconds (p50, p95) that the guard takes with all codes, for harmless texts and for texts that look
unsafe; the share of passages that were embedded, because embedding takes most of the time; and, for comparison, the
time for embedding the same text in one piece.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.embedding.capability import EMBEDDING, MINILM
from models.embedding.embedder import Embedder
from models.runtime import Runtime
from models.safety.guard import TEXT_CODES
from models.safety.text.engine import OwnTextGuard
from models.safety.text.head import load_head
from models.safety.text.passages import passages_of

HARMLESS = Path(__file__).parents[1] / "training" / "guard"
LENGTHS = (100, 1000, 10_000, 100_000)
AIM_MS = 8.0
"""Aim for the median of 1,000 characters, in milliseconds."""


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    runtime = Runtime(CATALOG, EngineConfig(max_queue=10_000))
    embedder = runtime.find(EMBEDDING, MINILM)
    if embedder is None:
        raise SystemExit("the embedding engine is missing")
    try:
        await measure(embedder, rounds)
    finally:
        await runtime.close()


async def measure(embedder: Embedder, rounds: int) -> None:
    counted = Counted(embedder)
    guard = OwnTextGuard(counted, load_head)
    print(f"{'text':44}{'p50 ms':>9}{'p95 ms':>9}{'embedded':>10}{'raw embedding, p50':>20}")
    await guard.judge("How do I bake bread?", TEXT_CODES)
    for name, files in (("harmless", ("long_texts", "everyday")), ("looks unsafe", ("look_alikes/*",))):
        for length in LENGTHS:
            texts = list(texts_of(files, length, max(3, rounds * 1000 // max(length, 1000))))
            counted.texts = 0
            times = await timed(texts, lambda text: guard.judge(text, TEXT_CODES))
            share = counted.texts / sum(len(passages_of(text)) for text in texts)
            raw = await timed(texts, lambda text: embedder.embed([text]))
            aim = f" (aim: p50 ≤ {AIM_MS:g})" if length == 1000 else ""
            p50, p95 = np.percentile(times, [50, 95]) * 1e3
            row = f"{name}, {length:,} characters{aim}"
            print(f"{row:44}{p50:9.1f}{p95:9.1f}{share:10.0%}{np.median(raw) * 1e3:20.1f}")


async def timed(texts: Sequence[str], work: Callable[[str], Awaitable[object]]) -> list[float]:
    times = []
    for text in texts:
        started = time.perf_counter()
        await work(text)
        times.append(time.perf_counter() - started)
    return times


def texts_of(files: Sequence[str], length: int, number: int) -> Iterator[str]:
    """Yield `number` texts of `length` characters, made of English examples."""
    paths = [path for name in files for path in sorted(HARMLESS.glob(f"{name}.jsonl"))]
    lines = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    english = [line["text"] for line in lines if line["language"] == "en"]
    generator = np.random.default_rng(0)
    for _ in range(number):
        text = ""
        while len(text) < length:
            text += english[generator.integers(len(english))] + "\n"
        yield text[:length]


class Counted:
    """An Embedder that counts texts."""

    def __init__(self, embedder: Embedder) -> None:
        self.texts = 0
        self._embedder = embedder

    async def embed(self, texts: Sequence[str]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        self.texts += len(texts)
        return np.asarray(await self._embedder.embed(texts), np.float32)


if __name__ == "__main__":
    asyncio.run(main())
