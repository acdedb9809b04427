"""The header of a table as the columns of a proposed schema."""

import pytest

from app.folders.proposal import _header_names


def cells(*rows: str) -> list[list[dict[str, str]]]:
    return [[{"text": text} for text in row.split("|")] for row in rows]


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (("Item|Unit price", "Lamp|30.00", "Chair|12.50"), ("item", "unit_price")),
        (("Day|Berth", "2024-05-03|north", "2024-05-04|south"), ("day", "berth")),
        (("Alder Lamps|Bill to", "4 Quay Road|Ada Berg", "Alder|Bergen"), ()),
        (("4 Quay Road|Total", "Alder|30.00"), ()),
        (("Item|Price",), ()),
    ],
)
def test_a_header_stands_above_numbers_or_days(rows: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert _header_names(cells(*rows)) == names
