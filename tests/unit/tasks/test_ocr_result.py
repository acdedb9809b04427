"""The result of the `ocr` task, to the byte."""

import json

import pytest
from pydantic_core import to_json

from models.vision.text import Quad, TextLine, Word
from tasks.layout.tick_boxes import TickBox
from tasks.ocr_result import (
    OcrResult,
    PageLayout,
    document_result,
    page_section,
    picture_result,
)


def box(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def line(*words: tuple[str, Quad, float]) -> TextLine:
    quads = [quad for _, quad, _ in words]
    return TextLine(tuple(Word(*word) for word in words), (quads[0][0], quads[-1][1], quads[-1][2], quads[0][3]))


TOTAL = line(("TOTAL", box(10, 50, 60, 70), 0.994), ("9.00", box(200, 50, 240.5, 70), 0.981))
SHOP = line(("Shop", box(10, 10, 50, 30), 0.5))


def test_a_page_says_which_it_is_and_how_large() -> None:
    pages = [page_section([SHOP], page=3, width=300, height=100), page_section([TOTAL], page=4, width=200, height=80)]
    result = document_result(["Shop", "TOTAL 9.00"], pages, total_pages=9).data
    assert list(result) == ["extracted_text", "sections", "width", "height", "total_pages"]
    assert list(result["sections"][0]) == ["text", "lines", "page", "width", "height"]
    assert [(one["page"], one["width"], one["height"]) for one in pages] == [(3, 300, 100), (4, 200, 80)]
    assert (result["width"], result["height"], result["total_pages"]) == (300, 100, 9)


def test_the_average_is_of_the_confidences_as_measured() -> None:
    words = [(f"w{n}", box(10 + 30 * n, 10, 30 + 30 * n, 30), 0.994) for n in range(5)]
    (one,) = page_section([line(*words, ("x", box(160, 10, 180, 30), 0.966))], 1, 300, 100)["lines"]
    assert one["average_confidence"] == pytest.approx(0.99)
    assert [word["confidence"] for word in one["words"]] == [0.99] * 5 + [0.97]


def test_boxes_to_be_ticked_are_words_for_fields_and_no_part_of_the_json() -> None:
    yes = line(("Smoker:", box(10, 50, 90, 70), 0.9), ("yes", box(130, 50, 160, 70), 0.9))
    no = line(("no", box(210, 50, 230, 70), 0.8))
    layout = PageLayout(
        boxes=[TickBox(box(102, 50, 122, 70), is_ticked=False), TickBox(box(182, 50, 202, 70), is_ticked=True)]
    )
    section = page_section([SHOP, yes, no], page=1, width=300, height=100)
    result = picture_result(section, layout)
    assert result.data == picture_result(section).data
    for one in (result, OcrResult.restored(json.loads(to_json(result.kept())))):
        shop, options = next(iter(one.passages()))
        assert shop.words == ("Shop",)
        assert options.words == ("Smoker:", "☐", "yes", "☒", "no")
        assert options.pointer == "/sections/0/lines/1"
        assert [bounds["top_left"]["x"] for bounds in options.bounds] == [10, 102, 130, 182, 210]
        assert options.boxes[3] == (182, 50, 202, 70)
