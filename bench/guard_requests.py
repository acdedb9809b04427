"""Measures what the embedded text guard makes of plain requests in eight languages, under all codes.

    .venv/bin/python -m bench.guard_requests

`bench/ordinary_requests.txt` has requests of ordinary work, written by hand before a head was fitted to generated ones;
`bench/unsafe_requests.txt` has the same ten unsafe requests in each language. No head is trained on either. Prints each
ordinary request that is blocked, and the shares that are blocked by language. `--head FILE` measures another head than
the one in the package.
"""

import argparse
import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.embedding.capability import EMBEDDING, MINILM
from models.runtime import Runtime
from models.safety.guard import TEXT_CODES
from models.safety.text.engine import OwnTextGuard
from models.safety.text.head import FILE, load_head

FOLDER = Path(__file__).parent


def requests_of(name: str) -> Iterator[tuple[str, str]]:
    """Yield `(text, language)` for each request of a file."""
    language = ""
    for line in (FOLDER / f"{name}_requests.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            language = line.removeprefix("# ")
        else:
            yield line, language


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--head", type=Path, default=FILE)
    head = parser.parse_args().head
    runtime = Runtime(CATALOG, EngineConfig(max_queue=10_000))
    embedder = runtime.find(EMBEDDING, MINILM)
    if embedder is None:
        raise SystemExit("the embedding engine is missing")
    try:
        guard = OwnTextGuard(embedder, partial(load_head, head))
        for name in ("ordinary", "unsafe"):
            await measure(guard, name)
    finally:
        await runtime.close()


async def measure(guard: OwnTextGuard, name: str) -> None:
    blocked: dict[str, list[bool]] = {}
    for text, language in requests_of(name):
        scores = (await guard.judge(text, TEXT_CODES)).scores
        codes = {code: round(score, 2) for code, score in scores.items() if score >= guard.thresholds[code]}
        blocked.setdefault(language, []).append(bool(codes))
        if codes and name == "ordinary":
            print(f"{language}  {text}  {codes}")
    every = [one for some in blocked.values() for one in some]
    print(f"{name}: {sum(every)} of {len(every)} blocked ({sum(every) / len(every):.1%})")
    print("  " + ", ".join(f"{language} {sum(some)} of {len(some)}" for language, some in blocked.items()))


if __name__ == "__main__":
    asyncio.run(main())
