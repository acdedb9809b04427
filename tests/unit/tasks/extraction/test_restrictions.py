"""Values of which nothing states what the name of a field restricts it to."""

import pytest

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_to_search
from tasks.extraction.restrictions import Restrictions
from tests.conftest import each_case
from tests.entries import entry_of
from tests.turns import calls_of_slices
from tests.unit.tasks.extraction.reading import NUMBER, read_field

GARAGE = "JOB CARD 5521\nRegistration: YF68 KLP\nMileage: 48,210\nTotal 434.88"
LEASE = "RENT RECEIPT\nTenant: Dev Patel\nRent: 1,150.00\nDeposit: 1,325.00"


@each_case(
    ("text", "name"),
    [
        (GARAGE, "previous_mileage"),
        (LEASE, "pet_deposit"),
        (LEASE, "weekly_rent"),
        ("Electricity bill\nUsage: 310 kWh\nAmount due 92.40", "peak_usage"),
        ("Electricity bill\nUsage: 310 kWh\nAmount due 92.40", "night_usage"),
        ("Electricity bill\nUsage: 310 kWh\nAmount due 92.40", "average_usage"),
        ("Abrechnung\nVerbrauch: 310 kWh\nZu zahlen: 92,40", "vorheriger_verbrauch"),
        ("OFFER\nPosition: Analyst\nSalary: 42,000 a year", "monthly_salary"),
    ],
)
async def test_a_value_is_doubtful_if_nothing_states_what_the_field_is_restricted_to(text: str, name: str) -> None:
    assert (await read_field(text, name, NUMBER)).probability <= DOUBTFUL


@each_case(
    ("text", "name"),
    [
        (GARAGE, "mileage"),
        (f"{LEASE}\nPet deposit: 300.00", "pet_deposit"),
        (LEASE, "deposit"),
        ("Previous reading: 48,210\nCurrent reading: 48,900", "previous_reading"),
    ],
)
async def test_a_value_is_sure_if_its_label_states_it_or_the_field_is_not_restricted(text: str, name: str) -> None:
    assert (await read_field(text, name, NUMBER)).probability > DOUBTFUL


@pytest.mark.parametrize("line", ["1 previous, monthly ", "Monthly rent: 1,150\n", "monthly\n"])
def test_no_step_of_a_long_text_is_long(line: str) -> None:
    candidates = all_of(find_candidates(all_of(passages_to_search([entry_of("scraper", {"text": line * 1_000})]))))
    fields = [field_text(NUMBER, names_of((name,), NUMBER)) for name in ("previous_rent", "monthly_rent")]
    assert max(calls_of_slices(Restrictions(candidates).read(fields))) <= 5_000
