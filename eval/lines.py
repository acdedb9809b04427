"""Measures the accuracy of OCR: the lines of drawn cards and forms that are read exactly and in order, and the words of
scanned receipts.

    .venv/bin/python -m eval.lines [--receipts DIR]

The receipts are the annotated scans in `shared/data/receipts`. A hash of a receipt's name assigns it to one of two
halves: parameters are chosen on the first half and confirmed on the second.
"""

import argparse
import asyncio
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from models.base import EngineSpec
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr.detector import TextDetector
from models.vision.ppocr.reader import PpOcrReader
from models.vision.ppocr.recognizer import LineRecognizer
from tasks.layout.lines import in_reading_order
from tests.conftest import SHARED
from tests.kit.papers.drawn_cards import cards, perfect_lines, right_in_order
from tests.kit.papers.pages import words_read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--receipts", type=Path, default=SHARED / "data" / "receipts")
    asyncio.run(measure(parser.parse_args().receipts))


@asynccontextmanager
async def embedded_reader() -> AsyncIterator[PpOcrReader]:
    """Yield a reader with the embedded weights, on real hosts."""
    detector_file, recognizer_file = embedded_weights()
    spec = EngineSpec("ppocr", "ocr", "Apache-2.0", "inside the package rapidocr")
    detector = EngineHost(spec, lambda: TextDetector(detector_file))
    recognizer = EngineHost(spec, lambda: LineRecognizer(recognizer_file), HostLimits(max_batch=64, max_queue=10_000))
    try:
        yield PpOcrReader(detector, recognizer)
    finally:
        await detector.close()
        await recognizer.close()


async def measure(receipts: Path) -> None:
    async with embedded_reader() as reader:
        await report_cards(reader)
        await report_receipts(reader, receipts)


async def report_cards(reader: PpOcrReader) -> None:
    """Print the results for the cards: with perfect boxes, and with the detector's boxes and the recogniser's texts."""
    found: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for name, (page, truth) in cards():
        read = perfect_lines(page), await reader.read(page.pixels)
        right = [right_in_order([line.text for line in in_reading_order(lines)], truth) for lines in read]
        found[name.split()[0]].append((right[0], right[1], len(truth)))
    found["all"] = [one for kind in found.values() for one in kind]
    for kind, counts in found.items():
        drawn, engine, total = (sum(one[place] for one in counts) for place in range(3))
        shares = f"{100 * drawn / total:5.1f} % of drawn boxes, {100 * engine / total:5.1f} % with the engine"
        print(f"{kind:13} {len(counts):3} pages, {total:4} lines right and in order: {shares}")


async def report_receipts(reader: PpOcrReader, folder: Path) -> None:
    rows = {row["id"]: row["lines"] for row in map(json.loads, (folder / "receipts.jsonl").open())}
    halves: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for file in sorted((folder / "images").glob("*.jpg")):
        picture = np.asarray(Image.open(file).convert("RGB"))
        started = time.perf_counter()
        lines = await reader.read(picture)
        took = time.perf_counter() - started
        truth = [line[4] for line in rows[file.stem]]
        halves[half_of(file.stem)].append((*words_read([line.text for line in lines], truth), took))
    halves["all"] = [one for found in halves.values() for one in found]
    for half, found in halves.items():
        print(f"receipts, {half:7} {len(found):3} scans: {summary(found)}")


def half_of(name: str) -> str:
    return ("chosen", "held")[hashlib.sha256(name.encode()).digest()[0] % 2]


def summary(found: Sequence[tuple[int, int, float]]) -> str:
    right, total = (sum(one[place] for one in found) for place in (0, 1))
    return f"{100 * right / total:.1f} % of {total} words, {np.median([one[2] for one in found]):.2f} s a scan"


if __name__ == "__main__":
    main()
