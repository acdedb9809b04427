"""Colours that cells of tables on slides have by the styles of the tables."""

import pytest
from pptx.dml.color import RGBColor
from pptx.presentation import Presentation
from pptx.util import Inches

from tasks.markdown_text import UNSURE
from tests.office_files import changed, opened, slides

USUAL = "{5C22544A-7EE6-4342-B048-85BDC9FD1C3A}"
OWN = "{00000000-0000-0000-0000-000000000001}"
FAMILIAR = "{21E4AEA4-8DFA-4A89-87EB-49C32662AFE0}"
"""Another style that programs know without its definition."""
DARK_HEADER = """<a:firstRow><a:tcTxStyle b="on"><a:fontRef idx="minor"><a:prstClr val="black"/></a:fontRef>
    <a:schemeClr val="lt1"/></a:tcTxStyle><a:tcStyle><a:tcBdr/><a:fill><a:solidFill><a:schemeClr val="accent1"/>
    </a:solidFill></a:fill></a:tcStyle></a:firstRow>"""


def part(name: str, *, ink: str = "", fill: str = "", unusual: str = "") -> str:
    """Return a part of a style with colours."""
    text = f'<a:tcTxStyle><a:srgbClr val="{ink}"/></a:tcTxStyle>' if ink else ""
    filled = f'<a:fill><a:solidFill><a:srgbClr val="{fill}"/></a:solidFill></a:fill>' if fill else ""
    return f"<a:{name}>{text}<a:tcStyle><a:tcBdr/>{filled}{unusual}</a:tcStyle></a:{name}>"


def unsure_cells(definition: str | None, *, name: str = OWN, ink: str = "", fill: str = "") -> list[str]:
    """Return which cells of a table, each named after its row and column, are unsure with a style that is defined so,
    and with colours that the cells have themselves."""

    def write(presentation: Presentation) -> None:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        table = slide.shapes.add_table(3, 2, Inches(1), Inches(1), Inches(6), Inches(3)).table
        table._tbl.tblPr.find("{*}tableStyleId").text = name
        for row in range(3):
            for column in range(2):
                cell = table.cell(row, column)
                cell.text = f"{'abc'[row]}{column}"
                if fill:
                    cell.fill.solid()
                    cell.fill.fore_color.rgb = RGBColor.from_string(fill)
                if ink:
                    cell.text_frame.paragraphs[0].runs[0].font.color.rgb = RGBColor.from_string(ink)

    styles = f"""<a:tblStyleLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" def="{USUAL}">
        {"" if definition is None else f'<a:tblStyle styleId="{name}" styleName="s">{definition}</a:tblStyle>'}
        </a:tblStyleLst>"""
    text = opened(changed(slides(write), {"ppt/tableStyles.xml": styles.encode()})).text
    assert text is not None
    cells = [cell.strip() for line in text.split("\n") if line.startswith("|") for cell in line.strip("|").split("|")]
    assert len(cells) == 8
    return [cell.replace(UNSURE, "") for cell in cells if UNSURE in cell]


ALL = ["a0", "a1", "b0", "b1", "c0", "c1"]
BODY = ALL[2:]


@pytest.mark.parametrize(
    ("definition", "unsure"),
    [
        (None, []),
        ("", []),
        (DARK_HEADER, []),
        (part("wholeTbl", ink="000000", fill="EEEEEE"), []),
        (part("wholeTbl", ink="FFFFFF"), ALL),
        (part("wholeTbl", fill="000000"), ALL),
        (part("wholeTbl", fill="000000") + DARK_HEADER, BODY),
        (part("band2H", fill="000000"), ALL),
        (part("band1V", fill="000000"), []),
        (part("lastRow", fill="000000"), []),
        (part("wholeTbl", ink="000000", unusual="<a:cell3D><a:bevel/></a:cell3D>"), ALL),
    ],
)
def test_cells_are_unsure_where_a_style_hides_their_text(definition: str | None, unsure: list[str]) -> None:
    assert unsure_cells(definition) == unsure


@pytest.mark.parametrize(
    ("name", "definition", "ink", "fill", "unsure"),
    [
        (USUAL, None, "000000", "", []),
        (USUAL, None, "", "FFFFFF", ["a0", "a1"]),
        (USUAL, None, "", "000000", BODY),
        (OWN, part("band1H", fill="000000"), "000000", "", ALL),
        (OWN, part("wholeTbl", fill="000000"), "000000", "FFFFFF", []),
        (FAMILIAR, None, "000000", "", ALL),
        (FAMILIAR, None, "", "000000", ALL),
        (FAMILIAR, None, "000000", "FFFFFF", []),
        (FAMILIAR, None, "", "", []),
    ],
)
def test_colours_of_cells_are_judged_with_those_of_the_style(
    name: str, definition: str | None, ink: str, fill: str, unsure: list[str]
) -> None:
    assert unsure_cells(definition, name=name, ink=ink, fill=fill) == unsure
