"""Values in the cells of tables with several rows, for fields that have one value."""

from collections.abc import Mapping
from typing import Any

import pytest

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.doubts import IN_ONE_OF_SEVERAL_ROWS
from tasks.extraction.passages import passages_to_search
from tasks.extraction.several_rows import SeveralRows
from tests.conftest import each_case
from tests.entries import entry_of
from tests.turns import calls_of_slices
from tests.unit.tasks.extraction.reading import NUMBER, TEXT, read_field

SURE = 0.8

HOURS = """Timesheet
Employee: Priya Nand

Date          Task        Hours
31 Mar 2025   Doors       8.0
1 Apr 2025    Worktop     8.5
2 Apr 2025    Snagging    4.0
"""
CREW = """Crew sheet

Name         Role       Day rate
A. Sorrell   Grip       280.00
M. Vance     Focus      340.00
K. Idris     Sound      365.00
"""
PARCELS = """Guia de remessa

Artigo     Caixas   Peso (kg)
Azeite     10       95,0
Sal        6        60,0
Mel        4        22,4
"""
PLANTS = """Price list

Plant       Pot size   Unit price
Lavender    2 l        6.95
Rosemary    2 l        5.50
Bay tree    10 l       34.00
"""
WEIGHED = """Pakbon 9923

Artikel      Aantal   Gewicht (kg)
Band 28      24       16,8
Zadel        10       9,5
Koplamp      40       6,0
Totaal       74       32,3
"""
QUOTE = """Quotation

Description   Qty   Unit price
Oak bench     4     10.00
Table         2     20.00
Delivery      1     5.00
Total         7     35.00
"""
POINTS = """Loyalty card

Date          Points     Points balance
2 May 2025    40         1240
9 May 2025    25         1265
16 May 2025   60         1325
"""


@each_case(
    ("text", "name", "schema"),
    [
        (HOURS, "hours", NUMBER),
        (HOURS, "task", TEXT),
        (CREW, "day_rate", NUMBER),
        (CREW, "role", TEXT),
        (PARCELS, "caixas", NUMBER),
        (PARCELS, "weight_kg", NUMBER),
        (PLANTS, "unit_price", NUMBER),
        (PLANTS, "pot_size", TEXT),
        (QUOTE, "unit_price", NUMBER),
        ("| Jour | Heures |\n| --- | --- |\n| Lundi | 7 |\n| Mardi | 8 |\n| Jeudi | 4 |", "heures", NUMBER),
    ],
)
async def test_a_cell_of_one_of_several_rows_is_not_sure(text: str, name: str, schema: Mapping[str, Any]) -> None:
    assert (await read_field(text, name, schema)).probability <= IN_ONE_OF_SEVERAL_ROWS


@each_case(
    ("text", "name", "value"),
    [
        (WEIGHED, "gewicht_kg", 32.3),
        (WEIGHED, "weight_kg", 32.3),
        (WEIGHED, "aantal", 74),
        (HOURS + "Total                     20.5", "hours", 20.5),
    ],
)
async def test_the_sum_of_a_column_answers_a_field_that_its_header_names(text: str, name: str, value: float) -> None:
    found = await read_field(text, name, NUMBER)
    assert found.value == value
    assert found.probability > SURE


async def test_the_newest_of_running_totals_answers_a_field_that_its_header_names() -> None:
    assert (await read_field(POINTS, "points_balance", NUMBER)).value == 1325


async def test_the_words_of_a_row_and_of_a_header_together_tell_a_cell() -> None:
    text = "Section      Sum insured    Excess\nBuildings    £325,000       £250\nContents     £60,000        £150\n"
    assert (await read_field(text, "buildings_excess", NUMBER)).value == 250
    assert (await read_field(text, "contents_sum_insured", NUMBER)).value == 60000


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("Work record\n\nDate         Work      Hours\n9 May 2025   Service   2.5", "hours", NUMBER, 2.5),
        (HOURS.replace("8.5", "8.0").replace("4.0", "8.0"), "hours", NUMBER, 8),
        (PLANTS, "unit_price", {**NUMBER, "description": "Unit price of the lavender"}, 6.95),
        ("Visits\n\nSessions   Revenue\n48,217     $91,450\n▲ 12.4%    ▲ 6.0%", "sessions", NUMBER, 48217),
    ],
)
async def test_a_cell_is_sure_if_something_tells_its_row(
    text: str, name: str, schema: Mapping[str, Any], value: float
) -> None:
    found = await read_field(text, name, schema)
    assert found.value == value
    assert found.probability > IN_ONE_OF_SEVERAL_ROWS


@pytest.mark.parametrize(
    "row", ["1 Jan 2025   Doors   8.0\n", "| a | 1 |\n", "Name   Hours\n", "Name   Hours\nA   1\n"]
)
def test_no_step_of_a_long_table_is_long(row: str) -> None:
    text = "Date   Task   Hours\n" + row * 1_000
    candidates = all_of(find_candidates(all_of(passages_to_search([entry_of("scraper", {"text": text})]))))
    assert max(calls_of_slices(SeveralRows(candidates).read())) <= 25_000
