"""Values whose labels say the opposite of what a field asks for."""

from collections.abc import Mapping
from typing import Any

from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.opposites import Side, opposites_of, sides_of
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import NUMBER, TEXT, read_field

THERMOSTAT = "Thermostat Rimo\nMax. flow temperature: 75 °C\nRoom: hall"
OPENING = "Museum of salt\nSummer hours: 9-18\nClosed on Mondays"


@each_case(
    ("text", "name", "schema"),
    [
        (THERMOSTAT, "min_flow_temperature", NUMBER),
        ("Max. flow temperature 75 °C", "min_flow_temperature", NUMBER),
        ("Weight before: 82\nName: Ana Gomez", "weight_after", NUMBER),
        (OPENING, "winter_hours", TEXT),
        ("Planned cost: 4,000", "actual_cost", NUMBER),
        ("Right eye: -1.25", "left_eye", NUMBER),
        ("Prix TTC : 120,00", "prix_ht", NUMBER),
        ("Current assets: 450", "non_current_assets", NUMBER),
        ("Tagstrompreis: 31,2 ct", "nachtstrompreis", NUMBER),
    ],
)
async def test_a_label_that_says_the_opposite_names_no_value(text: str, name: str, schema: Mapping[str, Any]) -> None:
    assert (await read_field(text, name, schema)).value is None


@each_case(
    ("text", "name", "schema", "value"),
    [
        (THERMOSTAT, "max_flow_temperature", NUMBER, 75),
        (OPENING, "summer_hours", TEXT, "9-18"),
        ("Current assets: 450\nNon-current assets: 910", "non_current_assets", NUMBER, 910),
        ("Current assets: 450\nNon-current assets: 910", "current_assets", NUMBER, 450),
    ],
)
async def test_a_label_that_says_what_the_field_asks_for_names_the_value(
    text: str, name: str, schema: Mapping[str, Any], value: Any
) -> None:
    assert (await read_field(text, name, schema)).value == value


@each_case(
    ("words", "sides"),
    [
        (("non", "current", "assets"), {("assets", False)}),
        (("current", "assets"), {("assets", True)}),
        (("höchsttemperatur",), {("extremes", False)}),
        (("paid", "in"), {("payments", True)}),
        (("day", "and", "night"), {("times", True), ("times", False)}),
        (("total",), set()),
    ],
)
def test_words_name_sides_of_opposites(words: tuple[str, ...], sides: set[tuple[str, bool]]) -> None:
    assert sides_of(words) == {Side(*side) for side in sides}


@each_case(
    ("name", "description", "opposites"),
    [
        ("weight_after", "", {("order", True)}),
        ("min_or_max", "", set()),
        ("weight_after", "Weight after the treatment, which may be equal to that before it", set()),
    ],
)
def test_a_field_that_mentions_both_sides_has_no_opposite(
    name: str, description: str, opposites: set[tuple[str, bool]]
) -> None:
    schema = {"type": "number", "description": description}
    assert opposites_of(field_text(schema, names_of((name,), schema))) == {Side(*side) for side in opposites}
