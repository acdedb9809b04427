"""Found on the page is not the right field: what the words beside a value say of it."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from app.assembly.services import Services
from app.settings import Settings
from tasks.extraction import concepts
from tasks.extraction.concepts import concepts_of
from tasks.extraction.evidence import FieldEvidence
from tasks.extraction.folding import fold
from tasks.extraction.labelled_values import layout_of
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_of
from tasks.precontext import Entry
from tests.conftest import each_case
from tests.entries import Grounding, ground
from tests.receipts import Receipt, receipts
from tests.unit.tasks.extraction.test_evidence import ocr
from tests.unit.tasks.extraction.test_evidence_pages import read

RECEIPT = ocr(
    "INDAH GIFT & HOME DECO",
    "27,JALAN DEDAP 13,",
    "81100 JOHOR BAHRU",
    "Tel:07-3507405 Fax:07-3558160",
    ("Cashier : MANIS", "Date: 19/10/2018 20:49"),
    ("Item", "Qty", "Price", "Amount"),
    ("Lamp", "2", "30.00", "60.00"),
    ("Total Qty", "2"),
    ("Subtotal", "60.00"),
    ("GST 6%", "3.60"),
    ("Total", "63.60"),
    ("Cash", "70.00"),
    ("Change", "6.40"),
)


def judged(key: str, value: Any, entry: Entry = RECEIPT, **schema: Any) -> tuple[FieldEvidence, bool]:
    """The evidence of one field, and whether the field counts as supported."""
    grounding: Grounding = ground({key: value}, [entry], {"properties": {key: schema}})
    return grounding["evidence"][f"/{key}"], f"/{key}" not in grounding["unsupported"]


@each_case(
    ("key", "value", "label"),
    [
        ("total", 63.6, "Total"),
        ("grandTotal", "63.60", "Total"),
        ("vat", 3.6, "GST 6%"),
        ("sub_total", 60, "Subtotal"),
        ("cash", 70, "Cash"),
        ("change", 6.4, "Change"),
        ("cashier", "Manis", "Cashier"),
        ("date", "2018-10-19", "Date"),
        ("phone", "07-3507405", "Tel"),
        ("fax", "07-3558160", "Fax"),
        ("item_count", 2, "Qty"),
    ],
)
def test_a_value_beside_its_fields_label_is_the_fields(key: str, value: Any, label: str) -> None:
    evidence, is_supported = judged(key, value)
    assert (evidence["label"], evidence["label_text"], is_supported) == ("own", label, True)
    assert evidence["score"] > 0.9


@each_case(
    ("key", "value", "label"),
    [
        ("vat", 70, "Cash"),
        ("vat", "63.60", "Total"),
        ("total", 6.4, "Change"),
        ("total", 3.6, "GST 6%"),
        ("discount", 63.6, "Total"),
        ("phone", "07-3558160", "Fax"),
        ("invoice_number", "07-3507405", "Tel"),
        ("total", 30, "Price"),
        ("quantity", 13, "27,JALAN"),
        ("total", "27", "27,JALAN"),
    ],
)
def test_a_value_beside_another_fields_label_is_not(key: str, value: Any, label: str) -> None:
    evidence, is_supported = judged(key, value)
    assert (evidence["label"], evidence["label_text"], is_supported) == ("other", label, False)
    assert evidence["score"] <= 0.3


@pytest.mark.parametrize(
    ("key", "value", "label"),
    [
        ("cashier", "JOHOR BAHRU", "Cashier"),
        ("cashier", "Indah Gift & Home Deco", "Cashier"),
        ("total", 81100, "Total"),
    ],
)
def test_a_value_is_not_that_of_a_field_whose_label_stands_beside_another(key: str, value: Any, label: str) -> None:
    evidence, is_supported = judged(key, value)
    assert (evidence["label"], evidence["label_text"], is_supported) == ("elsewhere", label, False)
    assert evidence["score"] <= 0.3


@pytest.mark.parametrize(
    ("key", "value"), [("company", "Indah Gift & Home Deco"), ("city", "Johor Bahru"), ("house_number", 27), ("x", 6.4)]
)
def test_a_value_that_no_label_speaks_of_is_found_and_no_more_is_said(key: str, value: Any) -> None:
    evidence, is_supported = judged(key, value)
    assert (evidence["label"], is_supported) == ("none", True)
    assert "label_text" not in evidence


def test_a_label_that_no_table_knows_is_one_when_it_has_the_fields_words() -> None:
    entry = ocr("Hutch: 14", "Departs from hutch 9")
    assert judged("hutch", 14, entry)[0]["label"] == "own"
    gate = ocr(("Locker key:", "B12"), ("Hutch:", "14C"))
    assert judged("locker_key", "B12", gate)[0]["label"] == "own"
    assert judged("locker_key", "14C", gate)[0]["label"] == "elsewhere"


def test_a_field_is_called_what_its_schema_calls_it() -> None:
    assert judged("a", 3.6)[0]["label"] == "none"
    assert judged("a", 3.6, title="VAT")[0]["label"] == "own"
    assert judged("a", 3.6, description="The GST amount")[0]["label"] == "own"
    assert judged("a", 63.6, title="VAT")[0]["label"] == "other"
    schema = {"$defs": {"tax": {"title": "GST"}}, "properties": {"a": {"anyOf": [{"$ref": "#/$defs/tax"}]}}}
    nested = {"properties": {"sums": {"properties": {"a": {"$ref": "#/$defs/tax"}}}}, "$defs": schema["$defs"]}
    assert ground({"sums": {"a": 63.6}}, [RECEIPT], nested)["unsupported"] == ["/sums/a"]


def test_the_name_of_an_item_is_no_label_of_its_figures() -> None:
    entry = ocr(("Item", "Qty", "Price"), ("Cash box", "1", "12.00"), ("Table", "2", "40.00"))
    items = [{"name": "Cash box", "qty": 1, "price": 12.0}, {"name": "Table", "qty": 2, "price": 40.0}]
    grounding = ground({"items": items}, [entry])
    assert grounding["unsupported"] == []
    assert grounding["evidence"]["/items/1/price"]["label"] == "own"
    swapped = ground({"items": [{"name": "Table", "qty": 40, "price": 2}]}, [entry])
    assert swapped["unsupported"] == ["/items/0/qty", "/items/0/price"]


def test_of_two_places_the_one_beside_the_fields_label_is_taken() -> None:
    entry = ocr(("Cash", "9.00"), ("Amount due", "9.00"), ("Paid", "9.00"))
    evidence = ground({"total": 9.0}, [entry])["evidence"]["/total"]
    assert (evidence["label"], evidence["label_text"]) == ("own", "Amount due")


@each_case(
    ("label", "meant"),
    [
        ("TOTAL SALES (INCLUSIVE OF GST) :", {"total"}),
        ("TOTAL (GST INCL)", {"total"}),
        ("Total RM incl. 6% GST", {"total"}),
        ("TOTAI", {"total"}),
        ("Total sales excluding GST", {"net"}),
        ("Total GST", {"tax"}),
        ("GST @6% INCLUDED IN TOTAL", {"tax"}),
        ("Total discount", {"discount"}),
        ("TOTAL QTY:", {"quantity"}),
        ("Rounded total (RM)", {"total"}),
        ("GST REG. NO.", {"tax_id"}),
        ("TAX INVOICE", set()),
        ("Rechnungsdatum", {"date"}),
        ("Delivery date", {"delivery_date"}),
        ("Thank you", set()),
    ],
)
def test_a_label_means_what_its_strongest_words_say(label: str, meant: set[str]) -> None:
    assert concepts_of(tuple(fold(label))) == meant


@pytest.mark.parametrize(
    ("row", "pairs"),
    [
        (("DOC NO.", ": CS0001", "DATE: 02/12/2017"), {"DOC NO.": "CS0001", "DATE": "02/12/2017"}),
        ("ITEM: 5 TOTAL 25.85", {"ITEM": "5", "TOTAL": "25.85"}),
        ("Name: John Smith Tel: 12 34", {"Name": "John Smith", "Tel": "12 34"}),
        ("QTY : 1 TOTAL RM : 11.60", {"QTY": "1", "TOTAL": "11.60"}),
        (("TOTAL INCL. GST@6%", "RM 13.30"), {"TOTAL INCL. GST@6%": "13.30"}),
        (("TOTAL QTY: 4", "101.76"), {"TOTAL QTY": "4 101.76"}),
        ("TOTAL AMT.... ....RM 60.30", {"TOTAL AMT....": "60.30"}),
        (("Summe", "(CHF)", "9.50"), {"Summe": "9.50"}),
        (("....RM", "60.30"), {}),
        ("Date:25/12/2018 8:13", {"Date": "Date:25/12/2018 8:13"}),
        ("see https://a.example/b at 8:13", {"see https://a.example/b at": "8:13"}),
        ("We have been open on every day of the week since 1999", {}),
    ],
)
def test_a_row_is_labels_and_what_stands_beside_them(row: str | tuple[str, ...], pairs: dict[str, str]) -> None:
    [passage] = passages_of([ocr(row)])
    found = {
        pair.label: " ".join([passage.words[word] for word in pair.values])
        for pair in layout_of(passage).pair_of.values()
    }
    assert found == pairs


ROUNDED = ocr(
    ("TOTAL AMT..........RM", "60.31"),
    ("ROUNDING ADJ........", "-0.01"),
    ("RM", "60.30"),
    ("CASH..........RM", "70.30"),
    ("CHANGE..........RM", "10.00"),
)


@each_case(
    ("value", "is_supported"),
    [(60.3, True), ("60.30", True), ("RM 60.30", True), (60.31, True), (60.32, False), (70.3, False), (10, False)],
)
def test_a_total_may_be_what_its_label_stands_beside_or_what_that_was_rounded_to(
    value: Any, is_supported: bool
) -> None:
    assert ground({"total": value}, [ROUNDED])["unsupported"] == ([] if is_supported else ["/total"])


def test_only_a_total_is_rounded() -> None:
    page = ocr(("Subtotal", "60.31"), ("Rounding", "-0.01"), ("RM", "60.30"))
    assert judged("subtotal", 60.3, page)[1] is False


def test_the_table_of_labels_is_well_formed() -> None:
    table = tomllib.loads(Path(concepts.FILE).read_text("utf-8"))
    said: dict[tuple[str, ...], str] = {}
    for name, row in table.items():
        assert set(row) <= {"kind", "weak", "also", "party", "words", "hints", "lines"}, name
        assert row["kind"] in {"amount", "count", "date", "time", "number", "text"}, name
        assert {other.strip() for other in row.get("also", "").split(",") if other.strip()} <= table.keys(), name
        for phrase in row.get("words", "").split(","):
            tokens = tuple(fold(phrase))
            assert said.setdefault(tokens, name) == name, f"{phrase.strip()}: {said[tokens]} or {name}"


@each_case(
    ("path", "meant"),
    [
        ("fælles", set()),
        ("issuedon", {"issue_date"}),
        ("faellig_am", {"due_date"}),
        ("invoice.number", {"document_number"}),
        ("number", set()),
        ("seller.name", {"seller"}),
    ],
)
def test_a_field_means_what_authors_of_schemas_call_it(path: str, meant: set[str]) -> None:
    assert names_of(path.split("."), {}).concepts == meant


async def test_what_was_called_proven_on_a_real_receipt_no_longer_is(shared_receipt: Entry) -> None:
    wrong = {"cashier": "JOHOR BAHRU", "total": 27, "vat": 10, "discount": 60.3, "quantity": 81100, "change": 70.3}
    grounding = ground(wrong, [shared_receipt])
    assert grounding["unsupported"] == [f"/{key}" for key in wrong]
    assert all(found["score"] <= 0.3 for found in grounding["evidence"].values())
    right = {"cashier": "CN", "change": 10, "cash": 70.3, "phone": "07-3507405", "company": "INDAH GIFT & HOME DECO"}
    assert ground(right, [shared_receipt])["unsupported"] == []


@pytest.fixture
async def shared_receipt(shared: Path) -> Entry:
    services = Services(Settings(_env_file=None))
    try:
        return await read(services, (shared / "samples" / "receipt_001.jpg").read_bytes())
    finally:
        await services.close()


@pytest.mark.deep
def test_few_wrong_fields_of_unseen_receipts_are_proven_and_most_right_ones_are(shared: Path) -> None:
    """Those that still are stand beside a label of the field's, as the totals of a tax summary do."""
    seen = [receipt for receipt in receipts(shared) if not receipt.is_looked_at][::8]
    right = [_is_proven(receipt, key, value) for receipt in seen for _, key, value in receipt.true_fields()]
    wrong = [
        _is_proven(receipt, key, value)
        for receipt in seen
        for kind, key, value in receipt.wrong_fields()
        if not kind.endswith(("an address", "the company"))
    ]
    assert len(right) > 100
    assert sum(right) >= 0.94 * len(right)
    assert len(wrong) > 300
    assert sum(wrong) <= 0.2 * len(wrong)


def _is_proven(receipt: Receipt, key: str, value: Any) -> bool:
    return ground({key: value}, [receipt.entry])["unsupported"] == []
