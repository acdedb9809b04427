"""Periods of validity in one line."""

from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.validity_periods import validity_lines
from tasks.result import SourceLine
from tests.conftest import each_case
from tests.filling import filled, pasted
from tests.unit.tasks.extraction.reading import DAY, read_field

DATE = {"type": "string", "format": "date"}


def told(*lines: str) -> list[str]:
    return [
        " ".join(one.line.words) for one in validity_lines([SourceLine(tuple(line.split()), "", {}) for line in lines])
    ]


@each_case(
    ("line", "first", "last"),
    [
        ("Période de validité : 01/01/2024 au 31/12/2024", "01/01/2024", "31/12/2024"),
        ("gültig vom 1. März 2025 bis zum 28.02.2026", "1. März 2025", "28.02.2026"),
        ("Valid 3 May 2025 – 2 May 2026", "3 May 2025", "2 May 2026"),
        ("Vigencia: 2025-01-15 hasta el 2026-01-14", "2025-01-15", "2026-01-14"),
    ],
)
def test_a_period_is_its_first_and_its_last_day(line: str, first: str, last: str) -> None:
    assert told("Mutuelle Granvelle", line) == [f"Valid from: {first}", f"Valid until: {last}"]


@each_case("line", ["Period: 1 March 2026 to 31 March 2026", "Billing period 1 March 2026 to 31 March 2026"])
def test_a_period_of_anything_is_no_validity(line: str) -> None:
    assert told("Payslip", line) == ["Period start: 1 March 2026", "Period end: 31 March 2026"]


@each_case(
    "line", ["Period of insurance: 1 March 2026 to 28 February 2027", "Lease period: 1 March 2026 to 28 February 2027"]
)
def test_a_period_of_a_contract_is_a_validity(line: str) -> None:
    assert told("Letter", line) == ["Valid from: 1 March 2026", "Valid until: 28 February 2027"]


async def test_the_month_of_a_payslip_is_no_sure_day_of_hiring() -> None:
    payslip = "PAYSLIP\nEmployee: Nora Quinn\nPeriod: 1 March 2026 to 31 March 2026\nGross pay 2,580.00"
    for name in ("hire_date", "employment_start"):
        assert (await read_field(payslip, name, DAY)).probability <= DOUBTFUL
    for name in ("period_start", "start_date"):
        assert (await read_field(payslip, name, DAY)).probability > DOUBTFUL


def test_two_periods_or_other_days_are_none() -> None:
    assert told("Valid 3 May 2025 – 2 May 2026", "Coverage 3 May 2025 – 2 May 2026") == []
    assert told("Valid 3 May 2025, printed 2 May 2026", "3 May 2025 – 2 May 2026") == []


async def test_fields_for_both_days_are_filled() -> None:
    text = "CARTE DE TIERS PAYANT\nNé le 17/05/1979\nPériode de validité : 01/01/2024 au 31/12/2024\n"
    found = await filled(pasted(f"Extract the fields.\n\n{text}"), valableDu=DATE, valableAu=DATE)
    assert found == {"valableDu": "2024-01-01", "valableAu": "2024-12-31"}
