"""What only a card can show: that engines compute on it, as they do on the CPU, and outlive its memory running out."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from models.base import EngineFailed
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.device import CUDA, DRIVER, cards
from models.runtime import Runtime
from models.speech.capability import SPEECH_TO_TEXT, _greeting
from models.speech.hearing import SpeechWindow
from models.vision.capability import OCR
from tests.pages import paragraph_page

pytestmark = pytest.mark.skipif(DRIVER.obstacle() is not None, reason=DRIVER.obstacle() or "")

Engines = Callable[[str], Runtime]


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    """For a device, all engines that are here."""
    made: list[Runtime] = []

    def on(device: str) -> Runtime:
        made.append(Runtime(CATALOG, EngineConfig(device=device, auto_pull=False)))
        return made[-1]

    yield on
    for one in made:
        await one.close()


def free() -> int:
    seen = cards()
    assert seen is not None
    return sum(card.free for card in seen.cards)


@pytest.mark.parametrize("capability", ["ocr", "speech_to_text"])
async def test_an_engine_works_on_the_card_and_takes_memory_there(capability: str, engines: Engines) -> None:
    runtime, before = engines(CUDA), free()
    await runtime.load(capability)
    assert await CATALOG[capability].self_test(runtime)
    assert capability in set(runtime.on_the_card())
    assert before - free() > 50_000_000


async def test_the_card_reads_what_the_cpu_reads(engines: Engines) -> None:
    page = paragraph_page(lines=12, size=24, width=900, seed=4)
    read = {device: await engines(device).use(OCR).read(page.pixels) for device in ("cpu", CUDA)}
    for lines in read.values():
        assert sorted(line.text for line in lines) == sorted(page.text.split("\n"))


async def test_the_card_hears_what_the_cpu_hears(engines: Engines) -> None:
    window = SpeechWindow(_greeting(), "en")
    heard = {device: await engines(device).use(SPEECH_TO_TEXT).transcribe(window) for device in ("cpu", CUDA)}
    assert [word.text for word in heard[CUDA].words] == [word.text for word in heard["cpu"].words]


async def test_a_full_card_is_an_error_that_passes(engines: Engines) -> None:
    torch = pytest.importorskip("torch")
    ocr = engines(CUDA).use(OCR)
    page = paragraph_page(lines=40, size=24, width=1600, seed=5)
    expected = [line.text for line in await ocr.read(page.pixels)]
    taken = []
    for megabytes in (1024, 64, 4):
        try:
            while True:
                taken.append(torch.empty(megabytes << 20, dtype=torch.uint8, device=CUDA))
        except torch.OutOfMemoryError:
            continue
    larger = np.kron(page.pixels, np.ones((2, 2, 1), np.uint8))
    answers = await asyncio.gather(ocr.read(larger), return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(error, EngineFailed) and error.retry_after is not None for error in errors)
    taken.clear()
    torch.cuda.empty_cache()
    assert [line.text for line in await ocr.read(page.pixels)] == expected
