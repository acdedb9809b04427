"""Questions and orders about a document, as the fields that they ask for."""

import re
from typing import Any

import pytest

from app.chat.planning.questions import is_question, values_asked_for
from tasks.extraction.printed_types import GUESSED

NUMBER: dict[str, Any] = {"type": ["number", "null"], "$comment": GUESSED}
TEXT: dict[str, Any] = {"type": ["string", "null"]}
DAY: dict[str, Any] = {**TEXT, "format": "date"}


@pytest.mark.parametrize(
    ("question", "fields"),
    [
        ("Give me the total.", {"total": NUMBER}),
        ("What's the total on this receipt?", {"total": NUMBER}),
        ("Tell me the invoice number, please.", {"invoice_number": TEXT}),
        ("How much do I have to pay?", {"total": NUMBER}),
        ("Nenne mir die Rechnungsnummer.", {"rechnungsnummer": TEXT}),
        ("When is it due?", {"due_date": DAY}),
        ("Quel est le montant total ?", {"montant_total": NUMBER}),
        ("Qual è il totale?", {"totale": NUMBER}),
        ("What are the invoice number and the date?", {"invoice_number": TEXT, "date": DAY}),
        ("When was this?", {"date": DAY}),
        ("Was kostet alles zusammen?", {"total": NUMBER}),
        ("List the skills.", {"skills": {"type": "array", "items": {"type": "string"}}}),
    ],
)
def test_a_question_or_an_order_is_a_schema_of_what_it_names(question: str, fields: dict[str, Any]) -> None:
    asked = values_asked_for(question)
    assert asked is not None
    assert asked.schema["properties"] == fields
    assert asked.are_known


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("What did the toast cost?", "toast"),
        ("How much does the orange juice cost?", "orange_juice"),
        ("Was hat der Toast gekostet?", "toast"),
        ("Combien coûte le jus ?", "jus"),
        ("¿Cuánto costó el café?", "café"),
        ("Ile kosztuje kawa na tym paragonie?", "kawa"),
    ],
)
def test_the_price_of_one_thing_is_not_the_total(question: str, key: str) -> None:
    asked = values_asked_for(question)
    assert asked is not None
    assert asked.schema["properties"] == {key: {"type": ["number", "null"]}}


@pytest.mark.parametrize("question", ["List the items.", "What did I buy?", "Welche Artikel wurden gekauft?"])
def test_a_question_for_what_was_bought_asks_for_rows(question: str) -> None:
    asked = values_asked_for(question)
    assert asked is not None
    assert set(asked.schema["properties"]["items"]["items"]["properties"]) == {
        "description",
        "quantity",
        "unit_price",
        "amount",
    }


@pytest.mark.parametrize(
    ("question", "titles", "unnamed"),
    [
        (
            "Who is the customer, how much is it and until when must it be paid?",
            {"customer": "customer", "total": "how much is it", "due_date": "until when must it be paid"},
            (),
        ),
        ("1. What is the IBAN?\n2. Who is the customer?", {"iban": "IBAN", "customer": "customer"}, ()),
        ("Total? Date?", {"total": "Total", "date": "Date"}, ()),
        ("Is it paid, and what is the total?", {"total": "total"}, ("Is it paid",)),
        ("Tell me the date, and why it is late.", {"date": "date"}, ("why it is late",)),
        ("Kannst du mir bitte sagen, wie hoch die Summe ist?", {"summe": "Summe"}, ()),
        ("What is the title of this document?", {"title": "title"}, ()),
    ],
)
def test_each_part_of_a_question_names_its_values_or_none(
    question: str, titles: dict[str, str], unnamed: tuple[str, ...]
) -> None:
    asked = values_asked_for(question)
    assert asked is not None
    assert (asked.titles, tuple(one.strip("?.") for one in asked.unnamed)) == (titles, unnamed)


@pytest.mark.parametrize(
    "text",
    [
        "Summarize this.",
        "Give me a summary.",
        "What is this?",
        "Is it paid?",
        "I was there. It was nice.",
        "",
        "x" * 301,
    ],
)
def test_what_names_no_printed_value_asks_for_none(text: str) -> None:
    assert values_asked_for(text) is None


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("What is the total", True),
        ("Total?", True),
        ("wie hoch ist die Summe", True),
        ("Give me the total.", False),
        ("Hello", False),
        ("", False),
    ],
)
def test_a_question_needs_no_mark(text: str, asks: bool) -> None:
    assert is_question(text) is asks


@pytest.mark.parametrize(
    ("question", "contexts"),
    [
        ("What is Ben Cole's salary?", {"salary": ["What", "is", "Ben", "Cole", "s"]}),
        ("What are the price and the weight on Monday?", {"price": ["on", "Monday"], "weight": ["on", "Monday"]}),
        ("How much is a ticket to Mull?", {"total": ["ticket", "Mull"]}),
    ],
)
def test_the_words_around_the_names_of_values_are_kept(question: str, contexts: dict[str, list[str]]) -> None:
    asked = values_asked_for(question)
    assert asked is not None
    assert asked.contexts.keys() == contexts.keys()
    for key, some in contexts.items():
        assert set(some) <= set(re.findall(r"\w+", asked.contexts[key]))
        assert not contexts.keys() & set(asked.contexts[key].split())
