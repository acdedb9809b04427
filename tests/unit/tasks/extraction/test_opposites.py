"""Values whose labels say the opposite of what a field asks for."""

from collections.abc import Mapping
from typing import Any

from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.opposites import Side, is_opposite, sides_of, wanted_sides
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import DAY, NUMBER, TEXT, read_field

THERMOSTAT = "Thermostat Rimo\nMax. flow temperature: 75 °C\nRoom: hall"
OPENING = "Museum of salt\nSummer hours: 9-18\nClosed on Mondays"

YEARS = """                              This year        Last year
Employer contributions        2,140.80         2,058.00
Investment growth             4,018.22        -1,102.47"""
SHIFTED = """                                      This year        Last year
Employer contributions        2,140.80         2,058.00
Investment growth             4,018.22        -1,102.47"""
PARTS = """Cotisation      Base         Part salariale    Part employeur
Retraite        2 503,31     172,73            258,46"""
TOTALS = """Cumuls 2025     Brut         Net imposable     Coût employeur
Du mois         2 503,31     2 049,69          3 084,16"""
FLIGHTS = "Vuelo IB3166 Madrid - Lisboa 12 mayo 2025\nRegreso IB3109 Lisboa - Madrid 19 mayo 2025"


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
        ("Policy no. 5581\nMonthly premium: 38.00", "annual_premium", NUMBER),
        ("Basic pay 2,400.00\nOvertime 180.00", "bonus", NUMBER),
        ("Statement October 2025\nOverdraft limit: 500.00", "overdraft_used", NUMBER),
        ("Hotel Miramar\nCity tax 9.00", "vat", NUMBER),
        ("Order 7718\nParcels: 4", "pallets", NUMBER),
        ("Invoice no: BW-2291\nTotal 147.00", "credit_note_number", TEXT),
        ("Café Rosewater\nPoints of this visit: 6", "points_balance", NUMBER),
        ("Librairie\nPoints de cette visite : 8", "solde_points", NUMBER),
        ("Gross pay this month: 1,900.00", "gross_pay_year_to_date", NUMBER),
        ("Contributions last year: 2,058.00", "contributions_this_year", NUMBER),
        ("Vuelo de ida: IB3166", "numero_vuelo_regreso", TEXT),
        ("Hinfahrt: ICE 577", "zug_rueckfahrt", TEXT),
    ],
)
async def test_a_label_that_says_the_opposite_names_no_value(text: str, name: str, schema: Mapping[str, Any]) -> None:
    found = await read_field(text, name, schema)
    assert found.value is None or found.probability < 0.2


@each_case(
    ("text", "name", "schema", "value"),
    [
        (THERMOSTAT, "max_flow_temperature", NUMBER, 75),
        (OPENING, "summer_hours", TEXT, "9-18"),
        ("Current assets: 450\nNon-current assets: 910", "non_current_assets", NUMBER, 910),
        ("Current assets: 450\nNon-current assets: 910", "current_assets", NUMBER, 450),
        ("Points of this visit: 6\nPoints on your card: 148", "points_balance", NUMBER, 148),
        (YEARS, "employer_contributions_this_year", NUMBER, 2140.8),
        (YEARS, "employer_contributions_last_year", NUMBER, 2058),
        (SHIFTED, "employer_contributions_this_year", NUMBER, 2140.8),
        (SHIFTED, "employer_contributions_last_year", NUMBER, 2058),
        ("Vuelo IB3166, Madrid 08:10\nVuelo de regreso IB3109, Lisboa 19:00", "numero_vuelo_regreso", TEXT, "IB3109"),
        ("Hinfahrt: ICE 577\nRückfahrt: ICE 690", "zug_rueckfahrt", TEXT, "ICE 690"),
        (f"{PARTS}\n{TOTALS}", "cout_total_employeur", NUMBER, 3084.16),
    ],
)
async def test_a_label_that_says_what_the_field_asks_for_names_the_value(
    text: str, name: str, schema: Mapping[str, Any], value: Any
) -> None:
    assert (await read_field(text, name, schema)).value == value


@each_case(
    ("text", "name"),
    [
        ("Order 4711\nShip date: 12 May 2025", "received_date"),
        ("Order 4711\nShip date: 12 May 2025", "delivery_date"),
        ("Versanddatum: 12.05.2025", "eingangsdatum"),
        ("Fälligkeitsdatum: 12.05.2025", "ausstellungsdatum"),
        ("Date d'échéance : 12/05/2025", "date_emission"),
        ("Fecha de envío: 12/05/2025", "fecha_recepcion"),
        ("Departure: 12 May 2025", "arrival_date"),
        ("Date of birth: 12 May 1985", "hire_date"),
        ("The goods were shipped on 12 May 2025.", "received_date"),
    ],
)
async def test_a_label_of_another_kind_of_day_names_no_value(text: str, name: str) -> None:
    assert (await read_field(text, name, DAY)).value is None


@each_case(
    ("text", "name", "value"),
    [
        ("Order date: 2 May 2025\nShip date: 12 May 2025", "ship_date", "2025-05-12"),
        ("Fecha de vencimiento: 12/05/2025", "fecha_caducidad", "2025-05-12"),
        ("Eintrittsdatum: 12.05.2025", "beginn_datum", "2025-05-12"),
        ("Order 4711\n12 May 2025", "issue_date", "2025-05-12"),
        ("Kaufdatum: 12.05.2025", "rechnungsdatum", "2025-05-12"),
        ("Signature date: 12 May 2025", "issue_date", "2025-05-12"),
        ("Arriving: 12 May 2025", "delivery_date", "2025-05-12"),
        ("Départ : 3 juin 2024\nRetour : 10 juin 2024", "start_date", "2024-06-03"),
        ("Issued 4 May 2021\nLast updated 6 June 2022", "issue_date", "2021-05-04"),
    ],
)
async def test_a_day_may_be_of_several_kinds_or_of_none(text: str, name: str, value: str) -> None:
    assert (await read_field(text, name, DAY)).value == value


def test_which_day_is_meant_is_asked_by_days_only() -> None:
    assert not wanted_sides(field_text(NUMBER, names_of(("order_total",), NUMBER)))


@each_case(
    ("words", "sides"),
    [
        (("non", "current", "assets"), {("assets", "other")}),
        (("current", "assets"), {("assets", "one")}),
        (("höchsttemperatur",), {("extremes", "other")}),
        (("paid", "in"), {("payments", "one")}),
        (("day", "and", "night"), {("times", "one"), ("times", "other")}),
        (("total",), set()),
        (("date", "of", "birth"), {("days", "born")}),
        (("period", "start"), {("days", "start")}),
        (("lease", "start"), {("days", "contract_start")}),
        (("policy", "start"), {("days", "start"), ("days", "contract_start")}),
    ],
)
def test_words_name_sides_of_opposites(words: tuple[str, ...], sides: set[tuple[str, str]]) -> None:
    assert sides_of(words) == {Side(*side) for side in sides}


@each_case(
    ("name", "description", "is_before_opposite"),
    [
        ("weight_after", "", True),
        ("weight_before_or_after", "", False),
        ("weight_after", "Weight after the treatment, which may be equal to that before it", False),
    ],
)
def test_a_field_that_mentions_both_sides_has_no_opposite(
    name: str, description: str, is_before_opposite: bool
) -> None:
    schema = {"type": "number", "description": description}
    wanted = wanted_sides(field_text(schema, names_of((name,), schema)))
    assert is_opposite(sides_of(("weight", "before")), wanted) == is_before_opposite


async def test_a_value_without_the_side_of_a_field_is_not_sure_beside_one_with_it() -> None:
    found = await read_field(FLIGHTS, "numero_vuelo_regreso", TEXT)
    assert found.value == "IB3109" or found.probability <= DOUBTFUL
