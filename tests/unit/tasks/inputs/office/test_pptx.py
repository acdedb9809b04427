"""Presentations as Markdown."""

import re

import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.util import Inches

from tasks.errors import InputError
from tests.kit.papers.office_files import changed, member, opened, picture, slides, text_of

BOX = (0, 0, Inches(2), Inches(1))


def titled(presentation: Presentation, title: str, layout: int = 5) -> Slide:
    slide = presentation.slides.add_slide(presentation.slide_layouts[layout])
    slide.shapes.title.text = title
    return slide


def one(fill: object) -> str:
    return text_of(slides(lambda presentation: fill(titled(presentation, "T"))))  # type: ignore[operator]


def test_a_slide_is_a_heading_with_its_number_and_title() -> None:
    def fill(presentation: Presentation) -> None:
        titled(presentation, "Results\nof the year")
        presentation.slides.add_slide(presentation.slide_layouts[6])

    assert text_of(slides(fill)) == "## Slide 1: Results of the year\n\n## Slide 2"


def test_the_notes_of_the_speaker_come_last() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T")
        slide.notes_slide.notes_text_frame.text = "Say this.\nThen that."
        slide.shapes.add_textbox(*BOX).text_frame.text = "box"

    assert text_of(slides(fill)) == "## Slide 1: T\n\nbox\n\nNotes: Say this.\nThen that."


def test_a_table_keeps_its_columns_under_merged_cells() -> None:
    def fill(slide: Slide) -> None:
        table = slide.shapes.add_table(2, 3, *BOX).table
        for at, text in enumerate(("wide", "", "c", "1", "2", "3")):
            table.cell(at // 3, at % 3).text = text
        table.cell(0, 0).merge(table.cell(0, 1))

    assert one(fill) == "## Slide 1: T\n\n| wide |  | c |\n| --- | --- | --- |\n| 1 | 2 | 3 |"


def test_a_chart_is_a_table_of_its_series() -> None:
    def fill(slide: Slide) -> None:
        data = CategoryChartData()
        data.categories = ["Q1", "Q2"]
        data.add_series("2023", (1.5, 2))
        data.add_series("2024", (3, None))
        chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *BOX, data).chart
        chart.has_title = True
        chart.chart_title.text_frame.text = "Sales"

    assert one(fill) == (
        "## Slide 1: T\n\nChart: Sales\n\n|  | 2023 | 2024 |\n| --- | --- | --- |\n| Q1 | 1.5 | 3 |\n| Q2 | 2 |  |"
    )


def test_a_presentation_that_names_a_slide_again_and_again_is_refused() -> None:
    data = slides(lambda presentation: titled(presentation, "T"))
    presentation = member(data, "ppt/presentation.xml")
    (one,) = re.findall(rb"<p:sldId [^>]*/>", presentation)
    data = changed(data, {"ppt/presentation.xml": presentation.replace(one, one * 1_000)})
    with pytest.raises(InputError, match="damaged or incomplete"):
        opened(data)


def test_links_are_kept() -> None:
    def fill(slide: Slide) -> None:
        line = slide.shapes.add_textbox(*BOX).text_frame.paragraphs[0]
        line.text = "see "
        run = line.add_run()
        run.text = "this"
        run.hyperlink.address = "https://example.org/"

    assert one(fill) == "## Slide 1: T\n\nsee [this](https://example.org/)"


def test_hidden_shapes_are_left_out_and_struck_text_is_marked() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T")
        line = slide.shapes.add_textbox(0, 0, 99, 99).text_frame.paragraphs[0]
        for text, name, value in (("Total ", "", ""), ("80", "strike", "sngStrike"), (".00", "strike", "dblStrike")):
            line.add_run().text = text
            if name:
                line.runs[-1].font._element.set(name, value)
        line.add_run().text = " 90.00"
        secret = slide.shapes.add_textbox(0, 0, 99, 99)
        secret.text_frame.text = "secret"
        secret._element.nvSpPr.cNvPr.set("hidden", "1")

    assert text_of(slides(fill)) == "## Slide 1: T\n\nTotal ~~80.00~~ 90.00"


def test_a_hidden_slide_is_named_and_left_out() -> None:
    def fill(presentation: Presentation) -> None:
        titled(presentation, "secret")._element.set("show", "0")
        titled(presentation, "seen")

    assert text_of(slides(fill)) == "## Slide 1 (hidden, left out)\n\n## Slide 2: seen"


def test_pictures_are_pages_wherever_they_stand() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T")
        slide.shapes.add_group_shape().shapes.add_picture(picture(60, 30), 0, 0)
        slide.shapes.add_picture(picture(90, 40), 0, 0)
        titled(presentation, "U").shapes.add_picture(picture(60, 30), 0, 0)

    pages = opened(slides(fill))
    assert (pages.total, pages.size(1), pages.size(2)) == (2, (60, 30), (90, 40))
    assert [place.number for place in pages.places] == [1, 2, 1]
