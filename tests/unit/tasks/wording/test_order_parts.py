"""The parts of an order that only its words tell."""

from tasks.wording.order_parts import part_tagger, words_of
from tests.conftest import each_case


@each_case(
    ("order", "text"),
    [
        ("Translate hello world to French", "hello world"),
        ("How do you say good morning in Spanish?", "good morning"),
        ("wie sagt man Danke schön auf Portugiesisch", "Danke schön"),
        ("comment on dit écureuil en anglais", "écureuil"),
        ("Translate this document to Dutch", ""),
        ("het contract in het Duits", ""),
        ("Bu mektubu Fransızcaya çevirir misin?", ""),
        ("", ""),
        ("?", ""),
    ],
)
def test_the_text_to_translate_is_told_by_the_words_around_it(order: str, text: str) -> None:
    assert part_tagger().text_of(order, "text") == text


def test_words_are_those_of_their_script_and_know_languages() -> None:
    assert [(one.text, one.language) for one in words_of("Say हिंदी in 英語!")] == [
        ("say", ""),
        ("हिंदी", "bare"),
        ("in", ""),
        ("英", "in"),
        ("語", ""),
        ("!", ""),
    ]
