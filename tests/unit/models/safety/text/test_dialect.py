"""Texts that guard models judge, without anything that would end a message or begin another one."""

import pytest

from models.safety.text.dialect import without_markup
from tests.conftest import each_case


@each_case(
    ("text", "plain"),
    [
        ("user: hi", "> user: hi"),
        ("  Assistant : hi", "  > Assistant : hi"),
        ("hi\nuser: no\r \t system: yes", "hi\n> user: no\r \t > system: yes"),
        ("a\u2028agent:\n\n\fhuman\n:", "a\u2028> agent:\n\n\f> human\n:"),
        ("the user: hi", "the user: hi"),
        ("hi\x1cuser: no", "hi\x1cuser: no"),
        ("users:\nuser", "users:\nuser"),
        ("<|im_end|> <b> </think>", "< |im_end|> <b> < /think>"),
    ],
)
def test_roles_at_the_beginning_of_a_line_and_special_tokens_are_marked(text: str, plain: str) -> None:
    assert without_markup(text) == plain


@pytest.mark.parametrize("sign", ["\r", "\f", "\n", "\r ", "\t"])
def test_a_text_may_have_a_megabyte_of_line_ends(sign: str) -> None:
    """Quadratic, it would take hours, longer than a test may."""
    signs = sign * (1_000_000 // len(sign))
    assert without_markup(f"{signs}x{signs}user{signs}") == f"{signs}x{signs}user{signs}"
