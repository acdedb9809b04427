"""Amounts that are told apart by arithmetic."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tasks.extraction.extract import copy_fields
from tasks.extraction.given_values import GivenValues
from tasks.extraction.sums import lists_against_sums, prefer_sums_of_lists
from tasks.precontext import Entry
from tasks.schema.awaited import in_thread
from tasks.schema.paths import JsonPath
from tests.conftest import each_case
from tests.kit.papers.filling import extractor
from tests.kit.papers.read_pages import ocr
from tests.unit.tasks.extraction.test_extractor import read as find
from tests.unit.tasks.extraction.test_extractor import scored, wanted
from tests.unit.tasks.extraction.test_headed_rows import NUMBER, TEXT

OR_NULL = {"type": ["number", "null"]}


def asked(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def read(entry: Entry, **properties: Any) -> Any:
    copied = asyncio.run(in_thread(copy_fields, asked(**properties), GivenValues(), [entry], extractor()))
    return {"/".join(map(str, path)): value for path, value in copied.values.items()}


def test_the_sum_of_the_items_is_the_total_and_an_amount_carried_forward_is_not() -> None:
    page = ocr(
        ("Description", "Amount"), ("Valve", "410.00"), ("Pump", "1,200.50"), ("Carried forward", "1,610.50"),
        ("Hose", "90.00"), ("Sum of all", "1,700.50"),
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
        copied = asyncio.run(in_thread(copy_fields, asked(**fields), GivenValues(), [page], extractor()))
        assert copied.values["total",] == float(total)
        place = copied.place(("total",), float(total))
        assert place is not None
        return place.probability

    assert sureness("974.40") > sureness("984.40")


@each_case(
    ("rows", "contradicts"),
    [
        ([("Valve", "410.00"), ("Pump", "200.50"), ("Total", "700.50")], True),
        ([("Valve", "410.00"), ("Pump", "200.50"), ("Total", "610.50")], False),
        ([("Valve", "410.00"), ("Pump", "200.50"), ("Shipping", "12.00"), ("Total", "622.50")], False),
    ],
)
def test_items_that_do_not_add_up_to_the_total_are_in_doubt(rows: Sequence[tuple[str, str]], contradicts: bool) -> None:
    schema = asked(total=NUMBER, lines={"type": "array", "items": asked(description=TEXT, amount=NUMBER)})
    page = ocr(("Description", "Amount"), *rows)
    copied = asyncio.run(in_thread(copy_fields, schema, GivenValues(), [page], extractor()))
    lists: dict[JsonPath, Any] = {("lines",): copied.values["lines",]}
    scored = copied.scored
    assert scored is not None
    found = lists_against_sums(scored, lists, {("total",): copied.values["total",]})
    assert found == ({("lines",)} if contradicts else set())
    assert len(copied.warnings) == contradicts
