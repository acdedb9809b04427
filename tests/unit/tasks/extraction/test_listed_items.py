"""Items below or beside the name of their list."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from tasks.extraction import filling
from tasks.extraction.listed_items import listed_items
from tasks.extraction.passages import Passage
from tests.conftest import each_case
from tests.filling import filled, pasted
from tests.lists_in_text import OR_NULL, TEXT, list_in
from tests.unit.tasks.extraction.test_headed_rows import items_on

LANGUAGE = {"language": TEXT, "level": OR_NULL}
SPOKEN = [{"language": "Welsh", "level": "native"}, {"language": "Danish", "level": "B1"}]
DRUG = {"name": TEXT, "dose": TEXT, "frequency": OR_NULL}


@each_case(
    "text",
    [
        "Oona Marsh\nLanguages: Welsh (native), Danish (B1)\nHobbies: chess\n",
        "Oona Marsh\n\nLANGUAGES\n\nWelsh – native\nDanish – B1\n\nHobbies\n\nchess\n",
        "Sprachen\nWelsh: native\nDanish: B1\n",
        "Języki\n- Welsh - native\n- Danish - B1\n",
    ],
)
def test_an_item_and_its_rest_are_parted_by_brackets_a_dash_or_a_colon(text: str) -> None:
    assert list_in(text, "languages", **LANGUAGE) == SPOKEN


def test_items_beside_the_name_of_a_list_go_on_below() -> None:
    lines = [(0, 30, "Languages"), (300, 30, "Welsh (native), Danish"), (300, 60, "(B1)"), (0, 90, "Hobbies")]
    assert items_on(*lines, (300, 90, "chess"), **LANGUAGE) == SPOKEN


def test_a_code_stands_before_its_meaning() -> None:
    text = "Klinik am Forst\n\nDiagnosen\nE11.9 Diabetes mellitus\nI10 Hypertonie\n\nTherapie\nRuhe\n"
    assert list_in(text, "diagnosen", code=TEXT, beschreibung=TEXT) == [
        {"code": "E11.9", "beschreibung": "Diabetes mellitus"},
        {"code": "I10", "beschreibung": "Hypertonie"},
    ]


@each_case(
    ("text", "drugs"),
    [
        ("Bei Entlassung: Enalapril 5 mg 1-0-1, Metformin 850 mg 1-1-1.", [("5 mg", "1-0-1"), ("850 mg", "1-1-1")]),
        ("Take Enalapril 5 mg once daily and\nMetformin 850 mg 2x1.", [("5 mg", "once daily"), ("850 mg", "2x1")]),
        ("Enalapril 5 mg 1x dziennie\nMetformin 850 mg 2×1 rano", [("5 mg", "1x dziennie"), ("850 mg", "2×1 rano")]),
    ],
)
def test_a_medicine_stands_before_its_dose_and_when_it_is_taken(text: str, drugs: Any) -> None:
    found = list_in(text, "medication", **DRUG)
    assert [(one["dose"], one["frequency"]) for one in found] == drugs
    assert found[-1]["name"] == "Metformin"


@each_case(
    ("text", "drugs"),
    [
        (
            "She takes enalapril 5 mg four times a day and metformin 850 mg once a day.",
            [("enalapril", "four times a day"), ("metformin", "once a day")],
        ),
        (
            "La patiente prend énalapril 5 mg une fois par jour et metformine 850 mg quatre fois par jour.",
            [("énalapril", "une fois par jour"), ("metformine", "quatre fois par jour")],
        ),
        (
            "Er nimmt Enalapril 5 mg einmal\ntäglich sowie Vitamin D 10 µg dreimal am Tag.",
            [("Enalapril", "einmal täglich"), ("Vitamin D", "dreimal am Tag")],
        ),
        (
            "Toma enalapril 5 mg cada 8 horas y metformina 850 mg dos veces al día.",
            [("enalapril", "cada 8 horas"), ("metformina", "dos veces al día")],
        ),
        (
            "Gebruikt enalapril 5 mg eenmaal daags en metformine 850 mg 3 keer per dag.",
            [("enalapril", "eenmaal daags"), ("metformine", "3 keer per dag")],
        ),
        (
            "Przyjmuje enalapril 5 mg raz dziennie oraz metformin 850 mg pięć razy na dobę.",
            [("enalapril", "raz dziennie"), ("metformin", "pięć razy na dobę")],
        ),
    ],
)
def test_a_medicine_in_a_sentence_has_its_name_and_how_often_it_is_taken(
    text: str, drugs: list[tuple[str, str]]
) -> None:
    assert [(one["name"], one["frequency"]) for one in list_in(text, "medication", **DRUG)] == drugs


@each_case(
    ("column", "told"),
    [("schema", "1-0-1"), ("medikationsschema", "1-0-1"), ("anweisung", "1-0-1"), ("grund", None), ("jahr", None)],
)
def test_any_column_may_stand_beside_the_dose_of_a_medicine(column: str, told: str | None) -> None:
    text = "Enalapril 5 mg 1-0-1\nMetformin 850 mg 1-1-1\n"
    found = list_in(text, "medikation", wirkstoff=OR_NULL, dosis=OR_NULL, **{column: OR_NULL})
    assert found[0] == {"wirkstoff": "Enalapril", "dosis": "5 mg", column: told}


def test_a_reader_that_fails_leaves_lists_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(passage: Passage, lists: object) -> Iterator[None]:
        yield None
        raise IndexError("no such group")

    monkeypatch.setattr(filling, "LINE_READERS", (failing, listed_items))
    with capture_logs() as logs:
        assert list_in("Languages: Welsh (native), Danish (B1)\n", "languages", **LANGUAGE) == SPOKEN
    assert [(one["event"], one["reader"]) for one in logs] == [("reader_of_lists_failed", "failing")]


async def test_texts_below_the_name_of_a_list_are_its_items_and_not_the_next_name() -> None:
    text = "Oona Marsh\n\nCompétences\n\nsoudure\ntaille du verre\nplans\n\nLangues\n\nfrançais\n"
    skills = {"type": "array", "items": TEXT}
    assert await filled(pasted(f"Extract:\n\n{text}"), competences=skills) == {
        "competences": ["soudure", "taille du verre", "plans"]
    }


@each_case(
    ("text", "found"),
    [
        ("Besides Welsh I speak Danish (B1).", [("Welsh", None), ("Danish", "B1")]),
        (
            "Ich spreche Deutsch, Englisch (C1) und etwas Dänisch.",
            [("Deutsch", None), ("Englisch", "C1"), ("Dänisch", None)],
        ),
    ],
)
def test_a_sentence_says_which_languages_somebody_speaks(text: str, found: Any) -> None:
    languages = list_in(f"Application\n\nI am a glazier.\n{text}\nYours, Oona Marsh\n", "languages", **LANGUAGE)
    assert [(one["language"], one["level"]) for one in languages] == found


def test_an_item_without_a_rest_is_kept() -> None:
    assert list_in("Oona Marsh\nLanguages: Welsh, Danish (B1), Dutch\n", "languages", **LANGUAGE) == [
        {"language": "Welsh", "level": None},
        {"language": "Danish", "level": "B1"},
        {"language": "Dutch", "level": None},
    ]


@each_case(
    "text",
    [
        "Certificates\nForklift licence (2021)\nFirst aid (05/2019)\n\nHobbies\nchess\n",
        "Certificates\n2021 – Forklift licence\n2019 – First aid\n",
    ],
)
def test_the_year_of_an_item_is_in_brackets_or_before_it(text: str) -> None:
    assert list_in(text, "certificates", name=TEXT, year={"type": ["integer", "null"]}) == [
        {"name": "Forklift licence", "year": 2021},
        {"name": "First aid", "year": 2019},
    ]


async def test_people_are_listed_without_what_they_are() -> None:
    text = "Minutes of the meeting\n\nPresent: Agnes Pollard (chair), Tim Okafor\nApologies: Fiona Birch\n"
    names = {"type": "array", "items": TEXT}
    found = await filled(pasted(f"Extract the fields.\n\n{text}"), attendees=names, absent=names)
    assert found == {"attendees": ["Agnes Pollard", "Tim Okafor"], "absent": ["Fiona Birch"]}
