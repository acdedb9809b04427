"""Subtotals, net amounts, totals and amounts due on one paper."""

from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.folding import without_accents
from tasks.extraction.stages_of_sums import part_of_amount, stage_of
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
        ("Net à régler", "due"),
        ("Noch zu begleichen", "due"),
        ("Patient responsibility", "due"),
        ("Paid by insurance", "paid"),
        ("Goods total", "subtotal"),
        ("Rabatt 10 %", "discount"),
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
        "Total TTC 7 680,00\nAcompte versé 2 000,00\nNet à régler 5 680,00",
        "Gesamtbetrag 7.680,00\nAnzahlung 2.000,00\nNoch zu begleichen 5.680,00",
        "Total 7,680.00\nPaid by insurance 2,000.00\nPatient responsibility 5,680.00",
        "Total 7,680.00\nDeposit 2,000.00\nYou pay 5,680.00",
    ],
)
async def test_the_remainder_below_a_deposit_is_due(lines: str) -> None:
    text = f"Invoice 7781\nKitchen units 6,400.00\nVAT 20 % 1,280.00\n{lines}"
    assert (await read_field(text, "amount_due", NUMBER)).value == 5680
    assert (await read_field(text, "invoice_total", NUMBER)).value == 7680


@each_case(
    "text",
    [
        "Total due: 250.00 / Paid: 250.00 / Balance: 0.00",
        "Total: 250.00\nPaid: 250.00\nBalance: 0.00",
        "Gesamtbetrag: 250,00 EUR\nBereits gezahlt: 250,00 EUR\nOffener Betrag: 0,00 EUR",
    ],
)
async def test_nothing_is_due_of_a_paid_total(text: str) -> None:
    found = await read_field(text, "amount_due", NUMBER)
    assert found.value == 0 or found.probability <= DOUBTFUL
    assert (await read_field(text, "total", NUMBER)).value == 250


async def test_a_total_above_a_deposit_is_no_sure_amount_due() -> None:
    text = "Invoice 219\nMarquee 2,150.00\nCatering 3,000.00\nTotal 5,150.00\nDeposit received 1,030.00"
    assert (await read_field(text, "amount_due", NUMBER)).probability <= DOUBTFUL
    assert (await read_field(text, "total", NUMBER)).probability > DOUBTFUL


async def test_a_deposit_above_the_total_is_part_of_it() -> None:
    text = "Move-in costs\nFirst rent 1,000.00\nSecurity deposit 500.00\nTotal 1,500.00\nDue on 1 May 2025"
    assert (await read_field(text, "amount_due", NUMBER)).value == 1500


@each_case("name", ["Goods", "Merchandise", "Warenwert", "Total brut HT", "Suma pozycji", "Order value"])
async def test_the_amount_that_a_discount_reduces_to_the_net_is_the_subtotal(name: str) -> None:
    text = f"Invoice 7\n{name} 300.00\nDiscount 10 % -30.00\nNet 270.00\nVAT 20 % 54.00\nTotal 324.00"
    assert (await read_field(text, "subtotal", NUMBER)).value == 300
    assert (await read_field(text, "net_amount", NUMBER)).value == 270


@each_case(
    ("label", "part"),
    [
        ("Summe nach Rabatt", ("rabatt",)),
        ("Amount including fee", ("fee",)),
        ("Totale con trasporto", ("trasporto",)),
        ("Valor después de descuento", ("descuento",)),
        ("Discount with card", ()),
        ("Total 12.00 incl. VAT", ()),
        ("incl. VAT", ()),
        ("Total", ()),
    ],
)
def test_a_label_tells_what_an_amount_leaves_out_or_includes(label: str, part: tuple[str, ...]) -> None:
    assert tuple(map(without_accents, part_of_amount(label))) == part


@each_case(
    ("text", "name", "wrong"),
    [
        ("Rechnung 12\nSumme 189,95\nSumme nach Rabatt 171,95\nGesamt 204,62", "rabatt", 171.95),
        ("Invoice 12\nValue 200.00\nValue after rebate 180.00\nTotal 216.00", "discount", 180),
        ("Facture 12\nMontant brut 200,00\nMontant après remise 180,00\nTotal TTC 216,00", "discount", 180),
        ("Payslip May\nGross pay 3000.00\nSalary after deductions 2400.00", "deductions", 2400),
        ("Receipt 7\nAmount 100.00\nAmount including fee 103.00", "fee", 103),
        ("Invoice 12\nTotal incl. VAT 180.00", "vat", 180),
    ],
)
async def test_an_amount_is_not_what_it_leaves_out_or_includes(text: str, name: str, wrong: float) -> None:
    found = await read_field(text, name, NUMBER)
    assert found.value != wrong
    assert found.probability < DOUBTFUL


async def test_a_discount_goes_before_the_total_after_it() -> None:
    text = "Invoice 12\nSubtotal 200.00\nDiscount 20.00\nTotal after discount 180.00"
    assert (await read_field(text, "discount", NUMBER)).value == 20
    assert (await read_field(text, "total_after_discount", NUMBER)).value == 180
