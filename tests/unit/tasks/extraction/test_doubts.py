"""What is printed around a value and speaks against it: denials, bounds, days that may be two, and rivals."""

import re
from typing import Any

from models.fair_executor import all_of
from tasks.extraction.candidates import find_candidates
from tasks.extraction.doubts import DENIED, DOUBTFUL, IN_NAME_OF_FILE, IN_OTHER_UNIT, largest_probability
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_of
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import DAY, NUMBER, TEXT, choice, read_field

INTEGER = {"type": ["integer", "null"]}
URI = {"type": ["string", "null"], "format": "uri"}
TIME = {"type": ["string", "null"], "format": "time"}


@each_case(
    ("text", "values", "value"),
    [
        ("Status: not shipped", ("shipped", "pending"), None),
        ("Delivery: not yet delivered", ("delivered", "returned"), None),
        ("Level: no longer gold", ("gold", "silver"), None),
        ("Priority: anything but high", ("high", "low"), None),
        ("Type: non-refundable", ("refundable", "free"), None),
        ("Status: nicht mehr aktiv", ("aktiv", "gesperrt"), None),
        ("Farbe: kein Rot", ("rot", "blau"), None),
        ("Couleur : pas rouge", ("rouge", "bleu"), None),
        ("Estado: ya no enviado", ("enviado", "pagado"), None),
        ("Stato: non più attivo", ("attivo", "chiuso"), None),
        ("Estado: não foi entregue", ("entregue", "pago"), None),
        ("Status: niet verzonden", ("verzonden", "open"), None),
        ("Status: nie został wysłano", ("wysłano", "nowe"), None),
        ("Status: not shipped", ("shipped", "not shipped"), "not shipped"),
        ("Type: non-refundable", ("refundable", "non-refundable"), "non-refundable"),
        ("Status: shipped", ("shipped", "pending"), "shipped"),
        ("Color: red, not blue", ("red", "blue"), "red"),
        ("Smoker: No    Male", ("male", "female"), "male"),
        ("Plan: Plus annual", ("annual", "monthly"), "annual"),
    ],
)
async def test_a_choice_behind_a_denial_is_not_the_value(text: str, values: tuple[str, ...], value: Any) -> None:
    found = await read_field(text, text.partition(":")[0].strip().lower(), choice(*values))
    assert found.value == value
    assert value is None or found.probability >= 0.9


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("The invoice number is not A1, it is B2", "invoice_number", TEXT, None),
        ("total is not 80.00 EUR but 95.00 EUR", "total", NUMBER, 95),
        ("Invoice No 4711", "invoice_number", TEXT, "4711"),
        ("Miete Mai 850,00 EUR", "miete", NUMBER, 850),
        ("SIN 046 454 286", "sin", TEXT, "046 454 286"),
        ("NIE X1234567L", "nie", TEXT, "X1234567L"),
    ],
)
async def test_a_value_behind_a_denial_is_not_copied(text: str, name: str, schema: Any, value: Any) -> None:
    assert (await read_field(text, name, schema)).value == value


@each_case(
    ("text", "name", "is_sure"),
    [
        ("Temperature: 5", "temperature", True),
        ("Temperature: below 5", "temperature", False),
        ("Temperature: < 5", "temperature", False),
        ("Temperatur: unter 5", "temperatur", False),
        ("Prix : à partir de 50", "prix", False),
        ("Price: up to EUR 50", "price", False),
        ("Age: 18+", "age", False),
        ("Age: 18 or older", "age", False),
        ("Age: 18", "age", True),
        ("Maximum weight: up to 50", "maximum_weight", True),
        ("Age: over 60", "age", False),
        ("Kilometraje: 64.300 km", "kilometraje", False),
        ("Kilometraje: 64.300 km\nPrecio: 9.500,00 €", "kilometraje", True),
        ("Mileage: 64,300 km", "mileage", True),
        ("Balance: 350.00 DR", "balance", False),
        ("Balance: £350.00 CR", "balance", False),
        ("Amount due: 350.00 in credit", "amount_due", False),
        ("Refund: 350.00 CR", "refund", True),
        ("Balance: 350.00, credit card payments included", "balance", True),
        ("Joining fee: waived (usually 49.00)", "joining_fee", False),
        ("Kontostand: 206,48 S", "kontostand", False),
        ("Duration: 5 s", "duration", True),
        ("Temperature: between 2 and 8 C", "temperature", False),
        ("Quantity: 10 to 12", "quantity", False),
        ("Budget: 1,000 - 1,500 EUR", "budget", False),
        ("Budget: 1,000 EUR - 1,500 EUR", "budget", False),
        ("Weight: 70 - 80 kg", "weight_kg", False),
        ("Budget: 1 000 - 1 500 EUR", "budget", False),
        ("Total: 80.00 - paid", "total", True),
        ("Total: 120.00 - 3 nights", "total", True),
        ("Total HT : 100,00 € à 20 %", "total_ht", True),
        ("Rooms: 2 and 3 baths", "rooms", True),
    ],
)
async def test_a_bound_is_sure_only_for_a_field_that_asks_for_one(text: str, name: str, is_sure: bool) -> None:
    found = await read_field(text, name, NUMBER)
    assert (found.value is not None and found.probability >= 0.9) is is_sure


@each_case(
    ("text", "name", "value"),
    [
        ("Balance: minus 5", "balance", -5),
        ("Temperatur: minus 5 Grad", "temperatur", -5),
        ("Température : moins 5 degrés", "temperature", -5),
        ("Temperatura: menos 5 grados", "temperatura", -5),
        ("Kontostand: minus 250,00 EUR", "kontostand", -250),
        ("Temperature: 5 °C below zero", "temperature", -5),
    ],
)
async def test_a_sign_in_words_is_read(text: str, name: str, value: float) -> None:
    found = await read_field(text, name, NUMBER)
    assert found.value == value
    assert found.probability <= 0.85


@each_case(
    ("text", "is_sure"),
    [
        ("Date: 03/04/05", False),
        ("Date: 03/04/2025", False),
        ("Date: 03.04.2025", True),
        ("Date: 23/04/2025", True),
        ("Date: 23/04/25", True),
        ("Date: 03/04/2025\nDue: 25/04/2025", True),
        ("Date: 03/04/2025\nTotal: $5.00", False),
        ("Date: 03/04/2025\nTotal: £5.00", True),
        ("Date: 03/04/2025\nRécépissé à conserver", True),
        ("Date: 03/04/2025\nPrice 20.00 USD\nShipping 3.00 EUR", False),
        ("Date: 03/04/2025\nPreis 20 US$\nVersand 3 €", False),
        ("Date: 03/04/2025\nCafé Zürich Straße\nPrice $20.00", False),
        ("Date: 03/04/2025\nStart: 13/04/2025\nEnd: 04/14/2025", False),
        ("Date: 03/04/2025\nPrice $20.00\nShipping 3.00 EUR\nDue: 25/04/2025", True),
    ],
)
async def test_a_day_is_sure_if_its_order_is_known(text: str, is_sure: bool) -> None:
    assert ((await read_field(text, "date", DAY)).probability >= 0.9) is is_sure


@each_case(
    ("text", "name", "largest"),
    [
        ("Quarry & Sons\nEmail: ann@quarry.example", "email", 1.0),
        ("Quarry & Sons\nEmail: ann@quarry.example\nWrite to ben@heron.example by Friday", "email", DOUBTFUL),
        ("Quarry & Sons\nPhone: 01723 496 0114\nFax: 01723 496 0115\nVAT No: 0473 555 908", "phone", 1.0),
        ("Quarry & Sons\nPhone: 01723 496 0114\nOr call +44 7700 900418", "phone", DOUBTFUL),
    ],
)
async def test_one_of_several_contacts_is_not_sure(text: str, name: str, largest: float) -> None:
    found = await read_field(text, name, TEXT)
    assert found.value
    assert (found.probability > DOUBTFUL) == (largest == 1.0)


@each_case(
    ("text", "is_sure"),
    [
        ("Total: 10.00\nTotal: 20.00\nTotal: 30.00", False),
        ("Net: 10.00\nTax: 2.00\nTotal: 12.00\nTotal: 12.00", True),
    ],
)
async def test_one_of_several_values_behind_a_label_is_not_sure(text: str, is_sure: bool) -> None:
    assert ((await read_field(text, "total", NUMBER)).probability >= 0.9) is is_sure


@each_case(
    ("text", "name", "is_sure"),
    [
        ("Late fee: 30.00", "late_fee", True),
        ("Late fee: 30.00 (waived)", "late_fee", False),
        ("Late fee: 30.00 EUR - not charged", "late_fee", False),
        ("Late fee: 30.00 waived on 3 May", "late_fee", False),
        ("Gebühr: 30,00 EUR (nicht festgesetzt)", "gebuehr", False),
        ("Frais : 30,00 EUR remboursés", "frais", False),
        ("Late fee: none (previously 30.00)", "late_fee", False),
        ("Price: not sold (highest bid 3,600)", "price", False),
        ("Late fee: 30.00 (not refundable)", "late_fee", True),
        ("Late fee: 30.00 free of tax", "late_fee", True),
        ("Late fee: 30.00 was waived", "late_fee", False),
        ("Late fee: 30.00 per day (cancelled)", "late_fee", False),
        ("Price: 30.00 (was 45.00)", "price", True),
        ("Price: none (was 45.00)", "price", False),
        ("The total was 120.00 EUR.", "total", True),
        ("The amount paid was $84.20", "amount_paid", True),
        ("Total: 120.00 (VAT not applicable)", "total", True),
        ("Subtotal: 45.00, delivery free", "subtotal", True),
        ("Salary: 3,000 tax-free", "salary", True),
        ("Total: 120,00 (IVA exento)", "total", True),
        ("Summe: 45,00 EUR, Lieferung kostenlos", "summe", True),
        ("Invoice: No. 4711", "invoice", True),
        ("Discount: no, 3 before", "discount", False),
    ],
)
async def test_an_amount_that_is_not_due_is_not_sure(text: str, name: str, is_sure: bool) -> None:
    assert ((await read_field(text, name, NUMBER)).probability >= 0.9) is is_sure


@each_case(
    ("text", "name", "is_sure"),
    [
        ("Total: 120.00 EUR", "total_eur", True),
        ("Total: €120.00", "total_eur", True),
        ("Total: $120.00", "total_eur", False),
        ("Total: 120.00 USD", "total_eur", False),
        ("Total: $120.00", "total_cents", False),
        ('Width: 0.25"', "width_mm", False),
        ("Height: 5'11\"", "height_cm", False),
        ("Distance: 12 parsecs", "distance_km", False),
        ("Consumption: 32 mpg", "consumption_l_per_100km", False),
        ("Energy: 250 kcal", "energy_kj", False),
        ("Milk: 2 cups", "milk_ml", False),
        ("Weight: 70 kg", "weight_kg", True),
        ("Weight: 70 (measured)", "weight_kg", True),
        ("Price: 42.00 per month", "price_usd", True),
        ('Weight: "70"', "weight_kg", True),
        ("Weight: '70'", "weight_kg", True),
        ('{"name": "Bo", "weight": "70"}', "weight_kg", True),
        ("Weight: 70 netto", "weight_kg", True),
        ("Height: 1.80 tall", "height_m", True),
    ],
)
async def test_a_number_beside_another_unit_or_currency_is_not_sure(text: str, name: str, is_sure: bool) -> None:
    assert ((await read_field(text, name, NUMBER)).probability >= 0.9) is is_sure


@each_case(
    ("text", "is_sure"),
    [
        ("Revenue: 1,250", True),
        ("Amounts in EUR\nRevenue: 1,250", True),
        ("Revenue (in thousands): 1,250", False),
        ("All figures in EUR thousands\nRevenue: 1,250", False),
        ("(in thousands of EUR)\n\nRevenue: 1,250", False),
        ("Angaben in Tsd. EUR\nRevenue: 1,250", False),
        ("Chiffres en miles de euros\nRevenue: 1,250", False),
        ("Bilanz in k€\nRevenue: 1,250", False),
        ("(miles de euros)\nRevenue: 1,250", False),
        ("Balance (€000)\nRevenue: 1,250", False),
        ("Balance in EUR mn\nRevenue: 1,250", False),
        ("Mileage (miles): 45,000\nRevenue: 1,250", True),
        ("Tel (000) 123\nRevenue: 1,250", True),
        ("Rainfall (mn)\nRevenue: 1,250", True),
    ],
)
async def test_an_amount_of_a_page_in_thousands_is_not_sure(text: str, is_sure: bool) -> None:
    assert ((await read_field(text, "revenue", NUMBER)).probability >= 0.9) is is_sure


async def test_a_value_whose_label_contradicts_it_is_not_sure() -> None:
    found = await read_field("BTW 21%: 130.29\nTotaal 750.71", "btw_percentage", NUMBER)
    assert (found.value, found.probability <= DOUBTFUL) == (21, True)


@each_case(
    ("text", "name", "schema", "is_sure"),
    [
        ("Account holder: Ada Holm\nOld IBAN: DE89370400440532013000", "iban", TEXT, False),
        ("IBAN: DE89370400440532013000 (no longer valid)", "iban", TEXT, False),
        ("IBAN: DE89370400440532013000", "iban", TEXT, True),
        ("Invoice\nTotal: ~~120.00~~", "total", NUMBER, False),
        ("Invoice\nTotal: 120.00", "total", NUMBER, True),
        ("Adjustment: less 20.00", "adjustment", NUMBER, False),
        ("Former address: 4 Dock Row, Leeds", "address", TEXT, False),
        ("Previous address: 4 Dock Row, Leeds LS1 4AB", "previous_address", TEXT, True),
        ("Patient: Jan Roth\nAlter: 45 Jahre", "age", NUMBER, True),
        ("Bisherige Laufzeit: 12 Monate", "laufzeit_monate", NUMBER, True),
        ("Previous balance: 120.00\nNew balance: 100.00", "opening_balance", NUMBER, True),
        ("Previous balance: 120.00\nNew balance: 100.00", "balance_brought_forward", NUMBER, True),
        ("Previous employer: Acme Ltd", "previous_employer", TEXT, True),
        ("The Old Bell Inn    Total: 12.00", "total", NUMBER, True),
        ("Old Bell Inn  Invoice No: 4711", "invoice_number", TEXT, True),
        ("Kunde: Frau Eva Alte    Kundennr: 4711", "customer_number", TEXT, True),
        ("Previous 4  Current 5", "current", NUMBER, True),
        ("Total: 120.00 EUR (superseded)", "total", NUMBER, False),
        ("Total 120.00 EUR (replaced by another one)", "total", NUMBER, False),
        ("Weight: 12 kg (no longer valid)", "weight_kg", NUMBER, False),
        ("Order no. 4711 – cancelled", "order_number", TEXT, False),
        ("Total ~~~ 120.00", "total", NUMBER, True),
        ("Adjustment: less 20.00", "adjustment", NUMBER, False),
        ("Correction: negative 20", "correction", NUMBER, False),
        ("Less deposit: 20.00", "deposit", NUMBER, True),
    ],
)
async def test_a_value_that_another_one_has_replaced_is_not_sure(
    text: str, name: str, schema: Any, is_sure: bool
) -> None:
    found = await read_field(text, name, schema)
    assert (found.probability > DOUBTFUL) is is_sure
    assert found.probability <= DOUBTFUL or is_sure


@each_case(
    ("text", "name", "schema", "is_sure"),
    [
        ("Previous total: 100.00 EUR\nAmount due: 250.00 EUR", "total", NUMBER, False),
        ("Last month's total: 100.00 EUR\nAmount due: 250.00 EUR", "total", NUMBER, False),
        ("Estimated total: 100.00 EUR\nFinal amount: 130.00 EUR", "total", NUMBER, False),
        ("Sample total: 10.00 EUR\nAmount payable: 130.00 EUR", "total", NUMBER, False),
        ("Competitor's total: 200.00 EUR\nOur price: 130.00 EUR", "total", NUMBER, False),
        ("Voraussichtliche Summe: 100,00 EUR\nEndbetrag: 130,00 EUR", "summe", NUMBER, False),
        ("Not the due date: 3 May 2026", "due_date", DAY, False),
        ("Do not pay to IBAN DE89370400440532013000.", "iban", TEXT, False),
        ("Estimated total: 100.00 EUR", "estimated_total", NUMBER, True),
        ("Minimum deposit: 100.00 EUR", "lowest_deposit", NUMBER, True),
        ("If you do not pay, your IBAN is DE89370400440532013000.", "iban", TEXT, True),
        ("Date: Mon, 4 May 2026 10:00\nHello\nDate: 1 January 2020", "date", DAY, False),
        ("IBAN: GB29NWBK60161331926819\nP.S. Use DE89 3704 0044 0532 0130 00 instead.", "iban", TEXT, False),
        ("IBAN: GB29NWBK60161331926819\nPlease quote GB29 NWBK 6016 1331 9268 19.", "iban", TEXT, True),
        ("Debtor IBAN: GB29NWBK60161331926819\nCreditor IBAN: DE89370400440532013000", "debtor_iban", TEXT, True),
        ("Total: 100.00 EUR", "total", NUMBER, True),
    ],
)
async def test_a_value_of_a_similar_label_is_not_sure(text: str, name: str, schema: Any, is_sure: bool) -> None:
    found = await read_field(text, name, schema)
    assert found.probability <= DOUBTFUL or is_sure
    assert found.probability > DOUBTFUL or not is_sure


@each_case(
    ("text", "name", "schema", "bound"),
    [
        ("Booking reference: AB12CD, cancelled free of charge until 3 May", "booking_reference", TEXT, 1.0),
        ("Booking reference: AB12CD, cancelled", "booking_reference", TEXT, DOUBTFUL),
        ("Old Trafford    Kick-off: 15:00", "kick_off", TEXT, 1.0),
        ("Previous balance: 120.00\nNew balance: 100.00", "balance", NUMBER, DOUBTFUL),
        ("Previous balance: 120.00", "balance", NUMBER, DOUBTFUL),
        ("Previous balance: 120.00", "opening_balance", NUMBER, 1.0),
        ("Attachments: 4711.zip", "invoice_number", TEXT, IN_NAME_OF_FILE),
        ("Attachment: 4711.zip", "invoice_number", TEXT, IN_NAME_OF_FILE),
        ("Attachments: 4711.zip", "attachment", TEXT, 1.0),
        ("Old distance: 300 parsecs", "distance_km", NUMBER, DOUBTFUL),
        ("Old distance: 300 miles", "distance_km", NUMBER, IN_OTHER_UNIT),
    ],
)
def test_a_value_has_the_smallest_of_its_bounds(text: str, name: str, schema: Any, bound: float) -> None:
    passages = passages_of([Entry(REQUEST, JsonResult({"messages": {"0": {"content": text}}}))])
    candidates = all_of(find_candidates(passages))
    field = WantedField((name,), schema, names_of((name,), schema), lambda value: True)
    value = {
        "kick_off": "15:00",
        "booking_reference": "AB12CD",
        "attachment": "4711.zip",
        "invoice_number": "4711.zip",
    }.get(name) or re.findall(r"\d[\d.]*", text)[0]
    bounds = {largest_probability(field, span, candidates) for span in candidates.spans if span.text == value}
    assert min(bounds) == bound


@each_case(
    ("text", "name", "is_sure"),
    [
        ("Net result: deficit 600", "net_result", False),
        ("Net loss: 600,000 EUR", "net_result", False),
        ("Profit decrease of 20,000", "profit", False),
        ("Result: a loss of 0.6 million EUR", "result", False),
        ("Ergebnis: Verlust in Höhe von 600 EUR", "ergebnis", False),
        ("Résultat : perte de 600 €", "resultat", False),
        ("Resultado: pérdida de 600 €", "resultado", False),
        ("Risultato: perdita di 600 €", "risultato", False),
        ("Resultado: prejuízo de 600 €", "resultado", False),
        ("Resultaat: verlies van 600 €", "resultaat", False),
        ("Net loss: 600,000 EUR", "net_loss", True),
        ("Net result: 600", "net_result", True),
        ("Profit or loss: 600", "profit_or_loss", True),
        ("Net income (loss): 600,000 EUR", "net_income", True),
        ("Net result: -600 (loss)", "net_result", True),
    ],
)
async def test_a_loss_is_no_sure_profit(text: str, name: str, is_sure: bool) -> None:
    found = await read_field(text, name, NUMBER)
    assert (found.probability > DOUBTFUL) is is_sure


async def test_a_day_without_a_year_is_read_but_not_sure() -> None:
    found = await read_field("Invoice date: 12 May 2025\nReply by: 3 June", "reply_by", DAY)
    assert found.value == "2025-06-03"
    assert found.probability < 0.9


@each_case("name", ["floor", "etage"])
async def test_a_postcode_is_no_sure_floor(name: str) -> None:
    text = "M. Paul Durand\n12 rue des Lilas\n3e étage, 37000 Tours"
    assert (await read_field(text, name, NUMBER)).probability <= DENIED


@each_case(
    ("text", "largest"),
    [
        ("Camp Rimo\nTotal days €600.00", DOUBTFUL),
        ("Camp Rimo\nTotal days 600.00 EUR", DOUBTFUL),
        ("Total days 12", 1.0),
    ],
)
async def test_an_amount_of_money_is_no_sure_count(text: str, largest: float) -> None:
    probability = (await read_field(text, "total_days", NUMBER)).probability
    assert probability <= largest
    assert (probability > DOUBTFUL) == (largest == 1.0)


@each_case(
    ("text", "name", "schema"),
    [
        ("He is better: grip strength rose this month from 18 kg to 31 kg.", "weight_kg", NUMBER),
        ("Die Greifkraft der Hand stieg auf 31 kg.", "gewicht_kg", NUMBER),
        ("Closing date: 19 May 2025\nFive days out of seven you work from 03:30 to 11:30", "closing_time", TIME),
    ],
)
async def test_a_value_that_nothing_but_its_unit_names_is_not_sure(text: str, name: str, schema: Any) -> None:
    assert (await read_field(text, name, schema)).probability <= DOUBTFUL


@each_case(
    ("text", "name"),
    [
        ("The parcel that we sent weighs 31 kg.", "weight_kg"),
        ("Das Paket, das wir geschickt haben, wiegt 31 kg.", "weight_kg"),
        ("Le poids du colis de votre commande est de 31 kg.", "weight_kg"),
        ("Weight 31 kg", "weight_kg"),
        ("Gesamtgewicht der gesamten Lieferung ca. 31 kg", "gewicht_kg"),
    ],
)
async def test_a_value_that_its_sentence_names_is_sure(text: str, name: str) -> None:
    found = await read_field(text, name, NUMBER)
    assert found.value == 31
    assert found.probability > DOUBTFUL


@each_case(
    ("text", "name", "is_sure"),
    [
        ("Due date: 30 days after 1 May 2026", "due_date", False),
        ("Due date: two days before 3 May 2026", "due_date", False),
        ("Due date: no later than 10 days before 3 May 2026", "due_date", False),
        ("Deadline: one week after 3 May 2026", "deadline", False),
        ("Deadline: the day after 3 May 2026", "deadline", False),
        ("Return by: within 14 days of 3 May 2026", "return_by", False),
        ("Expiry: 2 years from 3 May 2026", "expiry_date", False),
        ("Zahlbar bis: 14 Tage nach dem 3. Mai 2026", "due_date", False),
        ("Expires: not before 3 May 2026", "expiry_date", False),
        ("Issued: 3 May 2569 B.E.", "issue_date", False),
        ("Issued: 3 May 2569", "issue_date", False),
        ("Geboren: 3. Mai 1968 v. Chr.", "birth_date", False),
        ("Due date: no later than 3 May 2026", "due_date", True),
        ("Expires: on 3 May 2026", "expiry_date", True),
        ("Invoice date: 3 May 2026, payable within 14 days", "invoice_date", True),
        ("Employed for 2 years from 3 May 2026", "start_date", True),
        ("Start: not before 3 May 2026", "start_date", True),
        ("Expires: 31 December 9999", "expiry_date", True),
    ],
)
async def test_a_day_from_which_another_one_counts_is_not_sure(text: str, name: str, is_sure: bool) -> None:
    assert ((await read_field(text, name, DAY)).probability > DOUBTFUL) is is_sure


@each_case(
    ("text", "name", "is_sure"),
    [
        ("Total: ~100", "total", False),
        ("Total: ≈ 100 EUR", "total", False),
        ("Total: ca. 100 EUR", "total", False),
        ("Total: TBD (est. 100 EUR)", "total", False),
        ("Total: 100 EUR (please disregard, see attached)", "total", False),
        ("Total: 99.99 EUR (sample)", "total", False),
        ("Age: 4o", "age", False),
        ("Estimated total: ~100 EUR", "estimated_total", True),
        ("Weight: approx. 5 kg", "weight_kg", True),
        ("Weight: ~5 kg", "weight_kg", True),
        ("Total: 100 EUR (Sample Ltd)", "total", True),
    ],
)
async def test_an_estimate_and_a_void_number_are_not_sure(text: str, name: str, is_sure: bool) -> None:
    assert ((await read_field(text, name, NUMBER)).probability > DOUBTFUL) is is_sure


@each_case(
    "text",
    ["Total: 4O", "Total: 5,OOO EUR", "Total: 5OO.OO EUR", "Total: 3O.00", "Total: 1.00O,00 EUR", "Total: 12S.50 EUR"],
)
async def test_a_number_with_letters_for_digits_is_not_cut_short(text: str) -> None:
    assert (await read_field(text, "total", NUMBER)).value is None


async def test_an_account_that_must_not_be_used_is_not_sure() -> None:
    found = await read_field("IBAN: DE89 3704 0044 0532 0130 00 (do not use! closed)", "iban", TEXT)
    assert found.probability <= DOUBTFUL


@each_case(
    ("text", "values"),
    [
        ("Gender: male / female (circle one)", ("male", "female")),
        ("Result: approved / rejected (delete as appropriate)", ("approved", "rejected")),
        ("Ergebnis: genehmigt / abgelehnt (Nichtzutreffendes streichen)", ("genehmigt", "abgelehnt")),
        ("Sexe : homme / femme (rayer la mention inutile)", ("homme", "femme")),
        ("Result: neither approved nor rejected", ("approved", "rejected")),
        ("Ergebnis: weder genehmigt noch abgelehnt", ("genehmigt", "abgelehnt")),
        ("Résultat : ni approuvé ni rejeté", ("approuvé", "rejeté")),
        ("Esito: né approvato né respinto", ("approvato", "respinto")),
        ("Severity: less than high", ("low", "moderate", "high")),
        ("Priority: higher than low", ("high", "medium", "low")),
        ("Priorität: höher als niedrig", ("hoch", "mittel", "niedrig")),
        ("Result: approved subject to board decision", ("approved", "rejected")),
        ("Result: approved, if the board agrees", ("approved", "rejected")),
        ("Ergebnis: genehmigt vorbehaltlich der Zustimmung", ("genehmigt", "abgelehnt")),
        ("Résultat : approuvé sous réserve de vérification", ("approuvé", "rejeté")),
    ],
)
async def test_a_choice_that_nobody_made_is_not_sure(text: str, values: tuple[str, ...]) -> None:
    name = text.partition(":")[0].strip().lower().replace("ä", "ae").replace("é", "e")
    assert (await read_field(text, name, choice(*values))).probability <= 0.85


@each_case(
    ("text", "name", "schema"),
    [
        ("This agreement does not expire on 31 December 2026.", "expiry_date", DAY),
        ("Der Vertrag endet nicht am 31. Dezember 2026.", "end_date", DAY),
        ("Il contratto non scade il 31 dicembre 2026.", "expiry_date", DAY),
        ("The total does not exceed 500.00 EUR.", "total", NUMBER),
        ("Invoice number: for example INV-0001", "invoice_number", TEXT),
        ("Invoice number: e.g. INV-0001", "invoice_number", TEXT),
        ("Member since: before 2010", "member_since", INTEGER),
        ("Mitglied seit: vor 2010", "mitglied_seit", INTEGER),
        ("Membre depuis : avant 2010", "membre_depuis", INTEGER),
        ("Member since: before 3 May 2010", "member_since", DAY),
        ("Fee: 10.00 if paid late", "fee", NUMBER),
        ("Gebühr: 10,00 EUR, falls verspätet bezahlt", "gebuehr", NUMBER),
        ("Frais : 10,00 EUR en cas de retard", "frais", NUMBER),
        ("If the total exceeded 500 EUR, a fee of 10.00 EUR would apply.", "fee", NUMBER),
        ("Employees: 12 full-time, 7 part-time", "employees", INTEGER),
        ("Bedrooms: 2 upstairs, 1 downstairs", "bedrooms", INTEGER),
        ("Rooms: 2 doubles + 1 single", "rooms", INTEGER),
        ("Guests: 2 adults and 1 child", "guests", INTEGER),
        ("Patient: Ann Lee\nMother: Sue Lee, born 3 May 1950", "date_of_birth", DAY),
        ("Patient : Anne Petit\nMère : Eva Petit, née le 3 mai 1950", "date_de_naissance", DAY),
        ("Time: 25:30", "time", TIME),
        ("Time: 14:75", "time", TIME),
        ("Url: ht!tp://x", "url", URI),
    ],
)
async def test_a_value_that_its_sentence_takes_back_is_not_sure(text: str, name: str, schema: Any) -> None:
    assert (await read_field(text, name, schema)).probability <= 0.85


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("Late fee: 10.00 if paid late", "late_fee", NUMBER, 10),
        ("Cancellation fee: 10.00 if you cancel", "cancellation_fee", NUMBER, 10),
        ("Total: 10.00 EUR\nIf you have questions, call us.", "total", NUMBER, 10),
        ("If you have questions, call us. Total: 10.00 EUR", "total", NUMBER, 10),
        ("Due date: 3 May 2026. If not paid, a fee of 10 EUR applies.", "due_date", DAY, "2026-05-03"),
        ("Payment due before 3 May 2026", "due_date", DAY, "2026-05-03"),
        ("Expires: not valid after 31 December 2026", "expiry_date", DAY, "2026-12-31"),
        ("Bedrooms: 3, bathrooms: 2", "bedrooms", INTEGER, 3),
        ("Seats: 5 (front 2, rear 3)", "seats", INTEGER, 5),
        ("Mother: Sue Lee, born 3 May 1950", "mother_date_of_birth", DAY, "1950-05-03"),
        ("Time: 12:30 PM", "time", TIME, "12:30"),
        ("Time: 14:30:15", "time", TIME, "14:30:15"),
        ("Url:https://x.example/a", "url", URI, "https://x.example/a"),
    ],
)
async def test_a_value_beside_words_of_doubt_about_something_else_is_sure(
    text: str, name: str, schema: Any, value: Any
) -> None:
    found = await read_field(text, name, schema)
    assert found.value == value
    assert found.probability >= 0.9


async def test_a_time_of_the_first_half_of_the_day_is_one_of_24_hours() -> None:
    assert (await read_field("Time: 12:30 AM", "time", TIME)).value == "00:30"
    assert (await read_field("Time: 3:15 pm", "time", TIME)).value == "15:15"
