"""The bench of lists that are filled from one table in ten formats and seven arrangements: cells right, of 20.

    .venv/bin/python -m bench.document_tables                    all, a minute
    .venv/bin/python -m bench.document_tables --only html pdf --show

Every table has five rows and four columns, whose truth is known: 20 cells. The papers of one arrangement differ in the
format alone. A server in a process of its own answers through the API with nothing but its bundled models.
"""

import argparse
import base64
import csv
import io
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import docx
import httpx
import openpyxl
import pptx
import pypdfium2
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from tests.server import serving

TEXT, NUMBER, WHOLE, FLAG = ({"type": name} for name in ("string", "number", "integer", "boolean"))
DAY = {"type": "string", "format": "date"}
WIDTH = 42 * mm
"""Distance of the columns in PDFs and pictures."""
OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True)
class Paper:
    """A table as rows of shown cells, with what stands around and in it, and the list that a schema asks of it."""

    fields: Mapping[str, Mapping[str, Any]]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    truth: Sequence[Sequence[Any]]
    groups: Sequence[str] = ()
    """Cells of a header row above the header; an empty cell continues the one before it."""
    title: str = ""
    total: Sequence[str] = ()
    note: str = ""
    """A row of one cell after the second row."""

    @property
    def grid(self) -> list[list[str]]:
        body = [list(row) for row in self.rows]
        if self.note:
            body.insert(2, [self.note, *[""] * (len(self.rows[0]) - 1)])
        above = [list(row) for row in (self.groups, self.head) if row]
        return [*above, *body, *([list(self.total)] if self.total else [])]


STOCK = Paper(
    {"article": TEXT, "quantity": WHOLE, "unit_price": NUMBER, "ordered_on": DAY},
    ("Article", "Quantity", "Unit price", "Ordered on"),
    (
        ("Brass hinge, 40 mm", "12", "3.75", "14/03/2024"),
        ("Oak board", "4", "1,118.00", "02/04/2024"),
        ("Wood glue", "30", "6.20", "19/04/2024"),
        ("Sanding belt 120", "150", "0.95", "25/05/2024"),
        ("Clamp", "8", "22.40", "01/06/2024"),
    ),
    (
        ("Brass hinge, 40 mm", 12, 3.75, "2024-03-14"),
        ("Oak board", 4, 1118, "2024-04-02"),
        ("Wood glue", 30, 6.2, "2024-04-19"),
        ("Sanding belt 120", 150, 0.95, "2024-05-25"),
        ("Clamp", 8, 22.4, "2024-06-01"),
    ),
)
MEMBERS = Paper(
    {"name": TEXT, "joined": DAY, "fee": NUMBER, "paid": FLAG},
    ("Name", "Eintritt", "Beitrag", "Bezahlt"),
    (
        ("Friedlinde Aumeier", "03.02.2019", "85,00", "ja"),
        ("Gerold Butzbach", "17.11.2020", "42,50", "nein"),
        ("Ilka von Thadow", "28.05.2021", "85,00", "ja"),
        ("Ruprecht Zabel", "09.09.2022", "1.085,00", "nein"),
        ("Swantje Ohm", "30.01.2023", "42,50", "ja"),
    ),
    (
        ("Friedlinde Aumeier", "2019-02-03", 85, True),
        ("Gerold Butzbach", "2020-11-17", 42.5, False),
        ("Ilka von Thadow", "2021-05-28", 85, True),
        ("Ruprecht Zabel", "2022-09-09", 1085, False),
        ("Swantje Ohm", "2023-01-30", 42.5, True),
    ),
)
PAPERS = {
    "plain": STOCK,
    "yes and no": MEMBERS,
    "title": replace(STOCK, title="Stock list of the joinery, spring"),
    "total": replace(MEMBERS, total=("Summe", "", "1.340,00", "")),
    "note": replace(STOCK, note="The following were delivered late"),
    "two rows of header": replace(STOCK, groups=("Goods", "", "Purchase", ""), head=STOCK.head),
    "no header": replace(STOCK, head=()),
}


def schema_of(paper: Paper) -> dict[str, Any]:
    item = {"type": "object", "properties": paper.fields, "required": list(paper.fields), "additionalProperties": False}
    return {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": item}},
        "required": ["rows"],
        "additionalProperties": False,
    }


def delimited(paper: Paper, delimiter: str) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    if paper.title:
        writer.writerows([[paper.title], []])
    writer.writerows(paper.grid)
    return file.getvalue().encode()


def workbook(paper: Paper) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in [[paper.title]] * bool(paper.title) + paper.grid:
        book.active.append([cell or None for cell in row])
    book.save(file)
    return file.getvalue()


def markdown(paper: Paper) -> bytes:
    head, *body = paper.grid
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body)]
    return "\n".join([*([f"# {paper.title}", ""] if paper.title else []), *lines, ""]).encode()


def web_page(paper: Paper) -> bytes:
    count = len(paper.rows[0])
    rows = []
    for number, row in enumerate(paper.grid):
        name = "th" if number < bool(paper.groups) + bool(paper.head) else "td"
        if row == list(paper.groups):
            cells = "".join(f"<th colspan=2>{cell}</th>" for cell in row if cell)
        elif paper.note and row[0] == paper.note:
            cells = f"<td colspan={count}>{paper.note}</td>"
        else:
            cells = "".join(f"<{name}>{cell}</{name}>" for cell in row)
        rows.append(f"<tr>{cells}</tr>")
    title = f"<h1>{paper.title}</h1>" if paper.title else ""
    return f"<!doctype html><meta charset=utf-8>{title}<table>{''.join(rows)}</table>".encode()


def _filled(table: Any, paper: Paper) -> None:
    for number, row in enumerate(paper.grid):
        for at, cell in enumerate(row):
            table.cell(number, at).text = cell
    if paper.note:
        number = next(at for at, row in enumerate(paper.grid) if row[0] == paper.note)
        table.cell(number, 0).merge(table.cell(number, len(paper.rows[0]) - 1))


def word_document(paper: Paper) -> bytes:
    document, file = docx.Document(), io.BytesIO()
    if paper.title:
        document.add_heading(paper.title, 1)
    _filled(document.add_table(len(paper.grid), len(paper.rows[0])), paper)
    document.save(file)
    return file.getvalue()


def slides(paper: Paper) -> bytes:
    show, file = pptx.Presentation(), io.BytesIO()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = paper.title
    size = len(paper.grid), len(paper.rows[0])
    _filled(slide.shapes.add_table(*size, *[pptx.util.Cm(one) for one in (1, 4, 22, 9)]).table, paper)
    show.save(file)
    return file.getvalue()


def page(paper: Paper) -> bytes:
    """Return a PDF without rulings; numbers are set flush right."""
    file = io.BytesIO()
    canvas, y = Canvas(file, pagesize=A4), A4[1] - 30 * mm
    if paper.title:
        canvas.setFont("Helvetica-Bold", 14)
        canvas.drawString(20 * mm, y, paper.title)
        y -= 12 * mm
    for number, row in enumerate(paper.grid):
        canvas.setFont("Helvetica-Bold" if number < bool(paper.groups) + bool(paper.head) else "Helvetica", 10)
        for at, cell in enumerate(row):
            kind = list(paper.fields.values())[at]
            x = 20 * mm + at * WIDTH
            if kind in (NUMBER, WHOLE) and row not in ([*paper.groups], [paper.note, *row[1:]]):
                canvas.drawRightString(x + WIDTH - 14 * mm, y, cell)
            else:
                canvas.drawString(x, y, cell)
        y -= 7 * mm
    canvas.save()
    return file.getvalue()


def picture(paper: Paper) -> bytes:
    document, file = pypdfium2.PdfDocument(page(paper)), io.BytesIO()
    document[0].render(scale=150 / 72).to_pil().crop((0, 0, 1240, 900)).save(file, "PNG")
    return file.getvalue()


def pasted(paper: Paper) -> bytes:
    widths = [max(map(len, column)) for column in zip(*[r for r in paper.grid if r[0] != paper.note], strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in paper.grid]
    return "\n".join([*([paper.title, ""] if paper.title else []), *map(str.rstrip, lines)]).encode()


FORMATS: Mapping[str, tuple[str, Callable[[Paper], bytes]]] = {
    "csv": ("text/csv", lambda paper: delimited(paper, ";" if paper.fields == MEMBERS.fields else ",")),
    "tsv": ("text/tab-separated-values", lambda paper: delimited(paper, "\t")),
    "xlsx": (f"{OFFICE}.spreadsheetml.sheet", workbook),
    "md": ("text/markdown", markdown),
    "html": ("text/html", web_page),
    "docx": (f"{OFFICE}.wordprocessingml.document", word_document),
    "pptx": (f"{OFFICE}.presentationml.presentation", slides),
    "pdf": ("application/pdf", page),
    "png": ("image/png", picture),
    "pasted": ("", pasted),
}


def body_of(paper: Paper, name: str) -> dict[str, Any]:
    kind, made = FORMATS[name]
    content = made(paper)
    ask = "Give me the rows of this table."
    if kind:
        url = f"data:{kind};base64,{base64.b64encode(content).decode()}"
        part = {"type": "file", "file": {"filename": f"table.{name}", "file_data": url}}
        parts = [{"type": "text", "text": ask}, part]
    else:
        parts = [{"type": "text", "text": f"{ask}\n\n{content.decode()}"}]
    schema = {"type": "json_schema", "json_schema": {"name": "table", "schema": schema_of(paper)}}
    messages = [{"role": "user", "content": parts}]
    return {"model": "interfaze-beta", "messages": messages, "evidence": True, "response_format": schema}


def right_cells(paper: Paper, answer: Mapping[str, Any]) -> tuple[int, int]:
    """Return the numbers of right and of superfluous cells; rows are compared in their order."""
    rows = answer.get("rows") or []
    right = sum(
        row.get(name) == cell and isinstance(row.get(name), bool) == isinstance(cell, bool)
        for row, truth in zip(rows, paper.truth, strict=False)
        for name, cell in zip(paper.fields, truth, strict=True)
    )
    return right, len(paper.fields) * max(0, len(rows) - len(paper.truth))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=list(FORMATS), choices=FORMATS)
    parser.add_argument("--papers", nargs="*", default=list(PAPERS), choices=PAPERS)
    parser.add_argument("--show", action="store_true", help="print what is not right")
    given = parser.parse_args()
    print(f"{'':20}" + "".join(f"{name:>8}" for name in given.only))
    times = []
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log", preload="ocr") as server:
        for title in given.papers:
            line = f"{title:20}"
            for name in given.only:
                started = time.perf_counter()
                answer = httpx.post(
                    f"{server.base_url}/v1/chat/completions", json=body_of(PAPERS[title], name), timeout=120
                )
                times.append(time.perf_counter() - started)
                content = {} if answer.is_error else json.loads(answer.json()["choices"][0]["message"]["content"])
                right, more = right_cells(PAPERS[title], content)
                line += f"{f'{right}+{more}' if more else right:>8}"
                if given.show and right < 20:
                    print(name, content or answer.text[:300])
            print(line, flush=True)
    print(f"median {median(times):.2f} s, longest {max(times):.2f} s")


if __name__ == "__main__":
    main()
