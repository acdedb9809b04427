"""Texts that are data, in JSON, JSON Lines and XML: their values with labels, and their lists as tables."""

import json
import tomllib
from pathlib import Path
from typing import Any

import tasks.extraction.data_documents as module
from tasks.extraction.concepts import concepts_of
from tasks.extraction.data_documents import MAX_ROWS, DataDocument, split_data
from tasks.extraction.folding import fold
from tasks.precontext import Entry
from tasks.result import JsonResult, SourceLine, bounds_of, lines_below
from tests.conftest import each_case
from tests.kit.chats.entries import ground
from tests.kit.papers.filling import NUMBER, OR_NULL, Found, filled, found, shape_of, whole
from tests.unit.tasks.extraction.reading import read_field

GOODS = [{"sku": "A1", "what": "Lamp", "price": 40.0}, {"sku": "B2", "what": "Bulb", "price": 44.3}]
ORDER = {"order": {"number": "5813", "customer": {"name": "Ottoline Vask"}, "items": GOODS}}
ROWS = [["sku", "what", "price"], ["A1", "Lamp", "40.0"], ["B2", "Bulb", "44.3"]]
XML = '<?xml version="1.0" encoding="ISO-8859-1"?><order><number>5813</number><items>' + "".join(
    f'<item sku="{one["sku"]}"><what>{one["what"]}</what><price>{one["price"]}</price></item>' for one in GOODS
)
XML += "</items></order>"
UBL = """<i:Invoice xmlns:i="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:a="a" xmlns:b="b">
<b:ID schemeID="x">RE-815</b:ID>
<a:AccountingSupplierParty><a:Party><a:PartyName><b:Name>Quill GmbH</b:Name></a:PartyName>
<a:PostalAddress><b:StreetName>Lindenweg 4</b:StreetName><b:CityName>Kassel</b:CityName></a:PostalAddress></a:Party>
</a:AccountingSupplierParty>
<a:LegalMonetaryTotal><b:TaxExclusiveAmount currencyID="EUR">60.00</b:TaxExclusiveAmount></a:LegalMonetaryTotal>
<a:InvoiceLine><b:InvoicedQuantity unitCode="H87">4</b:InvoicedQuantity><a:Item><b:Name>Lamp</b:Name></a:Item>
</a:InvoiceLine></i:Invoice>"""
CII = """<i:CrossIndustryInvoice xmlns:i="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" xmlns:a="a">
<i:ExchangedDocument><a:ID>R7</a:ID></i:ExchangedDocument><i:SupplyChainTradeTransaction>
<a:ApplicableHeaderTradeAgreement><a:BuyerTradeParty><a:Name>Stadt Kassel</a:Name></a:BuyerTradeParty>
</a:ApplicableHeaderTradeAgreement></i:SupplyChainTradeTransaction></i:CrossIndustryInvoice>"""


def data_of(text: str) -> DataDocument | None:
    return split_data(lines_below(text, "/extracted_text"))[1]


def lines_of(text: str) -> list[str]:
    data = data_of(text)
    assert data is not None
    return [line.written for line in data.lines]


def tables_of(text: str) -> list[Any]:
    data = data_of(text)
    assert data is not None
    return [table.texts for table in data.tables]


@each_case(
    "text",
    [
        json.dumps(ORDER, separators=(",", ":")),
        json.dumps(ORDER, indent=2),
        json.dumps(GOODS),
        "\n".join(map(json.dumps, GOODS)),
        "The order:\n" + json.dumps(ORDER),
        XML,
        XML.replace("><", ">\n  <"),
    ],
)
def test_a_list_of_objects_is_an_exact_table(text: str) -> None:
    data = data_of(text)
    assert data is not None
    [table] = data.tables
    assert (table.texts, table.is_exact, table.header) == (ROWS, True, 1)


@each_case(
    ("text", "lines"),
    [
        ('{"order": {"number": 7, "customer": {"name": "Vask"}}}', ["order number: 7", "customer name: Vask"]),
        ('{"seller": {"vatId": "DE1"}, "paid": true, "due": null}', ["seller vat id: DE1", "paid: true"]),
        ('{"tags": ["a", "b"], "note": "two\\nlines"}', ["tags: a, b", "note: two lines"]),
        ('{"a": {"amount": 1.50, "e": 1E3}}', ["a amount: 1.50", "a e: 1E3"]),
        ("<a><n:b xmlns:n='x' unit='kg'>5</n:b><!-- c --></a>", ["a b: 5", "b unit: kg"]),
        (
            '{"shop": "S", "address": {"street": "High St 1", "city": "Leeds"}}',
            ["shop: S", "address: High St 1, Leeds", "address street: High St 1", "address city: Leeds"],
        ),
        ('Here: {"total": 5, "net": 4}', ["Here:", "total: 5", "net: 4"]),
    ],
)
def test_members_are_values_under_the_names_on_the_way_to_them(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines


def test_objects_in_the_objects_of_a_list_are_columns_and_lists_in_them_are_tables_of_their_own() -> None:
    orders = [
        {"id": 1, "buyer": {"name": "Ana"}, "tags": ["x", "y"], "lines": [{"sku": "a"}, {"sku": "b"}]},
        {"id": 2, "buyer": {"name": "Bo"}, "lines": [{"sku": "c"}]},
    ]
    assert tables_of(json.dumps({"orders": orders})) == [
        [["id", "buyer name", "tags"], ["1", "Ana", "x, y"], ["2", "Bo", ""]],
        [["sku"], ["a"], ["b"], ["c"]],
    ]


def test_the_only_object_of_a_list_is_a_row_and_has_values_of_its_own() -> None:
    text = '{"name": "Ada", "jobs": [{"employer": "Kestrel", "from": 2015}]}'
    assert tables_of(text) == [[["employer", "from"], ["Kestrel", "2015"]]]
    assert lines_of(text)[:3] == ["name: Ada", "jobs employer: Kestrel", "jobs from: 2015"]
    # An element that is named as the plural of its only one is a list.
    assert tables_of("<a><lines><line><sku>x</sku></line></lines></a>") == [[["sku"], ["x"]]]


@each_case(
    "text",
    [
        "",
        "Dear Sir",
        "[1] Smith, 2020",
        "[1, 2]",
        "{}",
        '{"a": 1} and more',
        '{"a": 1',
        "{braces}",
        "<p>Hello <b>you</b></p>",
        "<html><body><p>x</p></body></html>",
        "<a>x</a>",
        "<a><b>1</b>",
        '<!DOCTYPE a [<!ENTITY e "x">]><a><b>&e;</b></a>',
        '{"a":' * 5_000,
    ],
)
def test_other_texts_keep_their_lines(text: str) -> None:
    lines, data = split_data(lines_below(text))
    assert data is None
    assert [*lines] == [*lines_below(text)]


def test_lines_of_pages_are_no_data() -> None:
    bounds = bounds_of(((0, 0), (9, 0), (9, 9), (0, 9)), 9, 9)
    line = SourceLine(('{"a":1}',), "/lines/0", {}, (bounds,), written='{"a":1}')
    assert split_data([line])[1] is None


def test_a_number_of_three_decimals_is_not_one_of_thousands() -> None:
    data = data_of('[{"price": 1.125}, {"price": 4.5}]')
    assert data is not None
    assert [(row[0].text, row[0].source) for row in data.tables[0].rows[1:]] == [("1.1250", "1.125"), ("4.5", "")]


def test_paths_are_the_places_of_values() -> None:
    data = data_of('{"a/b": {"c": 1}, "l": [{"d": 2}, {"d": 3}]}')
    assert data is not None
    assert data.lines[0].place["path"] == "/a~1b/c"
    assert [row[0].place["path"] for row in data.tables[0].rows[1:]] == ["/l/0/d", "/l/1/d"]


def test_rows_and_characters_are_bounded(monkeypatch: Any) -> None:
    [table] = tables_of(json.dumps([{"a": at} for at in range(MAX_ROWS + 5)]))
    assert len(table) == MAX_ROWS + 1
    monkeypatch.setattr(module, "MAX_CHARS", 30)
    assert data_of(json.dumps(ORDER)) is None


def test_electronic_invoices_have_the_names_of_their_standard() -> None:
    assert lines_of(UBL) == [
        "Invoice number: RE-815",
        "Seller: Quill GmbH",
        "Seller address: Lindenweg 4, Kassel",
        "Seller street: Lindenweg 4",
        "Seller city: Kassel",
        "Total without VAT: 60.00",
        "Quantity: 4",
        "Unit: H87",
        "Item name: Lamp",
        "Quantity\tUnit\tItem name",
        "4\tH87\tLamp",
    ]
    assert tables_of(UBL) == [[["Quantity", "Unit", "Item name"], ["4", "H87", "Lamp"]]]
    assert lines_of(CII) == ["Invoice number: R7", "Buyer: Stadt Kassel"]


def test_the_table_of_electronic_invoices_is_whole() -> None:
    table = tomllib.loads(Path(module.__file__).with_name("electronic_invoices.toml").read_text("utf-8"))
    for name, one in table.items():
        assert one.keys() == {"namespaces", "lists", "labels"}, name
        assert all(label and label.isprintable() for label in one["labels"].values())
    known = {label for one in table.values() for label in one["labels"].values()}
    needed = {"Seller": "seller", "Buyer": "buyer", "Total VAT": "tax", "Total without VAT": "net", "IBAN": "iban"}
    for label, concept in needed.items():
        assert label in known
        assert concepts_of(tuple(fold(label))) == {concept}


def read_as(text: str) -> Found:
    return found(("ocr", {"extracted_text": text, "sections": [], "width": None, "height": None}))


LINES = {
    "type": "array",
    "items": {"type": "object", "properties": {"name": {"type": "string"}, "quantity": {"type": "number"}}},
}


async def test_fields_and_lists_are_filled_from_data() -> None:
    items = {"type": "array", "items": {"type": "object", "properties": {"what": OR_NULL, "price": NUMBER}}}
    assert await filled(read_as(json.dumps(ORDER)), order_number=OR_NULL, customer_name=OR_NULL, items=items) == {
        "order_number": "5813",
        "customer_name": "Ottoline Vask",
        "items": [{"what": "Lamp", "price": 40}, {"what": "Bulb", "price": 44.3}],
    }
    assert await filled(read_as(UBL), seller=OR_NULL, net={"type": ["number", "null"]}, lines=LINES) == {
        "seller": "Quill GmbH",
        "net": 60,
        "lines": [{"name": "Lamp", "quantity": 4}],
    }


async def test_the_members_of_an_object_fill_open_keys() -> None:
    rates = {"type": "object", "additionalProperties": {"type": "number"}}
    text = '{"totals": {"net": 5}, "rates": {"USD": 1.08, "GBP": 0.86}}'
    answer = (await whole(shape_of(rates=rates), read_as(text))).answer
    assert answer is not None
    assert answer.value == {"rates": {"USD": 1.08, "GBP": 0.86}}


async def test_evidence_names_the_way_to_a_value() -> None:
    text = json.dumps(ORDER)
    asked = await read_field(text, "customer_name", OR_NULL)
    assert (asked.value, asked.text) == ("Ottoline Vask", "Ottoline Vask")
    assert asked.probability > 0.9
    entry = Entry("ocr", JsonResult({"text": text}))
    evidence = ground({"order": {"number": "5813"}}, [entry])["evidence"]["/order/number"]
    assert (evidence["label_text"], evidence["passage"], evidence["pointer"]) == (
        "/order/number",
        "order number: 5813",
        "/text",
    )
