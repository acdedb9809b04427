"""The PaddleOCR engine on real PaddleOCR and Paddle Inference, with networks made for the test."""

import asyncio
import math
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.base import EngineFailed, EngineUnavailable
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.vision.ocr.capability import PADDLE_OCR
from models.vision.ocr.paddle import LANGUAGES, PaddleOcr, PaddleReader, models_for
from models.vision.text import Quad, Word
from tests.extras.engines.paddle.conftest import MakeModels
from tests.extras.engines.paddle.painting import CELL, Box, blank_page, overlap, paint

pytestmark = [
    # Paddle looks for a compiler cache when it is imported; nothing is compiled here.
    pytest.mark.filterwarnings("ignore:No ccache found:UserWarning"),
]


@pytest.fixture(scope="module")
def engine(latin_weights: Path) -> PaddleOcr:
    engine = PaddleOcr(latin_weights)
    engine.load()
    return engine


def read(engine: PaddleOcr, page: np.ndarray) -> list[list[Word]]:
    """The words of each line, lines from top to bottom."""
    [lines] = engine.run([page])
    assert not isinstance(lines, Exception), lines
    return [list(line.words) for line in sorted(lines, key=lambda line: line.quad[0][1])]


def texts(lines: list[list[Word]]) -> list[list[str]]:
    return [[word.text for word in line] for line in lines]


def bounds(quad: Quad) -> Box:
    xs, ys = zip(*quad, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def test_reads_the_words_of_every_line(engine: PaddleOcr) -> None:
    page = blank_page()
    paint(page, "abc de", 40, 40)
    paint(page, "f", 40, 140)
    paint(page, "ca fab", 40, 230)
    assert texts(read(engine, page)) == [["abc", "de"], ["f"], ["ca", "fab"]]


def test_word_boxes_lie_on_the_words(engine: PaddleOcr) -> None:
    page = blank_page()
    painted = paint(page, "abc de f", 40, 100)
    [words] = read(engine, page)
    overlaps = [overlap(bounds(word.quad), box) for word, box in zip(words, painted, strict=True)]
    assert min(overlaps) >= 0.75, overlaps


def test_a_word_has_its_own_confidence(engine: PaddleOcr) -> None:
    page = blank_page()
    paint(page, "abc d ef", 40, 100, fade="d")
    [[clear, faded, also_clear]] = read(engine, page)
    assert 0.5 < faded.confidence < 0.99
    assert clear.confidence > 0.999
    assert also_clear.confidence > 0.999
    assert max(clear.confidence, also_clear.confidence) <= 1.0


def test_the_quads_of_a_slanted_line_are_slanted(engine: PaddleOcr) -> None:
    page = blank_page(640, 480)
    painted = paint(page, "abc de", 120, 200)
    turn = cv2.getRotationMatrix2D((320, 240), 12, 1.0)
    slanted = cv2.warpAffine(page, turn, (640, 480), borderValue=(255, 255, 255))
    [words] = read(engine, slanted)
    assert [word.text for word in words] == ["abc", "de"]
    for word, (left, top, right, bottom) in zip(words, painted, strict=True):
        (x0, y0), (x1, y1) = word.quad[:2]
        assert math.degrees(math.atan2(y0 - y1, x1 - x0)) == pytest.approx(12, abs=1)
        middle = turn @ ((left + right) / 2, (top + bottom) / 2, 1)
        assert np.mean(word.quad, axis=0) == pytest.approx(middle, abs=CELL / 2)


def test_a_page_that_cannot_be_read_fails_alone(engine: PaddleOcr) -> None:
    page = blank_page()
    paint(page, "ab", 40, 40)
    first, broken, last = engine.run([page, np.zeros((0, 0, 3), np.uint8), page])
    assert isinstance(broken, Exception)
    assert not isinstance(first, Exception)
    assert [line.text for line in first] == ["ab"]
    assert first == last


def test_the_language_chooses_the_recogniser(make_models: MakeModels) -> None:
    weights = make_models("PP-OCRv5_server_det", "eslav_PP-OCRv5_mobile_rec", "абвгде")
    engine = PaddleOcr(weights, language="ru")
    engine.load()
    page = blank_page()
    paint(page, "где баба", 40, 40, alphabet="абвгде")
    assert texts(read(engine, page)) == [["где", "баба"]]


def test_arabic_words_are_spelled_and_ordered_as_they_are_read(make_models: MakeModels) -> None:
    weights = make_models("PP-OCRv5_server_det", "arabic_PP-OCRv5_mobile_rec", "ابتثab")
    engine = PaddleOcr(weights, language="ar")
    engine.load()
    page = blank_page(1280)
    # As seen from left to right: the sentence ends at the left, each word is written from its right end.
    seen = "تاب ab ba ثب"
    painted = paint(page, seen, 40, 40, alphabet="ابتثab")
    [words] = read(engine, page)
    assert [word.text for word in words] == ["بث", "ab", "ba", "بات"]
    assert overlap(bounds(words[0].quad), painted[3]) >= 0.7
    assert overlap(bounds(words[3].quad), painted[0]) >= 0.7


def test_missing_weights_are_reported_before_paddleocr_can_look_for_a_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "paddleocr", raising=False)
    with pytest.raises(EngineUnavailable) as caught:
        PaddleOcr(tmp_path, language="ar").load()
    assert "paddleocr" not in sys.modules
    assert caught.value.capability == "ocr"
    assert "'paddleocr/PP-OCRv5_server_det' in OPENFAZE_WEIGHTS_DIR" in caught.value.remedy
    # Clients see the remedy: where the server keeps its files is not theirs to know.
    assert str(tmp_path) not in caught.value.remedy
    assert "openfaze pull paddleocr-arabic" in caught.value.remedy


def test_a_missing_package_is_reported_with_the_extra_that_brings_it(
    latin_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "paddleocr", None)
    with pytest.raises(EngineUnavailable, match="openfaze install standard"):
        PaddleOcr(latin_weights).load()


def test_every_language_gets_the_models_that_paddleocr_itself_takes() -> None:
    from paddleocr import PaddleOCR

    ours = {"ja": "japan", "ko": "korean", "zh": "ch"}
    for language in LANGUAGES:
        models = models_for(language)
        theirs = PaddleOCR._get_ocr_model_names(None, ours.get(language, language), None)
        assert (models.detector, models.recognizer) == theirs, language


async def test_callers_at_the_same_time_each_get_their_own_page(latin_weights: Path) -> None:
    host = EngineHost(PADDLE_OCR.spec, lambda: PaddleOcr(latin_weights), HostLimits(max_batch=4, workers=2))
    reader = PaddleReader(host)
    words = ["a", "bc", "def", "fade", "cab", "bed", "ace", "dab"]
    pages = []
    for word in words:
        page = blank_page()
        paint(page, word, 40, 40)
        pages.append(page)
    try:
        results = await asyncio.gather(*(reader.read(page) for page in pages))
        assert [line.text for lines in results for line in lines] == words
        with pytest.raises(EngineFailed):
            await reader.read(np.zeros((0, 0, 3), np.uint8), wait=True)
    finally:
        await host.close()
