"""Text boxes of Word documents: where they are on the page, and the room that they have for text."""

from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case
from tests.office_files import document_of, opened

WORD_2010 = "http://schemas.microsoft.com/office/word/2010"
DRAWING = f"""xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
    xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:wps="{WORD_2010}/wordprocessingShape"
    xmlns:wpg="{WORD_2010}/wordprocessingGroup" xmlns:wp14="{WORD_2010}/wordprocessingDrawing\""""
PAGE_CORNER = "<wp:posOffset>100000</wp:posOffset>"
RED, WHITE = "<w:color w:val='FF0000'/>", "<w:color w:val='FFFFFF'/>"


def frame(width: int, height: int, left: int = 0, attributes: str = "") -> str:
    return f"<a:xfrm {attributes}><a:off x='{left}' y='0'/><a:ext cx='{width}' cy='{height}'/></a:xfrm>"


def content(text: str = "Total", properties: str = "") -> str:
    run = f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"
    return f"<w:txbxContent><w:p>{run}</w:p></w:txbxContent>"


def shape(xfrm: str = "", body: str = "<wps:bodyPr/>", text: str = "", geometry: str = "rect") -> str:
    properties = f"<wps:spPr>{xfrm}<a:prstGeom prst='{geometry}'/><a:noFill/></wps:spPr>"
    return f"<wps:wsp><wps:cNvSpPr/>{properties}<wps:txbx>{text or content()}</wps:txbx>{body}</wps:wsp>"


def anchored(
    shapes: str,
    across: str = PAGE_CORNER,
    base: str = "page",
    *,
    width: int = 2_000_000,
    height: int = 500_000,
    more: str = "",
) -> str:
    return f"""<w:drawing {DRAWING}><wp:anchor behindDoc="0"><wp:positionH relativeFrom="{base}">{across}</wp:positionH>
        <wp:positionV relativeFrom="page">{PAGE_CORNER}</wp:positionV><wp:extent cx="{width}" cy="{height}"/>
        <wp:wrapNone/><a:graphic><a:graphicData>{shapes}</a:graphicData></a:graphic>{more}</wp:anchor></w:drawing>"""


def is_unsure(drawing: str, old: str = "") -> bool | None:
    """Return whether the text of a box is unsure; None if it is left out. `old` is for old programs."""
    boxes = f"""<mc:AlternateContent><mc:Choice Requires="wps wpg">{drawing}</mc:Choice>
        <mc:Fallback>{old}</mc:Fallback></mc:AlternateContent>""".replace('"wps wpg">', f'"wps" {DRAWING}>')
    text = opened(document_of(f"<w:p><w:r><w:t>Anchor</w:t></w:r><w:r>{boxes}</w:r></w:p>")).text or ""
    return next((UNSURE in line for line in text.split("\n") if "Total" in plain_form(line)), None)


def relative_size(share: int) -> str:
    return f"<wp14:sizeRelH relativeFrom='page'><wp14:pctWidth>{share}</wp14:pctWidth></wp14:sizeRelH>"


def group(left: int, own: str = "") -> str:
    within = f"<wpg:grpSpPr>{own}</wpg:grpSpPr>{shape(frame(1_000_000, 400_000, left))}"
    return f"<wpg:wgp><wpg:cNvGrpSpPr/>{within}</wpg:wgp>"


HALF = """<a:xfrm><a:off x='0' y='0'/><a:ext cx='1000000' cy='500000'/><a:chOff x='50000000' y='0'/>
    <a:chExt cx='2000000' cy='1000000'/></a:xfrm>"""


@each_case(
    "drawing",
    [
        anchored(shape()),
        anchored(shape(frame(2_000_000, 500_000, attributes="rot='0'"))),
        anchored(shape(), "<wp:align>right</wp:align>"),
        anchored(shape(), "<wp:align>center</wp:align>", "margin", width=4_000_000),
        anchored(shape(), more=relative_size(0)),
        anchored(shape(body="<wps:bodyPr rot='0' vert='horz' lIns='91440' tIns='45720'><a:noAutofit/></wps:bodyPr>")),
        anchored(shape(body="<wps:bodyPr wrap='none'><a:spAutoFit/></wps:bodyPr>"), width=100_000),
        anchored(group(500_000)),
        anchored(group(50_000_000, HALF)),
    ],
)
def test_text_that_is_in_its_box_and_on_the_page_is_sure(drawing: str) -> None:
    assert is_unsure(drawing) is False


@each_case(
    "drawing",
    [
        anchored(shape(frame(2_000_000, 500_000, attributes="rot='5400000'"))),
        anchored(shape(frame(2_000_000, 500_000, attributes="flipV='1'"))),
        anchored(shape(frame(9_000_000, 500_000))),
        anchored(shape(body="<wps:bodyPr vert='vert270'/>")),
        anchored(shape(body="<wps:bodyPr><a:prstTxWarp prst='textCanUp'/></wps:bodyPr>")),
        anchored(shape(body="<wps:bodyPr lIns='1900000'/>")),
        anchored(shape(geometry="mathMinus")),
        anchored(shape(), width=200_000, height=9_000_000),
        anchored(shape(), more=relative_size(1_000)),
        anchored(shape(), "<wp:align>right</wp:align>", width=30_000_000),
        anchored(shape(), "<wp:posOffset>-500000</wp:posOffset>"),
        anchored(shape(), "<wp:posOffset>0</wp:posOffset>", "rightMargin"),
        anchored(shape(), "<wp14:pctPosHOffset>200000</wp14:pctPosHOffset>"),
        anchored(group(7_000_000)),
    ],
)
def test_text_that_may_be_cut_turned_or_elsewhere_is_unsure(drawing: str) -> None:
    assert is_unsure(drawing) is True


@each_case(
    "drawing",
    [
        anchored(shape(body="<wps:bodyPr tIns='9000000'/>")),
        anchored(shape(), "<wp:posOffset>3000000</wp:posOffset>", "rightMargin"),
        anchored(group(90_000_000)),
        anchored(group(-9_000_000, HALF)),
    ],
)
def test_text_outside_its_box_or_the_page_is_left_out(drawing: str) -> None:
    assert is_unsure(drawing) is None


def test_the_text_of_a_box_is_that_which_is_shown() -> None:
    def old(properties: str = "") -> str:
        return f"<w:pict><v:rect><v:textbox>{content(properties=properties)}</v:textbox></v:rect></w:pict>"

    assert is_unsure(anchored(shape(text=content(properties=RED))), old(WHITE)) is False
    assert is_unsure(anchored(shape(text=content(properties=WHITE))), old(RED)) is None
    assert is_unsure(anchored(shape(text=content(properties="<w:webHidden/>"))), old()) is True
