"""Detector and recogniser put together: what waits between them."""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np

from models.base import EngineSpec
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.vision.ppocr.contours import Quads
from models.vision.ppocr.line_text import RecognizedLine
from models.vision.ppocr.reader import PpOcrReader
from models.vision.text import Image

SPEC = EngineSpec("test", "ocr", "MIT", "none")
LINES = 3


class Finder:
    """Finds the same lines on every page."""

    def load(self) -> None: ...

    def run(self, batch: Sequence[Image]) -> Sequence[Quads]:
        lines = [[(10, top), (90, top), (90, top + 20), (10, top + 20)] for top in range(10, 10 + 30 * LINES, 30)]
        return [np.array(lines, np.float32) for _ in batch]

    def close(self) -> None: ...


class Recogniser:
    """Reads nothing until `gate` is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def load(self) -> None: ...

    def run(self, batch: Sequence[Image]) -> Sequence[RecognizedLine]:
        assert self.gate.wait(60)
        return [
            RecognizedLine("hello", np.ones(5, np.float32), np.linspace(0.1, 0.9, 5, dtype=np.float32)) for _ in batch
        ]

    def close(self) -> None: ...


async def test_a_strip_lower_than_any_letter_is_not_searched() -> None:
    pages = EngineHost[Image, Quads](SPEC, Finder)
    lines = EngineHost[Image, RecognizedLine](SPEC, Recogniser)
    reader = PpOcrReader(pages, lines)
    read = await reader.read(np.zeros((4, 60_000, 3), np.uint8))
    assert (list(read), pages.counters.batch_items.sum) == ([], 0)
    await pages.close()
    await lines.close()


async def test_the_lines_of_so_many_pages_wait_for_the_recogniser_and_no_more() -> None:
    recogniser = Recogniser()
    pages = EngineHost[Image, Quads](SPEC, Finder, HostLimits(max_queue=64))
    lines = EngineHost[Image, RecognizedLine](SPEC, lambda: recogniser, HostLimits(max_batch=1, max_queue=1000))
    reader = PpOcrReader(pages, lines, pages_at_once=2)
    page = np.full((120, 100, 3), 255, np.uint8)
    reads = [asyncio.create_task(reader.read(page, wait=True)) for _ in range(10)]
    async with asyncio.timeout(60):
        while pages.counters.batch_items.sum < 10 or lines.queued < 2 * LINES - 1:
            await asyncio.sleep(0.001)
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert lines.queued == 2 * LINES - 1, "one runs; those of eight more pages are not cut out yet"
    recogniser.gate.set()
    assert [len(found) for found in await asyncio.gather(*reads)] == [LINES] * 10
    await pages.close()
    await lines.close()
