"""Tables whose columns are the items."""

from models.fair_executor import all_of
from tasks.extraction.transposed_tables import MAX_ROWS, Transposer
from tasks.read_table import ReadCell, ReadTable
from tests.conftest import each_case
from tests.unit.tasks.extraction.test_extractor import wanted
from tests.unit.tasks.extraction.test_headed_rows import items_on
from tests.unit.tasks.extraction.test_table_lists import DAY, NUMBER, TEXT, rows_of

MODELS = """
| Model | Finch 2 | Heron | Crane XL |
|---|---|---|---|
| Weight (kg) | 1.2 | 2.5 | 4 |
| Price | 90 | 140 | 210 |
| Colour | red | grey | blue |
"""


def test_the_columns_of_a_comparison_are_items() -> None:
    assert rows_of(MODELS, model=TEXT, weight_kg=NUMBER, price=NUMBER) == [
        {"model": "Finch 2", "weight_kg": 1.2, "price": 90},
        {"model": "Heron", "weight_kg": 2.5, "price": 140},
        {"model": "Crane XL", "weight_kg": 4, "price": 210},
    ]


def test_days_above_the_columns_need_no_name() -> None:
    text = "| | 3 May 2024 | 4 May 2024 |\n|---|---|---|\n| Rain (mm) | 0 | 4.5 |\n| Sunshine (h) | 9 | 2 |\n"
    assert rows_of(text, date=DAY, rain_mm=NUMBER, sunshine_hours=NUMBER) == [
        {"date": "2024-05-03", "rain_mm": 0, "sunshine_hours": 9},
        {"date": "2024-05-04", "rain_mm": 4.5, "sunshine_hours": 2},
    ]


def test_a_cell_over_the_columns_names_the_row_below_it() -> None:
    rows = [(0, 60, "Iron", "0.02", "0.11", "0.34"), (0, 90, "Nitrate", "12", "8", "31")]
    lines = [(400, 0, "Well"), (200, 30, "N-1"), (400, 30, "N-2"), (600, 30, "N-3")]
    lines += [(left, top, text) for _, top, *row in rows for left, text in zip((0, 200, 400, 600), row, strict=True)]
    across = [((0, top), (700, top)) for top in (-6, 24, 54, 84, 114)]
    down = [((left, -6 if left in (0, 180, 700) else 24), (left, 114)) for left in (0, 180, 380, 580, 700)]
    found = items_on(*lines, rulings=[*across, *down], well=TEXT, iron=NUMBER, nitrate=NUMBER)
    assert found == [
        {"well": "N-1", "iron": 0.02, "nitrate": 12},
        {"well": "N-2", "iron": 0.11, "nitrate": 8},
        {"well": "N-3", "iron": 0.34, "nitrate": 31},
    ]


@each_case(
    "rows",
    [
        [["Name", "Ann Lee", "Date", "3 May"], ["Price", "12", "Colour", "red"]],
        [["Name", "Price", "Colour"], ["Cap", "9", "red"], ["Belt", "12", "black"]],
        [["Name", "Cap"], ["Price", "9"], ["Colour", "red"]],
        [["Field", "Value", "Note"], ["Name", "Ann Lee", "as signed"], ["Price", "12", "net"], ["Colour", "red", "?"]],
        [["Feld", "Wert", "Bemerkung"], ["Name", "Ann Lee", "laut Pass"], ["Price", "12", "netto"]],
        [["", "old value", "new value"], ["Name", "Cap", "Caps"], ["Price", "9", "10"], ["Colour", "red", "blue"]],
        [["", "A", "Price"], ["Name", "Cap", "9"], ["Price", "2", "10"], ["Colour", "red", "8"]],
    ],
)
def test_neither_a_form_nor_a_table_of_rows_is_transposed(rows: list[list[str]]) -> None:
    fields = [wanted(("items", "name"), TEXT), wanted(("items", "price"), NUMBER), wanted(("items", "colour"), TEXT)]
    assert all_of(Transposer([fields]).of(ReadTable([[ReadCell(text) for text in row] for row in rows]))) is None


def test_a_table_of_too_many_rows_is_not_transposed() -> None:
    rows = [["Name", "Cap", "Belt"], ["Price", "9", "12"], *[[f"Line {at}", "7", "8"] for at in range(MAX_ROWS)]]
    transposer = Transposer([[wanted(("items", "name"), TEXT), wanted(("items", "price"), NUMBER)]])
    assert all_of(transposer.of(ReadTable([[ReadCell(text) for text in row] for row in rows[:MAX_ROWS]]))) is not None
    assert all_of(transposer.of(ReadTable([[ReadCell(text) for text in row] for row in rows]))) is None


def test_a_large_table_is_compared_with_the_fields_in_slices() -> None:
    rows = [["Name", *(f"Cap {at}" for at in range(40))], ["Price", *(f"{at}" for at in range(40))]]
    rows += [[f"{at} {place}" for place in range(41)] for at in range(40)]
    transposer = Transposer([[wanted(("items", "name"), TEXT), wanted(("items", "price"), NUMBER)]])
    assert len([*transposer.of(ReadTable([[ReadCell(text) for text in row] for row in rows]))]) >= 80
