"""Days of what is billed or paid, and fields that ask for a day of a contract or an employment."""

from tasks.extraction.doubts import DOUBTFUL
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import DAY, read_field

BILL = "Northern Gas\nAccount 5520\n{}\nAmount due 312.44"
PAYSLIP = "PAYSLIP\nEmployee: Nora Quinn\n{}\nGross pay 2,580.00"


@each_case(
    ("line", "name"),
    [
        ("Billing period 1 November 2024 to 31 January 2025", "contract_end_date"),
        ("Billing period 1 November 2024 to 31 January 2025", "contract_start_date"),
        ("Abrechnungszeitraum: 01.01.2024 - 31.12.2024", "lease_end_date"),
        ("Periodo de facturación: del 1 de abril de 2025 al 30 de abril de 2025", "fin_contrato"),
        ("Billing period: 2 February 2025 - 1 May 2025", "tariff_start_date"),
        ("Billing period: 2 February 2025 - 1 May 2025", "warranty_until"),
        ("Rechnungszeitraum: 01.02.2025 - 30.04.2025", "tarifbeginn"),
        ("Période de facturation : du 2 février 2025 au 1er mai 2025", "date_fin_offre"),
    ],
)
async def test_the_month_of_a_bill_is_no_day_of_a_contract(line: str, name: str) -> None:
    assert (await read_field(BILL.format(line), name, DAY)).value is None


async def test_a_period_of_anything_is_no_sure_day_of_a_contract() -> None:
    for line in ("Period: 1 June 2025 - 30 June 2025", "Service period: 2025-02-01 to 2025-04-30"):
        assert (await read_field(BILL.format(line), "contract_end_date", DAY)).probability <= DOUBTFUL


async def test_the_month_of_a_bill_is_its_period() -> None:
    text = BILL.format("Billing period 1 November 2024 to 31 January 2025")
    assert (await read_field(text, "period_end", DAY)).value == "2025-01-31"
    assert (await read_field(text, "billing_period_start", DAY)).value == "2024-11-01"
    assert (await read_field(text, "energy_period_start", DAY)).value == "2024-11-01"


async def test_a_tariff_ends_on_its_own_day() -> None:
    text = BILL.format("Billing period: 2 February 2025 - 1 May 2025\nTariff: Saver Fixed, ends 31 January 2026.")
    assert (await read_field(text, "tariff_end_date", DAY)).value == "2026-01-31"


async def test_a_contract_lasts_for_its_own_period() -> None:
    text = BILL.format("Billing period: 01.03.2024 - 28.02.2025\nContract period: from 01.09.2023 to 31.08.2026")
    assert (await read_field(text, "contract_end_date", DAY)).value == "2026-08-31"


@each_case(
    ("lines", "value"),
    [
        ("Période : 01/05/2025 au 31/05/2025\nDate d'entrée : 03/11/2014", "2014-11-03"),
        ("Antigüedad: 15/02/2010\nPeriodo de liquidación: del 01/06/2025 al 30/06/2025", "2010-02-15"),
        ("Period: 1 March 2026 to 31 March 2026\nHire date: 4 May 2020", "2020-05-04"),
    ],
)
async def test_a_printed_day_of_hiring_goes_before_the_month_of_a_payslip(lines: str, value: str) -> None:
    assert (await read_field(PAYSLIP.format(lines), "hire_date", DAY)).value == value
