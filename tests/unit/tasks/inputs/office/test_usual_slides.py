"""Markup of slides that is not usual makes their text unsure."""

from collections.abc import Callable
from typing import Any

import pytest
from pptx.opc.package import XmlPart
from pptx.opc.packuri import PackURI
from pptx.oxml import parse_xml
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.util import Inches

from tasks.markdown_text import UNSURE
from tests.office_files import opened, slides

_NAMES = {
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "a14": "http://schemas.microsoft.com/office/drawing/2010/main",
    "a16": "http://schemas.microsoft.com/office/drawing/2014/main",
    "own": "urn:an-extension",
}
Change = Callable[[Slide, Any], object]
"""A change of a slide, or of a box on it."""


def xml(written: str) -> Any:
    """Return an element that is written with the usual prefixes."""
    declared = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in _NAMES.items())
    return parse_xml(f"<p:x {declared}>{written}</p:x>")[0]


def added(path: str, written: str) -> Change:
    """Return a change that adds an element to one of a box."""
    return lambda _, box: box._element.find(path, _NAMES).append(xml(written))


def written(path: str, **attributes: str) -> Change:
    """Return a change that gives attributes to an element of a box."""

    def change(_: Slide, box: Any) -> None:
        element = box._element if path == "." else box._element.find(path, _NAMES)
        for name, value in attributes.items():
            element.set(name, value)

    return change


def listed(indent: str, sign: str) -> Change:
    """Return a change that gives a box the text of an amount, behind a sign or number of a list."""

    def change(_: Slide, box: Any) -> None:
        paragraph = box.text_frame.paragraphs[0]
        paragraph.runs[0].text = "49.50"
        properties = paragraph._p.get_or_add_pPr()
        properties.set("indent", indent)
        properties.append(xml(sign))

    return change


def unsure_texts(change: Change) -> list[str]:
    """Return which of the texts on a slide are unsure after a change of it and of one of its boxes."""

    def fill(presentation: Presentation) -> None:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        for at, text in enumerate(("own text", "other text")):
            box = slide.shapes.add_textbox(Inches(1), Inches(1 + 2 * at), Inches(6), Inches(1))
            box.text_frame.text = text
            run = box.text_frame.paragraphs[0].runs[0]
            run.font.bold = True
            if at == 0:
                change(slide, box)

    text = opened(slides(fill)).text
    assert text is not None
    return [line.replace(UNSURE, "") for line in text.split("\n") if UNSURE in line]


@pytest.mark.parametrize(
    "change",
    [
        written("p:spPr/a:xfrm", rot="600000"),
        written("p:txBody/a:bodyPr", anchor="ctr", vert="horz"),
        added("p:txBody/a:lstStyle", "<a:defPPr><a:defRPr lang='en-US'/></a:defPPr>"),
        added(".//a:rPr", "<a:ln w='9525'><a:solidFill><a:srgbClr val='FF0000'/></a:solidFill></a:ln>"),
        written(".//a:rPr", lang="de-DE", dirty="0", kern="1200", cap="all", u="sng"),
        added(".//a:rPr", "<a:latin typeface='Segoe UI Symbol' panose='020B0604020202020204' charset='0'/>"),
        added(".//a:rPr", "<a:effectLst><a:outerShdw blurRad='38100' dist='19050' dir='2700000'>"
                          "<a:srgbClr val='000000'><a:alpha val='40000'/></a:srgbClr></a:outerShdw></a:effectLst>"),
        added("p:spPr", "<a:ln w='38100' cmpd='sng'><a:solidFill><a:schemeClr val='accent1'/></a:solidFill></a:ln>"),
        added("p:spPr", "<a:extLst><a:ext uri='{909E8E84-426E-40DD-AFC4-6F175D3DCCD1}'><a14:hiddenFill><a:solidFill>"
                        "<a:srgbClr val='FFFFFF'/></a:solidFill></a14:hiddenFill></a:ext></a:extLst>"),
        added("p:nvSpPr/p:cNvPr", "<a:extLst><a:ext uri='{FF2B5EF4-FFF2-40B4-BE49-F238E27FC236}'>"
                                  "<a16:creationId id='{77862CE9-FA90-EC81-30BE-79943E8D27B0}'/></a:ext></a:extLst>"),
        lambda slide, _: slide._element.append(xml("<p:transition spd='med' advTm='5000'><p:fade/></p:transition>")),
    ],
)  # fmt: skip
def test_text_with_usual_markup_is_sure(change: Change) -> None:
    assert unsure_texts(change) == []


@pytest.mark.parametrize(
    "change",
    [
        written("p:txBody/a:bodyPr", numCol="16"),
        written("p:txBody/a:bodyPr", rot="5400000"),
        written("p:txBody/a:bodyPr", vertOverflow="clip"),
        added("p:txBody/a:bodyPr", "<a:prstTxWarp prst='textPlain'/>"),
        added("p:txBody/a:bodyPr", "<a:normAutofit lnSpcReduction='90000'/>"),
        added("p:txBody/a:lstStyle", "<a:defPPr><a:defRPr sz='100'/></a:defPPr>"),
        added(".//a:rPr", "<a:ln w='76200'><a:solidFill><a:srgbClr val='FFFFFF'/></a:solidFill></a:ln>"),
        added(".//a:rPr", "<a:latin typeface='Wingdings'/>"),
        added(".//a:rPr", "<a:latin typeface='Arial' charset='2'/>"),
        added(".//a:p", "<a14:m><m:oMath><m:phant><m:phantPr><m:show m:val='0'/></m:phantPr><m:e/></m:phant></m:oMath>"
                        "</a14:m>"),
    ],
)  # fmt: skip
def test_unusual_markup_of_a_text_makes_it_unsure(change: Change) -> None:
    assert unsure_texts(change) == ["own text"]


@pytest.mark.parametrize(
    "change",
    [
        written(".", useBgFill="1"),
        added("p:spPr", "<a:effectLst><a:fillOverlay blend='over'><a:solidFill><a:srgbClr val='FFFFFF'/></a:solidFill>"
                        "</a:fillOverlay></a:effectLst>"),
        added("p:spPr", "<a:effectLst><a:outerShdw dist='9999999' blurRad='0'><a:srgbClr val='FFFFFF'/>"
                        "</a:outerShdw></a:effectLst>"),
        added("p:spPr", "<a:scene3d><a:camera prst='orthographicFront'><a:rot lat='5400000' lon='0' rev='0'/>"
                        "</a:camera><a:lightRig rig='threePt' dir='t'/></a:scene3d>"),
        added("p:spPr", "<a:scene3d><a:camera prst='perspectiveLeft'/><a:lightRig rig='threePt' dir='t'/></a:scene3d>"),
        added("p:spPr", "<a:sp3d extrusionH='9999999'/>"),
        added("p:spPr", "<a:effectLst><a:softEdge rad='99999999'/></a:effectLst>"),
        added("p:spPr", "<a:ln w='9525000'><a:solidFill><a:srgbClr val='FFFFFF'/></a:solidFill></a:ln>"),
        added("p:txBody/a:bodyPr", "<a:sp3d z='999999'/>"),
        added(".//a:rPr", "<a:effectLst><a:glow rad='9999999'><a:srgbClr val='FFFFFF'/></a:glow></a:effectLst>"),
        added("p:spPr", "<a:extLst><a:ext uri='{1}'><own:cover/></a:ext></a:extLst>"),
        lambda slide, _: slide.shapes._spTree.append(xml("<own:cover/>")),
        lambda slide, _: slide._element.append(xml("<p:transition advClick='0' advTm='0'/>")),
        lambda slide, _: slide.slide_layout._element.cSld.append(xml("<own:cover/>")),
        lambda slide, _: slide.slide_layout.slide_master._element.find("p:txStyles/p:otherStyle/a:lvl1pPr", _NAMES)
            .append(xml("<own:cover/>")),
    ],
)  # fmt: skip
def test_unusual_markup_that_may_concern_other_text_makes_all_of_the_slide_unsure(change: Change) -> None:
    assert unsure_texts(change) == ["own text", "other text"]


@pytest.mark.parametrize("has_override", [False, True])
def test_a_slide_with_a_theme_of_its_own_is_unsure(*, has_override: bool) -> None:
    def change(slide: Slide, _: object) -> None:
        if has_override:
            name = PackURI("/ppt/theme/themeOverride1.xml")
            kind = "application/vnd.openxmlformats-officedocument.themeOverride+xml"
            part = XmlPart(name, kind, slide.part.package, xml("<a:themeOverride/>"))
            slide.part.relate_to(part, f"{_NAMES['r']}/themeOverride")

    assert bool(unsure_texts(change)) == has_override


@pytest.mark.parametrize("sign", ["<a:buChar char='-'/>", "<a:buAutoNum type='arabicPlain' startAt='9'/>"])
def test_figures_directly_behind_the_sign_of_a_list_are_unsure(sign: str) -> None:
    assert len(unsure_texts(listed("0", sign))) == 1
    assert unsure_texts(listed("-342900", sign)) == []
    assert unsure_texts(listed("-0.25in", sign)) == []
