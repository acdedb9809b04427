"""A text layer and what was read from the picture of the same page."""

from models.vision.text import TextLine, Word
from tasks.page_layout import combined


def line(text: str, left: float, top: float, height: float = 20, character: float = 10) -> TextLine:
    words, x = [], left
    for word in text.split():
        right = x + character * len(word)
        words.append(Word(word, ((x, top), (right, top), (right, top + height), (x, top + height)), 0.9))
        x = right + character
    first, last = words[0].quad, words[-1].quad
    return TextLine(tuple(words), (first[0], last[1], last[2], first[3]))


def texts(lines: list[TextLine]) -> list[str]:
    return [one.text for one in lines]


def test_what_the_layer_has_is_not_read_again() -> None:
    layer = [line("Invoice number 4711", 10, 10)]
    read = [line("lnvoice nurnber 4711", 9, 7, height=26, character=10.2), line("a stamp", 10, 60)]
    assert texts(combined(layer, read)) == ["Invoice number 4711", "a stamp"]


def test_the_layer_counts_where_words_are_cut_differently() -> None:
    layer = [line("well - known", 10, 10)]
    assert texts(combined(layer, [line("well-known", 10, 9, character=12)])) == ["well - known"]


def test_a_line_next_to_the_layer_is_kept() -> None:
    layer = [line("typed text", 10, 10)]
    assert texts(combined(layer, [line("read text", 10, 34)])) == ["typed text", "read text"]


def test_the_part_of_a_line_that_the_layer_lacks_is_kept() -> None:
    layer = [line("Signed by:", 10, 10)]
    read = line("Signed by: Ada Lovelace", 10, 8, height=24)
    kept = combined(layer, [read])[1]
    assert kept.text == "Ada Lovelace"
    assert kept.quad == ((120, 8), (240, 8), (240, 32), (120, 32))


def turned(text: str, left: float, bottom: float, width: float, length: float) -> TextLine:
    """A word that runs upwards from the left bottom corner of its place."""
    right, top = left + width, bottom - length
    quad = ((left, bottom), (left, top), (right, top), (right, bottom))
    return TextLine((Word(text, quad, 0.9),), quad)


def test_what_the_layer_has_upright_is_not_read_again() -> None:
    """The box of a reading may be much wider than that of the word, or lie across it."""
    layer = [turned("7506", 250, 790, 15, 50)]
    assert texts(combined(layer, [turned("-7506", 238, 797, 40, 63)])) == ["7506"]
    assert texts(combined(layer, [line("3", 240, 770, height=7, character=36)])) == ["7506"]
    assert texts(combined(layer, [turned("12", 300, 790, 20, 50)])) == ["7506", "12"]
