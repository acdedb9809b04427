"""The facts that a document of each kind can contain. A document contains only the facts that its template prints."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from training.extraction.facts import Fact, FactMaker, Facts, Rows, Told, said, world
from training.extraction.trade import bill, invoice, order, payslip, receipt, statement

_SEXES = (("male", "female"), ("M", "F"), ("Male", "Female"), ("MALE", "FEMALE"))
_STATES = ("single", "married", "divorced", "widowed")
_CLASSES = ("economy", "business", "first")
_STOCK = ("in_stock", "out_of_stock", "preorder")
ALIKE = (
    {"name", "surname", "given_names"},
    {"address", "postcode", "town"},
    {"statement.number", "statement.iban"},
    {"price", "shipping"},
)
"""Sets of facts with common content, such as a full name and its parts.

If a document has one fact of a set, the others do not count as missing.
"""


def form(teller: FactMaker) -> Told:
    boxes = teller.rng.random() < 0.7
    company = teller.company()
    name = teller.person(order="either")
    return {
        "name": name,
        **_names(name),
        "birth_date": teller.birth(),
        "birth_place": said(teller.rng.choice(teller.country["towns"]).partition("|")[0]),
        "sex": teller.option("sex", teller.rng.choice(_SEXES), boxes=boxes),
        "nationality": teller.chosen("nationalities"),
        "marital_status": teller.option("marital_status", _STATES, boxes=boxes),
        "address": teller.address(),
        "postcode": said(teller.pattern(teller.rng.choice(teller.country["towns"]).split("|")[2])),
        "town": said(teller.rng.choice(teller.country["towns"]).partition("|")[0]),
        "phone": teller.phone(),
        "mobile": teller.phone(),
        "email": teller.email(company, name),
        "occupation": teller.chosen("positions"),
        "employer": company,
        "iban": teller.iban(),
        "date": teller.day(teller.today),
        "newsletter": teller.truth(boxes=boxes),
        "consent": teller.truth(boxes=boxes),
        "insured": teller.truth(boxes=boxes),
        "emergency_contact": teller.plain_person(),
        "reference": teller.code("F-####", "####/##", "REG######"),
    }, {}


def _names(name: Fact) -> Facts:
    """Return the parts of a name, such as the surname, each as a separate fact."""
    whole = name.parts[0]
    return {tag: said(whole.text[start:end]) for start, end, tag in whole.marks if tag}


def ticket(teller: FactMaker) -> Told:
    name = teller.person(order="either")
    hour = teller.rng.randint(6, 20)
    origin, destination = teller.rng.sample(world()["places"], 2)
    carrier = teller.company("carrier")
    return {
        "passenger": name,
        "carrier": carrier,
        "number": teller.code("?? ###", "??####", "?? ####", "ICE ###", "??? ##"),
        "origin": said(origin),
        "destination": said(destination),
        "date": teller.day(teller.after(3, 90)),
        "boarding": teller.at(hour - 1),
        "departure": teller.at(hour),
        "arrival": teller.at(hour + teller.rng.randint(1, 3)),
        "gate": teller.code("?#", "?##", "##", "#"),
        "platform": teller.code("#", "##", "#?"),
        "seat": teller.code("##?", "#?", "##"),
        "class": teller.option("class", _CLASSES),
        "booking": teller.code("??????", "?#?###", "??####"),
        "ticket_number": teller.code("### ##########", "############", "E########"),
        "price": teller.money(teller.amount(9, 900)),
        "currency": teller.coin(),
    }, {}


def event(teller: FactMaker) -> Told:
    hour = teller.rng.randint(10, 21)
    organiser = teller.company()
    return {
        "event": teller.chosen("events"),
        "event_date": teller.day(teller.after(3, 200)),
        "time": teller.at(hour),
        "doors": teller.at(hour - 1),
        "venue": said(f"{teller.brand()} {teller.rng.choice(('Hall', 'Arena', 'Theatre', 'Centre', 'Park'))}"),
        "address": teller.address(),
        "organiser": organiser,
        "price": teller.money(teller.amount(5, 150)),
        "currency": teller.coin(),
        "phone": teller.phone(),
        "email": teller.email(organiser),
        "website": teller.site(organiser),
        "seat": teller.code("##?", "#?", "##"),
        "ticket_number": teller.code("########", "T-######", "#### ####"),
    }, {}


def letter(teller: FactMaker) -> Told:
    company, person = teller.company(teller.rng.choice(("office", "bank", "utility", "clinic"))), teller.plain_person()
    return {
        "sender": company,
        "sender_address": teller.address(),
        "phone": teller.phone(),
        "email": teller.email(company),
        "website": teller.site(company),
        "recipient": person,
        "recipient_address": teller.address(),
        "place": said(teller.rng.choice(teller.country["towns"]).partition("|")[0]),
        "date": teller.day(teller.today),
        "reference": teller.code("??/####", "AZ-#####", "####-##", "??/??/###"),
        "customer_number": teller.code("########", "K-#####", "### ### ###"),
        "subject": teller.chosen("subjects"),
        "amount": teller.money(teller.amount(20, 5000)),
        "due_date": teller.day(teller.after(10, 60)),
        "iban": teller.iban(),
        "signatory": teller.plain_person(),
        "signatory_role": teller.chosen("positions"),
    }, {}


def card(teller: FactMaker) -> Told:
    name, company = teller.person(), teller.company(teller.rng.choice(("office", "clinic", "school", "bank")))
    return {
        "name": name,
        "position": teller.chosen("positions"),
        "department": teller.chosen("departments"),
        "company": company,
        "address": teller.address(),
        "phone": teller.phone(),
        "mobile": teller.phone(),
        "fax": teller.phone(),
        "email": teller.email(company, name),
        "website": teller.site(company),
    }, {}


def identity(teller: FactMaker) -> Told:
    name = teller.person()
    issued = teller.today
    office = teller.rng.choice(("DVLA", "DMV", "JPN", "City", "Council", "Office"))
    authority = f"{teller.rng.choice(teller.country['towns']).partition('|')[0]} {office}"
    style = teller.country["dates"][0] if teller.rng.random() < 0.8 else "{dd} {mon} {yyyy}"
    return {
        "authority": said(authority),
        "number": teller.code("?########", "######-##-####", "?#??#####", "??? ######", "L########"),
        "name": name,
        **_names(name),
        "birth_date": teller.birth(),
        "birth_place": said(teller.rng.choice(teller.country["towns"]).partition("|")[0]),
        "sex": teller.option("sex", teller.rng.choice(_SEXES)),
        "nationality": teller.chosen("nationalities"),
        "height": teller.integer(teller.rng.randint(148, 202)),
        "address": teller.address(),
        "issue_date": teller.day(issued, style),
        "expiry_date": teller.day(issued + timedelta(days=3652), style),
        "classes": said(teller.rng.choice(("B", "AM B", "B BE", "A, B", "D", "C", "AM/B1/B", "B2 D"))),
    }, {}


def email(teller: FactMaker) -> Told:
    company, sender, recipient = teller.company(), teller.plain_person(), teller.plain_person()
    other = teller.company()
    return {
        "sender": sender,
        "sender_email": teller.email(company, sender),
        "recipient": recipient,
        "recipient_email": teller.email(other, recipient),
        "cc": teller.email(company, teller.plain_person()),
        "subject": teller.chosen("subjects"),
        "date": teller.day(teller.today),
        "time": teller.at(),
        "attachment": said(teller.pattern(teller.rng.choice(("scan_####.pdf", "Quote-####.docx", "IMG_####.jpg")))),
        "meeting_date": teller.day(teller.after(1, 30)),
        "meeting_time": teller.at(),
        "place": said(f"{teller.brand()} {teller.rng.choice(('Room', 'Café', 'Building B', '2.14', 'Hotel'))}"),
        "order_number": teller.code("#######", "SO-####", "PO#####", "###-#######"),
        "amount": teller.money(teller.amount(5, 3000)),
        "position": teller.chosen("positions"),
        "company": company,
        "phone": teller.phone(),
        "mobile": teller.phone(),
        "website": teller.site(company),
        "address": teller.address(),
    }, {}


def product(teller: FactMaker) -> Told:
    price = teller.amount(2, 900)
    brand = teller.brand()
    rating = Decimal(teller.rng.randint(21, 50)) / 10
    return {
        "product": said(f"{brand} {teller.pick('products')}" if teller.rng.random() < 0.5 else teller.pick("products")),
        "brand": said(brand),
        "price": teller.money(price),
        "old_price": teller.money(price + teller.amount(1, 200)),
        "currency": teller.coin(),
        "sku": teller.code("?########", "??-####-??", "#######", "B0########"),
        "rating": teller.real(rating, 1),
        "reviews": teller.integer(teller.rng.randint(1, 4000)),
        "availability": teller.option("availability", _STOCK),
        "shipping": teller.money(teller.amount(1, 15)),
        "warranty": said(teller.rng.choice(("2 years", "12 months", "24 M", "3 J.", "1 an"))),
        "weight": said(teller.rng.choice(("1.2 kg", "350 g", "4,5 kg", "12 oz", "800g"))),
        "colour": said(teller.rng.choice(("black", "Navy", "Anthracite", "rosso", "blanc", "Olive Green"))),
        "delivery_date": teller.day(teller.after(1, 10)),
        "company": teller.company("shop"),
    }, {}


def lab(teller: FactMaker) -> Told:
    rows: Rows = []
    for name, unit, low, high in teller.rng.sample(world()["lab_tests"], teller.rng.randint(2, 10)):
        places = len(low.partition(".")[2])
        value = Decimal(low) + (Decimal(high) - Decimal(low)) * Decimal(teller.rng.randint(-20, 130)) / 100
        value = max(value.quantize(Decimal(1).scaleb(-places)), Decimal(0))
        text = str(value).replace(".", teller.country["decimals"][1])
        point = teller.country["decimals"][1]
        rows.append(
            {
                "test": said(name),
                "value": said(text, "number", value),
                "unit": said(unit),
                "range": said(f"{low} - {high}".replace(".", point)),
            }
        )
    company = teller.company("clinic")
    name = teller.person(order="either")
    doctor = said(f"{teller.rng.choice(('Dr. ', 'Dr ', 'Dr. med. '))}{teller.pick('given')} {teller.pick('family')}")
    return {
        "laboratory": company,
        "company_address": teller.address(),
        "phone": teller.phone(),
        "fax": teller.phone(),
        "patient": name,
        "birth_date": teller.birth(),
        "sex": teller.option("sex", teller.rng.choice(_SEXES)),
        "patient_number": teller.code("######", "P-#####", "MRN#######"),
        "number": teller.code("L########", "##-######", "########"),
        "doctor": doctor,
        "collected": teller.day(teller.today),
        "date": teller.day(teller.after(0, 4)),
        "diagnosis": teller.chosen("diagnoses"),
    }, {"results": rows}


def certificate(teller: FactMaker) -> Told:
    issuer = teller.company("school")
    return {
        "name": teller.person(),
        "title": teller.chosen("courses"),
        "issuer": issuer,
        "date": teller.day(teller.today),
        "valid_until": teller.day(teller.after(300, 1500)),
        "number": teller.code("CERT-####", "20##-###-###", "?? ######", "########"),
        "hours": teller.integer(teller.rng.choice((4, 8, 16, 24, 40, 60, 120))),
        "grade": said(teller.rng.choice(teller.words["words"]["grade"])),
        "signatory": teller.plain_person(),
        "signatory_role": teller.chosen("positions"),
        "place": said(teller.rng.choice(teller.country["towns"]).partition("|")[0]),
        "birth_date": teller.birth(),
        "website": teller.site(issuer),
    }, {}


KINDS: dict[str, Callable[[FactMaker], Told]] = {
    "invoice": invoice,
    "receipt": receipt,
    "statement": statement,
    "form": form,
    "ticket": ticket,
    "event": event,
    "letter": letter,
    "card": card,
    "id": identity,
    "email": email,
    "product": product,
    "order": order,
    "payslip": payslip,
    "bill": bill,
    "lab": lab,
    "certificate": certificate,
}
