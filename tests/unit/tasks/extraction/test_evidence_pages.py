"""Evidence over what the real OCR reads: are fields traced to the line they were printed in?"""

import base64
import csv
import json
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.assembly.services import Services
from app.settings import Settings
from tasks.base import TaskRequest
from tasks.extraction.evidence import FieldEvidence
from tasks.inputs.source import Origin, Source
from tasks.precontext import Entry
from tests.entries import ground
from tests.pages import Box, Line, Page, blank_page, noisy, pasted, single_line

SHARE_TO_FIND = 0.95
SHARE_TO_INVENT = 0.05
"""The most of the invented values that may find support."""

INVENTED: list[Any] = [
    "Harvey Norman Sdn Bhd", "Aldi Süd GmbH", "Northwind Traders Ltd", "Jane Doe", "Priya Raman", "O. Lindqvist",
    "DE811193231", "GB 123 4567 89", "INV-2021-00417", "TD01167999", "4111 1111 1111 1234", "03-89611111",
    "+49 30 901820", "jane@example.com", "https://shop.example/r/17", "2017-03-09", "14/07/2020", "3 Feb 2015",
    "17:45", 1742.86, 77.35, 613, 4096, "RM 512.40", "€ 88.15", "17.5%", "221B Baker Street, London NW1 6XE",
    "Unter den Linden 77, 10117 Berlin", "12 Rue de Rivoli, 75001 Paris", "Visa ending 7731", "paid by bank transfer",
    "electronics", "net 45 days", "Gift wrapping", "Wireless mouse", "Organic oat milk", "Table 27", "Q7X-442",
    True, False,
]  # fmt: skip


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    services = Services(Settings(_env_file=None))
    yield services
    await services.close()


async def read(services: Services, image: bytes) -> Entry:
    url = "data:image/png;base64," + base64.b64encode(image).decode()
    task = services.tasks.find("ocr")
    return Entry("ocr", await task.run(TaskRequest("", (Source.from_reference(url, origin=Origin("image")),))))


def stands_within(evidence: FieldEvidence, boxes: Sequence[Box]) -> bool:
    """Whether most of the evidence lies within the true lines, or most of them within it, and it touches each of them.

    A pen's mark beside a figure may be read as a part of its word, which is then up to thrice as large."""
    corner, opposite = evidence["bounds"]["top_left"], evidence["bounds"]["bottom_right"]
    found = (corner["x"], corner["y"], opposite["x"], opposite["y"])
    hull = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    if area(found) > 3 * area(hull) or not all(overlap(found, box) > 0 for box in boxes):
        return False
    return overlap(found, hull) > 0.6 * min(area(found), area(hull))


def overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


TRUE_LINES = {
    0: {"company": [1], "date": [9], "address": [3, 4, 5, 6], "total": [32, 43]},
    1: {"company": [1], "date": [8], "address": [2, 3, 4], "total": [38]},
    2: {"company": [1], "date": [48], "address": [3, 4, 5, 6], "total": [43]},
}
"""Rows of `boxes.csv` that hold each field. The total of receipt 0 is printed twice: after "TOTAL" and rounded."""


@pytest.mark.deep
@pytest.mark.shared
async def test_the_fields_of_the_sample_receipts_are_traced_to_their_lines(shared: Path, services: Services) -> None:
    wrong, asked = [], 0
    for number, lines in TRUE_LINES.items():
        sample = shared / "samples" / f"receipt_{number:03d}.jpg"
        entry = await read(services, sample.read_bytes())
        fields = json.loads(sample.with_suffix(".fields.json").read_text())
        with sample.with_suffix(".boxes.csv").open(newline="") as rows:
            boxes = [tuple(map(int, (row[0], row[1], row[4], row[5]))) for row in csv.reader(rows)]
        for answer in (fields, {**fields, "total": float(fields["total"])}):
            evidence = ground(answer, [entry])["evidence"]
            for field, at in lines.items():
                asked += 1
                true = [(float(b[0]), float(b[1]), float(b[2]), float(b[3])) for b in (boxes[row] for row in at)]
                places = [[box] for box in true] if field == "total" else [true]
                found = evidence.get(f"/{field}")
                if found is None or not any(stands_within(found, place) for place in places):
                    wrong.append((number, field, found))
    assert len(wrong) <= (1 - SHARE_TO_FIND) * asked, wrong


def invoice(seed: int) -> tuple[Page, dict[str, Any], dict[str, Line]]:
    """A page, what is on it as an answer would say it, and the line of each of its fields by pointer.

    Amounts repeat: the unit price of one piece is its amount, a lone item is the subtotal, an untaxed one the total.
    """
    rng = random.Random(seed)
    page = blank_page(1000, 1150)
    lines: dict[str, Line] = {}

    def put(text: str, left: int, top: int, pointer: str | None = None, size: int = 26) -> None:
        nonlocal page
        page = pasted(
            page, single_line(text, size=size, margin=4, font=["sans", "serif", "times"][seed % 3]), left, top
        )
        if pointer is not None:
            lines[pointer] = page.lines[-1]

    company = rng.choice(
        ["Maple & Sons Hardware", "Café Bleu Brasserie", "Golden Lotus Trading", "Nordlicht Optik GmbH"]
    )
    number, po = f"INV-{rng.randint(10000, 99999)}", f"PO{rng.randint(100000, 999999)}"
    day, month, year = rng.randint(13, 28), rng.randint(1, 12), rng.randint(2015, 2024)
    street, city = f"{rng.randint(2, 250)} Harbour Street", f"{rng.randint(10000, 99999)} Westbrook"
    put(company, 60, 40, "/vendor/name", 34)
    put(street, 60, 100, "/vendor/street")
    put(city, 60, 140, "/vendor/city")
    for row, (label, value, pointer) in enumerate(
        [
            ("Invoice No:", number, "/invoice_number"),
            ("Purchase order:", po, "/purchaseOrder"),
            ("Date:", f"{day:02d}/{month:02d}/{year}", "/date"),
            ("Due:", f"{day:02d}/{month % 12 + 1:02d}/{year + month // 12}", "/due_date"),
        ]
    ):
        put(label, 520, 100 + 44 * row)
        put(value, 760, 100 + 44 * row, pointer)
    for left, heading in ((60, "Description"), (480, "Qty"), (600, "Unit price"), (800, "Amount")):
        put(heading, left, 330)
    names = rng.sample(["Oak shelf", "Brass hinge", "Desk lamp", "Paint roller", "Garden hose", "Wall clock"], 3)
    items, subtotal = [], 0.0
    for row, name in enumerate(names):
        quantity, price = rng.randint(1, 4), rng.choice([12.5, 19.9, 1250.0, 8.75])
        amount = round(quantity * price, 2)
        subtotal += amount
        top = 390 + 48 * row
        put(name, 60, top, f"/items/{row}/name")
        put(str(quantity), 480, top, f"/items/{row}/quantity")
        put(f"{price:,.2f}", 600, top, f"/items/{row}/unit_price")
        put(f"{amount:,.2f}", 800, top, f"/items/{row}/amount")
        items.append({"name": name, "quantity": quantity, "unit_price": price, "amount": amount})
    shipping = rng.choice([0.0, 15.0])
    total = subtotal + shipping
    sums = [
        ("Subtotal", subtotal, "/subtotal"),
        ("Shipping", shipping, "/shipping"),
        ("TOTAL", total, "/total"),
        ("Paid", total, "/paid"),
    ]
    for row, (label, amount, pointer) in enumerate(sums):
        put(label, 560, 600 + 48 * row)
        put(f"{amount:,.2f}", 800, 600 + 48 * row, pointer)
    answer = {
        "vendor": {"name": company, "street": street, "city": city},
        "invoice_number": number,
        "purchaseOrder": po,
        "date": f"{year}-{month:02d}-{day:02d}",
        "due_date": f"{year + month // 12}-{month % 12 + 1:02d}-{day:02d}",
        "items": items,
        **{pointer[1:]: round(amount, 2) for _, amount, pointer in sums},
    }
    return page, answer, lines


@pytest.mark.deep
async def test_the_fields_of_drawn_invoices_are_traced_and_invented_ones_are_not(services: Services) -> None:
    wrong, asked, believed, invented = [], 0, [], 0
    for seed in range(3):
        page, answer, lines = invoice(seed)
        entry = await read(services, noisy(page, seed, noise=8).encoded())
        evidence = ground(answer, [entry])["evidence"]
        asked += len(lines)
        for pointer, line in lines.items():
            found = evidence.get(pointer)
            if found is None or not stands_within(found, [line.box]):
                wrong.append((seed, pointer, line.text, found))
        invented += len(INVENTED)
        lies = ground({f"field{index}": value for index, value in enumerate(INVENTED)}, [entry])
        believed += list(lies["evidence"].values())
    assert asked >= 60
    assert len(wrong) <= (1 - SHARE_TO_FIND) * asked, wrong
    assert len(believed) <= SHARE_TO_INVENT * invented, believed
