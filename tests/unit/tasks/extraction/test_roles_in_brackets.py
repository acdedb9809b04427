"""Roles in brackets after names."""

from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import TEXT, read_field


@each_case(
    ("text", "name", "value"),
    [
        ("Present: Gordon Speight (treasurer), Amy Chaudhry (secretary), Lena Park", "treasurer", "Gordon Speight"),
        ("Present: Gordon Speight (treasurer), Amy Chaudhry (secretary), Lena Park", "secretary", "Amy Chaudhry"),
        ("Anwesend: Ulla Kern (Schriftführerin), Jan Voss (Kassenwart) und Eva Roth", "kassenwart", "Jan Voss"),
        ("Presenti: Ada Neri (presidente) e Ugo Riva (tesoriere)", "tesoriere", "Ugo Riva"),
    ],
)
async def test_a_role_in_brackets_is_that_of_the_name_before_it(text: str, name: str, value: str) -> None:
    assert (await read_field(text, name, TEXT)).value == value
