"""Amounts that are told apart by arithmetic."""

import asyncio
from typing import Any

import pytest

from tasks.extraction.filling import copy_fields
from tasks.extraction.passages import passages_of
from tasks.extraction.sums import prefer_sums_of_lists, taxes_by_rate
from tasks.extraction.whole_results import TaskResults
from tasks.precontext import Entry
from tests.filling import extractor
from tests.unit.tasks.extraction.test_evidence import ocr
from tests.unit.tasks.extraction.test_extractor import read as find
from tests.unit.tasks.extraction.test_extractor import scored, wanted
from tests.unit.tasks.extraction.test_headed_rows import NUMBER, TEXT

OR_NULL = {"type": ["number", "null"]}


def asked(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def read(entry: Entry, **properties: Any) -> Any:
    copied = asyncio.run(copy_fields(asked(**properties), TaskResults([], False), [entry], extractor()))
    return {"/".join(map(str, path)): value for path, value in copied.values.items()}


RATES = (
    ("Rate", "Net", "Tax", "Gross"),
    ("A = 20%", "4.00", "0.80", "4.80"),
    ("B = 5%", "12.20", "0.61", "12.81"),
    ("TOTAL", "17.61"),
)


def test_a_rate_in_a_fields_name_tells_the_row_of_its_amounts() -> None:
    found = read(ocr(("CORNER SHOP",), *RATES), vat_20=NUMBER, net_5=NUMBER, vat_5=NUMBER)
    assert found == {"vat_20": 0.8, "net_5": 12.2, "vat_5": 0.61}


def test_the_letter_of_a_rate_tells_the_row_of_an_objects_amounts() -> None:
    parts = {"rate": NUMBER, "net": NUMBER, "tax": NUMBER}
    found = read(ocr(("CORNER SHOP",), *RATES), vat_a=asked(**parts), vat_b=asked(**parts))
    assert found == {
        "vat_a/rate": 20, "vat_a/net": 4, "vat_a/tax": 0.8,
        "vat_b/rate": 5, "vat_b/net": 12.2, "vat_b/tax": 0.61,
    }  # fmt: skip


def test_the_tax_may_be_part_of_a_gross_amount_in_the_row_above() -> None:
    [passage] = passages_of([ocr(("Sales A", "12.30"), ("Tax A 23.00%", "2.30"))])
    [tax] = taxes_by_rate(passage)
    assert (tax.rate, tax.code, tax.amounts["tax"]) == (23, "a", 2.3)
    assert tax.amounts["net"] == pytest.approx(10)


def test_amounts_that_are_no_tax_of_each_other_are_not_taken_for_one() -> None:
    [passage] = passages_of([ocr(("Offer 10%", "3.20", "0.40"))])
    assert not list(taxes_by_rate(passage))


def test_the_sum_of_the_items_is_the_total_and_an_amount_carried_forward_is_not() -> None:
    page = ocr(
        ("Description", "Amount"), ("Valve", "410.00"), ("Pump", "1,200.50"), ("Carried forward", "1,610.50"),
        ("Hose", "90.00"), (), ("Sum carried", "1,610.50"), ("Sum of all", "1,700.50"),
    )  # fmt: skip
    item = asked(description=TEXT, amount=NUMBER)
    found = read(page, total=NUMBER, lines={"type": "array", "items": item})
    assert [one["amount"] for one in found["lines"]] == [410, 1200.5, 90]
    assert found["total"] == 1700.5


def test_a_figure_of_an_item_is_not_the_total_where_the_sum_of_the_items_is_printed() -> None:
    candidates = find("Boards 6,168.45", "Beams 1,453.86", "Altogether 7,622.31")
    likely = {"6,168.45": 6.0, "1,453.86": 1.0, "7,622.31": 0.0}
    fields = [(wanted(("total_gross",), NUMBER), likely), (wanted(("total_net",), NUMBER), likely)]
    found = prefer_sums_of_lists(scored(candidates, fields), {"gross_value": (6168.45, 1453.86), "count": (1, 2)})
    best = [candidates.spans[int(row[:-1].argmax())].text for row in found.logits]
    assert best == ["7,622.31", "6,168.45"]


def test_net_and_tax_are_the_total() -> None:
    page = ocr(("Amount", "812.00"), ("VAT", "162.40"), ("Amount with VAT", "974.40"), ("Paid before", "100.00"))
    assert read(page, subtotal=NUMBER, vat=NUMBER, total=NUMBER) == {"subtotal": 812, "vat": 162.4, "total": 974.4}


def test_a_total_that_has_the_tax_in_it_is_not_the_tax() -> None:
    page = ocr(("Room", "300.00"), ("TOTAL (VAT included)", "300.00"), ("Paid", "300.00"))
    assert read(page, vat=OR_NULL, total=NUMBER) == {"vat": None, "total": 300}


def test_amounts_that_contradict_each_other_are_less_probable() -> None:
    fields = {"net": NUMBER, "tax": NUMBER, "total": NUMBER}

    def sureness(total: str) -> float:
        page = ocr(("Net", "812.00"), ("Tax", "162.40"), ("Total", total))
        copied = asyncio.run(copy_fields(asked(**fields), TaskResults([], False), [page], extractor()))
        assert copied.values["total",] == float(total)
        place = copied.place(("total",), float(total))
        assert place is not None
        return place.probability

    assert sureness("974.40") > sureness("984.40")
