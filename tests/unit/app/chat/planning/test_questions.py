"""Questions and orders about a document, as the fields that they ask for."""

from typing import Any

import pytest

from app.chat.planning.questions import asks_for_fact, asks_for_prose, is_order, is_public, unanswered, values_asked_for
from tasks.extraction.printed_types import GUESSED

NUMBER: dict[str, Any] = {"type": ["number", "null"], "$comment": GUESSED}
TEXT: dict[str, Any] = {"type": ["string", "null"]}
DAY: dict[str, Any] = {**TEXT, "format": "date"}


@pytest.mark.parametrize(
    ("question", "fields"),
    [
        ("Give me the total.", {"total": NUMBER}),
        ("Total?", {"total": NUMBER}),
        ("What's the total on this receipt?", {"total": NUMBER}),
        ("Can you please tell me the total?", {"total": NUMBER}),
        ("Tell me the invoice number, please.", {"invoice_number": TEXT}),
        ("Nenne mir bitte die Rechnungsnummer, danke!", {"rechnungsnummer": TEXT}),
        ("How much do I have to pay?", {"total": NUMBER}),
        ("Wie hoch ist der Betrag?", {"total": NUMBER}),
        ("Nenne mir die Rechnungsnummer.", {"rechnungsnummer": TEXT}),
        ("What is the due date printed on this invoice?", {"due_date": DAY}),
        ("When is it due?", {"due_date": DAY}),
        ("Wer hat die Rechnung ausgestellt?", {"seller": TEXT}),
        ("Quel est le montant total ?", {"montant_total": NUMBER}),
        ("¿Cuál es el número de factura?", {"número_de_factura": TEXT}),
        ("Qual è il totale?", {"totale": NUMBER}),
        ("Wat is het totaalbedrag?", {"totaalbedrag": NUMBER}),
        ("What are the invoice number and the date?", {"invoice_number": TEXT, "date": DAY}),
        ("What is the landlord's phone number?", {"landlord_phone_number": TEXT}),
        ("When was this?", {"date": DAY}),
        ("What did the meal cost?", {"total": NUMBER}),
        ("Was kostet alles zusammen?", {"total": NUMBER}),
        ("Combien ça coûte ?", {"total": NUMBER}),
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


def test_what_documents_are_not_known_to_print_is_marked() -> None:
    asked = values_asked_for("Tell me a joke.")
    assert asked is not None
    assert not asked.are_known


@pytest.mark.parametrize(
    ("question", "page"),
    [("Give me the total.", "page"), ("Wie hoch ist der Betrag?", "Seite"), ("¿Cuál es el total?", "página")],
)
def test_the_answer_is_in_the_language_of_the_question(question: str, page: str) -> None:
    asked = values_asked_for(question)
    assert asked is not None
    assert asked.sentences.page == f"{page} {{page}}"


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
        "What is the capital of Peru? Answer in one word.",
        "Can you tell me what the capital of Peru is?",
        "what's the tallest mountain",
        "Why is the sky blue?",
        "Where can I see penguins?",
        "Give me the total.",
        "Was ist die Hauptstadt von Peru",
        "Quelle est la capitale du Pérou ?",
        "¿Cuál es la capital de Perú?",
        "Qual è la capitale del Perù?",
        "Qual é a capital do Peru?",
        "Wat is de hoofdstad van Peru?",
        "秘鲁的首都是哪里？",
        "ペルーの首都はどこですか",
        "Какая столица Перу",
        "ما هي عاصمة بيرو",
    ],
)
def test_a_question_of_fact_has_to_be_known_or_found(message: str) -> None:
    assert asks_for_fact(message)
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
def test_a_text_that_is_to_be_written_is_no_fact(message: str) -> None:
    assert asks_for_prose(message)
    assert not asks_for_fact(message)


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        "Hello?",
        "How are you?",
        "What can you do?",
        "Wie geht es dir?",
        "Comment ça va ?",
        "你好吗？",
        "Как дела?",
        "Summarize this: Is it good? The cat sat on the mat.",
        "Translate into Spanish: Where is the station?",
        "Good morning!",
    ],
)
def test_small_talk_and_texts_to_work_on_ask_for_no_fact(message: str) -> None:
    assert not asks_for_fact(message)


def test_only_a_question_about_others_may_be_searched_for() -> None:
    assert is_public("Can you tell me what the capital of Peru is?")
    assert not is_public("What is my name?")


def test_the_sentence_about_the_missing_model_names_the_settings_in_the_questions_language() -> None:
    assert unanswered("Was ist die Hauptstadt von Peru?", can_search=True) == (
        "Hier ist kein fähiges Sprachmodell eingerichtet, das diese Frage beantwortet: "
        "OPENFAZE_LLM_BASE_URL nennt eines."
    )
    assert unanswered("What is the capital of Peru?", can_search=False) == (
        "No capable language model is set up here to answer this question: OPENFAZE_LLM_BASE_URL names one, "
        "and OPENFAZE_SEARCH_URL a web search."
    )
