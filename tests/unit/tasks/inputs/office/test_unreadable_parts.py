"""Office files of which a library cannot read a part: the rest is read, and a warning names the part."""

import re
from collections.abc import Callable

import pytest
from docx.document import Document as WordDocument
from openpyxl import Workbook
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.presentation import Presentation
from pptx.util import Inches

from tasks.errors import InputError
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import sniff
from tasks.inputs.readers import READERS
from tasks.inputs.source import Blob
from tests.conftest import each_case
from tests.kit.papers.office_files import changed, document, member, picture, slides, workbook

BOX = (0, 0, Inches(2), Inches(1))
Edit = Callable[[bytes], bytes]


def read(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file, and its warnings."""
    kind = sniff(data)
    assert kind is not None
    pages = READERS[kind](Blob(data, kind, "a file", "p"), MediaLimits())
    pages.close()
    return pages.text or "", pages.warnings


def edited(data: bytes, name: str, edit: Edit) -> bytes:
    return changed(data, {name: edit(member(data, name))})


def cut(data: bytes) -> bytes:
    return data[:300]


def replaced(old: str, new: str) -> Edit:
    return lambda data: re.sub(old.encode(), new.encode(), data)


def deck() -> bytes:
    def fill(presentation: Presentation) -> None:
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = "Sales"
        data = CategoryChartData()
        data.categories = ["North"]
        data.add_series("2026", (10,))
        slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *BOX, data)
        slide.shapes.add_table(1, 2, *BOX).table.cell(0, 0).text = "a cell"
        slide.shapes.add_textbox(*BOX).text_frame.text = "a remark"
        slide.shapes.add_picture(picture(40, 40), 0, 0)
        slide.notes_slide.notes_text_frame.text = "a note"
        presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = "The end"

    return slides(fill)


def name_of_chart(data: bytes) -> str:
    return re.findall(r"ppt/charts/chart[0-9]+\.xml", data.decode("latin-1"))[0]


@each_case(
    ("part", "edit", "left_out"),
    [
        ("chart", replaced("<c:ser>.*</c:ser>", ""), "a chart on slide 1"),
        ("ppt/notesSlides/notesSlide1.xml", cut, "a part of slide 1"),
        ("ppt/slides/slide1.xml", replaced("<a:p>", '<a:p><a:pPr lvl="x"/>'), "a shape on slide 1"),
        ("ppt/theme/theme1.xml", cut, "ppt/theme/theme1.xml"),
        ("ppt/media/image1.png", lambda data: data[:20], "a picture"),
    ],
)
def test_a_presentation_is_read_without_a_part_that_cannot_be_read(part: str, edit: Edit, left_out: str) -> None:
    data = deck()
    text, warnings = read(edited(data, name_of_chart(data) if part == "chart" else part, edit))
    assert any(f"'a file': {left_out}" in warning or f"its part {left_out}" in warning for warning in warnings)
    assert text.endswith("## Slide 2: The end")
    if "slide1.xml" not in part:
        assert "a cell" in text
        assert "a remark" in text


def letter(word: WordDocument) -> None:
    word.add_heading("Offer")
    word.add_picture(picture(40, 40))
    word.add_paragraph("first", style="List Number")
    word.add_paragraph("the end")


def book(made: Workbook) -> None:
    made.active.title = "Prices"
    made.active.append(["Item", "Price"])
    made.active.append(["Lamp", 0.25])
    made.active["B2"].number_format = "0.0%"
    made.create_sheet("Second").append(["the end"])


@each_case(
    ("part", "edit", "warnings"),
    [
        ("xl/styles.xml", replaced('patternType="[^"]*"', 'patternType="zigzag"'), 1),
        ("xl/styles.xml", replaced('fontId="0"', 'fontId="99"'), 1),
        ("xl/workbook.xml", replaced("<calcPr", '<calcPr calcMode="often"'), 1),
        ("docProps/core.xml", replaced("(<dcterms:created[^>]*>)[^<]*", r"\1yesterday"), 0),
        ("docProps/core.xml", cut, 1),
    ],
)
def test_a_workbook_is_read_without_a_part_that_cannot_be_read(part: str, edit: Edit, warnings: int) -> None:
    text, found = read(edited(workbook(book), part, edit))
    assert "| Lamp | 25.0% |" in text
    assert "the end" in text
    assert len(found) == warnings


def test_a_sheet_with_a_cell_that_cannot_be_read_leaves_the_others() -> None:
    data = workbook(book)
    text, found = read(edited(data, "xl/worksheets/sheet1.xml", replaced("<v>0.25</v>", "<v>x</v>")))
    assert "the end" in text
    assert found == ("'a file': the sheet Prices could not be read in full.",)


def test_a_file_whose_main_part_cannot_be_read_is_refused() -> None:
    with pytest.raises(InputError, match="damaged or incomplete"):
        read(edited(document(letter), "word/document.xml", cut))
