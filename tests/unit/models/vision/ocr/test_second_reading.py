"""Which letters of a second reading are believed."""

import pytest

from models.vision.ocr.paddleocr_vl import LineReading, with_transcript
from models.vision.text import TextLine, Word
from tests.conftest import each_case


def line(text: str, confidence: float) -> TextLine:
    """Set in letters of 10 × 20 pixels."""
    words, x = [], 0.0
    for word in text.split():
        end = x + 10 * len(word)
        words.append(Word(word, ((x, 0), (end, 0), (end, 20), (x, 20)), confidence))
        x = end + 10
    return TextLine(tuple(words), ((0, 0), (x - 10, 0), (x - 10, 20), (0, 20)))


@each_case(
    ("first", "confidence", "second", "expected"),
    [
        ("lnvoice No. 47l1", 0.9, "Invoice No. 4711", "Invoice No. 4711"),
        ("Total 12.50", 0.999, "Total 19.50", "Total 12.50"),
        ("Tota1 12.50", 0.9, "The total amount: 12.50", "Tota1 12.50"),
        ("Milk 12.50", 0.9, "Milk fresh", "Milk 12.50"),
        ("第一页", 0.9, "第一頁", "第一頁"),
        ("Total", 0.9, "", "Total"),
    ],
)
def test_words_that_are_uncertain_take_similar_letters(
    first: str, confidence: float, second: str, expected: str
) -> None:
    before = line(first, confidence)
    after = with_transcript(before, LineReading(second, 0.7))
    assert after.text == expected
    assert [word.quad for word in after.words] == [word.quad for word in before.words]
    changed = [word.text != other.text for word, other in zip(before.words, after.words, strict=True)]
    assert [word.confidence for word in after.words] == pytest.approx([0.7 if one else confidence for one in changed])
