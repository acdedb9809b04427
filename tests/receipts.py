"""Annotated receipts as OCR would read them, with true values of fields, and with false values that occur in the text.

The receipts are kept next to the checkout (`shared/data/receipts`). Receipts with even numbers were seen while the
rules of evidence were written; the others never were.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.vision.text import Quad, TextLine, Word
from tasks.ocr_result import page_section, picture_result
from tasks.precontext import Entry

_AMOUNT = re.compile(r"(?<![\d.,])\d{1,4}[.]\d\d(?![\d.,])")
_DATE = re.compile(r"\b\d{1,2}[/.-]\d{1,2}[/.-](?:20)?\d\d\b")


@dataclass(frozen=True)
class Receipt:
    id: str
    fields: dict[str, str]
    """Fields `company`, `date`, `address` and `total`, as people read them. Some are missing."""
    lines: list[str]
    entry: Entry

    @property
    def is_looked_at(self) -> bool:
        """True if the receipt was seen while the rules of evidence were written."""
        return int(self.id) % 2 == 0

    @property
    def total(self) -> float | None:
        found = _AMOUNT.search(self.fields.get("total", "").replace(",", ""))
        return float(found[0]) if found else None

    def true_fields(self) -> Iterator[tuple[str, str, Any]]:
        """Yield true values: the kind of question, the name of the field, and the value."""
        text = " ".join(" ".join(self.lines).split()).casefold()
        for name in ("company", "date", "address"):
            value = self.fields.get(name, "").strip()
            # Some annotations have mistakes: a value that is not on the receipt proves nothing.
            if value and value.casefold() in text:
                yield name, name, value
        if self.total is not None and f"{self.total:.2f}" in text:
            yield "total", "total", self.total
            yield "total", "total_amount", f"{self.total:.2f}"

    def wrong_fields(self) -> Iterator[tuple[str, str, Any]]:
        """Yield false values: the kind of question, the name of the field, and a value on the receipt that belongs to
        another field."""
        amounts = {}
        for line in self.lines:
            for found in _AMOUNT.finditer(line):
                amounts.setdefault(float(found[0]), found[0])
        total = self.total
        if total is not None and total in amounts:
            for amount in amounts:
                if amount != total:
                    yield "total: another amount", "total", amount
            for number in self._house_numbers():
                if number != total:
                    yield "total: a house number", "total", number
            labelled = self._labelled(amounts[total])
            for name, label in (("vat", r"gst|tax|vat"), ("change", "change|balance"), ("discount", "disc")):
                if not re.search(label, labelled, re.IGNORECASE):
                    yield f"{name}: the total", name, total
        telephones = [found[1] for line in self.lines if (found := re.search(r"TEL\b[\s.:NO]*([\d -]{8,14}\d)", line))]
        ids = [found[1] for line in self.lines if (found := re.search(r"GST\b[^\d]{0,14}(\d{9,12})", line))]
        if telephones:
            yield "invoice_number: a telephone", "invoice_number", telephones[0]
            yield "gst_id: a telephone", "gst_id", telephones[0]
        if ids:
            yield "phone: a tax number", "phone", ids[0]
        address = self.fields.get("address", "").split(",")[0].strip()
        if address and any(address in line for line in self.lines):
            yield "cashier: an address", "cashier", address
            yield "company: an address", "company", address
        company = self.fields.get("company")
        if company and company in self.lines:
            yield "cashier: the company", "cashier", company
        date = self.fields.get("date", "")
        for line in self.lines:
            for found in _DATE.finditer(line):
                if date and found[0] not in date and date not in found[0]:
                    yield "date: another date", "date", found[0]

    def _house_numbers(self) -> Iterator[int]:
        address = self.fields.get("address", "")
        if any(address[:12] in line for line in self.lines):
            for found in re.finditer(r"(?<![\w/.-])\d{1,5}(?![\w/.-])", address):
                yield int(found[0])

    def _labelled(self, amount: str) -> str:
        """Return all words in the rows that contain `amount`."""
        rows = self.entry.result.data["sections"][0]["lines"]
        said = []
        for row in rows:
            if amount in row["text"]:
                top, bottom = row["bounds"]["top_left"]["y"], row["bounds"]["bottom_left"]["y"]
                said += [other["text"] for other in rows if top < _middle(other) < bottom]
        return " ".join(said)


def _middle(line: dict[str, Any]) -> float:
    return (line["bounds"]["top_left"]["y"] + line["bounds"]["bottom_left"]["y"]) / 2


def receipts(shared: Path) -> Iterator[Receipt]:
    with (shared / "data" / "receipts" / "receipts.jsonl").open() as rows:
        for row in map(json.loads, rows):
            boxed = sorted(filter(_says_something, row["lines"]), key=lambda line: (line[1] + line[3], line[0]))
            lines = [_line(*line) for line in boxed]
            width, height = max(line[2] for line in boxed) + 10, max(line[3] for line in boxed) + 10
            entry = Entry("ocr", picture_result(page_section(lines, 1, width, height)))
            fields = {name: value for name, value in row["fields"].items() if isinstance(value, str)}
            yield Receipt(row["id"], fields, [line[4] for line in boxed], entry)


def words_read(read: Iterable[str], truth: Iterable[str]) -> tuple[int, int]:
    """Return the number of words of `truth` that were read, with repetitions, and the number of all words of `truth`.

    Words are alphanumeric, and compared without regard to case.
    """
    wanted, found = (Counter(re.findall(r"[a-z0-9]+", " ".join(texts).casefold())) for texts in (truth, read))
    return (wanted & found).total(), wanted.total()


def _says_something(line: list[Any]) -> bool:
    return bool(line[4].split())


def _line(left: int, top: int, right: int, bottom: int, text: str) -> TextLine:
    """Return a line whose words are as wide as their share of its letters."""
    width = (right - left) / max(1, len(text))
    words, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        words.append(Word(word, _box(left + at * width, top, left + (at + len(word)) * width, bottom), 0.99))
        at += len(word)
    return TextLine(tuple(words), _box(left, top, right, bottom))


def _box(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)
