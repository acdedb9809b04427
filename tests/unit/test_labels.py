"""How a field's key is read, and how much of keys is remembered."""

import pytest

from app.chat.evidence.labels import words_of_key


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("total", ("total",)),
        ("invoiceNumber", ("invoice", "number")),
        ("invoice_number", ("invoice", "number")),
        ("VATRate", ("vat", "rate")),
        ("", ()),
    ],
)
def test_a_key_is_read_as_words(key: str, words: tuple[str, ...]) -> None:
    assert words_of_key(key) == words


def test_no_more_than_a_thousand_keys_are_remembered() -> None:
    for number in range(2000):
        words_of_key(f"key{number}")
    assert words_of_key.cache_info().currsize <= 1024
