"""Measures the recognition of tables, in generated PDFs and pictures whose cells are known.

    .venv/bin/python -m eval.tables                 all of them, some minutes
    .venv/bin/python -m eval.tables --only pdf --show 3
    .venv/bin/python -m eval.tables --draw docs/images/ocr-tables.png

A cell counts as right if its text, row, column and spans are right. White space and case must be right, too, except in
pictures.
"""

import argparse
import asyncio
import base64
import io
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageDraw
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, Table

from models.capability import EngineConfig
from models.vision.ocr.capability import PP_OCR_V6_SMALL
from tasks.base import TaskRequest
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.ocr import OcrTask
from tasks.result import CORNERS
from tasks.wording.page_range import OcrOptions

SEED = 7
PAGE = 595.0, 842.0
"""Width and height of A4, in points."""

Cell = tuple[int, int, int, int, str]
"""Row, column, number of rows and of columns, text."""

KINDS = ("ruled", "spans", "unruled", "headed", "columns", "several", "striped", "wrapped", "joined")
_NOUNS = [
    "Apple",
    "Bolt",
    "Cable",
    "Desk",
    "Engine",
    "Filter",
    "Garden",
    "Hammer",
    "Inkjet",
    "Jacket",
    "Kettle",
    "Lamp",
    "Motor",
    "Nozzle",
    "Office",
    "Panel",
]
_WORDS = [
    "blue",
    "large",
    "spare",
    "steel",
    "paper",
    "wooden",
    "double",
    "light",
    "outdoor",
    "heavy",
    "portable",
    "silent",
    "second",
    "upper",
]
_HEADS = [
    "Item",
    "Quantity",
    "Price",
    "Total",
    "Region",
    "Code",
    "Date",
    "Owner",
    "Status",
    "Weight",
    "Share",
    "Budget",
    "Unit",
    "Rate",
    "Notes",
]
_TOWNS = ["Lisbon", "Oslo", "Vienna", "Dublin", "Krakow", "Porto", "Turin", "Malmo", "Ghent", "Graz"]
_PROSE = (
    "The figures below were gathered during the spring and cover every branch that reported in time. Late reports are "
    "listed in the annex and will be added to the next edition of this overview, together with corrections."
)


@dataclass(slots=True)
class Made:
    """A document with the cells of its tables."""

    kind: str
    pdf: bytes
    tables: list[list[Cell]]
    rotation: float = 0.0
    """Degrees by which the document's picture is turned."""


def made(number: int, seed: int = SEED) -> list[Made]:
    """Return `number` documents, of each kind in turn; equal seeds give equal documents."""
    chance = random.Random(seed)
    return [_made(KINDS[place % len(KINDS)], chance) for place in range(number)]


def _made(kind: str, chance: random.Random) -> Made:
    file = io.BytesIO()
    page = _Page(Canvas(file, pagesize=PAGE, invariant=1), chance)
    page.text(f"{chance.choice(_NOUNS)} report {chance.randint(2001, 2026)}", size=16)
    page.text(_PROSE)
    for _ in range(chance.randint(2, 3) if kind == "several" else 1):
        page.table(kind if kind != "several" else chance.choice(KINDS[:5]))
        page.text(_PROSE[: chance.randint(40, 120)] + ".")
    page.canvas.save()
    rotation = chance.choice([0.0, 0.0, chance.uniform(-3, 3)])
    return Made(kind, file.getvalue(), page.tables, rotation)


def _value(kind: str, chance: random.Random) -> str:
    match kind:
        case "name":
            return f"{chance.choice(_WORDS)} {chance.choice(_NOUNS).lower()}".capitalize()
        case "town":
            return chance.choice(_TOWNS)
        case "number":
            return str(chance.randint(1, 9999))
        case "money":
            return f"{chance.randint(1, 9999)}.{chance.randint(0, 99):02}"
        case "date":
            return f"{chance.randint(2001, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        case _:
            return f"{chance.choice('ABCDEFGH')}{chance.randint(100, 999)}"


@dataclass(slots=True)
class _Page:
    canvas: Canvas
    chance: random.Random
    top: float = PAGE[1] - 60
    tables: list[list[Cell]] = field(default_factory=list)

    def text(self, text: str, size: float = 10) -> None:
        paragraph = Paragraph(text, ParagraphStyle("text", fontSize=size, leading=1.25 * size))
        self._draw(paragraph, 60)

    def _draw(self, thing: Any, left: float) -> None:
        _, height = thing.wrap(PAGE[0] - 120, self.top)
        self.top -= height
        thing.drawOn(self.canvas, left, self.top)
        self.top -= 14

    def table(self, kind: str) -> None:
        chance = self.chance
        columns = chance.randint(3, 6)
        rows = chance.randint(14, 20) if kind == "joined" else chance.randint(4, 9)
        kinds = ["name", *(chance.choice(["town", "number", "money", "date", "code"]) for _ in range(columns - 1))]
        grid: list[list[str]] = [chance.sample(_HEADS, columns)]
        grid += [[_value(one, chance) for one in kinds] for _ in range(rows)]
        if kind in ("ruled", "spans", "wrapped") and chance.random() < 0.5:
            grid[chance.randint(1, rows)][chance.randint(1, columns - 1)] = ""
        spans = self._spans(grid, kind)
        covered = {
            (row + down, column + right): (row, column)
            for row, column, high, wide in spans
            for down in range(high)
            for right in range(wide)
            if down or right
        }
        sizes = {(row, column): (high, wide) for row, column, high, wide in spans}
        cells = [
            (row, column, *sizes.get((row, column), (1, 1)), text)
            for row, texts in enumerate(grid)
            for column, text in enumerate(texts)
            if (row, column) not in covered
        ]
        for row, column in covered:
            grid[row][column] = ""
        size = chance.choice([8.0, 9.0, 10.0, 11.0])
        style = [("FONTSIZE", (0, 0), (-1, -1), size), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
        style += [("SPAN", (column, row), (column + wide - 1, row + high - 1)) for row, column, high, wide in spans]
        style += [("ALIGN", (column, row), (column, row), "CENTER") for row, column, _, wide in spans if wide > 1]
        for column, one in enumerate(kinds):
            if one in ("number", "money"):
                style.append(("ALIGN", (column, 1), (column, -1), "RIGHT"))
        style += self._rules(kind)
        drawn: list[list[Any]] = [list(texts) for texts in grid]
        widths = None
        if kind == "wrapped":
            text_style = ParagraphStyle("cell", fontSize=size, leading=1.2 * size)
            for row in range(1, rows + 1):
                long = f"{grid[row][0]} {' '.join(chance.sample(_WORDS, 4))}"
                drawn[row][0] = Paragraph(long, text_style)
                place = next(place for place, cell in enumerate(cells) if cell[:2] == (row, 0))
                cells[place] = (*cells[place][:4], long)
            widths = [100.0, *([max(50.0, 370.0 / (columns - 1))] * (columns - 1))]
        table = Table(drawn, colWidths=widths, style=style, repeatRows=1 if chance.random() < 0.5 else 0)
        self.tables.append(cells)
        if kind != "joined":
            self._draw(table, 60 + chance.uniform(0, 20))
            return
        # The table is divided; its second part is at the top of the next page.
        width, height = table.wrap(PAGE[0] - 120, self.top)
        first, second = table.split(width, 0.6 * height)
        first.wrapOn(self.canvas, width, height)
        _, part = first.wrap(width, height)
        first.drawOn(self.canvas, 60, self.top - part)
        self.canvas.showPage()
        self.top = PAGE[1] - 60
        second.wrapOn(self.canvas, width, height)
        self._draw(second, 60)

    def _spans(self, grid: list[list[str]], kind: str) -> list[tuple[int, int, int, int]]:
        """Return the row, column and size of the cells that span others."""
        chance, columns = self.chance, len(grid[0])
        if kind == "spans":
            wide = chance.randint(2, columns - 1)
            grid.insert(0, ["Year" if column < wide else "Half" for column in range(columns)])
            spans = [(0, 0, 1, wide)]
            if columns - wide > 1:
                spans.append((0, wide, 1, columns - wide))
            row = chance.randint(2, len(grid) - 3)
            return [*spans, (row, chance.randint(0, columns - 1), chance.randint(2, 3), 1)]
        if kind == "headed" and columns >= 4:
            grid.insert(0, ["" if column < columns - 2 else "First quarter" for column in range(columns)])
            return [(0, columns - 2, 1, 2)]
        return []

    def _rules(self, kind: str) -> list[tuple[Any, ...]]:
        chance = self.chance
        every = (0, 0), (-1, -1)
        match kind:
            case "ruled" | "spans" | "wrapped" | "joined":
                return [("GRID", *every, chance.choice([0.5, 1.0, 1.5]), chance.choice([colors.black, colors.grey]))]
            case "headed":
                return [
                    ("LINEABOVE", (0, 0), (-1, 0), 1, colors.black),
                    ("LINEBELOW", (0, -1), (-1, -1), 1, colors.black),
                ]
            case "columns":
                # Rules separate the columns and the head, but not the rows.
                inner = ("LINEAFTER", (0, 0), (-2, -1), 0.7, colors.black)
                return [("BOX", *every, 0.7, colors.black), inner, ("LINEBELOW", (0, 0), (-1, 0), 0.7, colors.black)]
            case "striped":
                light = colors.Color(0.9, 0.93, 0.97)
                return [("ROWBACKGROUNDS", *every, [light, colors.white])]
            case _:
                return []


def picture_of(document: Made) -> bytes:
    """Return the document's first page at 144 DPI, turned a little, as a JPEG."""
    pdf = pypdfium2.PdfDocument(document.pdf)
    try:
        drawn = pdf[0].render(scale=2).to_pil().convert("RGB")
    finally:
        pdf.close()
    turned = drawn.rotate(document.rotation, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))
    file = io.BytesIO()
    turned.save(file, "JPEG", quality=85)
    return file.getvalue()


def source_of(data: bytes, media_type: str) -> Source:
    return Source(Origin("input"), payload=f"data:{media_type};base64,{base64.b64encode(data).decode()}")


def tables_in(result: Any) -> list[dict[str, Any]]:
    """Return the tables on all pages of a result."""
    if "tables" in result:
        return list(result["tables"])
    return [table for section in result["sections"] for table in section["tables"]]


def cells_of(table: dict[str, Any]) -> list[Cell]:
    """Return the cells with their columns, which spans of other cells shift."""
    taken: set[tuple[int, int]] = set()
    cells = []
    for row, own in enumerate(table["rows"]):
        column = 0
        for cell in own:
            while (row, column) in taken:
                column += 1
            high, wide = cell["row_span"], cell["col_span"]
            taken |= {(row + down, column + right) for down in range(high) for right in range(wide)}
            cells.append((row, column, high, wide, cell["text"]))
    return cells


def right_cells(found: Sequence[Sequence[Cell]], truth: Sequence[Sequence[Cell]], *, exactly: bool) -> tuple[int, int]:
    """Return the number of recognised cells and of all true cells. Each table is compared with the most similar one."""
    right = 0
    left = [{_folded(cell, exactly=exactly) for cell in table} for table in found]
    for table in truth:
        wanted = {_folded(cell, exactly=exactly) for cell in table}
        best = max(left, key=lambda one: len(one & wanted), default=set())
        right += len(best & wanted)
        left = [one for one in left if one is not best]
    return right, sum(map(len, truth))


def _folded(cell: Cell, *, exactly: bool) -> Cell:
    *place, text = cell
    return (*place, " ".join(text.split()) if exactly else "".join(text.split()).casefold())


async def told(task: OcrTask, data: bytes, media_type: str) -> Any:
    request = TaskRequest(OcrOptions(tables=True, markdown=True), (source_of(data, media_type),))
    return (await task.run(request)).data


async def measure(number: int, only: str | None, show: int, path: Path | None) -> None:
    documents = made(number)
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    ocr = PP_OCR_V6_SMALL.build(EngineConfig())
    task = OcrTask(lambda: ocr.service, loader)
    try:
        if path is not None:
            await draw(task, path)
        for name in ("pdf", "picture"):
            if path is None and only in (None, name):
                await _measure(name, documents, task, show)
    finally:
        for part in ocr.parts:
            await part.close()
        await loader.close()


async def draw(task: OcrTask, path: Path) -> None:
    """Draw a document's picture with the cells that were found in it."""
    document = next(document for document in made(len(KINDS)) if document.kind == "spans")
    document.rotation = 2.0
    data = picture_of(document)
    picture = Image.open(io.BytesIO(data))
    pen = ImageDraw.Draw(picture)
    result = await told(task, data, "image/jpeg")
    for table in tables_in(result):
        for cell in [cell for row in table["rows"] for cell in row]:
            corners = [cell["bounds"][name] for name in CORNERS]
            pen.polygon([(corner["x"], corner["y"]) for corner in corners], outline=(220, 0, 90), width=3)
    last = max(table["bounds"]["bottom_left"]["y"] for table in tables_in(result))
    shown = picture.crop((0, 0, picture.width, last + 60))
    shown.reduce(2).quantize(32).save(path, optimize=True)


async def _measure(name: str, documents: Sequence[Made], task: OcrTask, show: int) -> None:
    found: dict[str, list[tuple[int, int]]] = {}
    started = time.perf_counter()
    for document in documents:
        if name == "picture" and document.kind == "joined":
            continue  # a picture contains one page only
        pdf = name == "pdf"
        data = document.pdf if pdf else await asyncio.to_thread(picture_of, document)
        result = await told(task, data, "application/pdf" if pdf else "image/jpeg")
        cells = [cells_of(table) for table in tables_in(result)]
        right, total = right_cells(cells, document.tables, exactly=pdf)
        found.setdefault(document.kind, []).append((right, total))
        if right < 0.9 * total and show:
            show -= 1
            print(document.kind, right, total, document.rotation, *_differences(cells, document.tables), sep="\n  ")
    for kind, some in [*found.items(), ("all", [one for each in found.values() for one in each])]:
        right, total = (sum(one[place] for one in some) for place in (0, 1))
        print(f"{name:8} {kind:8} {len(some):3} documents, {100 * right / total:5.1f} % of {total} cells")
    print(f"{time.perf_counter() - started:.0f} s")


def _differences(found: Sequence[Sequence[Cell]], truth: Sequence[Sequence[Cell]]) -> Iterator[str]:
    for place, table in enumerate(truth):
        other = found[place] if place < len(found) else []
        yield f"table {place}: missing {[cell for cell in table if cell not in other][:12]}"
        yield f"told instead {[cell for cell in other if cell not in table][:12]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--number", type=int, default=90)
    parser.add_argument("--only", choices=("pdf", "picture"))
    parser.add_argument("--show", type=int, default=0, help="how many documents with wrong cells to show")
    parser.add_argument("--draw", type=Path, help="where to draw one, instead of measuring")
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.number, arguments.only, arguments.show, arguments.draw))


if __name__ == "__main__":
    main()
