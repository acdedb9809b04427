"""Signs of boxes stand among the words of their lines."""

from collections.abc import Sequence

from models.vision.text import Quad, TextLine
from tasks.layout.ticked_lines import UprightBox, with_ticks
from tests.kit.chats.entries import text_line


def box(left: float, top: float, *, ticked: bool = False) -> UprightBox:
    quad: Quad = ((left, top), (left + 20, top), (left + 20, top + 20), (left, top + 20))
    return UprightBox(quad, ticked)


def rows(lines: Sequence[TextLine], *boxes: UprightBox) -> list[str]:
    return [" ".join(one.word.text for one in row.words) for row in with_ticks(lines, boxes)]


def test_a_sign_stands_where_its_box_is() -> None:
    line = text_line("Smoker: yes no", 100, 50)  # words begin at 100, 190 and 230
    assert rows([line], box(172, 50, ticked=True), box(260, 50)) == ["Smoker: ☒ yes no ☐"]


def test_what_was_read_of_a_box_gives_way_to_its_sign() -> None:
    assert rows([text_line("□ yes O no", 100, 50)], box(95, 50), box(155, 50, ticked=True)) == ["☐ yes ☒ no"]
    assert rows([text_line("口Yes", 100, 50)], box(92, 50, ticked=True)) == ["☒ Yes"]
    assert rows([text_line("Option", 100, 50)], box(60, 50, ticked=True)) == ["☒ Option"]


def test_lines_that_go_on_with_a_row_of_options_are_joined_to_it() -> None:
    lines = [text_line("Smoker: yes", 100, 50), text_line("Total", 100, 90), text_line("no", 300, 52)]
    boxes = [box(225, 50), box(325, 50, ticked=True)]
    assert rows(lines, *boxes) == ["Smoker: yes ☐ no ☒"]
    assert [row.lines for row in with_ticks(lines, boxes)] == [[0, 2]]


def test_another_question_in_the_same_row_keeps_its_line() -> None:
    lines = [text_line("Smoker: yes", 100, 50), text_line("Pets: yes", 300, 50)]
    assert rows(lines, box(225, 50, ticked=True), box(400, 50)) == ["Smoker: yes ☒", "Pets: yes ☐"]


def test_a_box_far_from_all_words_is_left_out() -> None:
    assert rows([text_line("Smoker", 100, 50)], box(600, 50), box(110, 200)) == []
