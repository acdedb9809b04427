"""Workbooks as Markdown."""

import datetime as dt
import io
import re

import openpyxl.drawing.image
import pytest
import xlsxwriter
from openpyxl import Workbook
from openpyxl.styles import Font

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import MediaLimits
from tasks.inputs.office.xlsx import shown
from tests.conftest import each_case
from tests.kit.papers.office_files import changed, member, opened, picture, text_of, workbook

SHEET = "xl/worksheets/sheet1.xml"


def sheet(rows: str, dimension: str = "A1") -> bytes:
    """A workbook with one sheet of these rows, as XML."""
    data = workbook(lambda _: None)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<worksheet xmlns="{main}"><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'
    return changed(data, {SHEET: xml.encode()})


def test_a_sheet_is_a_heading_and_a_table() -> None:
    def fill(book: Workbook) -> None:
        book.active.title = "Sales"
        for row in (["Item", "Price"], ["Lamp", 55.9], ["Chair|red", None]):
            book.active.append(row)

    expected = "## Sales\n\n| Item | Price |\n| --- | --- |\n| Lamp | 55.9 |\n| Chair\\|red |  |"
    assert text_of(workbook(fill)) == expected


@pytest.mark.deep
def test_empty_rows_divide_tables_and_the_edges_are_trimmed() -> None:
    def fill(book: Workbook) -> None:
        cells = {"C2": "A report", "C4": "a", "D4": "b", "C5": 1, "D5": 2, "XFD1048576": "far away"}
        for place, value in cells.items():
            book.active[place] = value

    assert text_of(workbook(fill)) == ("## Sheet\n\nA report\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\nfar away")


def test_a_formula_is_the_value_last_calculated() -> None:
    data = sheet('<row r="1"><c r="A1"><f>SUM(B1:C1)</f><v>7</v></c><c r="B1"><f>NOW()</f></c></row>')
    assert text_of(data) == "## Sheet\n\n7"


def test_hidden_sheets_are_named_and_left_out() -> None:
    def fill(book: Workbook) -> None:
        book.active["A1"] = "seen"
        for title, state in (("H", "hidden"), ("V", "veryHidden")):
            book.create_sheet(title)["A1"] = "secret"
            book[title].sheet_state = state

    assert text_of(workbook(fill)) == "## Sheet\n\nseen\n\n## H (hidden, left out)\n\n## V (hidden, left out)"


def test_hidden_rows_and_columns_are_mentioned_and_left_out() -> None:
    def fill(book: Workbook) -> None:
        for row in (("a", "b", "c"), (1, 2, 3), (4, 5, 6), (7, 8, 9)):
            book.active.append(row)
        book.active.row_dimensions[3].hidden = True
        book.active.column_dimensions["B"].hidden = True

    text = "## Sheet\n\n(hidden rows and columns left out)\n\n| a | c |\n| --- | --- |\n| 1 | 3 |\n| 7 | 9 |"
    assert text_of(workbook(fill)).replace(" |  | ", " | ").replace("| --- | --- | --- |", "| --- | --- |") == text


def test_struck_text_is_marked() -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["Total", "80.00"])
        book.active["B1"].font = Font(strike=True)

    assert "| Total | ~~80.00~~ |" in text_of(workbook(fill))


def test_pictures_come_after_the_cells_of_their_sheet() -> None:
    def fill(book: Workbook) -> None:
        book.active["A1"] = "first"
        book.active.add_image(openpyxl.drawing.image.Image(picture(60, 30)), "B2")
        book.create_sheet("Second")["A1"] = "second"

    pages = opened(workbook(fill))
    assert (pages.total, pages.size(1)) == (1, (60, 30))
    (place,) = pages.places
    assert pages.text is not None
    assert pages.text[: place.offset].strip() == "## Sheet\n\nfirst"


@each_case(
    ("value", "code", "text"),
    [
        (None, "General", ""),
        (True, "General", "TRUE"),
        (3.0, "General", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (-1234.5, "#,##0;[Red](#,##0)", "(1,235)"),
        (0, '0;-0;"none"', "none"),
        (0.256, "0.0%", "25.6%"),
        (1234.5, '#,##0.00 "€"', "1,234.50 €"),
        (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"),
        (7, "00000", "00007"),
        (1500000, '0.0,,"M"', "1.5M"),
        (12345.678, "0.00E+00", "1.23E+04"),
        (2.5, "# ?/?", "2.5"),
        (5, "[>=100]0;0.0", "5"),
        ("text", "0.00", "text"),
        (dt.datetime(2024, 1, 2), "m/d/yyyy", "2024-01-02"),
        (dt.datetime(2024, 1, 2, 13, 5, 9), "d.m. hh:mm", "2024-01-02 13:05:09"),
        (dt.timedelta(hours=25, minutes=3), "[h]:mm", "25:03:00"),
    ],
)
def test_values_are_shown_as_the_sheet_shows_them(value: object, code: str, text: str) -> None:
    assert shown(value, code) == text


def test_the_number_of_cells_is_limited() -> None:
    data = workbook(lambda book: [book.active.append(range(10)) for _ in range(11)])
    assert text_of(data, MediaLimits(cells=110))
    with pytest.raises(InputTooLarge, match=r"'file' has more than 109 cells"):
        opened(data, MediaLimits(cells=109))


def test_a_string_that_many_cells_share_counts_for_each_of_them() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        cells = book.add_worksheet()
        for row in range(1_000):
            cells.write_string(row, 0, "q" * 30_000)
    # The reading ends at the limit, and not with the whole text of 30 million characters.
    with pytest.raises(InputTooLarge, match="has 10020000 characters; the limit is 10000000"):
        opened(file.getvalue())


def test_a_workbook_that_names_a_sheet_again_and_again_is_refused() -> None:
    data = workbook(lambda book: book.active.append(["a"]))
    names = member(data, "xl/workbook.xml").decode()
    (one,) = re.findall(r"<sheet [^>]*/>", names)
    with pytest.raises(InputError, match="damaged or incomplete"):
        opened(changed(data, {"xl/workbook.xml": names.replace(one, one * 1_000).encode()}))
