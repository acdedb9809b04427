"""What the sentences of a prompt order."""

from typing import Any

import pytest

from app.chat.planning.orders import (
    asks_for_json,
    asks_only_for_json,
    described_form,
    order_in,
    sure_order_in,
    wish_of_key,
)
from tests.conftest import each_case

RULES = "### Task:\n{order}\n### Guidelines:\n- Write in the chat's language.\n### Output:\nJSON format: {form}"


@each_case(
    ("order", "label"),
    [
        ("Generate a concise title for the chat history.", "title"),
        ("Erzeuge einen Titel für diesen Chat.", "title"),
        ("为这段聊天生成一个标题。", "title"),
        ("Analyze the chat history and generate search queries.", "queries"),
        ("Rephrase the follow up question to be a standalone question.", "queries"),
        ("Reformula la pregunta como pregunta independiente.", "queries"),
        ("Suggest follow-up questions that the user might ask next.", "suggestions"),
        ("Propose des questions de suivi pour cette conversation.", "suggestions"),
        ("Summarise the conversation.", None),
        ("What is the topic of this conversation?", None),
    ],
)
def test_the_order_about_a_conversation_is_found_among_rules(order: str, label: str | None) -> None:
    assert order_in(RULES.format(order=order, form='{\n  "text": "…"\n}')) == label


@each_case("message", ["Give me a title for my essay.", "Suggest keywords for my shop.", "Thank you!"])
def test_a_person_orders_nothing_about_the_conversation(message: str) -> None:
    assert sure_order_in(message) is None


@each_case(
    ("key", "label"),
    [
        ("chat_title", "title"),
        ("标题", "title"),
        ("search_queries", "queries"),
        ("follow_up_questions", "suggestions"),
        ("language", None),
        ("date", None),
    ],
)
def test_a_key_tells_what_its_value_is_for(key: str, label: str | None) -> None:
    assert wish_of_key(key) == label


@each_case(
    ("orders", "is_json", "is_only"),
    [
        ("You read invoices. Always respond with valid JSON only.", True, True),
        ("Antworte ausschließlich mit JSON.", True, True),
        ("For a chart, answer in JSON.", True, False),
        ("Rends le résultat en JSON.", True, False),
        ("Fix this JSON for me.", False, False),
        ("What is JSON good for?", False, False),
        ("Answer with an object only.", False, False),
    ],
)
def test_an_order_to_answer_in_json_is_no_word_about_json(orders: str, is_json: bool, is_only: bool) -> None:
    assert (asks_for_json(orders), asks_only_for_json(orders)) == (is_json, is_only)


@pytest.mark.parametrize(
    ("orders", "form"),
    [
        ('JSON format: { "title": "your title" }\n- { "title": "Stocks" }', {"title": "your title"}),
        ('Use only ["General"] … Reply with JSON like {"tags": ["a", "b"]}', {"tags": ["a", "b"]}),
        (
            'Answer in JSON: {"search": true or false, "query": <text>, "tags": [...]}',
            {"search": False, "query": "", "tags": [""]},
        ),
        ('Fix this JSON: {"a": 1,, "b": }', None),
        ("Return JSON.", None),
    ],
)
def test_the_form_of_the_answer_is_the_fullest_example(orders: str, form: Any) -> None:
    assert described_form(orders) == form


@pytest.mark.parametrize("text", ["json. " * 20_000, "{" * 20_000, "a\n" * 20_000])
def test_only_the_first_sentences_are_judged(text: str) -> None:
    assert order_in(text) is None
