"""Births, deaths, marriages and roles in sentences and brackets."""

from tasks.extraction.facts_about_people import facts_about_people
from tasks.result import SourceLine
from tests.conftest import each_case
from tests.filling import OR_NULL, STRING, filled, pasted

DATE_OR_NULL = {"type": ["string", "null"], "format": "date"}


def told(*lines: str) -> list[str]:
    return [
        " ".join(fact.line.words)
        for fact in facts_about_people([SourceLine(tuple(line.split()), "", {}) for line in lines])
    ]


@each_case(
    ("text", "facts"),
    [
        (
            "Mona Tessaly (born 4 March 1931 in Dunmarrow, died 19 November 2009 in Port Ellery) was a botanist.",
            ["Born: 4 March 1931", "Born in: Dunmarrow", "Died: 19 November 2009", "Died in: Port Ellery"],
        ),
        (
            "Lorenz Vahlkamp, geboren am 12. Juni 1884 in Ostheide, war mit der Malerin Hedwig Sturm verheiratet.",
            ["Born: 12. Juni 1884", "Born in: Ostheide"],
        ),
        ("née le 2 mai 1990 à Saint-Aubin", ["Born: 2 mai 1990", "Born in: Saint-Aubin"]),
        ("nacida en Alcorada el 3 de junio de 1977", ["Born in: Alcorada", "Born: 3 de junio de 1977"]),
        ("There she met her husband, the chemist Duncan Reith.", ["Spouse: Duncan Reith"]),
        ("Present: Agnes Pollard (chair), Tim Okafor (guest of 2025)", ["chair: Agnes Pollard"]),
        ("Nobody was born yesterday, and ideas died young.", []),
    ],
)
def test_sentences_about_people_are_lines_with_labels(text: str, facts: list[str]) -> None:
    assert told(text) == facts


def test_a_place_ends_with_its_line() -> None:
    assert told("Geboren am 17. Mai 1989 in Zwönau", "Anschrift Talstraße 8") == [
        "Born: 17. Mai 1989",
        "Born in: Zwönau",
    ]


def test_a_page_of_one_endless_word_is_searched_at_once() -> None:
    assert told("A" * 49_000) == []


async def test_fields_of_a_life_are_copied_from_prose() -> None:
    text = "Mona Tessaly (born 4 March 1931 in Dunmarrow, died 19 November 2009 in Port Ellery) was a botanist."
    asked = {"birth_date": DATE_OR_NULL, "birth_place": OR_NULL, "death_date": DATE_OR_NULL, "death_place": OR_NULL}
    found = await filled(pasted(f"Extract the fields.\n\n{text}"), **asked)
    assert list(found.values()) == ["1931-03-04", "Dunmarrow", "2009-11-19", "Port Ellery"]


async def test_a_person_with_a_relation_and_a_number_in_one_line_fills_three_fields() -> None:
    text = "Membership form\n\nName: Aled Whitlock\nEmergency contact: Rhian Whitlock (wife) 07700 900871\n"
    asked = {"emergency_contact": STRING, "relationship": OR_NULL, "emergency_contact_phone": STRING}
    found = await filled(pasted(f"Extract the fields.\n\n{text}"), **asked)
    assert list(found.values()) == ["Rhian Whitlock", "wife", "07700 900871"]
