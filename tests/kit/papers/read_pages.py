"""Pages as OCR reads them, with the place of each word."""

from models.vision.text import Quad, TextLine, Word
from tasks.ocr_result import page_section, picture_result
from tasks.precontext import Entry

CHARACTER, HEIGHT = 10, 20


def box(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def text_line(text: str, left: int, top: int, confidence: float = 0.9) -> TextLine:
    """`text` in letters of 10 × 20 pixels."""
    words, at = [], left
    for word in text.split():
        words.append(Word(word, box(at, top, at + CHARACTER * len(word), top + HEIGHT), confidence))
        at += CHARACTER * (len(word) + 1)
    return TextLine(tuple(words), box(left, top, at - CHARACTER, top + HEIGHT))


def ocr(*rows: str | tuple[str, ...], confidence: float = 0.9) -> Entry:
    """A picture with a row of text every 30 pixels; the texts of a tuple are lines 300 pixels apart."""
    lines = [
        text_line(text, 300 * column, 30 * row, confidence)
        for row, texts in enumerate(rows)
        for column, text in enumerate((texts,) if isinstance(texts, str) else texts)
    ]
    return Entry("ocr", picture_result(page_section(lines, 1, 2000, 2000)))
