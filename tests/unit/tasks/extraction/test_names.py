"""How a field's key is read, and how much of keys is remembered."""

import pytest

from tasks.extraction.names import MAX_CHARS, MAX_WORDS, names_of, words_of_key
from tests.conftest import each_case


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


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("customer_addr", ("customer", "address")),
        ("dueDt", ("due", "date")),
        ("lname", ("last", "name")),
        ("duedate", ("due", "date")),
        ("invoicenumber", ("invoice", "number")),
        ("total", ("total",)),
    ],
)
def test_a_fields_name_is_spelt_out(key: str, words: tuple[str, ...]) -> None:
    assert names_of((key,), {}).own == tuple(dict.fromkeys([words, words_of_key(key)]))


def test_a_long_word_is_not_cut_wherever_it_may_be() -> None:
    word = "total" * 9 + "date"
    assert names_of((word,), {}).own == ((word,),)


def test_no_more_than_a_thousand_keys_are_remembered() -> None:
    for number in range(2000):
        words_of_key(f"key{number}")
    assert words_of_key.cache_info().currsize <= 1024


@each_case(
    ("key", "concept"),
    [
        ("lieu_naissance", "birth_place"),
        ("data_nascita", "birth"),
        ("luogo_nascita", "birth_place"),
        ("numero_permis", "licence_number"),
        ("lugarNacimiento", "birth_place"),
    ],
)
def test_a_key_may_leave_little_words_out(key: str, concept: str) -> None:
    assert names_of((key,), {}).concepts == {concept}


def test_no_more_of_a_key_is_compared_than_is_of_use() -> None:
    assert len(words_of_key("a_" * 45_000)) == MAX_WORDS < MAX_CHARS / 2
    assert words_of_key("x" * 90_000) == ("x" * MAX_CHARS,)


@pytest.mark.parametrize("word", ["title", "description"])
def test_a_long_text_about_a_field_is_no_name(word: str) -> None:
    assert names_of(("total",), {word: "amount"}).own == (("total",), ("amount",))
    assert names_of(("total",), {word: "amount " + "x" * MAX_CHARS}).own == (("total",),)
