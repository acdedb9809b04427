"""What of a request's text is read for wishes: in time linear in a bounded part of it."""

from tasks.wording.gui_elements import parse_gui
from tasks.wording.options import ends_of


def test_a_long_text_is_read_at_its_beginning_and_its_end() -> None:
    assert ends_of("a" * 30 + "b" * 30 + "c" * 30, 40) == "a" * 30 + "\n" + "c" * 10
    assert ends_of("a" * 40, 40) == "a" * 40


def test_little_words_are_left_out_at_the_ends_only() -> None:
    assert parse_gui("the a the sign in").text == "sign in"
    assert parse_gui("a," * 200_000).text == ""
