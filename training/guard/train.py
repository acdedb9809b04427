"""Trains `models/safety/text/head.json`, or measures the quality of such a head.

    .venv/bin/python -m training.guard.train --sets FOLDER
    .venv/bin/python -m training.guard.train --sets FOLDER --measure

The folder has the sets of training/guard/data.py. The same sets, texts of our own and seed give the same head on the
same machine. It takes some minutes; measuring takes a quarter of an hour, and prints tables of figures.
"""

import argparse
import asyncio
import json
from pathlib import Path

import numpy as np

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.embedding.capability import EMBEDDING, MINILM
from models.embedding.embedder import Embedder
from models.runtime import Runtime
from models.safety.text.head import FILE
from training.guard.data import examples
from training.guard.fit import fit
from training.guard.measure import left_out, tables

SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--sets", type=Path, required=True, help="a folder with prompts.csv, moderation.csv and xstest.csv"
    )
    parser.add_argument("--measure", action="store_true", help="leave out one set after the other, and write nothing")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.sets, measure=arguments.measure))


async def run(sets: Path, *, measure: bool) -> None:
    runtime = Runtime(CATALOG, EngineConfig(max_queue=10_000))
    embedder = runtime.find(EMBEDDING, MINILM)
    if embedder is None:
        raise SystemExit("the embedding engine is missing: `make test` installs it")
    try:
        found = examples(sets)
        vectors = await embedded(embedder, [example.text for example in found])
        if measure:
            print(tables(await left_out(found, vectors, embedder, seed=SEED)))
        else:
            stored = await asyncio.to_thread(fit, found, vectors, seed=SEED)
            FILE.write_text(json.dumps(stored, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
            print(f"{FILE}: {FILE.stat().st_size / 1e3:.0f} kB, threshold {stored['threshold']}")
    finally:
        await runtime.close()


async def embedded(embedder: Embedder, texts: list[str]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.asarray(await embedder.embed(texts), np.float32)


if __name__ == "__main__":
    main()
