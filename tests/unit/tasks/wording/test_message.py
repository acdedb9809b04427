"""What of a message tells what to do, and what it brings along."""

from tasks.wording.message import LONGEST_INSTRUCTION, Message, split_message
from tests.conftest import each_case


@each_case(
    ("text", "parts"),
    [
        ("", ("", "", "")),
        ("Summarise this:\n```\nCranes are for hire.\n```", ("Summarise this:", "", "Cranes are for hire.")),
        ("```python\nx = 1\n```\nWhat does it do?", ("What does it do?", "", "x = 1")),
        ('"""Cranes are\nfor hire."""\nTranslate it.', ("Translate it.", "", "Cranes are\nfor hire.")),
        ("Who signed?\n<context>\nSigned: Ada Berg\n</context>", ("Who signed?", "", "Signed: Ada Berg")),
        ("Read it: data:text/plain;base64,aGk=", ("Read it:", "", "data:text/plain;base64,aGk=")),
        (
            "Translate it.\n\nThe crane is closed.\n\nThank you!",
            ("Translate it.\n\nThank you!", "", "The crane is closed."),
        ),
        ("Who signed?\nMinutes\nCrane\nThanks!", ("Who signed?\nThanks!", "", "Minutes\nCrane")),
        ("Translate into French: Good morning", ("Translate into French:", "Good morning", "")),
        ("翻译成英文：早上好", ("翻译成英文：", "早上好", "")),
    ],
)
def test_what_a_message_brings_is_apart_from_what_it_tells(text: str, parts: tuple[str, str, str]) -> None:
    message = split_message(text)
    assert (message.head, message.tail, message.document) == parts


@each_case(
    "text",
    [
        "What does <b>bold</b> mean?",
        "What happens at 10:30?",
        'Translate "Note: closed" into German.',
        "What is at https://example.com/a:b ?",
        "One\nTwo",
        f"{'x' * 201}: y",
    ],
)
def test_a_message_without_structure_is_all_head(text: str) -> None:
    assert split_message(text) == Message(text)


def test_of_two_long_blocks_only_the_ends_can_be_instructions() -> None:
    text = f"{'x' * 1000}\n\n{'y' * 1000}"
    message = split_message(text)
    assert message == Message(f"{'x' * LONGEST_INSTRUCTION}\n{'y' * LONGEST_INSTRUCTION}", "", text)


def test_an_instruction_has_marks_in_place_of_links_and_quotations() -> None:
    message = split_message('Is "yes" a word at https://example.com/a so?')
    assert message.instruction == "Is ❝ a word at 🔗 so?"
    assert message.quotations == ["yes"]


@each_case(
    ("text", "followed"),
    [
        ("Read https://example.com/a", ["https://example.com/a"]),
        ('Read "https://example.com/a"', ["https://example.com/a"]),
        ("My code `fetch('https://example.com/a')` fails", []),
        ('He wrote "see https://example.com/a" today', []),
        ("Sum up:\n```\nhttps://example.com/a\n```", []),
    ],
)
def test_links_in_code_in_documents_and_within_quotations_are_not_opened(text: str, followed: list[str]) -> None:
    assert split_message(text).followed == followed
