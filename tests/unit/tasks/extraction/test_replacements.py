"""Values that others on the same line replace."""

from typing import Any

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.passages import passages_to_search
from tasks.extraction.replacements import Replacements
from tests.conftest import each_case
from tests.entries import entry_of
from tests.turns import calls_of_slices
from tests.unit.tasks.extraction.reading import DAY, NUMBER, TEXT, read_field

MOST_CALLS = 12_000
"""Largest number of functions that a slice may call, which take some milliseconds."""


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("Total: 49.00 EUR (correct: 54.00 EUR)", "total", NUMBER, 54),
        ("Total: 49.00 corrected to 54.00", "total", NUMBER, 54),
        ("Total: was 49.00, now 54.00", "total", NUMBER, 54),
        ("Total: 54.00 EUR (previously 49.00 EUR)", "total", NUMBER, 54),
        ("Gesamtbetrag: 54,00 EUR statt 49,00 EUR", "gesamtbetrag", NUMBER, 54),
        ("Gesamtbetrag: 49,00 EUR, richtig: 54,00 EUR", "gesamtbetrag", NUMBER, 54),
        ("Gesamtbetrag: 49,00 (durchgestrichen) 54,00", "gesamtbetrag", NUMBER, 54),
        ("Total : 54,00 € au lieu de 49,00 €", "total", NUMBER, 54),
        ("Total: 49,00 € corregido a 54,00 €", "total", NUMBER, 54),
        ("Totale: 54,00 € invece di 49,00 €", "totale", NUMBER, 54),
        ("Total: 54,00 € em vez de 49,00 €", "total", NUMBER, 54),
        ("Totaal: 54,00 € in plaats van 49,00 €", "totaal", NUMBER, 54),
        ("Total: ~~49.00~~ 54.00 EUR", "total", NUMBER, 54),
        ("Total: ~~49.00 EUR~~ **54.00 EUR**", "total", NUMBER, 54),
        ("Total: 54.00 EUR ~~49.00 EUR~~", "total", NUMBER, 54),
        ("Total: <s>49.00</s> 54.00 EUR", "total", NUMBER, 54),
        ("<p>Total: <del>49.00 EUR</del> <ins>54.00 EUR</ins></p>", "total", NUMBER, 54),
        ("Flight LH 123\nGate: B22 changed to B46", "gate", TEXT, "B46"),
        ("Gate: B46 (previously B22)", "gate", TEXT, "B46"),
        ("Gate: B46 instead of B22", "gate", TEXT, "B46"),
        ("Gate: ~~B22~~ B46", "gate", TEXT, "B46"),
        ("Meeting rescheduled from 3 June 2026 to 5 June 2026", "meeting_date", DAY, "2026-06-05"),
        ("Termin verschoben vom 03.06.2026 auf den 05.06.2026", "termin", DAY, "2026-06-05"),
        ("Der Termin wird vom 03.06.2026 auf den 05.06.2026 verschoben.", "termin", DAY, "2026-06-05"),
        ("Die Sitzung am 03.06.2026 wird auf den 05.06.2026 verschoben.", "sitzung", DAY, "2026-06-05"),
        ("The meeting of 3 June 2026 has been moved to 5 June 2026.", "meeting_date", DAY, "2026-06-05"),
        ("Der Gesamtbetrag war 49,00 EUR und beträgt jetzt 54,00 EUR.", "gesamtbetrag", NUMBER, 54),
        ("Vencimento prorrogado de 10/07/2024 para 20/07/2024", "vencimento", DAY, "2024-07-20"),
        ("Due date extended from 10 July 2024 to 20 July 2024", "due_date", DAY, "2024-07-20"),
        ("Start date: 3 June 2026, now 5 June 2026", "start_date", DAY, "2026-06-05"),
        ("IBAN: DE89370400440532013000 (replaced by GB29NWBK60161331926819)", "iban", TEXT, "GB29NWBK60161331926819"),
        ("Delivery date: 5 June 2026, previously 3 June 2026", "delivery_date", DAY, "2026-06-05"),
    ],
)
async def test_a_value_that_another_one_replaces_is_not_copied(text: str, name: str, schema: Any, value: Any) -> None:
    found = await read_field(text, name, schema)
    assert found.value == value
    assert found.probability >= DOUBTFUL


async def test_a_text_without_figures_that_replaces_another_one_is_doubtful() -> None:
    found = await read_field("Venue: Alpha Hall changed to Beta Hall", "venue", TEXT)
    assert found.value == "Beta Hall"
    assert found.probability <= DOUBTFUL


@each_case(
    ("text", "name", "value"),
    [
        ("IBAN: GB29NWBK60161331926819 (changed to DE89370400440532013000)", "iban", "DE89370400440532013000"),
        ("Sort code: 20-00-00 (changed to 30-00-00)", "sort_code", "30-00-00"),
        ("BIC: COBADEFFXXX changed to DEUTDEFFXXX", "bic", "DEUTDEFFXXX"),
    ],
)
async def test_a_changed_account_is_read_but_doubtful(text: str, name: str, value: str) -> None:
    found = await read_field(f"Invoice\n{text}", name, TEXT)
    assert found.value == value
    assert 0 < found.probability <= DOUBTFUL


async def test_an_old_value_is_doubtful_if_the_new_one_is_no_value_of_the_field() -> None:
    found = await read_field("Delivery date: moved from 3 June 2026 to the week after", "delivery_date", DAY)
    assert found.probability <= DOUBTFUL


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("Order 4711\nTotal: 49.00\nThank you.\nCorrection: total is 54.00", "total", NUMBER, 54),
        ("Summe: 49,00\nVielen Dank.\nKorrektur: Die Summe ist 54,00", "summe", NUMBER, 54),
        ("We booked for 2 adults last week. Sorry, please change it to 1 adult.", "adults", NUMBER, 1),
    ],
)
async def test_a_value_that_a_later_sentence_corrects_is_not_copied(
    text: str, name: str, schema: Any, value: Any
) -> None:
    found = await read_field(text, name, schema)
    assert found.value == value
    assert found.probability <= DOUBTFUL


async def test_values_of_which_a_later_sentence_may_correct_any_are_doubtful() -> None:
    found = await read_field("Total: 49.00\nTotal VAT: 5.00\nCorrection: total is 54.00", "total", NUMBER)
    assert found.probability <= DOUBTFUL


async def test_a_value_below_the_correction_of_such_a_value_is_doubtful() -> None:
    found = await read_field("Correction: the total is 54.00 EUR.\nThank you.\nTotal: 49.00 EUR", "total", NUMBER)
    assert found.probability <= DOUBTFUL


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("The meeting previously planned for 3 June 2026, will be on 5 June 2026.", "meeting_date", DAY, "2026-06-05"),
        ("Sitzung, ursprünglich geplant für 03.06.2026, findet am 05.06.2026 statt", "sitzung", DAY, "2026-06-05"),
        ("Weight 12.4 kg (last visit 13.1 kg)", "previous_weight_kg", NUMBER, 13.1),
        ("Weight 12.4 kg (last visit 13.1 kg)", "weight_kg", NUMBER, 12.4),
        ("Peso 12,4 kg (última visita 13,1 kg)", "peso", NUMBER, 12.4),
    ],
)
async def test_a_former_value_answers_only_a_field_that_asks_for_it(
    text: str, name: str, schema: Any, value: Any
) -> None:
    assert (await read_field(text, name, schema)).value == value


async def test_a_former_value_alone_is_doubtful() -> None:
    found = await read_field("Start date: originally planned for 3 June 2026", "start_date", DAY)
    assert found.probability <= DOUBTFUL


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("Original total: 49.00, now 54.00", "original_total", NUMBER, 49),
        ("Start date: 3 June 2026\nOpen from 3 June 2026 to 5 June 2026", "start_date", DAY, "2026-06-03"),
        ("Answers: 5 (new) 7 (used)", "answers", NUMBER, 5),
        ("Gate: B46, now open", "gate", TEXT, "B46"),
    ],
)
async def test_a_value_that_nothing_replaces_or_that_is_asked_for_is_copied(
    text: str, name: str, schema: Any, value: Any
) -> None:
    found = await read_field(text, name, schema)
    assert str(found.value).startswith(str(value))


@each_case(
    "line",
    [
        "1, now 2, instead of 3, ",
        "moved from 3 to 5, ",
        "~~4~~ 5 ",
        "B1 changed to B2 from ",
        "Total: 49 (correct: 54)\n",
        "Correction: total is 54\n",
        "total previously 3 and 5, ",
    ],
)
def test_no_step_of_a_long_text_is_long(line: str) -> None:
    candidates = all_of(find_candidates(all_of(passages_to_search([entry_of("scraper", {"text": line * 1_000})]))))
    assert max(calls_of_slices(Replacements(candidates).read())) <= MOST_CALLS


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("Renta: 700 € (actualizada a 721 € desde enero)", "renta", NUMBER, 721),
        ("Miete: 700 € (erhöht auf 721 €)", "miete", NUMBER, 721),
        ("Rent: 700.00 (increased to 721.00)", "rent", NUMBER, 721),
    ],
)
async def test_an_adjusted_value_is_the_new_one(text: str, name: str, schema: Any, value: Any) -> None:
    assert (await read_field(text, name, schema)).value == value
