"""The pages that the tests draw are what they claim to be."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.pages import (
    Page,
    noisy,
    paragraph_page,
    pasted,
    prose,
    single_line,
    skewed,
    table_page,
    turned,
    two_column_page,
)


def ink(page: Page) -> NDArray[np.bool_]:
    return np.asarray(page.image.convert("L")) < 128


@pytest.mark.parametrize("page", [paragraph_page(), two_column_page(heading="Title"), table_page(rules=False)])
def test_all_ink_is_in_the_boxes_and_every_box_touches_ink(page: Page) -> None:
    dark = ink(page)
    for word in page.words:
        left, top, right, bottom = map(round, word.box)
        box = dark[top:bottom, left:right]
        assert box[:, :2].any()
        assert box[:, -2:].any()
        dark[top:bottom, left:right] = False
    assert not dark.any()


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turning_a_page_turns_its_boxes(turn: int) -> None:
    page = turned(paragraph_page(seed=2), turn)
    dark = ink(page)
    for word in page.words:
        left, top, right, bottom = map(round, word.box)
        dark[top:bottom, left:right] = False
    assert not dark.any()


def test_four_quarter_turns_change_nothing() -> None:
    page = table_page()
    again = turned(turned(turned(turned(page, 90), 90), 90), 90)
    assert np.array_equal(again.pixels, page.pixels)
    assert again.lines == page.lines


def test_the_first_corner_is_the_start_of_the_text() -> None:
    quad = turned(single_line("Word"), 90).words[0].quad
    assert quad[0][0] > quad[3][0]
    assert quad[1][1] > quad[0][1]


def test_skewing_keeps_words_under_their_boxes() -> None:
    page = skewed(paragraph_page(seed=3), 3)
    straight = skewed(page, -3)
    middle = np.array(paragraph_page(seed=3).words[0].quad).mean(0)
    shift = (np.array(straight.image.size) - np.array(paragraph_page(seed=3).image.size)) / 2
    assert np.array(straight.words[0].quad).mean(0) == pytest.approx(middle + shift, abs=1.5)


def test_pages_and_their_noise_are_reproducible() -> None:
    assert np.array_equal(noisy(paragraph_page(seed=1), 2).pixels, noisy(paragraph_page(seed=1), 2).pixels)
    assert prose(1, 20) != prose(2, 20)


def test_pasting_moves_the_words() -> None:
    page = pasted(paragraph_page(), single_line("Here"), 300, 100)
    left, top, right, bottom = map(round, page.lines[-1].box)
    assert ink(page)[top:bottom, left:right].any()
    assert page.lines[-1].text == "Here"
