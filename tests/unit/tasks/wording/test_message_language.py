"""The language of a message, as a small model tells it."""

from tasks.wording.message_language import language_of
from tests.conftest import each_case


@each_case(
    ("message", "language"),
    [
        ("Thanks", "en"),
        ("Danke", "de"),
        ("谢谢", "zh"),
        ("Спасибо", "ru"),
        ("شكرا", "ar"),
    ],
)
def test_a_single_word_has_its_language(message: str, language: str) -> None:
    assert language_of(message) == language


@each_case(
    ("message", "language"),
    [
        ('Was heißt "Where is the nearest station, please?"?', "de"),
        ("Quel est le total ?\n```\nTotal amount due within thirty days: 12 euros\n```", "fr"),
        ("> Wie hoch ist die Summe auf dieser Rechnung?", "de"),
    ],
)
def test_neither_a_quotation_nor_what_is_pasted_tells_the_language(message: str, language: str) -> None:
    assert language_of(message) == language


def test_a_text_without_words_has_a_language() -> None:
    assert language_of("") == language_of("  ")
