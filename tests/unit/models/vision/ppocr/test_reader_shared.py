"""OCR of large pictures beside others: what is begun of one key's lets another key's through, and ends with its caller.

The networks are the real ones; where a count is compared, it is of their calls.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import cv2
import numpy as np
import pytest

from models.base import EngineSpec, Unfinished
from models.host import EngineHost
from models.turns import Turns
from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr.detector import TextDetector
from models.vision.ppocr.line_text import RecognizedLine
from models.vision.ppocr.reader import PpOcrReader, ways_to_read, within_bounds
from models.vision.ppocr.recognizer import LineRecognizer
from models.vision.text import Image
from models.workplace import HostLimits
from tests.hosts import shared_by
from tests.pages import single_line
from tests.waiting import until

DETECTOR, RECOGNIZER = embedded_weights()
SPEC = EngineSpec("pp-ocr", "ocr", "Apache-2.0", "none")


@pytest.fixture
async def hosts() -> AsyncIterator[list[EngineHost[Any, Any]]]:
    turns = Turns()
    hosts: list[EngineHost[Any, Any]] = [
        EngineHost(SPEC, lambda: TextDetector(DETECTOR), HostLimits(contested_batch=1, is_followed=True), turns),
        EngineHost(SPEC, lambda: LineRecognizer(RECOGNIZER), HostLimits(max_batch=32, contested_batch=1), turns),
    ]
    yield hosts
    for host in hosts:
        await host.close()


def small_print(width: int, height: int) -> Image:
    """So small that all of it is searched, tile by tile."""
    line = np.full((24, 600, 3), 255, np.uint8)
    cv2.putText(line, "The quick brown fox jumps over the lazy dog 0123456789", (4, 16), 0, 0.3, (0, 0, 0), 1)
    return np.tile(line, (-(-height // 24), -(-width // 600), 1))[:height, :width].copy()


@pytest.mark.deep
async def test_another_keys_picture_is_read_before_a_large_one_is_searched(hosts: list[EngineHost[Any, Any]]) -> None:
    reader = PpOcrReader(*hosts)
    large = shared_by("flood", reader.read(small_print(8000, 8000)))
    await until(lambda: hosts[0].counters.batch_items.count >= 2)
    [line] = await shared_by("other", reader.read(single_line("Platform nine").pixels))
    assert line.text == "Platform nine"
    assert not large.done()
    assert hosts[1].counters.batch_items.count == 1, "the large picture's lines were not even found"
    large.cancel()
    await asyncio.wait([large])


@pytest.mark.deep
async def test_a_large_picture_is_left_once_its_caller_has_gone(hosts: list[EngineHost[Any, Any]]) -> None:
    reader = PpOcrReader(*hosts)
    large = asyncio.create_task(reader.read(small_print(8000, 8000)))
    await until(lambda: hosts[0].counters.batch_items.count >= 2)
    large.cancel()
    await asyncio.wait([large])
    parts = hosts[0].counters.batch_items.count
    await reader.read(single_line("Platform nine").pixels)
    assert hosts[0].counters.batch_items.count <= parts + 2, "one part that ran, and the other picture"


def test_lines_that_are_too_slender_to_be_read_together_are_left_out() -> None:
    def box(top: float, width: float, height: float) -> list[tuple[float, float]]:
        return [(0, top), (width, top), (width, top + height), (0, top + height)]

    rules = [box(10 * number, 20_000, 3) for number in range(80)]
    text = [box(1000 + 10 * number, 400, 20) for number in range(80)]
    quads = np.array([*rules, *text], np.float32)
    kept = within_bounds(quads)
    assert np.array_equal(kept[-80:], quads[80:])
    assert len(kept) == 82, "of the others as many as there is room for"


def test_tilted_lines_that_span_too_much_together_are_left_out() -> None:
    def line(left: float, top: float, length: float) -> list[tuple[float, float]]:
        return [
            (left, top),
            (left + length, top + length),
            (left + length - 70, top + length + 70),
            (left - 70, top + 70),
        ]

    short = [line(30 * number, 10, 400) for number in range(200)]
    corner_to_corner = [line(20 + number, 0, 7000) for number in range(500)]
    quads = np.array([*corner_to_corner, *short], np.float32)
    kept = within_bounds(quads)
    assert np.array_equal(kept[-200:], quads[500:])
    assert 38 <= len(kept) - 200 <= 40, "2,000 megapixels of the others, of 50 each"


def test_where_nothing_is_found_there_is_nothing_to_leave_out() -> None:
    assert within_bounds(np.zeros((0, 4, 2), np.float32)).shape == (0, 4, 2)


def test_the_longest_of_too_many_lines_are_kept_in_their_order() -> None:
    at = np.arange(5_000, dtype=np.float32)
    widths = np.where(at % 5 == 0, 8, 40 + at % 3)
    corners = [np.stack([x, y], 1) for x, y in ((0 * at, at), (widths, at), (widths, at + 20), (0 * at, at + 20))]
    kept = within_bounds(np.stack(corners, 1).astype(np.float32))
    assert len(kept) == 4_000
    assert kept[:, 0, 1].tolist() == [float(place) for place in range(5_000) if place % 5]


@pytest.mark.deep
async def test_a_line_longer_than_a_warp_can_address_comes_in_parts(hosts: list[EngineHost[Any, Any]]) -> None:
    _, lines = hosts
    word = single_line("Platform nine", margin=6).pixels
    words = np.tile(word, (1, 35_000 // word.shape[1], 1))
    reading = await lines.run(words)
    assert reading.text.replace(" ", "").startswith("Platformnine" * 20)
    assert lines.counters.batch_items.count > 10


def test_a_tilted_line_longer_than_a_warp_can_address_is_cut_out() -> None:
    picture = np.full((1000, 50_000, 3), 255, np.uint8)
    quads = np.array([[(100, 100), (49_900, 800), (49_900, 830), (100, 130)]], np.float32)
    [[crop]] = ways_to_read(picture, quads)
    assert crop.picture.shape[0] == 48


def test_a_long_line_by_itself_is_read_one_piece_at_a_time() -> None:
    engine = LineRecognizer(RECOGNIZER)
    engine.load()
    line = np.full((48, 1300, 3), 255, np.uint8)
    both = engine.run([line, line])
    assert all(isinstance(one, RecognizedLine) for one in both)
    begun = engine.run([line])[0]
    assert isinstance(begun, Unfinished)
    ended = engine.run([begun.rest])[0]
    assert isinstance(ended, RecognizedLine)
    assert isinstance(both[0], RecognizedLine)
    assert ended.text == both[0].text
    engine.close()
