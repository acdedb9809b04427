"""Tasks that the sentences of minutes assign."""

from typing import Any

from tests.lists_in_text import OR_NULL, TEXT, list_in

DAY_OR_NULL = {"type": ["string", "null"], "format": "date"}
MINUTES = """MINUTES of the committee meeting held on Tuesday 14 October 2025

Present: Agnes Pollard (chair), Tim Okafor, Sanjay Lall
3. Playground. It was agreed to buy two benches. Sanjay to get three quotes by 31 October 2025.
4. Winter fair. Agnes will book the hall.
Tim: send the letter to the council by 20 November 2025.
"""
PROTOKOLL = """Protokoll vom 22.03.2025

Herr Yilmaz kümmert sich um den Wasseranschluss bis zum 15.05.2025.
Frau Lübke erstellt die Liste.
"""


def tasks(text: str, **columns: Any) -> Any:
    return [tuple(one.values()) for one in list_in(text, "actionItems", **columns)]


def test_a_sentence_says_who_does_what_until_when() -> None:
    assert tasks(MINUTES, owner=TEXT, task=TEXT, due=DAY_OR_NULL) == [
        ("Sanjay", "get three quotes", "2025-10-31"),
        ("Agnes", "book the hall", None),
        ("Tim", "send the letter to the council", "2025-11-20"),
    ]


def test_german_minutes_assign_with_other_verbs() -> None:
    assert tasks(PROTOKOLL, verantwortlich=TEXT, frist=DAY_OR_NULL) == [
        ("Herr Yilmaz", "2025-05-15"),
        ("Frau Lübke", None),
    ]


def test_a_list_of_other_people_takes_no_tasks() -> None:
    assert not list_in(MINUTES, "passengers", name=TEXT, date=DAY_OR_NULL, seat=OR_NULL)
