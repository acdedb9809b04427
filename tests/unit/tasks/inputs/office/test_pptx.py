"""Presentations as Markdown."""

import re

import pytest
from lxml import etree
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.util import Inches

from tasks.errors import InputError
from tasks.inputs.limits import MediaLimits
from tests.office_files import changed, member, opened, picture, slides, text_of

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


def test_an_outline_is_a_nested_list() -> None:
    def fill(presentation: Presentation) -> None:
        frame = titled(presentation, "T", layout=1).placeholders[1].text_frame
        frame.text = "one"
        for text, level in (("deeper", 1), ("two", 0)):
            frame.add_paragraph().text = text
            frame.paragraphs[-1].level = level

    assert text_of(slides(fill)) == "## Slide 1: T\n\n- one\n  - deeper\n- two"


def test_a_level_that_powerpoint_does_not_know_is_the_deepest() -> None:
    def fill(presentation: Presentation) -> None:
        frame = titled(presentation, "T", layout=1).placeholders[1].text_frame
        frame.text = "far"
        frame.paragraphs[0]._p.get_or_add_pPr().set("lvl", "900000000")

    assert text_of(slides(fill)) == f"## Slide 1: T\n\n{'  ' * 8}- far"


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


def test_a_scatter_chart_has_both_its_axes() -> None:
    def fill(slide: Slide) -> None:
        data = XyChartData()
        series = data.add_series("S")
        for x, y in ((1, 2), (3, 4.5)):
            series.add_data_point(x, y)
        slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *BOX, data)

    assert one(fill).endswith("|  | S |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4.5 |")


def charted(presentation: Presentation) -> None:
    data = CategoryChartData()
    data.categories = ["a", "b"]
    data.add_series("s", (1, 2))
    titled(presentation, "T").shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *BOX, data)


def recharted(old: bytes, *new: bytes) -> bytes:
    """A presentation with one chart, in whose XML each of the `new` has replaced the next of the `old`."""
    data = slides(charted)
    (name,) = set(re.findall(r"ppt/charts/chart\d+\.xml", data.decode("latin-1")))
    chart = member(data, name)
    for one in new:
        chart = chart.replace(old, one, 1)
    return changed(data, {name: chart})


@pytest.mark.parametrize(
    "kind", ["bar3DChart", "surfaceChart", "surface3DChart", "stockChart", "ofPieChart", "area3DChart", "newChart"]
)
def test_a_chart_of_any_kind_is_a_table_of_its_series(kind: str) -> None:
    text = text_of(recharted(b"c:barChart>", *[b"c:%s>" % kind.encode()] * 2))
    assert text.endswith("|  | s |\n| --- | --- |\n| a | 1 |\n| b | 2 |")


def test_a_category_follows_the_groups_that_it_is_in() -> None:
    def fill(slide: Slide) -> None:
        data = CategoryChartData()
        for group in ("North", "South"):
            category = data.add_category(group)
            for quarter in ("Q1", "Q2"):
                category.add_sub_category(quarter)
        data.add_series("s", (1, 2, 3, 4))
        slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *BOX, data)

    assert "| North / Q2 | 2 |\n| South / Q1 | 3 |" in one(fill)


def test_a_chart_that_claims_endless_points_has_those_that_it_has() -> None:
    text = text_of(recharted(b'<c:ptCount val="2"/>', *[b'<c:ptCount val="2000000000"/>'] * 2))
    assert text.endswith("| a | 1 |\n| b | 2 |")


def test_points_that_a_chart_leaves_out_are_empty_cells() -> None:
    point = rb'<c:pt idx="0"><c:v>1</c:v></c:pt>'
    assert text_of(recharted(point, b"")).endswith("|  | s |\n| --- | --- |\n| a |  |\n| b | 2 |")


@pytest.mark.parametrize(("value", "text"), [(b"<c:v/>", ""), (b"<c:v>#N/A</c:v>", "#N/A")])
def test_a_value_of_a_chart_that_is_no_number_stays_as_it_is(value: bytes, text: str) -> None:
    assert f"| a | {text} |" in text_of(recharted(b"<c:v>1</c:v>", value))


@pytest.mark.deep
def test_a_chart_of_many_points_is_read_in_linear_time() -> None:
    points = b"".join(b'<c:pt idx="%d"><c:v>%d</c:v></c:pt>' % (at, at) for at in range(20_000))
    text = text_of(recharted(b'<c:ptCount val="2"/>', *[b'<c:ptCount val="300000"/>' + points] * 2))
    assert "| 19999 |" in text


def test_a_table_of_many_rows_beside_a_long_one_is_read_in_linear_time() -> None:
    data = slides(lambda presentation: titled(presentation, "T").shapes.add_table(2, 1, *BOX))
    slide = member(data, "ppt/slides/slide1.xml")
    (cell,) = set(re.findall(rb"<a:tc>.*?</a:tc>", slide))
    row, *_ = re.findall(rb"<a:tr .*?</a:tr>", slide)
    rows = row.replace(cell, cell.replace(b"<a:p/>", b"<a:p><a:r><a:t>x</a:t></a:r></a:p>") * 3_000) + row * 7_000
    data = changed(data, {"ppt/slides/slide1.xml": slide.replace(row, rows, 1)})
    assert text_of(data).count("\n|") == 7_002 + 1


def test_a_presentation_that_names_a_slide_again_and_again_is_refused() -> None:
    data = slides(lambda presentation: titled(presentation, "T"))
    presentation = member(data, "ppt/presentation.xml")
    (one,) = re.findall(rb"<p:sldId [^>]*/>", presentation)
    data = changed(data, {"ppt/presentation.xml": presentation.replace(one, one * 1_000)})
    with pytest.raises(InputError, match="damaged or incomplete"):
        opened(data)


def test_groups_are_looked_into() -> None:
    def fill(slide: Slide) -> None:
        group = slide.shapes.add_group_shape().shapes.add_group_shape()
        group.shapes.add_textbox(*BOX).text_frame.text = "inside"

    assert one(fill) == "## Slide 1: T\n\ninside"


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


def test_shapes_off_the_slide_are_left_out() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T")
        width, height = presentation.slide_width, presentation.slide_height
        places = {"left": (-99, 0), "right": (width, 0), "above": (0, -99), "below": (0, height), "in": (-98, 0)}
        for text, (x, y) in places.items():
            slide.shapes.add_textbox(x, y, 99, 99).text_frame.text = text

    assert text_of(slides(fill)) == "## Slide 1: T\n\nin"


def test_a_hyphen_that_keeps_words_together_is_a_plain_one() -> None:
    def fill(slide: Slide) -> None:
        slide.shapes.add_textbox(*BOX).text_frame.text = "Total: \u201150.00"

    assert one(fill) == "## Slide 1: T\n\nTotal: -50.00"


def test_a_hidden_slide_is_named_and_left_out() -> None:
    def fill(presentation: Presentation) -> None:
        titled(presentation, "secret")._element.set("show", "0")
        titled(presentation, "seen")

    assert text_of(slides(fill)) == "## Slide 1 (hidden, left out)\n\n## Slide 2: seen"


def test_what_only_newer_programs_draw_is_read_too() -> None:
    """An equation in a shape that python-pptx passes over."""
    main = "http://schemas.openxmlformats.org/drawingml/2006/main"
    content = f"""<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
        xmlns:a="{main}" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><mc:Choice Requires="a14">
        <x><a:p><a:r><a:t>E=</a:t></a:r><m:oMath><m:sSup><m:e><m:r><m:t>c</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r>
        </m:sup></m:sSup></m:oMath></a:p></x></mc:Choice><mc:Fallback/></mc:AlternateContent>"""
    assert one(lambda slide: slide.shapes._spTree.append(etree.fromstring(content))) == "## Slide 1: T\n\nE=c^2"


def test_pictures_are_pages_wherever_they_stand() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T")
        slide.shapes.add_group_shape().shapes.add_picture(picture(60, 30), 0, 0)
        slide.shapes.add_picture(picture(90, 40), 0, 0)
        titled(presentation, "U").shapes.add_picture(picture(60, 30), 0, 0)

    pages = opened(slides(fill))
    assert (pages.total, pages.size(1), pages.size(2)) == (2, (60, 30), (90, 40))
    assert [place.number for place in pages.places] == [1, 2, 1]


@pytest.mark.parametrize("kind", ["slideshow.main+xml", "template.main+xml"])
def test_shows_and_templates_are_presentations(kind: str) -> None:
    data = slides(lambda presentation: titled(presentation, "T"))
    types = member(data, "[Content_Types].xml").replace(b"presentation.main+xml", kind.encode())
    assert text_of(changed(data, {"[Content_Types].xml": types})) == "## Slide 1: T"


def test_a_part_that_is_missing_is_damage() -> None:
    data = slides(lambda presentation: titled(presentation, "T"))
    with pytest.raises(Exception, match="'file' cannot be read as .*presentation: it is damaged or incomplete"):
        opened(changed(data, {"ppt/slides/slide1.xml": b""}), MediaLimits())
