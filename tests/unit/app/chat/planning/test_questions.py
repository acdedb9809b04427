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
        "Can you tell me what the capital of Peru is?",
        "what's the tallest mountain",
        "Why is the sky blue?",
        "Where can I see penguins?",
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
        "How do I boil an egg?",
        "Kto napisał Pana Tadeusza?",
        "Jaka jest stolica Peru?",
        "Vad är huvudstaden i Peru?",
        "Vilken är huvudstaden i Peru?",
        "Apakah ibu negara Peru?",
        "Siapakah presiden Peru?",
        "What is 12 * 7?",
        "In what year did the war end?",
        "Is Lima the capital of Peru?",
        "Who wrote Hamlet?",
        "How many legs does a spider have",
        "Kannst du mir sagen, wer Hamlet geschrieben hat?",
        "Wer hat Hamlet geschrieben?",
        "Wie hoch ist der Mount Everest?",
        "¿Quién escribió Hamlet?",
        "Chi ha scritto Amleto?",
        "谁写了哈姆雷特？",
        "富士山の高さは何メートルですか？",
        "Кто написал Гамлета?",
        "من كتب هاملت؟",
        "When did the war end?",
        "Which planet is the largest?",
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
        "What should I cook tonight?",
        "何歳ですか？",
        "今日は何をしますか？",
        "Can you help me?",
        "Could you give me three ideas for a story?",
        "Kannst du mir helfen?",
        "Peux-tu m'aider à écrire une lettre ?",
        "Pode me ajudar com uma carta?",
        "Kun je me helpen een brief te schrijven?",
        "Can you come up with a slogan?",
        "Could you turn this into a poem? The sea is blue.",
        "Jak się masz?",
        "Hur mår du?",
        "Apa khabar?",
        "잘 지내세요?",
        "Do it again",
        "Can do!",
        "Is fine.",
        "What a nice day!",
        "When I was young, I lived in Rome.",
        "Who knows.",
        "Was für ein Tag!",
        "Wie schön.",
        "Que bom!",
        "How have you been?",
        "How was your day?",
        "What's new?",
        "What do you mean?",
        "Would you like to play a game?",
        "Will you be my friend?",
        "Do you know any jokes?",
        "What did I just say?",
        "The cat is called Tom and is 3 years old. What is the cat's name?",
        "Reply to this email: Hi Anna, can we meet at 5?",
        "Is this positive or negative: I love it",
        "What does this do? `x = 1`",
        "How about a poem?",
        "What about a story about a fox?",
        "Why not?",
        "Wie geht's?",
        "Wie heißt du?",
        "Wie geht es Ihnen?",
        "¿Cómo estás?",
        "¿Qué tal todo?",
        "Come va la vita?",
        "Como vai você?",
        "Hoe gaat het?",
        "Wie ben je?",
        "你是谁？",
        "你叫什么名字？",
        "あなたは誰ですか",
        "元気ですか？",
        "Как ты?",
        "Как у тебя дела?",
        "كيف حالك؟",
        "من أنت؟",
        "Co u ciebie słychać?",
        "Vad heter du?",
        "Siapa nama awak?",
        "Was it good?",
        "How are things?",
        "What should you eat?",
        "Was machst du?",
        "Was meinen Sie?",
        "Qu'est-ce que tu fais ?",
        "¿Qué puedes hacer?",
        "Cosa sai fare?",
        "O que você pode fazer?",
        "Wat kun je doen?",
        "你能做什么？",
        "What is a good name for a cat?",
        "What now?",
        "Is it good?",
        "Are you there?",
        "I wonder what love is. Write about it?",
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
