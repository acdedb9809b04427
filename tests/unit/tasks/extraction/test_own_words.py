"""Labels in the words of the names of fields."""

from typing import Any

from tasks.extraction.own_words import is_form_of
from tests.conftest import each_case
from tests.filling import NUMBER, OR_NULL, filled, pasted

HOSPITAL = (
    "SZPITAL W KRAKOWIE\nNr księgi głównej: 3107/2025\nKod resortowy: 4100\nLekarz prowadzący: lek. Oktawia Mirek\n"
    "Data przyjęcia: 14.05.2025"
)
SITUATION = "Situation de travaux n° 3\nLot 34\nTotal HT 32 900,00 €\nTVA 6 580,00 €\nTotal TTC 39 480,00 €"


@each_case(
    ("one", "other", "are"),
    [
        ("ksiegi", "ksiega", True),
        ("prowadzacy", "prowadzacego", True),
        ("invoice", "involved", False),
        ("numero", "nr", True),
        ("art", "arts", False),
        ("phone", "telephone", True),
        ("matr.", "matricola", True),
        ("art.", "artikel", True),
        ("matr", "matricola", False),
        ("art.", "amount", False),
        ("phone", "address", False),
    ],
)
def test_words_with_a_common_stem_or_meaning_are_forms_of_one_word(one: str, other: str, are: bool) -> None:
    assert is_form_of(one, other) is are


async def test_a_label_with_the_words_of_a_fields_name_names_its_value_in_any_language() -> None:
    found = await filled(pasted(HOSPITAL), numer_ksiegi=OR_NULL, lekarz_prowadzacy=OR_NULL)
    assert found == {"numer_ksiegi": "3107/2025", "lekarz_prowadzacy": "lek. Oktawia Mirek"}


@each_case(("name", "value"), [("situation_no", 3), ("total_ttc", 39480), ("total_ht", 32900)])
async def test_a_label_with_further_words_names_its_value_less(name: str, value: Any) -> None:
    assert await filled(pasted(SITUATION), **{name: NUMBER}) == {name: value}


async def test_a_label_may_abbreviate_a_word_of_the_name() -> None:
    card = pasted("UNIVERSITÀ DI VALMORA\nImmatricolato A.A. 2023/2024\nMatr. VM0551772\nvalida fino al 30/09/2026")
    assert await filled(card, matricola=OR_NULL) == {"matricola": "VM0551772"}
