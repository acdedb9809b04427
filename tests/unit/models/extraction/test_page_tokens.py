"""Tokens of pages and of fields, and their places."""

import numpy as np

from models.extraction.page_tokens import (
    CLS,
    COLUMNS,
    FIELD_KINDS,
    MARKER,
    ROWS,
    SEP,
    Box,
    PageTokens,
    Prompt,
    encoder_input,
    page_tokens,
    rows_of,
)
from tests.kit.engines.letters import LETTERS, letter_tokenizer


def tokens_of(*words: tuple[str, Box]) -> PageTokens:
    return page_tokens(letter_tokenizer(), [word for word, _ in words], [box for _, box in words])


def rows(*boxes: Box) -> list[int]:
    return rows_of(np.array(boxes, np.float32)).tolist()


def test_boxes_at_one_height_are_one_row_and_a_wide_gap_is_an_empty_row() -> None:
    assert rows((0, 0, 9, 10), (50, 3, 59, 13), (0, 12, 9, 22), (0, 40, 9, 50)) == [0, 0, 1, 3]


def test_a_long_page_has_no_more_rows_than_are_distinguished() -> None:
    found = rows(*((0.0, 12.0 * row, 9.0, 12.0 * row + 10) for row in range(ROWS + 9)))
    assert found == [*range(ROWS), *[ROWS - 1] * 9]


def test_columns_are_parts_of_the_width_of_what_is_printed() -> None:
    found = tokens_of(("a", (100, 0, 110, 10)), ("b", (200, 0, 300, 10)))
    assert found.lefts.tolist() == [0, (COLUMNS - 1) // 2]
    assert found.rights.tolist() == [(COLUMNS - 1) // 20, COLUMNS - 1]


def test_each_token_knows_its_word_its_first_character_and_if_it_is_a_sign() -> None:
    found = tokens_of(("a:", (0, 0, 9, 10)), ("#b7", (20, 0, 29, 10)))
    assert found.words.tolist() == [0, 0, 1, 1, 1]
    assert found.starts.tolist() == [0, 1, 0, 1, 2]
    assert found.signs.tolist() == [False, True, True, False, False]
    assert found.lefts[0] == found.lefts[1] != found.lefts[2]


def test_a_part_of_a_page_has_the_places_of_the_whole() -> None:
    whole = tokens_of(("ab", (0, 0, 9, 10)), ("c", (50, 12, 59, 22)))
    part = whole.part(1, 3)
    assert (part.words.tolist(), part.starts.tolist(), part.rows.tolist()) == ([0, 1], [1, 0], [0, 1])


def test_prompts_are_before_the_page_and_each_token_belongs_to_its_field() -> None:
    page = tokens_of(("xy", (0, 0, 9, 10)))
    prompts = [Prompt("ab", "text", False), Prompt("c", "date", True)]
    found = encoder_input(letter_tokenizer(), prompts, page)
    a, b, c, x, y = (LETTERS.index(letter) + 1 for letter in "abcxy")
    assert found.ids.tolist() == [CLS, MARKER, a, 100 + b, MARKER, c, SEP, x, 100 + y]
    assert found.owners.tolist() == [0, 1, 1, 1, 2, 2, 0, 0, 0]
    assert found.positions.tolist() == [0, 1, 2, 3, 1, 2, 0, 0, 1]
    assert found.segments.tolist() == [1] * 7 + [0] * 2
    date_in_list = 1 + FIELD_KINDS.index("date") + len(FIELD_KINDS)
    assert found.kinds.tolist() == [0, 1 + FIELD_KINDS.index("text"), 0, 0, date_in_list, 0, 0, 0, 0]
    assert found.listed.tolist() == [False, True]
    assert found.page_start == 7
    for name in ("rows", "lefts", "rights", "sizes"):
        assert getattr(found, name).tolist() == [0] * 7 + (1 + getattr(page, name)).tolist()
