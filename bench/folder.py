"""Measures `openfaze extract` over a folder of pictures: papers a second beside OCR alone, and memory a paper.

    python -m bench.folder PICTURES [--papers 120] [--jobs 2]

The pictures are taken again and again, with a cache that is off, until there are `--papers` of them. OCR alone is the
same server, asked for the task `ocr` by as many callers. Memory is measured while the command does the work itself: at
most, with all its processes; its slope is that of a straight line through the samples of the second half, without the
processes that decode, which come and go.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil

from app.extract.client import PaperClient
from app.extract.papers import papers_of
from tests.server import serving

FIELDS = "company, date, address, total: number, items[name, price: number]"
ENDINGS = (".jpg", ".jpeg", ".png")
COMMAND = (sys.executable, "-c", "from app.cli.main import main; main()")
_SAMPLE_S = 0.25


def copied(pictures: Path, folder: Path, count: int) -> None:
    files = sorted(file for file in pictures.iterdir() if file.suffix.lower() in ENDINGS)
    for number in range(count):
        file = files[number % len(files)]
        shutil.copy(file, folder / f"{number:05}{file.suffix}")


def extract_seconds(folder: Path, out: Path, jobs: int, url: str) -> float:
    start = time.perf_counter()
    command = [
        *COMMAND,
        "extract",
        str(folder),
        "--schema",
        FIELDS,
        "--out",
        str(out),
        "--jobs",
        str(jobs),
        "--url",
        url,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def ocr_seconds(folder: Path, jobs: int, url: str) -> float:
    papers = list(papers_of([str(folder)]))
    with closing(PaperClient(url, None)) as asker, ThreadPoolExecutor(jobs) as pool:
        start = time.perf_counter()
        list(pool.map(asker.read, papers))
        return time.perf_counter() - start


def memory_slope(folder: Path, out: Path, jobs: int) -> tuple[float, float]:
    """Return the growth in MB a paper and the largest memory in MB of a run in one process group without a server."""
    command = [*COMMAND, "extract", str(folder), "--schema", FIELDS, "--out", str(out), "--jobs", str(jobs)]
    env = {**os.environ, "OPENFAZE_CACHE": "off", "OPENFAZE_AUTO_PULL": "0"}
    samples = []
    running = psutil.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None:
        try:
            own, *others = (one.memory_info().rss / 1e6 for one in (running, *running.children(recursive=True)))
            samples.append((own, own + sum(others)))
        except psutil.NoSuchProcess:
            continue
        time.sleep(_SAMPLE_S)
    if running.returncode:
        raise SystemExit(f"openfaze extract ended with status {running.returncode}")
    papers = len(list(folder.iterdir()))
    owns, wholes = zip(*samples, strict=True)
    later = np.array(owns[len(owns) // 2 :])
    a_sample, _ = np.polyfit(np.arange(len(later)), later, 1)
    return float(a_sample) * len(owns) / papers, max(wholes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--papers", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, base = Path(name) / "in", Path(name)
        folder.mkdir()
        copied(given.pictures, folder, given.papers)
        with serving(base / "log", imports="", cache="off", preload="ocr") as server:
            ocr_seconds(folder, given.jobs, server.base_url)  # everything is loaded after that
            alone = ocr_seconds(folder, given.jobs, server.base_url)
            whole = extract_seconds(folder, base / "a.xlsx", given.jobs, server.base_url)
        print(f"OCR alone        {given.papers / alone:.2f} papers/s")
        print(f"extract          {given.papers / whole:.2f} papers/s, {alone / whole:.2f} of OCR alone")
        slope, most = memory_slope(folder, base / "b.xlsx", given.jobs)
        print(f"memory           {slope:+.3f} MB a paper, {most:.0f} MB at most")


if __name__ == "__main__":
    main()
