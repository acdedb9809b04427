"""Cells of workbooks that a reader does not see."""

import datetime as dt
import io
import re
from collections.abc import Callable

import PIL.Image
import pytest
import xlsxwriter
from openpyxl import Workbook
from openpyxl.drawing.image import Image
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule, DataBarRule, FormulaRule, IconSet, Rule
from openpyxl.styles import Alignment, Color, Font, GradientFill, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import BUILTIN_FORMATS, NumberFormat
from openpyxl.styles.table import TableStyle, TableStyleElement, TableStyleList
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from tasks.markdown_text import UNSURE, unsure
from tests.conftest import each_case
from tests.office_files import changed, member, opened, picture, text_of, workbook

WHITE = Font(color="FFFFFFFF")


def solid(color: str) -> PatternFill:
    return PatternFill("solid", fgColor=color)


def test_white_text_on_white_cells_is_left_out_and_struck_text_is_marked() -> None:
    def fill(book: Workbook) -> None:
        for row in ("Total", "80.00", "90.00", "91.00", "92.00"):
            book.active.append([row])
        book.active["A2"].font = Font(strike=True)
        book.active["A4"].font = Font(color="FFFFFFFF")
        book.active["A5"].font = Font(color="FFFFFFFF")
        book.active["A5"].fill = PatternFill("solid", fgColor="FF1F3864")

    assert text_of(workbook(fill)) == "## Sheet\n\nTotal\n~~80.00~~\n90.00\n\n92.00"


def test_cells_in_which_nothing_is_seen_are_left_out() -> None:
    def fill(book: Workbook) -> None:
        for row in ("Total", 80, 81, "82.00", "83.00", "84.00", "85.00"):
            book.active.append([row, "narrow"])
        book.active["A2"].number_format = ";;;"
        book.active["A3"].number_format = '"";"";"";""'
        book.active["A4"].font = Font(color=Color(indexed=9))
        book.active["A5"].font = Font(sz=1)
        book.active["A6"].font = Font(color="FFFFFFFF")
        book.active["A6"].fill = PatternFill("solid", fgColor="FFFFFFFF")
        book.active.row_dimensions[7].height = 0.5
        book.active.column_dimensions["B"].width = 0.01

    text = text_of(workbook(fill))
    assert "Total" in text
    assert not any(unseen in text for unseen in ("8", "narrow"))


def is_read(font: Font | None = None, fill: object = None, code: str = "General", value: object = "secret") -> bool:
    def write(book: Workbook) -> None:
        book.active.append(["Total", value])
        cell = book.active["B1"]
        cell.font, cell.fill = font or Font(), fill or PatternFill()
        cell.number_format = code

    return str(value) in text_of(workbook(write))


@each_case(
    ("font", "fill"),
    [
        (Font(color="FFF8F8F8"), None),
        (Font(color=Color(theme=0)), None),
        (Font(color=Color(theme=1, tint=1.0)), None),
        (Font(color=Color(indexed=9)), solid("FFFFFFFF")),
        (Font(color="FF000000"), solid("FF000000")),
        (Font(), solid("FF000000")),
        (Font(color="FFEEEEEE"), solid("FFEEEEEE")),
        (Font(color=Color(theme=4)), solid(Color(theme=4))),
        (WHITE, GradientFill(stop=("FFFFFFFF", "FFFEFEFE"))),
        (Font(sz=1), None),
        (Font(sz=2), None),
    ],
)
def test_text_in_the_colour_of_its_cell_or_tiny_is_left_out(font: Font, fill: object) -> None:
    assert not is_read(font, fill)


@each_case(
    ("font", "fill"),
    [
        (Font(color="FFF2F2F2"), None),
        (Font(color="FFFFFF00"), None),
        (WHITE, solid("FF1F3864")),
        (WHITE, solid(Color(theme=4))),
        (WHITE, PatternFill("lightGray", fgColor="FF000000")),
        (WHITE, GradientFill(stop=("FFFFFFFF", "FF000000"))),
        (Font(color=Color(theme=0)), solid(Color(theme=1, tint=0.5))),
        (Font(), solid("FFFFC000")),
        (Font(sz=6), None),
    ],
)
def test_text_of_another_colour_than_its_cell_is_read(font: Font, fill: object) -> None:
    assert is_read(font, fill)


def test_colours_and_texts_of_number_formats_count() -> None:
    assert not is_read(code="[White]@")
    assert not is_read(code="[Color2]General;[Color2]General;[Color2]General;[Color2]@")
    assert not is_read(code="General;General;General;")
    assert is_read(code="[Red]@")
    assert is_read(WHITE, solid("FFFFFFFF"), "[Red]@")
    assert is_read(code="[White]0.00", value="text")


def is_sure(value: object, code: str) -> bool:
    def write(book: Workbook) -> None:
        book.active.append(["Total", value])
        book.active["B1"].number_format = code

    text = opened(workbook(write)).text or ""
    return UNSURE not in text


@each_case(
    ("value", "code"),
    [
        (120.5, '[>100]"5.00";0.00'),
        (12050, '0"."00'),
        (12050, '0","00'),
        (120.5, '"9"0.00'),
        (120.5, "\\90.00"),
        (120.5, '0.00"7"'),
        (120.5, "*90.00"),
        (120.5, "-0.00"),
        (920, '"120.50"'),
        (920, '"paid"'),
        ("120.50", '"9"@'),
        (dt.date(2026, 5, 3), 'dd/mm/"2030"'),
        (dt.date(2026, 5, 3), '"1"d/mm/yyyy'),
        (dt.date(2026, 5, 3), "1d/mm/yyyy"),
    ],
)
def test_cells_are_unsure_whose_format_shows_other_figures(value: object, code: str) -> None:
    assert not is_sure(value, code)


@each_case(
    ("value", "code"),
    [
        (120.5, "General"),
        (120.5, "#,##0.00"),
        (120.5, "[$€-407] #,##0.00"),
        (120.5, '0.00" USD"'),
        (120.5, '0.0" l/100km"'),
        (0.5, "0.00%"),
        (-120.5, "#,##0.00_);[Red](#,##0.00)"),
        (-120.5, '_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-'),
        (120.5, BUILTIN_FORMATS[44]),
        (12, '"INV-2026-"0000'),
        (12, '"Nr. "0'),
        (0, '0;-0;"-"'),
        ("text", '"9"0.00'),
        (dt.date(2026, 5, 3), "yyyy\\-mm\\-dd"),
        (dt.date(2026, 5, 3), 'dd"."mm"."yyyy'),
        (dt.date(2026, 5, 3), "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy"),
    ],
)
def test_cells_are_sure_whose_format_is_a_plain_one(value: object, code: str) -> None:
    assert is_sure(value, code)


def is_sure_with(alignment: Alignment | None, height: float = 15, value: str = "secret") -> bool:
    def write(book: Workbook) -> None:
        book.active.append(["Total", value])
        book.active.row_dimensions[1].height = height
        if alignment is not None:
            book.active["B1"].alignment = alignment

    text = opened(workbook(write)).text or ""
    return value in text


def test_text_is_unsure_that_its_cell_may_cut() -> None:
    assert not is_sure_with(Alignment(horizontal="left", indent=200))
    assert not is_sure_with(Alignment(textRotation=255))
    assert not is_sure_with(Alignment(shrinkToFit=True), value="secret" * 40)
    assert not is_sure_with(Alignment(textRotation=90))
    assert not is_sure_with(None, height=4)


def test_text_of_usual_alignments_is_sure() -> None:
    assert is_sure_with(Alignment(horizontal="left", indent=3))
    assert is_sure_with(Alignment(textRotation=90), height=60)
    assert is_sure_with(Alignment(wrapText=True), height=400, value="secret" * 40)
    assert is_sure_with(Alignment(shrinkToFit=True))
    assert is_sure_with(None, height=6)


def test_cells_are_unsure_on_which_a_filled_shape_or_a_picture_lies() -> None:
    def text_under(look: dict[str, object], row: int) -> str:
        file = io.BytesIO()
        with xlsxwriter.Workbook(file) as book:
            cells = book.add_worksheet()
            cells.write_row(0, 0, ["Total", "80.00"])
            cells.insert_textbox(row, 1, "", {"width": 64, "height": 20, **look})
        return opened(file.getvalue()).text or ""

    assert unsure("80.00") in text_under({}, 0)
    assert "Total" in text_under({}, 0)
    assert "80.00" in text_under({}, 1)
    assert "80.00" in text_under({"fill": {"none": True}}, 0)
    image = io.BytesIO()
    with xlsxwriter.Workbook(image) as book:
        cells = book.add_worksheet()
        cells.write_row(0, 0, ["Total", "80.00"])
        PIL.Image.new("RGB", (64, 20), "white").save(png := io.BytesIO(), "PNG")
        cells.insert_image(0, 1, "a.png", {"image_data": png})
    assert unsure("80.00") in (opened(image.getvalue()).text or "")


def conditioned(*rules: Rule, value: object = "secret", font: Font | None = None) -> bool:
    """True if a cell with these conditional formats is read, and is not unsure."""

    def fill(book: Workbook) -> None:
        book.active.append(["Total", value])
        book.active["B1"].font = font or Font()
        for rule in rules:
            book.active.conditional_formatting.add("B1:C9", rule)

    return str(value) in (opened(workbook(fill)).text or "")


def test_conditional_formats_that_are_known_to_hold_are_applied() -> None:
    assert not conditioned(FormulaRule(["TRUE"], font=WHITE))
    assert not conditioned(FormulaRule(["1"], font=WHITE))
    assert not conditioned(CellIsRule("greaterThan", ["5"], font=WHITE), value=77)
    assert not conditioned(CellIsRule("equal", ['"Secret"'], font=WHITE))
    assert not conditioned(Rule("notContainsBlanks", dxf=DifferentialStyle(font=WHITE)))
    assert not conditioned(Rule("containsText", operator="containsText", text="cre", dxf=DifferentialStyle(font=WHITE)))
    nothing = DifferentialStyle(numFmt=NumberFormat(200, ";;;"))
    assert not conditioned(Rule("expression", formula=["TRUE"], dxf=nothing))
    icons = Rule("iconSet", iconSet=IconSet("3Flags", cfvo=[], showValue=False))
    assert not conditioned(icons, value=77)


@each_case("formula", ["1=1", "ROW()>0", "NOT(FALSE)", "TRUE()", 'LEN("a")=1', '$A$1<>""', "B1=$B$1", "ISTEXT(B1)"])
def test_white_text_by_a_formula_that_is_true_for_the_cell_is_left_out(formula: str) -> None:
    assert not conditioned(FormulaRule([formula], font=WHITE))


@each_case("formula", ["1=2", "B1=0", "ISERROR(B1)", "ISBLANK(B1)", "LEN(B1)=0", "B1=A1", "$Z$9=1", "1/0", "Z9>0"])
def test_white_text_by_a_formula_that_is_false_for_the_cell_is_read(formula: str) -> None:
    assert conditioned(FormulaRule([formula], font=WHITE))


@each_case("formula", ["TODAY()>1", "SUM(B1:B9)=0", "Other!A1=1"])
def test_text_is_unsure_where_a_formula_that_is_not_evaluated_may_hide_it(formula: str) -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["Total", "secret"])
        book.active.conditional_formatting.add("B1:B9", FormulaRule([formula], font=WHITE))

    assert opened(workbook(fill)).text == f"## Sheet\n\n| Total | {unsure('secret')} |\n| --- | --- |"
    assert conditioned(FormulaRule([formula], font=Font(color="FFFF0000")))
    assert conditioned(FormulaRule([formula], font=WHITE, fill=PatternFill(bgColor="FF1F3864")))


def test_values_that_repeat_and_zeros_can_be_hidden_by_conditional_formats() -> None:
    def fill(book: Workbook) -> None:
        for row in (("north", 7), ("north", 0), ("south", 8)):
            book.active.append(row)
        book.active.conditional_formatting.add("A2:A3", FormulaRule(["A2=A1"], font=WHITE))
        book.active.conditional_formatting.add("B1:B3", CellIsRule("equal", ["0"], font=WHITE))

    text = text_of(workbook(fill))
    assert "| north | 7 |" in text
    assert "| south | 8 |" in text
    assert text.count("north") == 1
    assert "| 0 |" not in text


def test_the_result_of_a_formula_that_was_not_calculated_is_not_known() -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["Total", "secret"])
        book.active["Z1"] = "=1"
        book.active.conditional_formatting.add("B1:B9", FormulaRule(["$Z$1=1"], font=WHITE))

    assert unsure("secret") in (opened(workbook(fill)).text or "")


def test_a_rule_about_texts_whose_formula_says_otherwise_is_not_known() -> None:
    other = Rule(
        "containsText", operator="containsText", text="zzz", formula=["TRUE"], dxf=DifferentialStyle(font=WHITE)
    )
    assert not conditioned(other)
    same = Rule(
        "containsText", text="zzz", formula=['NOT(ISERROR(SEARCH("zzz",B1)))'], dxf=DifferentialStyle(font=WHITE)
    )
    assert conditioned(same)


def test_scales_and_bars_colour_only_numbers() -> None:
    scale = ColorScaleRule("min", None, "FF000000", "max", None, "FF0000FF")
    assert conditioned(scale, font=WHITE, value=77)
    assert not conditioned(scale, font=WHITE)
    assert not conditioned(ColorScaleRule("min", None, "FFFFFFFF", "max", None, "FF0000FF"), font=WHITE, value=77)
    assert conditioned(ColorScaleRule("min", None, "FFFFFFFF", "max", None, "FF0000FF"), value=77)
    assert not conditioned(DataBarRule("min", None, "max", None, "FF000000"), font=WHITE, value=77)
    assert conditioned(DataBarRule("min", None, "max", None, "FF638EC6"), value=77)


def test_many_conditional_formats_show_no_hidden_text() -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["Total", "secret"])
        book.active["B1"].font = WHITE
        for row in range(1, 600):
            book.active.conditional_formatting.add(
                f"A{row}:B{row}", FormulaRule(["FALSE"], font=Font(color="FFFF0000"))
            )

    assert text_of(workbook(fill)) == "## Sheet\n\nTotal"


def test_conditional_formats_that_do_not_hold_leave_text_as_it_is() -> None:
    assert conditioned(FormulaRule(["FALSE"], font=WHITE))
    assert conditioned(CellIsRule("lessThan", ["5"], font=WHITE), value=77)
    assert conditioned(FormulaRule(["TRUE"], font=WHITE, fill=PatternFill(bgColor="FF1F3864")))
    assert conditioned(FormulaRule(["B1>$Z$9"], fill=PatternFill(bgColor="FF1F3864")), font=WHITE)
    assert not conditioned(FormulaRule(["FALSE"], fill=PatternFill(bgColor="FF1F3864")), font=WHITE)


def test_the_first_of_the_conditional_formats_goes_before_the_others() -> None:
    red = Font(color="FFFF0000")
    assert conditioned(FormulaRule(["TRUE"], font=red), FormulaRule(["TRUE"], font=WHITE))
    assert not conditioned(FormulaRule(["TRUE"], font=WHITE), FormulaRule(["TRUE"], font=red))
    assert conditioned(FormulaRule(["TRUE"], stopIfTrue=True), FormulaRule(["TRUE"], font=WHITE))


def on_a_sheet(change: Callable[[Worksheet], object]) -> str:
    def fill(book: Workbook) -> None:
        for row in (("Head", "Other"), ("a", "b"), ("c", "d")):
            book.active.append(row)
        book.active["A1"].font = WHITE
        change(book.active)

    return text_of(workbook(fill))


def test_white_text_is_read_where_the_style_of_a_table_may_put_a_colour_behind_it() -> None:
    def style(name: str | None) -> Callable[[Worksheet], object]:
        return lambda sheet: sheet.add_table(
            Table(displayName="T", ref="A1:B3", tableStyleInfo=TableStyleInfo(name=name))
        )

    assert "Head" in on_a_sheet(style("TableStyleMedium9"))
    assert "Head" in on_a_sheet(style("TableStyleDark1"))
    assert "Head" in on_a_sheet(style("TableStyleLight9"))
    assert "Head" not in on_a_sheet(style("TableStyleLight1"))
    assert "Head" not in on_a_sheet(style("Unheard"))
    assert "Head" not in on_a_sheet(lambda sheet: sheet.add_table(Table(displayName="T", ref="A2:B3")))


def test_white_text_is_left_out_in_the_light_rows_of_a_table() -> None:
    def add(sheet: Worksheet) -> None:
        sheet.add_table(Table(displayName="T", ref="A1:B3", tableStyleInfo=TableStyleInfo(name="TableStyleMedium9")))
        sheet["B2"].font = sheet["B3"].font = WHITE

    text = on_a_sheet(add)
    assert "Other" in text
    assert "| b" not in text
    assert "| d" not in text


def test_a_style_of_the_workbooks_own_colours_the_parts_of_a_table_for_which_it_has_a_fill() -> None:
    def text(part: str) -> str:
        def add(sheet: Worksheet) -> None:
            sheet.add_table(Table(displayName="T", ref="A1:B3", tableStyleInfo=TableStyleInfo(name="Own")))
            book = sheet.parent
            number = book._differential_styles.add(DifferentialStyle(fill=PatternFill(bgColor="FF1F3864")))
            own = TableStyle(name="Own", tableStyleElement=[TableStyleElement(type=part, dxfId=number)])
            book._table_styles = TableStyleList(tableStyle=[own])

        return on_a_sheet(add)

    assert "Head" in text("headerRow")
    assert "Head" in text("wholeTable")
    assert "Head" not in text("lastColumn")


def test_rows_and_columns_that_are_nothing_by_default_are_left_out() -> None:
    def low(sheet: Worksheet) -> None:
        sheet.sheet_format.defaultRowHeight = 0.5
        sheet.row_dimensions[2].height = 15

    def narrow(sheet: Worksheet) -> None:
        sheet.sheet_format.defaultColWidth = 0.1
        sheet.column_dimensions["A"].width = 10

    assert on_a_sheet(low) == "## Sheet\n\n(hidden rows left out)\n\n| a | b |\n| --- | --- |"
    assert on_a_sheet(narrow) == "## Sheet\n\n(hidden columns left out)\n\na\nc"


def test_rows_with_cells_are_seen_where_the_others_are_hidden() -> None:
    assert "| a | b |" in on_a_sheet(lambda sheet: setattr(sheet.sheet_format, "zeroHeight", True))


def test_a_picture_on_a_sheet_puts_no_colour_behind_its_cells() -> None:
    def add(sheet: Worksheet) -> None:
        sheet.add_image(Image(picture()), "D9")

    assert "Head" not in on_a_sheet(add)


def test_parts_of_a_text_are_judged_by_their_own_fonts() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        white, tiny, red = (
            book.add_format(about) for about in ({"color": "white"}, {"font_size": 1}, {"color": "red"})
        )
        cells = book.add_worksheet()
        cells.write_rich_string(0, 0, "IBAN ", red, "GB29", white, "DE89", tiny, "FR76")
        cells.write_rich_string(1, 0, "Total ", book.add_format({"font_strikeout": True}), "80.00", " 90.00")
    assert text_of(file.getvalue()) == "## Sheet1\n\nIBAN GB29\nTotal ~~80.00~~ 90.00"


def test_parts_of_a_text_that_may_be_taken_for_others_are_unsure() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        raised, large, signs = (
            book.add_format(about) for about in ({"font_script": 1}, {"font_size": 30}, {"font_name": "Webdings"})
        )
        cells = book.add_worksheet()
        for row, part in enumerate((raised, large, signs, book.add_format({"bold": True}))):
            cells.write_rich_string(row, 0, "Total 10", part, "2", " EUR")
    lines = (opened(file.getvalue()).text or "").split("\n")
    assert [UNSURE in line for line in lines[-4:]] == [True, True, True, False]


def test_parts_of_a_text_that_its_cell_holds_itself_are_judged_by_their_own_fonts() -> None:
    runs = "".join(
        f"<r><rPr>{font}</rPr><t>{text}</t></r>"
        for font, text in (('<color rgb="FFFFFFFF"/>', "9"), ('<sz val="1"/>', "8"), ("<b/>", "120.50"))
    )
    data = workbook(lambda book: book.active.append(["total"]))
    cell = f'<c r="A1" t="inlineStr"><is>{runs}</is></c>'.encode()
    name = "xl/worksheets/sheet1.xml"
    sheet = re.sub(rb"<c .*</c>", cell, member(data, name))
    assert text_of(changed(data, {name: sheet})) == "## Sheet\n\n120.50"


def test_cells_that_a_merge_covers_are_left_out() -> None:
    data = workbook(lambda book: [book.active.append([f"{row}{column}" for column in "abc"]) for row in range(1, 5)])
    name = "xl/worksheets/sheet1.xml"
    merges = b'</sheetData><mergeCells><mergeCell ref="A1:B2"/><mergeCell ref="C2:C3"/></mergeCells>'
    text = text_of(changed(data, {name: member(data, name).replace(b"</sheetData>", merges)}))
    rows = ("| 1a |  | 1c |", "| --- | --- | --- |", "|  |  | 2c |", "| 3a | 3b |  |", "| 4a | 4b | 4c |")
    assert text == "## Sheet\n\n" + "\n".join(rows)


@pytest.mark.parametrize("place", ["DX1", "A2000", "XFD3"])
def test_cells_far_from_the_others_are_mentioned_and_left_out(place: str) -> None:
    text = on_a_sheet(lambda sheet: sheet.__setitem__(place, "secret"))
    assert "secret" not in text
    assert "(cells far from the others left out)" in text


@pytest.mark.parametrize("place", ["AZ1", "A800", "CA300"])
def test_cells_beside_empty_ones_are_read(place: str) -> None:
    assert "seen" in on_a_sheet(lambda sheet: sheet.__setitem__(place, "seen"))


def test_hidden_rows_and_columns_do_not_make_cells_far() -> None:
    def hide(sheet: Worksheet) -> None:
        for number in range(4, 1_200):
            sheet.cell(number, 1, "x")
            sheet.row_dimensions[number].hidden = True
        sheet.cell(1_200, 1, "seen")

    assert "seen" in on_a_sheet(hide)


def test_text_boxes_on_a_sheet_are_read_unless_they_are_hidden_or_in_the_colour_of_their_text() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        cells = book.add_worksheet()
        white, dark = {"font": {"color": "white"}, "fill": {"color": "white"}}, {"fill": {"color": "#1F3864"}}
        for row, (text, look) in enumerate((("plain", {}), ("unseen", white), ("light", {**white, **dark}))):
            cells.insert_textbox(row, 0, text, look)
    text = text_of(file.getvalue())
    assert "plain" in text
    assert "light" in text
    assert "unseen" not in text
    drawing = member(file.getvalue(), "xl/drawings/drawing1.xml")
    drawing = drawing.replace(b"<xdr:cNvPr ", b"<xdr:cNvPr hidden='1' ")
    assert text_of(changed(file.getvalue(), {"xl/drawings/drawing1.xml": drawing})) == "## Sheet1"
