"""Markup of workbooks that is usual, and what a sheet with other markup shows."""

import io
import re

import xlsxwriter
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.formula import ArrayFormula

from tasks.inputs.office import usual_sheets
from tasks.markdown_text import UNSURE, unsure
from tests.conftest import each_case
from tests.office_files import changed, member, opened, workbook

SHEET, BOOK, STYLES = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"


def plain_workbook() -> bytes:
    return workbook(lambda book: book.active.append(["Total", "80.00"]))


def read_with(name: str, old: str, new: str) -> str:
    """Return the text of a workbook after the first match of a pattern in one of its parts is replaced."""
    data = plain_workbook()
    part = re.sub(old.encode(), new.encode(), member(data, name), count=1)
    assert part != member(data, name)
    return opened(changed(data, {name: part})).text or ""


@each_case(
    ("name", "old", "new"),
    [
        (SHEET, "<sheetView ", '<sheetView showFormulas="1" '),
        (SHEET, "<sheetView ", '<sheetView zoomScale="10" '),
        (SHEET, "<pageMargins", '<picture r:id="rId9" xmlns:r="urn:r"/><pageMargins'),
        (SHEET, "<pageMargins", '<new:cover xmlns:new="urn:new" ref="B1"/><pageMargins'),
        (SHEET, "<sheetFormatPr[^>]*/>", '<sheetPr><cols><col min="1" max="1" width="90"/></cols></sheetPr>'),
        (
            SHEET,
            "<sheetView [^>]*>",
            '<sheetView topLeftCell="A5"><pane ySplit="2" state="frozen"/>',
        ),
        (SHEET, "<sheetView [^>]*>", '<sheetView workbookViewId="0"><pane ySplit="400" state="frozen"/>'),
        (SHEET, "<row ", '<row new:text="90.00" xmlns:new="urn:new" '),
        (SHEET, '<c r="B1"', '<c r="B1" vm="1"'),
        (BOOK, "<sheets>", '<new:cover xmlns:new="urn:new"/><sheets>'),
        (BOOK, "<calcPr[^>]*/>", '<calcPr fullPrecision="0"/>'),
        (STYLES, "<cellXfs", '<new:look xmlns:new="urn:new"/><cellXfs'),
        ("xl/_rels/workbook.xml.rels", "styles.xml", "other.xml"),
    ],
)
def test_a_workbook_with_other_markup_is_unsure(name: str, old: str, new: str) -> None:
    assert unsure("80.00") in read_with(name, old, new)


@each_case(
    ("name", "old", "new"),
    [
        (SHEET, "<sheetView ", '<sheetView showZeros="1" zoomScale="85" rightToLeft="1" '),
        (SHEET, "<sheetView [^>]*>", '<sheetView><pane ySplit="1" topLeftCell="A2" state="frozen"/>'),
        (SHEET, "<row ", '<row spans="1:2" outlineLevel="1" x14ac:dyDescent="0.25" xmlns:x14ac="urn:x" '),
        (SHEET, "<pageMargins", '<autoFilter ref="A1:B1"/><pageMargins'),
        (BOOK, "<sheets>", '<x:revisionPtr xmlns:x="http://schemas.microsoft.com/office/spreadsheetml/2014/revision" '
                           'revIDLastSave="0" documentId="8_{0}"/><sheets>'),
    ],
)  # fmt: skip
def test_a_workbook_with_usual_markup_is_sure(name: str, old: str, new: str) -> None:
    assert UNSURE not in read_with(name, old, new)


@each_case(
    ("alignment", "border"),
    [
        (Alignment(horizontal="fill"), None),
        (Alignment(horizontal="left", indent=200), None),
        (None, Border(diagonalUp=True, diagonal=Side("thick"))),
    ],
)
def test_only_cells_of_a_style_that_is_not_usual_are_unsure(alignment: Alignment | None, border: Border | None) -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["Total", "80.00"])
        book.active["B1"].alignment = alignment or Alignment()
        book.active["B1"].border = border or Border()

    assert f"| Total | {unsure('80.00')} |" in (opened(workbook(fill)).text or "")


def test_cells_in_fonts_of_signs_are_unsure() -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["80.00", "90.00"])
        book.active["A1"].font, book.active["B1"].font = Font(name="Wingdings 2"), Font(name="Times New Roman")

    assert f"| {unsure('80.00')} | 90.00 |" in (opened(workbook(fill)).text or "")


def test_a_usual_workbook_of_another_library_is_sure() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        bold = book.add_format({"bold": True, "border": 1})
        cells = book.add_worksheet()
        cells.write_row(0, 0, ["Item", "Amount"], bold)
        cells.write_row(1, 0, ["Chair", 80.5])
        cells.set_column(0, 1, 14)
        cells.freeze_panes(1, 0)
        cells.autofilter(0, 0, 1, 1)
        cells.conditional_format("B2:B9", {"type": "data_bar", "data_bar_2010": True})
        cells.data_validation("A2", {"validate": "list", "source": ["Chair", "Table"]})
        cells.write_comment("A2", "oak")
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "=Sheet1!$B$2:$B$3"})
        cells.insert_chart("H9", chart)
        cells.add_sparkline("D2", {"range": "B2:B9"})
    text = opened(file.getvalue()).text or ""
    assert UNSURE not in text
    assert "| Chair | 80.5 |" in text


def test_what_programs_calculate_when_they_open_a_workbook_is_unsure() -> None:
    def text(**settings: str) -> str:
        file = io.BytesIO()
        with xlsxwriter.Workbook(file) as book:
            cells = book.add_worksheet()
            cells.write("A1", "Total")
            cells.write_formula("B1", "=60+60", None, 920)
            cells.write("A2", "Tax")
        data = file.getvalue()
        part = member(data, BOOK).replace(b' fullCalcOnLoad="1"', settings.get("book", "").encode())
        sheet = member(data, SHEET).replace(b"<f>", settings.get("formula", "<f>").encode())
        return opened(changed(data, {BOOK: part, SHEET: sheet})).text or ""

    assert unsure("920") in text(book=' fullCalcOnLoad="1"')
    assert "| Total |" in text(book=' fullCalcOnLoad="1"')
    assert unsure("920") in text(formula='<f ca="1">')
    assert UNSURE not in text()


def test_zeros_are_left_out_where_a_sheet_does_not_show_them() -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["Total", 0, 5])
        book.active.sheet_view.showZeros = False

    assert "| Total |  | 5 |" in (opened(workbook(fill)).text or "")


def test_plain_cells_are_not_looked_at_but_those_with_more_are() -> None:
    plain = b'<row r="1" spans="1:2"><c r="A1"><v>1</v></c><c r="B1" s="2" t="s"><v>0</v></c></row>'
    assert usual_sheets.without_plain_cells(plain) == b""
    formula = b'<c r="A1"><f>1+1</f><v>2</v></c>'
    assert usual_sheets.without_plain_cells(formula) == b""
    assert usual_sheets.without_plain_cells(formula, are_formulas_plain=False) == formula
    for other in (
        b'<c r="A1" vm="1"><v>1</v></c>',
        b'<c r="A1"><f ca="1">1+1</f><v>2</v></c>',
        b'<row r="1" ht="4"></row>',
    ):
        assert usual_sheets.without_plain_cells(other) == other


def test_formulas_of_arrays_are_usual() -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["Total", "80.00"])
        book.active["D1"] = ArrayFormula("D1:D2", "=A1:A2")

    assert UNSURE not in (opened(workbook(fill)).text or "")
