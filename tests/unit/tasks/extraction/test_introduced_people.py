"""People in a contract, with their days of birth or the numbers of their documents."""

from typing import Any

from tests.conftest import each_case
from tests.lists_in_text import TEXT, list_in

DAY = {"type": "string", "format": "date"}
KIND = {"type": "string", "enum": ["DNI", "NIE"]}
LEASE = """CONTRATO DE ARRENDAMIENTO
DE UNA PARTE, don Aurelio Soria Campos, mayor de edad, con DNI 01234567-A (en adelante, EL ARRENDADOR).
DE OTRA PARTE, doña Irene Vela Ortiz, con NIE X-1234567-J, y don Pau Roca Serra, con DNI 76543210-B, que responden
solidariamente (en adelante, LOS ARRENDATARIOS).
"""


@each_case(
    ("text", "name", "columns", "found"),
    [
        (
            LEASE,
            "arrendatarios",
            {"nombre": TEXT, "documento": TEXT, "tipo": KIND},
            [("Irene Vela Ortiz", "X-1234567-J", "NIE"), ("Pau Roca Serra", "76543210-B", "DNI")],
        ),
        (
            "Zwischen Rosa Tann und Ole Marsch, geb. 3.9.1981 sowie Frau Ida van Beek, geboren am 7. Mai 1983",
            "mieter",
            {"name": TEXT, "geburtsdatum": DAY},
            [("Ole Marsch", "1981-09-03"), ("Ida van Beek", "1983-05-07")],
        ),
        (
            "Umowa zawarta przez Ewa Mak, PESEL 81010112345, oraz Jan Lis, PESEL 79020254321.",
            "najemcy",
            {"imie_nazwisko": TEXT, "pesel": TEXT},
            [("Ewa Mak", "81010112345"), ("Jan Lis", "79020254321")],
        ),
    ],
)
def test_the_people_of_a_contract_have_what_follows_their_names(text: str, name: str, columns: Any, found: Any) -> None:
    assert [tuple(one.values()) for one in list_in(text, name, **columns)] == found


def test_a_name_in_another_case_than_the_wanted_one_is_not_copied() -> None:
    name = {"type": "string", "description": "mianownik"}
    text = "Umowa zawarta z Ewą Mak, PESEL 81010112345, oraz Janem Lisem, PESEL 79020254321."
    assert not list_in(text, "najemcy", imie_nazwisko=name, pesel=TEXT)


def test_an_ambiguous_day_of_birth_has_the_order_of_the_other_days() -> None:
    text = "Renewal of 23/05/2025\n\nDrivers: Rosa Tann, born 12/09/1990, and Ole Marsch, born 03/04/1985"
    found = list_in(text, "drivers", name=TEXT, date_of_birth=DAY)
    assert [one["date_of_birth"] for one in found] == ["1990-09-12", "1985-04-03"]
