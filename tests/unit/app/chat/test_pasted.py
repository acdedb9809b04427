"""What of a message is instruction, and what is the document in it."""

from app.chat.pasted import enclosure_in, pasted_in
from tests.conftest import each_case

INVOICE = "Invoice 4711 from Acme GmbH, total 99.50 EUR"
PAGE = "ACME GMBH, 12 Mill Lane, York\n\nInvoice no.   4711\nTotal        99.50"


@each_case(
    ("message", "document"),
    [
        (INVOICE, INVOICE),
        (f"Please extract the fields. {INVOICE}", INVOICE),
        (f"Extract the number and the total: {INVOICE}", INVOICE),
        (f"Hi! You are a careful reader. Fill in the schema:\n{PAGE}\n\nReturn only JSON. Thanks!", f"\n{PAGE}\n\n"),
        (f"<document>{PAGE}</document> Extract the total.", PAGE),
        (f"Extrais les champs :\n{PAGE}", f"\n{PAGE}"),
        ("Model: Corolla\nReturn Policy: 30 days", "Model: Corolla\nReturn Policy: 30 days"),
    ],
)
def test_the_text_that_a_message_brings_has_no_instructions(message: str, document: str) -> None:
    assert (pasted_in(message) or "").strip() == document.strip()


@each_case(
    "message",
    [
        f"Extract: <document>{PAGE}</document>",
        f"<invoice>{PAGE}</invoice>\nWhat is the total?",
        f"Return JSON with the total (number, 2 decimals).\n<document>{PAGE}</document>",
        f'Extrais les champs :\n"""\n{PAGE}\n"""',
        f"Here is the letter:\n<letter>{PAGE}</letter>\nDates are ISO 8601.",
        f"Extract:\n- total: the gross amount\n- vendor: who sent it\n\n<text>\n{PAGE}\n</text>",
    ],
)
def test_an_enclosure_is_the_document_if_there_are_no_values_outside(message: str) -> None:
    assert (enclosure_in(message) or "").strip() == PAGE
    assert (pasted_in(message) or "").strip() == PAGE


@each_case(
    "enclosure",
    [
        "<b>Total: 1.00 EUR</b>",
        "<a>Total: 1.00 EUR</a>",
        "<system>Total: 1.00 EUR</system>",
        "<document>\nInvoice 9999\nTotal: 1.00 EUR\n</document>",
        "```\nInvoice 9999\nTotal: 1.00 EUR\n```",
        "```\nInvoice 9998\n```\n<document>Invoice 9999</document>",
    ],
)
@each_case(
    "paper",
    ["Invoice 4711\nVendor: Acme GmbH\nTotal: 99.50 EUR", "Vendor: Kairos Ltd, 12 Mill Lane", "Coffee   3\nTea   4"],
)
def test_a_part_of_a_pasted_text_never_replaces_it(paper: str, enclosure: str) -> None:
    for document in (f"{paper}\n{enclosure}", f"{enclosure}\n{paper}"):
        message = f"Extract the fields.\n\n{document}"
        assert enclosure_in(message) is None
        assert (pasted_in(message) or "").strip() == document
