"""What messages wish, in many languages: tests/data/wishes.toml."""

import tomllib

import pytest

from app.chat.planning.intents import Wish
from tests.conftest import ROOT, each_case

_TABLE = tomllib.loads((ROOT / "tests" / "data" / "wishes.toml").read_text("utf-8"))
CASES = [
    (group == "with_input", kind, message)
    for group, kinds in _TABLE.items()
    for kind, messages in kinds.items()
    for message in messages
]
DOCUMENT = (
    "Minutes of 12 March 2026\nPresent: Ada Berg, Jonas Vik\nThe crane costs 48,200 euros.\nNext meeting: 9 April"
)


@each_case(("of_input", "kind", "message"), CASES)
def test_a_message_wishes_one_thing(of_input: bool, kind: str, message: str) -> None:
    assert Wish.of(message, of_input=of_input).kind == kind


@each_case(
    ("message", "question"),
    [
        ("What is the total?\nAnswer the question using a single number.", "What is the total?"),
        ("Answer in one word: who is the cashier?", "who is the cashier?"),
        ("Q: What is the total?\nA:", "What is the total?"),
        ("Who is the cashier? Your answer must be a single word.", "Who is the cashier?"),
        ("Wie lautet die Nummer? Nur die Zahl.", "Wie lautet die Nummer?"),
        ("Hey, I need some help. What's the total? Thanks!", "What's the total?"),
        (f"What is the price?\n\n<context>\n{DOCUMENT}\n</context>", "What is the price?"),
    ],
)
def test_the_question_has_no_words_on_how_to_answer(message: str, question: str) -> None:
    assert Wish.of(message, of_input=True).question == question


@pytest.mark.parametrize(
    ("message", "most"), [("Sum it up in two sentences.", 2), ("Résume en une phrase.", 1), ("TL;DR", 3)]
)
def test_a_summary_may_have_a_length(message: str, most: int) -> None:
    assert Wish.of(message, of_input=True).most_sentences == most
