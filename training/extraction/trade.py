"""The facts that documents of trade can contain: purchases, payments, earnings and debts."""

from datetime import timedelta
from decimal import Decimal

from training.extraction.facts import Fact, FactMaker, Rows, Told, said

_PAYMENTS = (("cash", "card", "bank_transfer"), ("CASH", "CARD", "TRANSFER"))


def _tax_rate(teller: FactMaker) -> Decimal:
    return Decimal(str(teller.rng.choice(teller.country["taxes"])[1]))


def _rate(teller: FactMaker, rate: Decimal) -> Fact:
    places = 0 if rate == int(rate) and teller.rng.random() < 0.7 else 2
    return teller.real(rate, places, teller.rng.choice(("%", " %", "")))


def _items(teller: FactMaker, most: int, dearest: float) -> tuple[Rows, Decimal, int]:
    rows, total, pieces = [], Decimal(0), 0
    for number in range(teller.rng.randint(1, most)):
        price = teller.amount(0.5, teller.rng.choice((10, dearest)))
        quantity = teller.rng.choice((1, 1, 1, 2, 2, 3, 4, 5, 10, 12))
        amount = price * quantity
        total += amount
        pieces += quantity
        rows.append(
            {
                "description": teller.chosen("products"),
                "code": teller.code("#####", "??-####", "#############", "?###"),
                "quantity": teller.integer(quantity),
                "unit": said(teller.rng.choice(teller.words["words"]["unit"])),
                "unit_price": teller.money(price),
                "amount": teller.money(amount),
                "_number": teller.integer(number + 1),
            }
        )
    return rows, total, pieces


def invoice(teller: FactMaker) -> Told:
    rows, subtotal, _ = _items(teller, 9, 900)
    rate = _tax_rate(teller)
    tax = (subtotal * rate / 100).quantize(Decimal("0.01"))
    discount, shipping = teller.amount(1, 20), teller.amount(3, 30)
    company, customer = teller.company(), teller.company()
    if teller.rng.random() < 0.35:
        customer = teller.plain_person()
    return {
        "company": company,
        "company_address": teller.address(),
        "company_tax_id": teller.code(*teller.country["tax_id"]),
        "reg_no": teller.code(*teller.country["reg_no"]),
        "phone": teller.phone(),
        "email": teller.email(company),
        "website": teller.site(company),
        "customer": customer,
        "customer_address": teller.address(),
        "customer_number": teller.code("#####", "K-####", "C######", "10####"),
        "customer_tax_id": teller.code(*teller.country["tax_id"]),
        "number": teller.code("INV-####", "20##-####", "#######", "R####/1#", "?##-#####", "RE-20##-###", "IV-#####"),
        "date": teller.day(teller.today),
        "due_date": teller.day(teller.after(7, 60)),
        "delivery_date": teller.day(teller.after(-14, 5)),
        "order_number": teller.code("PO-#####", "45########", "#####", "PO####/?"),
        "salesperson": teller.plain_person(),
        "payment_terms": said(teller.rng.choice(("30 days", "NET 30", "14 days", "COD", "C.O.D.", "60 Days EOM"))),
        "subtotal": teller.money(subtotal),
        "discount": teller.money(discount),
        "shipping": teller.money(shipping),
        "tax_rate": _rate(teller, rate),
        "tax": teller.money(tax),
        "total": teller.money(subtotal + tax),
        "currency": teller.coin(),
        "iban": teller.iban(),
        "bic": teller.code("????DE##", "????GB2L", "????FRPP###", "????MYKL"),
        "bank": teller.company("bank"),
    }, {"items": rows}


def receipt(teller: FactMaker) -> Told:
    rows, total, pieces = _items(teller, 8, 60)
    company = teller.company(teller.rng.choice(("shop", "food")))
    rate = _tax_rate(teller)
    net = (total / (1 + rate / 100)).quantize(Decimal("0.01"))
    service = (total / 10).quantize(Decimal("0.01"))
    rounded = (total * 20).quantize(Decimal(1)) / 20
    notes: tuple[Decimal, ...] = (Decimal(0), Decimal("0.5"), Decimal(5), 10 - rounded % 10, 50 - rounded % 50)
    paid: Decimal = rounded + teller.rng.choice(notes)
    return {
        "company": company,
        "address": teller.address(),
        "reg_no": teller.code(*teller.country["reg_no"]),
        "tax_id": teller.code(*teller.country["tax_id"]),
        "phone": teller.phone(),
        "fax": teller.phone(),
        "website": teller.site(company),
        "number": teller.code("######", "TD########", "CS-####", "#-######", "00####", "INV#####", "????####"),
        "date": teller.day(teller.today, teller.country["dates"][teller.rng.randrange(3)]),
        "time": teller.at(),
        "cashier": said(teller.rng.choice((teller.pick("given"), teller.pick("given").upper(), teller.pattern("0#")))),
        "till": teller.code("#", "0#", "POS#", "T##"),
        "subtotal": teller.money(net),
        "service": teller.money(service),
        "tax_rate": _rate(teller, rate),
        "tax": teller.money(total - net),
        "discount": teller.money(teller.amount(0.1, 5)),
        "rounding": teller.money(rounded - total),
        "total": teller.money(rounded),
        "paid": teller.money(paid),
        "change": teller.money(paid - rounded),
        "payment_method": teller.option("payment_method", teller.rng.choice(_PAYMENTS)),
        "item_count": teller.integer(pieces),
        "currency": teller.coin(),
    }, {"items": rows}


def statement(teller: FactMaker) -> Told:
    first, day = teller.amount(10, 9000), teller.today - timedelta(days=31)
    balance, credit, debit, rows = first, Decimal(0), Decimal(0), []
    for _ in range(teller.rng.randint(3, 14)):
        amount = teller.amount(1, teller.rng.choice((50, 400, 3000))) * teller.rng.choice((1, -1, -1))
        balance += amount
        credit, debit = (credit + amount, debit) if amount > 0 else (credit, debit - amount)
        day += timedelta(days=teller.rng.randint(0, 3))
        rows.append(
            {
                "date": teller.day(day, teller.day_style if "wday" not in teller.day_style else None),
                "description": teller.chosen("transactions"),
                "amount": teller.money(amount),
                "balance": teller.money(balance),
            }
        )
    bank = teller.company("bank")
    return {
        "bank": bank,
        "branch": said(teller.rng.choice(teller.country["towns"]).partition("|")[0]),
        "customer": teller.plain_person(),
        "customer_address": teller.address(),
        "customer_number": teller.code("########", "K######"),
        "number": teller.code("########", "## ## ## ########", "###-#####-#", "####-####-####"),
        "iban": teller.iban(),
        "bic": teller.code("????DE##", "????GB2L", "????FRPP###"),
        "date": teller.day(teller.today),
        "period_start": teller.day(teller.today - timedelta(days=31)),
        "period_end": teller.day(teller.today - timedelta(days=1)),
        "opening_balance": teller.money(first),
        "closing_balance": teller.money(balance),
        "total_in": teller.money(credit),
        "total_out": teller.money(debit),
        "currency": teller.coin(),
        "phone": teller.phone(),
        "website": teller.site(bank),
    }, {"transactions": rows}


def order(teller: FactMaker) -> Told:
    rows, subtotal, _ = _items(teller, 9, 400)
    tax = (subtotal * _tax_rate(teller) / 100).quantize(Decimal("0.01"))
    buyer = teller.company()
    contact = teller.plain_person()
    return {
        "buyer": buyer,
        "company_address": teller.address(),
        "supplier": teller.company(),
        "supplier_address": teller.address(),
        "delivery_address": teller.address(),
        "number": teller.code("PO-####", "45########", "DO-#####", "#####", "20##/###"),
        "date": teller.day(teller.today),
        "delivery_date": teller.day(teller.after(3, 45)),
        "contact": contact,
        "phone": teller.phone(),
        "email": teller.email(buyer, contact),
        "customer_number": teller.code("#####", "C-####"),
        "carrier": said(teller.rng.choice(("DHL", "UPS Ground", "FedEx", "GLS", "Own truck", "Pos Laju", "DPD"))),
        "payment_terms": said(teller.rng.choice(("Net 30", "30 days", "14 Days", "On delivery", "Prepaid"))),
        "subtotal": teller.money(subtotal),
        "tax": teller.money(tax),
        "total": teller.money(subtotal + tax),
        "currency": teller.coin(),
    }, {"items": rows}


def payslip(teller: FactMaker) -> Told:
    rows, gross = [], Decimal(0)
    for name in teller.rng.sample(teller.words["earnings"], teller.rng.randint(1, 4)):
        amount = teller.amount(50, 400) if gross else teller.amount(1500, 6000)
        gross += amount
        rows.append({"description": said(name), "amount": teller.money(amount)})
    income, social, pension = ((gross * percent / 100).quantize(Decimal("0.01")) for percent in (17, 8, 5))
    employer = teller.company()
    employee = teller.person(order="either")
    return {
        "employer": employer,
        "company_address": teller.address(),
        "employee": employee,
        "address": teller.address(),
        "employee_number": teller.code("####", "E-####", "00####", "######"),
        "position": teller.chosen("positions"),
        "department": teller.chosen("departments"),
        "birth_date": teller.birth(),
        "date": teller.day(teller.today),
        "period_start": teller.day(teller.today - timedelta(days=30)),
        "period_end": teller.day(teller.today - timedelta(days=1)),
        "hours": teller.real(teller.amount(80, 190), 2),
        "gross": teller.money(gross),
        "income_tax": teller.money(income),
        "social": teller.money(social),
        "pension": teller.money(pension),
        "deductions": teller.money(income + social + pension),
        "net": teller.money(gross - income - social - pension),
        "ytd_gross": teller.money(gross * teller.rng.randint(2, 11)),
        "iban": teller.iban(),
        "currency": teller.coin(),
    }, {"earnings": rows}


def bill(teller: FactMaker) -> Told:
    before, used = teller.rng.randint(1000, 60000), teller.rng.randint(80, 2400)
    charges, balance = teller.amount(20, 700), teller.amount(10, 300)
    tax = (charges * _tax_rate(teller) / 100).quantize(Decimal("0.01"))
    company = teller.company("utility")
    return {
        "provider": company,
        "company_address": teller.address(),
        "phone": teller.phone(),
        "website": teller.site(company),
        "customer": teller.plain_person(),
        "customer_address": teller.address(),
        "customer_number": teller.code("##########", "#### #### ##", "22########", "A-#######"),
        "number": teller.code("########", "20##-#####", "B######"),
        "date": teller.day(teller.today),
        "due_date": teller.day(teller.after(10, 30)),
        "period_start": teller.day(teller.today - timedelta(days=91)),
        "period_end": teller.day(teller.today - timedelta(days=2)),
        "meter": teller.code("?########", "########", "1ESY##########"),
        "reading_before": teller.integer(before),
        "reading_now": teller.integer(before + used),
        "consumption": teller.integer(used),
        "tariff": teller.chosen("tariffs"),
        "previous_balance": teller.money(balance),
        "payments": teller.money(-balance),
        "current_charges": teller.money(charges),
        "tax": teller.money(tax),
        "total": teller.money(charges + tax),
        "iban": teller.iban(),
    }, {}
