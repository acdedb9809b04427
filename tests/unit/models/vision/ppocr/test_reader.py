"""Detector and recogniser put together: what waits between them."""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from models.base import EngineOverloaded, EngineSpec
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.queues import KEY
from models.vision.ppocr.contours import Quads
from models.vision.ppocr.reader import PpOcrReader
from models.vision.ppocr.recognizer import RecognizedLine
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


async def test_few_pages_are_read_at_a_time_and_keys_take_turns_for_them() -> None:
    recogniser = Recogniser()
    pages = EngineHost[Image, Quads](SPEC, Finder)
    lines = EngineHost[Image, RecognizedLine](SPEC, lambda: recogniser, HostLimits(max_batch=1, max_queue=1000))
    reader = PpOcrReader(pages, lines, pages_at_once=2)
    page = np.full((120, 100, 3), 255, np.uint8)
    read: list[str] = []

    async def read_page(key: str) -> None:
        KEY.set(key)
        assert len(await reader.read(page)) == LINES
        read.append(key)

    reads = [asyncio.create_task(read_page(key)) for key in ("a", "a", "a", "a", "a", "a", "b")]
    async with asyncio.timeout(60):
        while lines.queued < 2 * LINES - 1:
            await asyncio.sleep(0.001)
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert (pages.counters.batch_items.sum, lines.queued) == (2, 2 * LINES - 1), "one line is being read"
    assert pages.queued == 5
    recogniser.gate.set()
    await asyncio.gather(*reads)
    assert read[-1] == "a", "the only page of its key did not wait for all pages of the other"
    await pages.close()
    await lines.close()


async def test_a_page_of_a_key_that_has_too_many_waiting_is_refused() -> None:
    pages, lines = EngineHost[Image, Quads](SPEC, Finder), EngineHost[Image, RecognizedLine](SPEC, Recogniser)
    reader = PpOcrReader(pages, lines, pages_at_once=1, most_waiting=1)
    page = np.full((120, 100, 3), 255, np.uint8)
    reads = [asyncio.create_task(reader.read(page)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(EngineOverloaded):
        await reader.read(page)
    with pytest.raises(EngineOverloaded):
        reader.check_room()
    for one in reads:
        one.cancel()
    await asyncio.wait(reads)
    await pages.close()
    await lines.close()
