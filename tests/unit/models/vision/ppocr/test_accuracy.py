"""What the embedded engine must read, on pages whose text is known, through the reader and its real hosts."""

import asyncio
import csv
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from models.base import EngineSpec
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr.detector import TextDetector
from models.vision.ppocr.reader import PpOcrReader
from models.vision.ppocr.recognizer import LineRecognizer
from models.vision.text import TextLine
from tests.kit.engines.parts import finished
from tests.kit.papers.pages import (
    FONTS,
    FOREIGN_LINES,
    Line,
    Page,
    blank_page,
    foreign_page,
    noisy,
    paragraph_page,
    pasted,
    prose,
    single_line,
    skewed,
    table_page,
    turned,
    two_column_page,
    words_read,
)


def short_form() -> Page:
    """Draw five labels and values far apart in the upper quarter of a page of A4 at 144 DPI."""
    page = blank_page(1190, 1684)
    values = "NF-2026-0417", "14 March 2026", "13 April 2026", "Brightwater Dental Care", "753.60"
    labels = "Invoice number:", "Invoice date:", "Due date:", "Customer name:", "Total:"
    for row, (label, value) in enumerate(zip(labels, values, strict=True)):
        page = pasted(page, single_line(label, size=20, margin=4), 136, 172 + 60 * row)
        page = pasted(page, single_line(value, size=20, margin=4), 456, 172 + 60 * row)
    return page


CLEAN: dict[str, Callable[[], Page]] = {
    **{
        font: partial(paragraph_page, font=font, size=14 + 3 * i, lines=6, width=900, seed=i)
        for i, font in enumerate(FONTS)
    },
    "two columns": lambda: two_column_page(heading="A heading over both columns"),
    "table": lambda: table_page(),
    "table without rules": lambda: table_page(rules=False, seed=3),
    "light on dark": lambda: paragraph_page(ink="white", paper="navy", lines=6, seed=4),
    "grey on grey": lambda: paragraph_page(ink="#888888", paper="#eeeeee", lines=6, seed=5),
    "3 degrees": lambda: skewed(two_column_page(seed=1), 3),
    "-3 degrees": lambda: skewed(table_page(seed=1), -3),
    "30 degrees": lambda: skewed(paragraph_page(lines=6, seed=6), 30),
    **{
        f"columns turned by {turn}": lambda turn=turn: turned(two_column_page(seed=turn, lines=8), turn)
        for turn in (90, 180, 270)
    },
    **{
        f"table turned by {turn}": lambda turn=turn: turned(table_page(seed=turn, rows=4), turn)
        for turn in (90, 180, 270)
    },
    "9 px letters": lambda: paragraph_page(size=9, width=300, lines=3),
    "screen of 12 px letters": lambda: paragraph_page(size=12, width=1920, lines=12),
    "one small line on a large sheet": lambda: pasted(
        blank_page(3000, 4000), single_line("Printed in Germany 2024", size=20), 1500, 3800
    ),
    "a short form on a blank sheet": lambda: short_form(),
    "600 px letters": lambda: pasted(
        pasted(blank_page(4000, 2000), single_line("SALE 50", size=600), 200, 300),
        paragraph_page(size=20, width=1000, lines=3, words=prose(8, 30)),
        600,
        1500,
    ),
    "a line sixty times as long as high": lambda: single_line(" ".join(prose(3, 40)), size=30),
    "upright page with a word running up": lambda: pasted(
        paragraph_page(size=24, width=900, lines=12, words=prose(2, 50)),
        turned(single_line("Upwards 42", size=26, margin=6), 270),
        400,
        330,
    ),
}
SOME_CLEAN = {
    *("times-italic", "30 degrees", "9 px letters", "a short form on a blank sheet"),
}
DEGRADED: dict[str, Callable[[], Page]] = {
    "noise": lambda: noisy(two_column_page(seed=7), 1),
    "skew and noise": lambda: noisy(skewed(two_column_page(seed=8), 3), 2),
    "strong blur": lambda: noisy(paragraph_page(size=24, seed=9), 3, noise=4, blur=1.6),
    "strong noise": lambda: noisy(table_page(seed=10), 4, noise=30, blur=0.8),
    "poor JPEG": lambda: noisy(paragraph_page(size=20, seed=11), 5, noise=0, blur=0.3, jpeg_quality=12),
    "turned and noisy": lambda: noisy(turned(two_column_page(seed=12, lines=8), 90), 6),
}
SOME_DEGRADED = {"skew and noise"}


def all_of(pages: Iterable[str], some: set[str]) -> list[Any]:
    """Their names, and the others' marked."""
    assert some <= set(pages)
    return [name if name in some else pytest.param(name, marks=pytest.mark.deep) for name in pages]


@pytest.fixture(scope="module")
async def reader() -> AsyncIterator[PpOcrReader]:
    detector_file, recognizer_file = embedded_weights()
    spec = EngineSpec("ppocr", "ocr", "Apache-2.0", "inside the package rapidocr")
    detector = EngineHost(spec, lambda: TextDetector(detector_file))
    recognizer = EngineHost(spec, lambda: LineRecognizer(recognizer_file), HostLimits(max_batch=64, max_queue=10_000))
    yield PpOcrReader(detector, recognizer)
    await detector.close()
    await recognizer.close()


@pytest.mark.accuracy
@pytest.mark.parametrize("name", all_of(CLEAN, SOME_CLEAN))
async def test_a_clean_page_is_read_and_boxed(reader: PpOcrReader, name: str) -> None:
    page = CLEAN[name]()
    lines = await reader.read(page.pixels)
    assert character_error_rate(lines, page) <= 0.005
    assert mean_word_iou(lines, page) >= 0.7


@pytest.mark.accuracy
@pytest.mark.parametrize("name", all_of(DEGRADED, SOME_DEGRADED))
async def test_a_poor_scan_is_read_and_boxed(reader: PpOcrReader, name: str) -> None:
    page = DEGRADED[name]()
    lines = await reader.read(page.pixels)
    assert character_error_rate(lines, page) <= 0.03
    assert mean_word_iou(lines, page) >= 0.7


@pytest.mark.accuracy
def test_blank_paper_is_not_a_line() -> None:
    detector = TextDetector(embedded_weights()[0])
    detector.load()
    [quads] = finished(detector, [short_form().pixels])
    assert isinstance(quads, np.ndarray)
    heights = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    assert len(heights) == 10
    assert heights.max() < 50
    detector.close()


@pytest.mark.deep
@pytest.mark.parametrize("script", list(FOREIGN_LINES))
async def test_a_page_in_an_unknown_script_is_known_to_be_illegible(reader: PpOcrReader, script: str) -> None:
    assert (await reader.read(foreign_page(script).pixels)).is_illegible


@pytest.mark.deep
@pytest.mark.parametrize("name", ["table", "grey on grey", "30 degrees"])
async def test_a_page_that_is_read_is_not_called_illegible(reader: PpOcrReader, name: str) -> None:
    assert not (await reader.read(CLEAN[name]().pixels)).is_illegible


@pytest.mark.accuracy
async def test_the_sample_receipts_are_read(reader: PpOcrReader, shared: Path) -> None:
    as_annotated, without_slips = [], []
    for number in range(3):
        picture = np.asarray(Image.open(shared / "samples" / f"receipt_{number:03}.jpg").convert("RGB"))
        lines = await reader.read(picture)
        truth = annotated_lines(shared / "samples" / f"receipt_{number:03}.boxes.csv")
        for shares, annotated in ((as_annotated, truth), (without_slips, without_repeats(truth))):
            right, total = words_read([line.text for line in lines], [text for _, text in annotated])
            shares.append(right / total)
    assert np.mean(as_annotated) >= 0.92
    assert np.mean(without_slips) >= 0.95


async def test_a_line_s_text_is_all_its_words(reader: PpOcrReader) -> None:
    for line in await reader.read(CLEAN["table"]().pixels):
        assert line.text.split(" ") == [word.text for word in line.words]
        assert all(word.text and not re.search(r"\s", word.text) for word in line.words)


@pytest.mark.accuracy
async def test_confidences_are_probabilities_and_lower_on_poorer_scans(reader: PpOcrReader) -> None:
    clean = [
        word.confidence for line in await reader.read(paragraph_page(lines=5, seed=3).pixels) for word in line.words
    ]
    poor = noisy(paragraph_page(lines=5, seed=3, size=24), 1, noise=50, blur=2.2, jpeg_quality=10)
    worse = [word.confidence for line in await reader.read(poor.pixels) for word in line.words]
    assert all(0 < confidence <= 1 for confidence in clean + worse)
    assert np.mean(worse) < np.mean(clean)


@pytest.mark.parametrize("turn", [270, *(pytest.param(turn, marks=pytest.mark.deep) for turn in (0, 90, 180))])
async def test_a_quadrilateral_starts_where_its_text_starts(reader: PpOcrReader, turn: int) -> None:
    page = two_column_page(lines=4, seed=2)
    page = turned(page, turn) if turn else page
    for line in await reader.read(page.pixels):
        truth = nearest(line, page)
        scale = np.linalg.norm(np.subtract(truth.quad[3], truth.quad[0]))
        assert np.linalg.norm(np.subtract(line.quad[0], truth.quad[0])) < 0.5 * scale


@pytest.mark.parametrize(
    "size", [(600, 400), (1, 1), (500, 2), (2, 500), (3, 3), pytest.param((5000, 4000), marks=pytest.mark.deep)]
)
async def test_nothing_is_read_where_nothing_is_written(reader: PpOcrReader, size: tuple[int, int]) -> None:
    assert await reader.read(blank_page(*size).pixels) == []


@pytest.mark.deep
async def test_the_same_picture_reads_the_same_alone_and_among_others(reader: PpOcrReader) -> None:
    pictures = [paragraph_page(font=font, size=16 + i, lines=4, seed=i).pixels for i, font in enumerate(FONTS)][:4]
    alone = [await reader.read(picture) for picture in pictures]
    assert await asyncio.gather(*map(reader.read, pictures)) == alone


@pytest.mark.deep
async def test_a_cancelled_page_leaves_the_others_alone(reader: PpOcrReader) -> None:
    page = paragraph_page(lines=4, seed=5).pixels
    expected = await reader.read(page)
    given_up = [asyncio.ensure_future(reader.read(two_column_page(seed=i).pixels)) for i in range(4)]
    wanted = asyncio.ensure_future(reader.read(page))
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    assert await wanted == expected
    assert all(isinstance(e, asyncio.CancelledError) for e in await asyncio.gather(*given_up, return_exceptions=True))


def character_error_rate(lines: Sequence[TextLine], page: Page) -> float:
    """Edits over characters; a line that was found in pieces counts as one, its pieces joined by a space."""
    found: dict[int, list[TextLine]] = {}
    for line in lines:
        found.setdefault(page.lines.index(nearest(line, page)), []).append(line)
    edits = 0
    for number, truth in enumerate(page.lines):
        pieces = sorted(found.get(number, []), key=lambda line: along(line, truth))
        edits += edit_distance(" ".join(piece.text for piece in pieces), truth.text)
    return edits / sum(len(line.text) for line in page.lines)


def mean_word_iou(lines: Sequence[TextLine], page: Page) -> float:
    """The mean over the page's words of the overlap with the best of the words that were read."""
    read = [np.array(word.quad, np.float32) for line in lines for word in line.words]
    return float(np.mean([max((iou(np.array(word.quad, np.float32), quad) for quad in read), default=0.0)
                          for word in page.words]))  # fmt: skip


def iou(one: np.ndarray, other: np.ndarray) -> float:
    if (one.max(0) < other.min(0)).any() or (other.max(0) < one.min(0)).any():
        return 0.0
    shared_area, _ = cv2.intersectConvexConvex(one, other)
    return float(shared_area / (cv2.contourArea(one) + cv2.contourArea(other) - shared_area))


def along(line: TextLine, truth: Line) -> float:
    """Where the middle of `line` is between start (0) and end (1) of `truth`."""
    start, end = np.array(truth.quad[0]), np.array(truth.quad[1])
    middle = np.mean(line.quad, 0)
    return float((middle - start) @ (end - start) / ((end - start) @ (end - start)))


def nearest(line: TextLine, page: Page) -> Line:
    """The line of `page` in or nearest to which the middle of `line` is."""
    middle = np.mean(line.quad, 0)

    def distance(truth: Line) -> float:
        return float(-cv2.pointPolygonTest(np.array(truth.quad, np.float32), middle.astype(float).tolist(), True))

    return min(page.lines, key=distance)


def edit_distance(one: str, other: str) -> int:
    """Levenshtein's."""
    before = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
        before = row
    return before[-1]


def annotated_lines(file: Path) -> list[tuple[tuple[int, ...], str]]:
    """Left, top, right, bottom and text of each annotated line of a receipt."""
    rows = list(csv.reader(file.read_text("utf-8").splitlines(), quoting=csv.QUOTE_NONE))
    return [((*map(int, row[0:2]), *map(int, row[4:6])), ",".join(row[8:])) for row in rows]


def without_repeats(lines: Sequence[tuple[tuple[int, ...], str]]) -> list[tuple[tuple[int, ...], str]]:
    """Two printed lines of receipt_001 are annotated twice, the second time with slips: keep the first of each."""
    kept: list[tuple[tuple[int, ...], str]] = []
    for box, text in lines:
        corners = [np.array([(b[0], b[1]), (b[2], b[1]), (b[2], b[3]), (b[0], b[3])], np.float32) for b, _ in kept]
        own = np.array([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])], np.float32)
        if all(iou(own, other) < 0.5 for other in corners):
            kept.append((box, text))
    return kept
