"""Values in sentences without labels."""

import asyncio
from typing import Any

import pytest

from tasks.extraction.filling import copy_fields
from tasks.extraction.whole_results import TaskResults
from tests.conftest import each_case
from tests.filling import extractor, pasted
from tests.unit.tasks.extraction.test_headed_rows import NUMBER

DAY = {"type": "string", "format": "date"}
LEASE = """The tenant takes the rooms on the first floor for a term of three (3) years, which begins on 2 June 2031.
Either side may end the lease early by giving notice of forty (40) days in writing to the other side.
If the key is lost, the tenant pays a penalty of 75 pounds for each one, and the rent for the rooms is 640 pounds.
"""
VERTRAG = """Der Mieter übernimmt die Räume im ersten Stock auf drei (3) Jahre, beginnend am 2. Juni 2031.
Beide Seiten können den Vertrag mit einer Kündigungsfrist von vierzig (40) Tagen in schriftlicher Form beenden.
Geht der Schlüssel verloren, so zahlt der Mieter eine Vertragsstrafe von 75 Euro, und die Miete beträgt 640 Euro.
"""


def read(text: str, **properties: Any) -> Any:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    document = pasted(f"Extract the fields.\n\n{text}").document
    assert document is not None
    copied = asyncio.run(copy_fields(schema, TaskResults([], False), [document], extractor()))
    return {str(path[0]): value for path, value in {**copied.values, **copied.improbable}.items()}


@each_case(
    ("text", "name", "schema", "value"),
    [
        (LEASE, "notice_days", NUMBER, 40),
        (LEASE, "term_years", NUMBER, 3),
        (LEASE, "penalty_lost_key", NUMBER, 75),
        (LEASE, "begins", DAY, "2031-06-02"),
        (VERTRAG, "kuendigungsfrist_tage", NUMBER, 40),
        (VERTRAG, "vertragsstrafe", NUMBER, 75),
    ],
)
def test_the_words_of_a_fields_name_in_a_sentence_tell_its_value(text: str, name: str, schema: Any, value: Any) -> None:
    assert read(text, **{name: schema}) == {name: value}


def test_each_value_of_a_sentence_has_the_nearer_words() -> None:
    found = read(LEASE, penalty=NUMBER, rent=NUMBER)
    assert found == pytest.approx({"penalty": 75, "rent": 640})


ENDS = {
    "notice_days": ("Either side may end the lease, and must then give the other one thirty days of notice.", 30),
    "kuendigungsfrist_monate": (
        "Der Vertrag kann von beiden Seiten mit einer Kündigungsfrist von drei Monaten enden.",
        3,
    ),
    "preavis_jours": ("Chaque partie peut mettre fin au contrat, moyennant un préavis de soixante jours.", 60),
}


@each_case(("name", "text", "value"), [(name, *case) for name, case in ENDS.items()])
def test_a_count_in_words_before_a_unit_of_time_is_a_number(name: str, text: str, value: int) -> None:
    assert read(f"Contract\n\n{text}\n", **{name: NUMBER}) == {name: value}


def test_an_account_that_goes_on_in_the_next_line_is_one() -> None:
    text = (
        "The rent is paid each month in advance to the landlord's account DE89 3704\n0044 0532 0130 00 without costs."
    )
    assert read(f"Contract\n\n{text}\n", iban={"type": ["string", "null"]}) == {"iban": "DE89 3704 0044 0532 0130 00"}
