"""What OCR reads: the share of the words of scanned receipts.

    .venv/bin/python -m tests.bench.lines [--receipts DIR]

The receipts are the annotated scans in `shared/data/receipts`. They are told in halves, by a hash of their names: what
is tuned is chosen on the first and confirmed on the second.
"""

import argparse
import asyncio
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from models.base import EngineSpec
from models.host import EngineHost, HostLimits
from models.vision.ppocr.detector import TextDetector
from models.vision.ppocr.reader import PpOcrReader, embedded_weights
from models.vision.ppocr.recognizer import LineRecognizer
from tests.conftest import SHARED
from tests.receipts import words_read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--receipts", type=Path, default=SHARED / "data" / "receipts")
    asyncio.run(measure(parser.parse_args()))


async def measure(arguments: argparse.Namespace) -> None:
    detector_file, recognizer_file = embedded_weights()
    spec = EngineSpec("ppocr", "ocr", "Apache-2.0", "inside the package rapidocr")
    detector = EngineHost(spec, lambda: TextDetector(detector_file))
    recognizer = EngineHost(spec, lambda: LineRecognizer(recognizer_file), HostLimits(max_batch=64, max_queue=10_000))
    reader = PpOcrReader(detector, recognizer)
    try:
        await report_receipts(reader, arguments.receipts)
    finally:
        await detector.close()
        await recognizer.close()


async def report_receipts(reader: PpOcrReader, folder: Path) -> None:
    rows = map(json.loads, (folder / "receipts.jsonl").open())
    truth = {row["id"]: [line[4] for line in row["lines"]] for row in rows}
    halves: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for file in sorted((folder / "images").glob("*.jpg")):
        picture = np.asarray(Image.open(file).convert("RGB"))
        started = time.perf_counter()
        lines = await reader.read(picture)
        took = time.perf_counter() - started
        right, total = words_read([line.text for line in lines], truth[file.stem])
        halves[half_of(file.stem)].append((right, total, took))
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
