"""Subtotals, net amounts, totals and amounts due on one paper."""

from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.stages_of_sums import stage_of
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import NUMBER, read_field

DISCOUNTED = [
    "Subtotal 300.00\nDiscount 10 % -30.00\nNet after discount 270.00\nVAT 20 % 54.00\nTotal 324.00",
    "Zwischensumme 300,00\nRabatt -30,00\nNettobetrag 270,00\nMwSt. 20 % 54,00\nRechnungsbetrag 324,00",
    "Subtotal 300,00\nDescuento -30,00\nBase imponible 270,00\nIVA 20 % 54,00\nTotal factura 324,00",
    "Sub-total 300.00\nLess discount 30.00\nSubtotal after discount 270.00\nTax 20 % 54.00\nGrand total 324.00",
]


@each_case(
    ("label", "stage"),
    [
        ("Sub-total", "subtotal"),
        ("Sous-total", "subtotal"),
        ("Subtotal after discount", "net"),
        ("Base imponible", "net"),
        ("Total TTC", "total"),
        ("Deposit paid", "paid"),
        ("Deposit due", "paid"),
        ("abzüglich Anzahlung", "paid"),
        ("Restbetrag", "due"),
        ("Pendiente de pago", "due"),
        ("Reste à payer", "due"),
        ("Delivery date", ""),
        ("", ""),
    ],
)
def test_a_label_names_a_stage(label: str, stage: str) -> None:
    assert stage_of(label) == stage


@each_case("lines", DISCOUNTED)
async def test_a_printed_subtotal_goes_before_the_net_after_a_discount(lines: str) -> None:
    assert (await read_field(f"Invoice 7781\n\n{lines}", "subtotal", NUMBER)).value == 300


async def test_a_net_amount_is_a_subtotal_where_no_other_is_printed_or_asked_for() -> None:
    text = "Invoice 7781\n\nNet 270.00\nVAT 20 % 54.00\nTotal 324.00"
    assert (await read_field(text, "subtotal", NUMBER)).value == 270
    text = f"Invoice 7781\n\n{DISCOUNTED[0]}"
    assert (await read_field(text, "net_amount", NUMBER)).value == 270


@each_case(
    "lines",
    [
        "Total 7,680.00\nDeposit paid -2,000.00\nBalance 5,680.00",
        "Gesamtbetrag 7.680,00\nabzüglich Anzahlung 2.000,00\nRestbetrag 5.680,00",
        "Total 7 680,00\nAcompte versé 1 500,00\nAcompte 500,00\nReste à payer 5 680,00",
        "Totale fattura 7.680,00\nAcconto 2.000,00\nSaldo 5.680,00",
    ],
)
async def test_the_remainder_below_a_deposit_is_due(lines: str) -> None:
    text = f"Invoice 7781\nKitchen units 6,400.00\nVAT 20 % 1,280.00\n{lines}"
    assert (await read_field(text, "amount_due", NUMBER)).value == 5680
    assert (await read_field(text, "invoice_total", NUMBER)).value == 7680


async def test_a_total_above_a_deposit_is_no_sure_amount_due() -> None:
    text = "Invoice 219\nMarquee 2,150.00\nCatering 3,000.00\nTotal 5,150.00\nDeposit received 1,030.00"
    assert (await read_field(text, "amount_due", NUMBER)).probability <= DOUBTFUL
    assert (await read_field(text, "total", NUMBER)).probability > DOUBTFUL


async def test_a_deposit_above_the_total_is_part_of_it() -> None:
    text = "Move-in costs\nFirst rent 1,000.00\nSecurity deposit 500.00\nTotal 1,500.00\nDue on 1 May 2025"
    assert (await read_field(text, "amount_due", NUMBER)).value == 1500
