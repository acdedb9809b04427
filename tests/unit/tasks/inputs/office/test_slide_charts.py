"""Charts on slides whose texts are perhaps not seen, or otherwise than they are saved."""

from collections.abc import Callable
from typing import Any

import pytest
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION
from pptx.enum.shapes import MSO_SHAPE
from pptx.oxml import parse_xml
from pptx.presentation import Presentation
from pptx.util import Emu, Inches, Pt

from tasks.markdown_text import UNSURE
from tests.office_files import opened, slides

_NAMES = {
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())
Change = Callable[[Any], object]
"""A change of the frame of a chart."""


def is_sure(change: Change) -> bool:
    """True if the title, the names and the values of a chart are sure after a change."""

    def write(presentation: Presentation) -> None:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        data = CategoryChartData()
        data.categories = ["spring", "autumn"]
        data.add_series("guests", (120, 340))
        place = Inches(1), Inches(1), Inches(6), Inches(4)
        frame = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data)
        frame.chart.has_title = True
        frame.chart.chart_title.text_frame.text = "Visits"
        frame.chart.has_legend = True
        change(frame)

    text = opened(slides(write)).text
    assert text is not None
    lines = [line for line in text.split("\n")[1:] if line.strip() and "---" not in line]
    sure = {UNSURE not in line for line in lines}
    assert len(sure) == 1
    assert len(lines) == 4
    return sure == {True}


def titled(color: str, size: float = 12) -> Change:
    def change(frame: Any) -> None:
        font = frame.chart.chart_title.text_frame.paragraphs[0].runs[0].font
        font.size = Pt(size)
        font.color.rgb = RGBColor.from_string(color)

    return change


def labelled(color: str, position: XL_LABEL_POSITION, series: str = "1F3864") -> Change:
    def change(frame: Any) -> None:
        plot = frame.chart.plots[0]
        plot.series[0].format.fill.solid()
        plot.series[0].format.fill.fore_color.rgb = RGBColor.from_string(series)
        labels = plot.series[0].data_labels
        labels.show_value, labels.position = True, position
        labels.font.color.rgb = RGBColor.from_string(color)

    return change


def colored(color: str) -> Change:
    """Return a change that fills the area of a chart."""
    fill = f'<c:spPr {_DECLARED}><a:solidFill><a:srgbClr val="{color}"/></a:solidFill></c:spPr>'
    return lambda frame: frame.chart._chartSpace.find("c:chart", _NAMES).addnext(parse_xml(fill))


def axis_format(code: str) -> Change:
    return lambda frame: setattr(frame.chart.value_axis.tick_labels, "number_format", code)


def covered(frame: Any) -> None:
    shapes = frame.part.slide.shapes
    shape = shapes.add_shape(MSO_SHAPE.RECTANGLE, Inches(2), Inches(2), Inches(3), Inches(3))
    shape.fill.solid()
    shape.fill.fore_color.rgb = RGBColor(255, 255, 255)


def at(left: float, width: float) -> Change:
    def change(frame: Any) -> None:
        frame.left, frame.width = Inches(left), Emu(int(Inches(width)))

    return change


@pytest.mark.parametrize(
    "change",
    [
        titled("000000"),
        titled("767676"),
        titled("C00000", 8),
        labelled("404040", XL_LABEL_POSITION.OUTSIDE_END),
        labelled("FFFFFF", XL_LABEL_POSITION.CENTER),
        colored("EEEEEE"),
        axis_format("#,##0.00"),
        axis_format('0%" of all"'),
        axis_format("[$-409]m/d/yyyy"),
        at(3.5, 6.0),
    ],
)
def test_a_chart_that_is_seen_is_sure(change: Change) -> None:
    assert is_sure(change)


@pytest.mark.parametrize(
    "change",
    [
        titled("FFFFFF"),
        titled("FEFEFE"),
        titled("000000", 1),
        labelled("FFFFFF", XL_LABEL_POSITION.OUTSIDE_END),
        labelled("FFFFFF", XL_LABEL_POSITION.CENTER, series="FFFFFF"),
        lambda frame: (labelled("FFFFFF", XL_LABEL_POSITION.CENTER)(frame),
                       frame.chart.plots[0].series[0].format.fill.background()),
        colored("000000"),
        axis_format(";;;"),
        axis_format('"999"'),
        axis_format("#,##0,"),
        axis_format('0"5"'),
        covered,
        at(7.0, 6.0),
        at(1.0, 0.1),
        lambda frame: frame.part.slide._element.set("unknown", "1"),
        lambda frame: frame.chart._chartSpace.append(parse_xml(f"<c:userShapes {_DECLARED}/>")),
        lambda frame: frame.chart._chartSpace.insert(0, parse_xml(f'<c:style {_DECLARED} val="45"/>')),
        lambda frame: frame.chart._chartSpace.find(".//c:title/c:layout", _NAMES).append(
            parse_xml(f'<c:manualLayout {_DECLARED}><c:x val="-5"/></c:manualLayout>')
        ),
    ],
)  # fmt: skip
def test_a_chart_that_is_perhaps_unseen_is_unsure(change: Change) -> None:
    assert not is_sure(change)
