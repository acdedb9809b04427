"""The files that a table is written to: what is in their cells, and what no cell does."""

import csv
import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.folders.files import write
from app.folders.reviews import PaperResult
from app.folders.schemas import schema_of
from app.folders.state import Row

SCHEMA = schema_of("number, total: number, tags: texts, seller{name}, lines[what, amount: number]")
ANSWER = {
    "number": "=1+1",
    "total": 12.5,
    "tags": ["a", "b"],
    "seller": {"name": "+49 30 1234"},
    "lines": [{"what": "@SUM(A1)", "amount": None}, {"what": "Bread", "amount": -3}],
}
EVIDENCE = {
    "/number": {"probability": 0.95, "page": 2, "text": "=1+1"},
    "/total": {"probability": 0.8},
    "/tags/0": {"probability": 0.9},
    "/tags/1": {"probability": 0.4},
    "/lines/1/what": {"probability": 0.99},
}
ROWS = [
    Row("in/a.pdf", "in/a.pdf", PaperResult(ANSWER, EVIDENCE, ["/lines/1/amount"])),
    Row("in/b c.pdf", "in/b c.pdf", PaperResult(error="damaged")),
    Row("in/d.pdf", "in/d.pdf", None),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(name: str) -> list[Path]:
    return write(Path(name), SCHEMA, lambda: iter(ROWS))


def test_a_workbook_has_a_sheet_a_list_and_no_formula() -> None:
    written("out.xlsx")
    book = openpyxl.load_workbook("out.xlsx")
    assert [(sheet.title, sheet.sheet_state) for sheet in book] == [
        ("papers", "visible"),
        ("lines", "visible"),
        ("warnings", "visible"),
        ("probabilities", "hidden"),
    ]
    papers, lines, _, probabilities = (list(sheet.iter_rows(values_only=True)) for sheet in book)
    assert papers == [
        ("paper", "number", "total", "tags", "seller.name", "certainty", "error"),
        ("in/a.pdf", "=1+1", 12.5, "a; b", "+49 30 1234", "unsure", None),
        ("in/b c.pdf", None, None, None, None, None, "damaged"),
        ("in/d.pdf", None, None, None, None, None, "not read yet"),
    ]
    assert lines == [
        ("paper", "row", "what", "amount", "certainty"),
        ("in/a.pdf", 1, "@SUM(A1)", None, None),
        ("in/a.pdf", 2, "Bread", -3, "unsure"),
    ]
    assert probabilities[1] == ("in/a.pdf", "number", 0.95, 2, "=1+1")
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} == {"s", "n"}


def test_a_sheet_has_days_a_filter_widths_that_fit_and_the_warnings() -> None:
    schema = schema_of("number, date, due_date, lines[what, day: date]")
    schema["properties"]["sent"] = {"type": ["string", "null"], "format": "date-time"}
    answer = {
        "number": "A" * 40, "date": "2026-03-12", "due_date": "in spring", "sent": "2026-03-12T09:30:00",
        "lines": [{"what": "Oak", "day": "1899-12-31"}],
    }  # fmt: skip
    rows = [Row("a.pdf", "a.pdf", PaperResult(answer, warnings=["The sum is another.", "So so."]))]
    write(Path("out.xlsx"), schema, lambda: iter(rows))
    book = openpyxl.load_workbook("out.xlsx")
    papers = book["papers"]
    day = papers["C2"]
    assert (day.value, day.number_format, day.is_date) == (datetime(2026, 3, 12), "yyyy-mm-dd", True)
    assert (papers["D2"].value, papers["E2"].value) == ("in spring", datetime(2026, 3, 12, 9, 30))
    assert book["lines"]["D2"].value == "1899-12-31", "spreadsheets disagree about such days"
    assert [book[name].auto_filter.ref for name in ("papers", "lines", "warnings")] == ["A1:G2", "A1:E2", "A1:B3"]
    widths = {letter: papers.column_dimensions[letter].width for letter in "ABC"}
    assert widths == {"A": 10, "B": 42, "C": 12}
    warnings = list(book["warnings"].iter_rows(values_only=True))
    assert warnings == [("paper", "warning"), ("a.pdf", "The sum is another."), ("a.pdf", "So so.")]


def cells_of(name: str) -> list[list[str]]:
    with Path(name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        *((text, f"'{text}") for text in ("+1+cmd|'/C calc'!A1", "-2+3+cmd|x", "@A1", "=HYPERLINK(1)", "＝1+1", " =1")),
        ("x;=HYPERLINK(1)", "x;'=HYPERLINK(1)"),
        ("x, =1", "x,' =1"),
        ("x;" + " " * 10 + "=1", "x;'" + " " * 10 + "=1"),
        ("a;+cmd|'/C calc'!A0", "a;'+cmd|'/C calc'!A0"),
        ("a;@SUM(1)", "a;'@SUM(1)"),
        ("a;-2+cmd|'/C calc'!A0", "a;'-2+cmd|'/C calc'!A0"),
        ("1,-2;+3;=4", "1,-2;+3;'=4"),
        ("a\n=1\r\n-b", "a\n'=1\r\n'-b"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        *((text, text) for text in ("+49 30 1234; +49 (0)30/99", "-5, -6.50", "a-b; c=d", "", "a@b; c")),
    ],
)
def test_what_a_spreadsheet_would_compute_is_quoted(text: str, quoted: str) -> None:
    """Also where a spreadsheet whose separator is another one would begin a cell."""
    row = Row("a", "a", PaperResult({"x": text}))
    write(Path("out.csv"), schema_of("x"), lambda: iter([row]))
    [_, found] = cells_of("out.csv")
    assert found[1] == quoted


def test_json_lines_hold_the_answers_as_they_came() -> None:
    written("out.jsonl")
    told = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert told == [
        {"paper": "in/a.pdf", "answer": ANSWER, "evidence": EVIDENCE, "unsupported": ["/lines/1/amount"]},
        {"paper": "in/b c.pdf", "error": "damaged"},
        {"paper": "in/d.pdf"},
    ]


def test_a_database_has_a_table_a_list() -> None:
    written("out.sqlite")
    db = sqlite3.connect("out.sqlite")
    assert db.execute('SELECT number, "seller.name", certainty FROM papers').fetchall()[0] == (
        "=1+1",
        "+49 30 1234",
        "unsure",
    )
    assert db.execute("SELECT what, amount FROM lines WHERE row = 2").fetchall() == [("Bread", -3)]
    assert db.execute("SELECT count(*) FROM probabilities").fetchone() == (5,)
    db.close()


@pytest.mark.parametrize("name", ["out.xlsx", "out.csv", "out.jsonl", "out.sqlite"])
def test_a_file_is_replaced_as_a_whole_or_not_at_all(name: str, folder: Path) -> None:
    written(name)
    before = (folder / name).read_bytes()

    def failing() -> Any:
        yield ROWS[0]
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write(Path(name), SCHEMA, failing)
    assert (folder / name).read_bytes() == before
    assert not [file for file in folder.iterdir() if file.name.startswith(".")]


@pytest.mark.parametrize("name", ["out.xlsx", "out.csv", "out.jsonl", "out.sqlite"])
def test_characters_that_xml_forbids_keep_no_paper_out_of_the_table(name: str) -> None:
    forbidden = "\ufffe\uffff\x00\x01\x0b"
    items = {"type": "array", "items": {"type": "object", "properties": {f"b{forbidden}": {"type": "string"}}}}
    schema = {"type": "object", "properties": {"a": {"type": "string"}, f"list{forbidden}": items}}
    if name == "out.sqlite":  # names in a database hold no \0
        schema, forbidden = json.loads(json.dumps(schema).replace("\\u0000", "")), forbidden.replace("\0", "")
    answer = {"a": f"x{forbidden}y", f"list{forbidden}": [{f"b{forbidden}": forbidden}]}
    evidence = {"/a": {"probability": 0.5, "text": forbidden}}
    rows = [
        Row(f"in/n{forbidden}.txt", f"in/n{forbidden.replace(chr(0), '')}.txt", PaperResult(answer, evidence)),
        Row("in/b.txt", f"https://papers.example/{forbidden}", PaperResult(error=f"e{forbidden}")),
    ]
    write(Path(name), schema, lambda: iter(rows))
    if name != "out.xlsx":
        return
    book = openpyxl.load_workbook("out.xlsx")
    assert book.sheetnames == ["papers", "list", "warnings", "probabilities"]
    papers, listed, _, probabilities = (list(sheet.iter_rows(values_only=True)) for sheet in book)
    assert papers[1:] == [("in/n.txt", "xy", "unsure", None), ("in/b.txt", None, None, "e")]
    assert (listed[0][2], listed[1][2]) == ("b", None)
    assert probabilities[1] == ("in/n.txt", "a", 0.5, None, None)
    assert book["papers"]["A3"].hyperlink.target == "https://papers.example/"
