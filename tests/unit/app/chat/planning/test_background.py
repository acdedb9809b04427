"""Prompts about a conversation, as chat programs send them in the background."""

from typing import Any

import pytest

from app.chat.planning.background import read_background_prompt

TALK = "USER: How do I prune roses in March?\nASSISTANT: Cut above an outward bud."
FORM = 'Answer with JSON only: {"title": "…"}'


@pytest.mark.parametrize(
    ("system", "users"),
    [
        (
            [],
            [f"### Task:\nGenerate a title.\n### Output:\n{FORM}\n### Chat:\n<chat_history>\n{TALK}\n</chat_history>"],
        ),
        ([], [f"Name this exchange. {FORM}\n\n```\n{TALK}\n```\nThe name is:"]),
        (["Write a title for the conversation of at most 5 words."], [TALK]),
        (["You write a short title for the first message of a chat."], ["How do I prune roses in March?"]),
        ([], ["How do I prune roses in March?", "Please generate a title that sums up our conversation."]),
        (
            ["Summarize the conversation into a title."],
            ['[{"role": "user", "content": "How do I prune roses in March?"}]'],
        ),
        (
            [],
            ["Create a title for the chat.\n\nBot: Hello!\nUser: How do I prune roses in March?\nBot: Above a bud."],
        ),
        (
            [],
            ["Write a title for this chat.\n\nAnna: How do I prune roses in March?\nMax: Above a bud.\nAnna: Thanks"],
        ),
        (
            [],
            [f"Erstelle einen Titel. {FORM}\n<chat>\nNutzer: How do I prune roses in March?\nAssistent: Ja.\n</chat>"],
        ),
    ],
)
def test_a_title_is_made_of_what_the_user_said_first(system: list[str], users: list[str]) -> None:
    prompt = read_background_prompt(system, users)
    assert prompt is not None
    assert prompt.text == "Prune roses in March"
    assert prompt.values({"properties": {"title": {"type": "string"}}}) == {("title",): "Prune roses in March"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"queries": {"type": "array"}}, {("queries",): ["And in May?"]}),
        ({"query": {"type": "string"}}, {("query",): "And in May?"}),
        ({"tags": {"type": "array"}, "search": {"type": "boolean"}}, {}),
        ({"emoji": {"type": ["string", "null"]}}, {("emoji",): ""}),
    ],
)
def test_words_to_search_for_are_what_the_user_said_last(field: Any, value: Any) -> None:
    talk = f'{TALK}\nUSER: <attached_files>\n<file name="a"/>\n</attached_files>\n\nAnd in May?'
    prompt = read_background_prompt(
        [], [f"Which search queries does this chat need? Answer with JSON.\n<chat>\n{talk}\n</chat>"]
    )
    assert prompt is not None
    assert prompt.values({"properties": field}) == value


@pytest.mark.parametrize(
    ("system", "users"),
    [
        ([], []),
        ([], ["What is the total?"]),
        ([], [f"{TALK}\n\nWhat is the topic of this conversation?"]),
        ([], ["Give me a title for my essay."]),
        (["Answer the follow up question with this conversation and context."], ["When is the meeting?"]),
        (
            ["<context>\nUse this title: Minutes of the harbour committee, 12 March 2026, of the chat.\n</context>"],
            ["Hi"],
        ),
    ],
)
def test_a_question_of_a_person_is_no_background_prompt(system: list[str], users: list[str]) -> None:
    assert read_background_prompt(system, users) is None
