"""A text layer and what was read from the picture of the same page."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from models.vision.text import TextLine, Word
from tasks import page_layout
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


def test_without_a_layer_the_reading_is_the_page() -> None:
    read = [line("scanned", 10, 10)]
    assert combined((), read) == read


def test_without_a_reading_the_layer_is_the_page() -> None:
    layer = [line("typed", 10, 10)]
    assert combined(layer, ()) == layer


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


def test_a_word_is_held_against_all_of_its_level_on_a_page_of_many_lines() -> None:
    layer = [line(f"typed {number}", 10, 10 + 24 * number) for number in range(300)]
    margin = line("x", 0, 0, height=7300)
    stamps = [line(f"stamp {number}", 200, 10 + 24 * number) for number in range(300)]
    assert combined([margin, *layer], [*layer, *stamps]) == [margin, *layer, *stamps]


def test_two_full_pages_take_little_memory() -> None:
    page = [line("word " * 20, 10, 10 + 24 * number) for number in range(100)]
    tracemalloc.start()
    combined(page, page)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_tall_word_does_not_make_each_word_be_compared_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = [line("typed word", 10, 24 * number) for number in range(500)]
    margin = line("x", 0, 0, height=12_000)
    pairs, covered_width = [], page_layout._covered_width

    def counted(read: NDArray[np.float64], typed: NDArray[np.float64]) -> NDArray[np.float64]:
        pairs.append(read.shape[1] * typed.shape[1])
        return covered_width(read, typed)

    monkeypatch.setattr(page_layout, "_covered_width", counted)
    assert combined([margin, *layer], [*layer, margin]) == [margin, *layer]
    assert sum(pairs) < 150_000


def test_comparisons_of_a_page_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_layout, "_MOST_COMPARISONS", 64 * 90)
    monkeypatch.setattr(page_layout, "_TYPED_AT_ONCE", 30)
    layer = [line("typed " * 100, 10, 10)]
    read = [line("typed " * 64, 10, 10), line("typed", 10, 14)]
    assert combined(layer, [read[0]]) == layer + read[:1]
    assert combined(layer, read[1:]) == layer
