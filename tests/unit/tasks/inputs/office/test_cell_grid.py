"""How much of their text the cells of a sheet show."""

import datetime as dt

import pytest
from openpyxl import Workbook
from openpyxl.drawing.image import Image
from openpyxl.drawing.spreadsheet_drawing import AbsoluteAnchor, OneCellAnchor
from openpyxl.drawing.xdr import XDRPoint2D, XDRPositiveSize2D
from openpyxl.styles import Alignment, Font
from openpyxl.utils.units import pixels_to_EMU

from tasks.inputs.office.cell_grid import Axis
from tasks.markdown_text import UNSURE
from tests.conftest import each_case
from tests.office_files import opened, picture, workbook


def is_sure(
    value: object,
    *,
    beside: object = "x",
    width: float | None = None,
    height: float | None = None,
    alignment: Alignment | None = None,
    font: Font | None = None,
    code: str = "General",
    merged: str = "",
) -> bool:
    """True if a cell is sure that has another one beside it."""

    def fill(book: Workbook) -> None:
        sheet = book.active
        sheet.append([None, value, beside])
        sheet["B1"].alignment, sheet["B1"].font = alignment or Alignment(), font or Font(sz=11)
        sheet["B1"].number_format = code
        if width is not None:
            sheet.column_dimensions["B"].width = width
        if height is not None:
            sheet.row_dimensions[1].height = height
        if merged:
            sheet.merge_cells(merged)

    return UNSURE not in (opened(workbook(fill)).text or "")


def test_text_is_unsure_that_loses_figures_to_the_cell_beside_it() -> None:
    assert not is_sure("12345", width=3.5)
    assert is_sure("12345", width=3.5, beside=None)
    assert is_sure("12345", width=5.71)
    assert not is_sure("12345", width=5.71, font=Font(sz=22))
    assert is_sure("12345", width=9, alignment=Alignment(horizontal="left", indent=2))
    assert not is_sure("12345", width=9, alignment=Alignment(horizontal="left", indent=5))
    assert not is_sure("see our terms and conditions, IBAN GB29 NWBK 6016 1331 9268 19")
    assert not is_sure("see" + " " * 300 + "120.50")


def test_text_is_sure_that_loses_less_than_half_of_its_letters() -> None:
    assert is_sure("Description", width=8)
    assert not is_sure("Description", width=4)
    assert not is_sure("事業所番号の一覧", width=6)


def test_a_cell_with_an_empty_text_cuts_the_one_before_it() -> None:
    assert not is_sure("12345", width=3.5, beside="=A1")


@each_case("horizontal", ["right", "center"])
def test_text_goes_on_to_the_side_that_its_alignment_leaves(horizontal: str) -> None:
    assert is_sure("12345", width=3.5, beside=None, alignment=Alignment(horizontal=horizontal))
    assert is_sure("12345", width=3.5, alignment=Alignment(horizontal=horizontal)) == (horizontal == "right")


def test_numbers_are_unsure_that_are_wider_than_their_column() -> None:
    assert not is_sure(12345, width=3, beside=None)
    assert is_sure(12345, width=5.71)
    assert not is_sure(dt.date(2026, 5, 3), width=6, code="yyyy-mm-dd")
    assert is_sure(dt.date(2026, 5, 3), code="yyyy-mm-dd")


def test_wrapped_text_is_unsure_that_its_row_cuts() -> None:
    wraps = Alignment(wrap_text=True)
    assert not is_sure("see\n\n\n\n120.50", alignment=wraps, height=15)
    assert not is_sure("our terms and conditions, 120.50", alignment=wraps, height=15)
    assert is_sure("see\n120.50", alignment=wraps, height=30)
    assert is_sure("see\n\n\n\n120.50", alignment=wraps)


def test_turned_text_is_unsure_in_a_low_row() -> None:
    assert not is_sure("120.50", alignment=Alignment(textRotation=90), height=12)
    assert is_sure("120.50", alignment=Alignment(textRotation=90), height=60)
    assert is_sure("120.50", alignment=Alignment(textRotation=90))


def test_merged_cells_show_as_much_as_is_in_all_of_them() -> None:
    assert is_sure("our terms, 120.50", beside=None, width=5, merged="B1:E1")
    assert not is_sure("our terms, 120.50", beside=None, width=5, merged="B1:B2")


@pytest.mark.parametrize("is_absolute", [False, True])
def test_cells_are_unsure_on_which_a_picture_lies_that_has_one_corner(is_absolute: bool) -> None:
    def text(column: int) -> str:
        def fill(book: Workbook) -> None:
            book.active.append(["Total", "80.00", "90.00"])
            image = Image(picture())
            size = XDRPositiveSize2D(pixels_to_EMU(60), pixels_to_EMU(20))
            place = XDRPoint2D(pixels_to_EMU(89 * column), 0)
            image.anchor = AbsoluteAnchor(pos=place, ext=size) if is_absolute else OneCellAnchor(ext=size)
            if not is_absolute:
                image.anchor._from.col = column
            book.active.add_image(image)

        return opened(workbook(fill)).text or ""

    row = text(1).split("\n")[2]
    assert [UNSURE in cell for cell in row.split("|")[1:-1]] == [False, True, False]
    assert UNSURE not in text(6)


def test_rows_and_columns_are_found_by_their_distance() -> None:
    axis = Axis(10, 100)
    axis.sizes = {2: 0, 3: 30}
    assert [axis.start(number) for number in (1, 2, 3, 4, 5)] == [0, 10, 10, 40, 50]
    assert [axis.at(distance) for distance in (0, 4, 11, 38, 44)] == [1, 1, 3, 4, 4]
