"""How the keys of fields are read, and what keys and labels mean in the languages of documents."""

from tasks.extraction.concepts import concepts_of
from tasks.extraction.folding import fold
from tasks.extraction.names import names_of, words_of_key
from tests.conftest import each_case


@each_case(
    ("key", "words", "spelt_out"),
    [
        ("total", "total", "total"),
        ("invoiceNumber", "invoice number", "invoice number"),
        ("VATRate", "vat rate", "vat rate"),
        ("", "", ""),
        ("customer_addr", "customer addr", "customer address"),
        ("dueDt", "due dt", "due date"),
        ("lname", "lname", "last name"),
        ("invoicenumber", "invoicenumber", "invoice number"),
    ],
)
def test_a_key_is_read_as_words(key: str, words: str, spelt_out: str) -> None:
    assert words_of_key(key) == tuple(words.split())
    assert names_of((key,), {}).own == tuple(dict.fromkeys([tuple(spelt_out.split()), tuple(words.split())]))


@each_case(
    ("key", "concept"),
    [
        ("lieu_naissance", "birth_place"), ("lugarNacimiento", "birth_place"),
        ("termin_platnosci", "due_date"), ("faellig_am", "due_date"), ("issuedon", "issue_date"),
        ("invoice.number", "document_number"), ("fælles", None), ("number", None),
    ],
)  # fmt: skip
def test_a_key_means_what_authors_of_schemas_call_a_field(key: str, concept: str | None) -> None:
    assert names_of(key.split("."), {}).concepts == ({concept} if concept else set())


@each_case(
    ("label", "concept"),
    [
        ("Termin płatności", "due_date"), ("Att betala", "total"), ("Org.nr", "registration"),
        ("Förfallodatum", "due_date"), ("Rechnungsdatum", "date"), ("TOTAL SALES (INCLUSIVE OF GST) :", "total"),
        ("TOTAI", "total"), ("Total sales excluding GST", "net"), ("GST @6% INCLUDED IN TOTAL", "tax"),
        ("Total discount", "discount"), ("TOTAL QTY:", "quantity"), ("GST REG. NO.", "tax_id"), ("TAX INVOICE", None),
        ("Delivery date", "delivery_date"), ("Thank you", None),
    ],
)  # fmt: skip
def test_a_label_means_what_its_strongest_words_say(label: str, concept: str | None) -> None:
    assert concepts_of(tuple(fold(label))) == ({concept} if concept else set())
