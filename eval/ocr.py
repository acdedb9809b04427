"""Compares OCR over HTTP with RapidOCR alone and with openfaze's own engine in the process, in turns within one run.

    .venv/bin/python -m eval.ocr              the default: three rounds
    .venv/bin/python -m eval.ocr --rounds 5 --pictures DIR

Pictures are the JPEGs of --pictures (default: the sample receipts beside the checkout, else drawn pages). In each
round, the contestants read the same pictures in turn, so that other load on the machine slows all of them; the ratios
are medians of the rounds' ratios.
"""

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from eval.contestants import Contestant, InProcess, Job, Outcome, OverHttp, own_engine, raw_rapidocr
from tests.conftest import SHARED
from tests.kit.papers.pages import noisy, paragraph_page, table_page
from tests.kit.servers.server import serving

RAW = {
    # Name: engines, threads of each, lines per batch, word boxes.
    "raw RapidOCR, 1 × 2 threads, batch 1": (1, 2, 1, True),
    "raw RapidOCR, 1 × 2 threads, batch 6": (1, 2, 6, True),
    "raw RapidOCR, 2 × 1 thread, batch 1": (2, 1, 1, True),
    "raw RapidOCR, 2 × 1 thread, batch 6": (2, 1, 6, True),
    "… 2 × 1 thread, batch 1, lines only": (2, 1, 1, False),
}
OWN = "openfaze in process"
HTTP = OverHttp.name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=Path, default=SHARED / "samples")
    parser.add_argument("--repeat", type=int, default=8, help="how often each picture is read in a round")
    arguments = parser.parse_args()

    pictures = load_pictures(arguments.pictures) * arguments.repeat
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with serving(Path(folder) / "log") as server:
            start_s = time.perf_counter() - started
            http = OverHttp(server.base_url, server.process.pid)
            print(f"start to /ready {start_s:.2f} s, idle memory {http.resident_mb():.0f} MB")
            contestants: list[Contestant] = [
                *(InProcess(name, raw_rapidocr, *how) for name, how in RAW.items()),
                InProcess(OWN, own_engine),
                http,
            ]
            for contestant in contestants:
                contestant.run(Job(pictures[: len(pictures) // arguments.repeat], 1))
            report(contestants, pictures, arguments.rounds)
            for contestant in contestants:
                contestant.close()


def load_pictures(folder: Path) -> tuple[bytes, ...]:
    found = tuple(path.read_bytes() for path in sorted(folder.glob("receipt_*.jpg")) or sorted(folder.glob("*.jpg")))
    if found:
        return found
    pages = (paragraph_page(lines=20), noisy(paragraph_page(lines=12, font="serif")), table_page())
    return tuple(page.encoded("JPEG", quality=90) for page in pages)


def report(contestants: list[Contestant], pictures: tuple[bytes, ...], rounds: int) -> None:
    for callers in (1, 8):
        outcomes: dict[str, list[Outcome]] = defaultdict(list)
        for _ in range(rounds):
            for contestant in contestants:
                outcomes[contestant.name].append(contestant.run(Job(pictures, callers)))
        print(f"\n{callers} caller{'s' if callers > 1 else ''}, {len(pictures)} pages a round, {rounds} rounds")
        print(f"{'':40}{'pages/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'peak MB':>9}{'words':>8}")
        for contestant in contestants:
            print_row(contestant, outcomes[contestant.name], len(pictures))
        best = max(RAW, key=lambda name: statistics.median(1 / outcome.wall_s for outcome in outcomes[name]))
        print(f"pages/s, {HTTP} : {best} = {ratio(outcomes[best], outcomes[HTTP]):.2f}")
        print(f"time, {HTTP} : {OWN} = {1 / ratio(outcomes[OWN], outcomes[HTTP]):.3f}")


def print_row(contestant: Contestant, outcomes: list[Outcome], pages: int) -> None:
    latencies = sorted(latency for outcome in outcomes for latency in outcome.latencies_s)
    speed = statistics.median(pages / outcome.wall_s for outcome in outcomes)
    p50, p99 = (latencies[min(len(latencies) - 1, int(len(latencies) * q))] * 1000 for q in (0.5, 0.99))
    row = f"{speed:9.2f}{p50:9.0f}{p99:9.0f}{contestant.peak_mb():9.0f}{outcomes[0].words:8}"
    print(f"{contestant.name:40}{row}", flush=True)


def ratio(base: list[Outcome], other: list[Outcome]) -> float:
    """Return the factor by which `other` is faster: the median over the rounds."""
    return statistics.median(b.wall_s / o.wall_s for b, o in zip(base, other, strict=True))


if __name__ == "__main__":
    main()
