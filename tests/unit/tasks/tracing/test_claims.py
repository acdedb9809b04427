"""Found on the page is not the right field: what the words beside a value say of it."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tasks.extraction import concepts
from tasks.extraction.evidence import FieldEvidence
from tasks.extraction.folding import fold
from tasks.extraction.labelled_values import layout_of
from tasks.precontext import Entry
from tasks.tracing.traced_passages import passages_to_trace
from tests.conftest import each_case
from tests.kit.chats.entries import Grounding, ground
from tests.kit.papers.read_pages import ocr

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
        ("total", 63.6, "Total"), ("grandTotal", "63.60", "Total"), ("vat", 3.6, "GST 6%"),
        ("sub_total", 60, "Subtotal"), ("cash", 70, "Cash"), ("change", 6.4, "Change"),
        ("cashier", "Manis", "Cashier"), ("date", "2018-10-19", "Date"), ("phone", "07-3507405", "Tel"),
        ("fax", "07-3558160", "Fax"), ("item_count", 2, "Qty"),
    ],
)  # fmt: skip
def test_a_value_beside_its_fields_label_is_the_fields(key: str, value: Any, label: str) -> None:
    evidence, is_supported = judged(key, value)
    assert (evidence["label"], evidence["label_text"], is_supported) == ("own", label, True)
    assert evidence["score"] > 0.9


@each_case(
    ("key", "value", "label"),
    [
        ("vat", 70, "Cash"), ("vat", "63.60", "Total"), ("total", 6.4, "Change"), ("total", 3.6, "GST 6%"),
        ("discount", 63.6, "Total"), ("phone", "07-3558160", "Fax"), ("invoice_number", "07-3507405", "Tel"),
        ("total", 30, "Price"), ("quantity", 13, "27,JALAN"), ("total", "27", "27,JALAN"),
    ],
)  # fmt: skip
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


def test_a_field_is_called_what_its_schema_calls_it() -> None:
    assert judged("a", 3.6)[0]["label"] == "none"
    assert judged("a", 3.6, title="VAT")[0]["label"] == "own"
    assert judged("a", 3.6, description="The GST amount")[0]["label"] == "own"
    assert judged("a", 63.6, title="VAT")[0]["label"] == "other"
    schema = {"$defs": {"tax": {"title": "GST"}}, "properties": {"a": {"anyOf": [{"$ref": "#/$defs/tax"}]}}}
    nested = {"properties": {"sums": {"properties": {"a": {"$ref": "#/$defs/tax"}}}}, "$defs": schema["$defs"]}
    assert ground({"sums": {"a": 63.6}}, [RECEIPT], nested)["unsupported"] == ["/sums/a"]


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
    [passage] = passages_to_trace([ocr(row)])
    found = {
        pair.label: " ".join([passage.words[word] for word in pair.values])
        for pair in layout_of(passage).pair_of.values()
    }
    assert found == pairs


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
