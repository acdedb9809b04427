"""What a request wants translated, and into what."""

import pytest

from tasks.errors import InputError
from tasks.wording.translation import parse_order
from tests.conftest import each_case

PHRASINGS = [
    ("Translate the following into French:\n\nHello, world!", "fr", None, "Hello, world!"),
    ('Translate the following into zh:\n\n"Hello": he said\n\n', "zh", None, '"Hello": he said\n\n'),
    ("Translate the following into pt-BR:\n\n  two  spaces", "pt-BR", None, "  two  spaces"),
    ("Translate this to zh: hello", "zh", None, "hello"),
    ("translate to it: hello", "it", None, "hello"),
    ("Please translate this text to Spanish. Hello there.", "es", None, "Hello there."),
    ("Translate this to French. Keep the formatting.\n\nHello", "fr", None, "Hello"),
    ('Translate "good morning" into French', "fr", None, "good morning"),
    ("Translate 'I don't know: maybe' to Italian", "it", None, "I don't know: maybe"),
    ("Translate hello world to French", "fr", None, "hello world"),
    ("Translate hello world from English to Spanish", "es", "en", "hello world"),
    ("Translate from English to Spanish: hello", "es", "en", "hello"),
    ("How do you say good morning in Spanish?", "es", None, "good morning"),
    ('What does "bonjour" mean in English?', "en", None, "bonjour"),
    ("What is the French translation of hello?", "fr", None, "hello"),
    ("Hello.\n\nTranslate the above into French.", "fr", None, "Hello."),
    ("Good day to you all. Translate this to German.", "de", None, "Good day to you all."),
    ("English to French: Hello", "fr", "en", "Hello"),
    ("en -> fr: Hello", "fr", "en", "Hello"),
    ("French: Hello", "fr", None, "Hello"),
    ("to zh-TW: hello", "zh-TW", None, "hello"),
    ("Into Brazilian Portuguese please:\nHello", "pt-BR", None, "Hello"),
    ("Translate into Traditional Chinese: hello", "zh-Hant", None, "hello"),
    ("Translate to Portuguese (Brazil): hello", "pt-BR", None, "hello"),
    ("Target language: French\nText: Hello", "fr", None, "Hello"),
    ('{"text": "Hello", "target_language": "French"}', "fr", None, "Hello"),
    ("Translate this document to Dutch", "nl", None, ""),
    ("Can you translate the following sentence into Russian?\nI am here.", "ru", None, "I am here."),
    ("Translate a French poem into English: Sous le pont", "en", None, "Sous le pont"),
    ("Übersetze ins Englische: Guten Morgen", "en", None, "Guten Morgen"),
    ("Traduis en anglais : Bonjour", "en", None, "Bonjour"),
    ("Traduce al inglés: Buenos días", "en", None, "Buenos días"),
    ("把以下内容翻译成英文：你好", "en", None, "你好"),
    ("次の文を英語に翻訳してください：\n\nこんにちは", "en", None, "こんにちは"),
    ("Переведи на английский: Доброе утро", "en", None, "Доброе утро"),
    ("ترجم إلى الإنجليزية: صباح الخير", "en", None, "صباح الخير"),
]


@each_case(("message", "target", "source", "text"), PHRASINGS)
def test_a_request_is_taken_apart(message: str, target: str, source: str | None, text: str) -> None:
    asked = parse_order(message)
    assert (" ".join(asked.targets), asked.source_language, asked.text) == (target, source, text)


@pytest.mark.parametrize("message", ["", "Hello", "Translate this.", "Translate the following:\n\nHello"])
def test_a_request_without_a_language_says_how_to_name_one(message: str) -> None:
    with pytest.raises(InputError, match="knows no language"):
        parse_order(message)


def test_what_the_text_says_about_languages_is_no_instruction() -> None:
    asked = parse_order("Translate the following into French:\n\nTranslate this to German: hello")
    assert (asked.targets, asked.text) == (("fr",), "Translate this to German: hello")


def test_a_megabyte_of_text_is_taken_as_it_is() -> None:
    text = "One line of many.\n" * 60_000
    assert parse_order(f"Translate the following into French:\n\n{text}").text == text
