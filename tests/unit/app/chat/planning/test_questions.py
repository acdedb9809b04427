"""Questions and orders about a document, as the fields that they ask for."""

from typing import Any

import pytest

from app.chat.planning.questions import (
    asks_for_prose,
    is_order,
    is_searchable,
    values_asked_for,
)
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
    ("text", "orders"),
    [
        ("Give me the total.", True),
        ("Could you show me the date?", True),
        ("Give me a summary.", False),
        ("Hello", False),
    ],
)
def test_an_order_to_give_something_is_none_to_write_it(text: str, orders: bool) -> None:
    assert is_order(text) is orders


@pytest.mark.parametrize(
    "message",
    [
        "What is the capital of Peru?",
        "what's the tallest mountain",
        "Where can I see penguins?",
        "Quelle est la capitale du Pérou ?",
        "Qual è la capitale del Perù?",
        "Wat is de hoofdstad van Peru?",
        "ペルーの首都はどこですか",
        "ما هي عاصمة بيرو",
        "Kto napisał Pana Tadeusza?",
        "Vad är huvudstaden i Peru?",
        "Apakah ibu negara Peru?",
        "What is 12 * 7?",
        "Is Lima the capital of Peru?",
        "How many legs does a spider have",
        "Wer hat Hamlet geschrieben?",
        "¿Quién escribió Hamlet?",
        "谁写了哈姆雷特？",
        "Кто написал Гамлета?",
        "When did the war end?",
        "What year did the Titanic sink?",
    ],
)
def test_a_question_about_the_world_may_be_searched_for(message: str) -> None:
    assert is_searchable(message)
    assert not asks_for_prose(message)


@pytest.mark.parametrize(
    "message",
    [
        "Write a poem. What rhymes with Peru?",
        "Can you write a poem about Peru?",
        "Tell me a joke about Lima, please?",
        "Kannst du mir ein Gedicht schreiben?",
        "Peux-tu écrire un poème ?",
        "¿Puedes escribir un poema?",
        "请写一首关于春天的诗好吗？",
        "Напиши стихотворение о море?",
    ],
)
def test_a_text_that_is_to_be_written_is_recognised(message: str) -> None:
    assert asks_for_prose(message)


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        "How are you?",
        "Wie geht es dir?",
        "你好吗？",
        "Summarize this: Is it good? The cat sat on the mat.",
        "Good morning!",
        "何歳ですか？",
        "Can you help me?",
        "Kannst du mir helfen?",
        "Pode me ajudar com uma carta?",
        "Can you come up with a slogan?",
        "Jak się masz?",
        "Apa khabar?",
        "Do it again",
        "Is fine.",
        "When I was young, I lived in Rome.",
        "Was für ein Tag!",
        "Que bom!",
        "How was your day?",
        "What do you mean?",
        "Will you be my friend?",
        "What did I just say?",
        "Reply to this email: Hi Anna, can we meet at 5?",
        "What does this do? `x = 1`",
        "What about a story about a fox?",
        "Wie geht's?",
        "Wie geht es Ihnen?",
        "¿Qué tal todo?",
        "Como vai você?",
        "Wie ben je?",
        "你叫什么名字？",
        "元気ですか？",
        "Как у тебя дела?",
        "من أنت؟",
        "Vad heter du?",
        "Was it good?",
        "What should you eat?",
        "Was meinen Sie?",
        "¿Qué puedes hacer?",
        "O que você pode fazer?",
        "你能做什么？",
        "What now?",
        "Are you there?",
        "My name is Tom. What is my name?",
    ],
)
def test_small_talk_and_texts_to_work_on_are_not_searched_for(message: str) -> None:
    assert not is_searchable(message)


@pytest.mark.parametrize(
    "message",
    [
        "What is my name?",
        "Who am I?",
        "Tell me where my keys are.",
        "Wo ist mein Schlüssel?",
        "Où est ma clé ?",
        "¿Quién soy?",
        "我的名字是什么？",
        "Get my horoscope",
    ],
)
def test_a_question_about_the_one_who_asks_is_not_searched_for(message: str) -> None:
    assert not is_searchable(message)
