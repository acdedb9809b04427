"""Properties that the text of Word documents has from its styles, its numbering and the defaults."""

import pytest

from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case
from tests.office_files import WORD, changed, document_of, opened

NAMES = f"xmlns:w='{WORD}' xmlns:w14='http://schemas.microsoft.com/office/word/2010/wordml'"
TAB = "<w:r><w:tab/></w:r>"
LOOKS = {
    "<w:vanish/>": None,
    "<w:sz w:val='2'/>": None,
    "<w14:textFill><w14:noFill/></w14:textFill>": None,
    "<w:color w:val='FFFFFF'/>": None,
    "<w:webHidden/>": True,
    "<w:fitText w:val='20'/>": True,
    "<w:rFonts w:ascii='Wingdings' w:hAnsi='Wingdings'/>": True,
    "<w:rFonts w:ascii='Arial' w:hAnsi='Arial'/>": False,
    "<w:emboss/>": True,
    "<w:sz w:val='5'/>": True,
    "<w14:textFill><w14:gradFill/></w14:textFill>": True,
    "<w14:textFill><w14:solidFill><w14:srgbClr w14:val='000000'/></w14:solidFill></w14:textFill>": False,
    "<w14:textOutline><w14:noFill/></w14:textOutline>": False,
    "<w:color w:val='FF0000'/>": False,
}
"""Whether text with properties is unsure; None for text that is left out."""
LAYOUTS = {
    "<w:ind w:left='31000'/>": None,
    "<w:ind w:leftChars='30000' w:left='100'/>": None,
    "<w:spacing w:line='20' w:lineRule='exact'/>": None,
    "<w:framePr w:x='-20000' w:hAnchor='page'/>": None,
    "<w:framePr w:w='1' w:h='1' w:hRule='exact'/>": True,
    "<w:tabs><w:tab w:val='left' w:pos='31000'/></w:tabs>": True,
    "<w:tabs><w:tab w:pos='9000'/><w:tab w:pos='11000'/></w:tabs>": True,
    "<w:ind w:left='-2000'/>": True,
    "<w:ind w:right='-2000'/><w:jc w:val='right'/>": True,
    "<w:spacing w:line='30'/>": True,
    "<w:ind w:left='-720' w:hanging='360'/>": False,
    "<w:ind w:right='-2000'/>": False,
    "<w:tabs><w:tab w:val='right' w:pos='9000'/></w:tabs>": False,
}


def line_of(data: bytes, **parts: str) -> bool | None:
    """Return whether the line "Total" of a document with XML in its parts is unsure; None if it is left out."""
    for name, content in parts.items():
        path = f"word/{name}.xml"
        part = f"<w:{name} {NAMES}>{content}</w:{name}>"
        data = changed(data, {path: part.encode()})
    lines = (opened(data).text or "").splitlines()
    return next((UNSURE in line for line in lines if "Total" in plain_form(line)), None)


def total(paragraph: str = "", run: str = "") -> str:
    text = f"<w:r><w:rPr>{run}</w:rPr><w:t>Total</w:t></w:r>"
    return f"<w:p><w:pPr>{paragraph}</w:pPr>{TAB}{text}</w:p>"


def style(kind: str, key: str, content: str, attributes: str = "") -> str:
    return f"<w:style w:type='{kind}' w:styleId='{key}' {attributes}><w:name w:val='{key}'/>{content}</w:style>"


@pytest.mark.parametrize("kind", ["run", "character", "based", "paragraph", "table", "default", "defaults"])
def test_properties_of_runs_are_those_of_their_styles(kind: str) -> None:
    for properties, is_unsure in LOOKS.items():
        content, run, paragraph = f"<w:rPr>{properties}</w:rPr>", "", ""
        styles = style("character", "Own", content)
        match kind:
            case "run":
                run, styles = properties, ""
            case "character":
                run = "<w:rStyle w:val='Own'/>"
            case "based":
                run = "<w:rStyle w:val='Last'/>"
                chain = [f"Style{number}" for number in range(30)] + ["Last"]
                based = zip(chain, ["Own", *chain], strict=False)
                styles += "".join(style("character", one, f"<w:basedOn w:val='{on}'/>") for one, on in based)
            case "paragraph":
                paragraph, styles = "<w:pStyle w:val='Own'/>", style("paragraph", "Own", content)
            case "default":
                styles = style("paragraph", "Own", content, "w:default='1'")
            case "table":
                styles = style("table", "Own", content, "w:default='1'")
            case _:
                styles = f"<w:docDefaults><w:rPrDefault>{content}</w:rPrDefault></w:docDefaults>"
        line = total(paragraph, run)
        body = f"<w:tbl><w:tr><w:tc>{line}</w:tc></w:tr></w:tbl>" if kind == "table" else line
        data = document_of(body.replace("<w:r>", f"<w:r {NAMES}>"))
        assert line_of(data, styles=styles) is is_unsure, properties


@pytest.mark.parametrize("kind", ["paragraph", "style", "table", "default", "defaults", "list", "list_of_style"])
def test_properties_of_paragraphs_are_those_of_their_styles_and_lists(kind: str) -> None:
    for properties, is_unsure in LAYOUTS.items():
        content, paragraph = f"<w:pPr>{properties}</w:pPr>", ""
        number = "<w:numPr><w:ilvl w:val='0'/><w:numId w:val='7'/></w:numPr>"
        styles, numbering = "", ""
        match kind:
            case "paragraph":
                paragraph = properties
            case "style":
                paragraph, styles = "<w:pStyle w:val='Own'/>", style("paragraph", "Own", content)
            case "table":
                styles = style("table", "Own", content, "w:default='1'")
            case "default":
                styles = style("paragraph", "Own", content, "w:default='1'")
            case "defaults":
                styles = f"<w:docDefaults><w:pPrDefault>{content}</w:pPrDefault></w:docDefaults>"
            case _:
                numbering = f"<w:abstractNum w:abstractNumId='3'><w:lvl w:ilvl='0'>{content}</w:lvl></w:abstractNum>"
                numbering += "<w:num w:numId='7'><w:abstractNumId w:val='3'/></w:num>"
                paragraph = number if kind == "list" else "<w:pStyle w:val='Own'/>"
                styles = style("paragraph", "Own", f"<w:pPr>{number}</w:pPr>")
        line = total(paragraph)
        data = document_of(f"<w:tbl><w:tr><w:tc>{line}</w:tc></w:tr></w:tbl>" if kind == "table" else line)
        parts = {"numbering": numbering} if numbering else {}
        assert line_of(data, styles=styles, **parts) is is_unsure, properties


def test_default_tab_stops_may_be_beside_the_page() -> None:
    for distance, is_unsure in ((720, False), (31_000, True)):
        settings = f"<w:defaultTabStop w:val='{distance}'/>"
        assert line_of(document_of(total()), settings=settings) is is_unsure


def test_a_tab_stop_beside_the_page_matters_only_to_text_with_a_tab() -> None:
    body = total("<w:tabs><w:tab w:val='left' w:pos='31000'/></w:tabs>").replace(TAB, "")
    assert line_of(document_of(body)) is False


@each_case(
    "content",
    [
        "<w:tblPr><w:tblInd w:w='-31000' w:type='dxa'/></w:tblPr>",
        "<w:tblPr><w:tblCellMar><w:left w:w='31000' w:type='dxa'/></w:tblCellMar></w:tblPr>",
        "<w:trPr><w:hidden/></w:trPr>",
        "<w:tblStylePr w:type='firstRow'><w:trPr><w:trHeight w:val='20' w:hRule='exact'/></w:trPr></w:tblStylePr>",
        "<w:tblStylePr w:type='firstRow'><w:rPr><w:webHidden/></w:rPr></w:tblStylePr>",
        "<w:tblStylePr w:type='firstRow'><w:pPr><w:ind w:left='31000'/></w:pPr></w:tblStylePr>",
    ],
)
def test_text_is_unsure_in_tables_whose_style_may_put_it_out_of_sight(content: str) -> None:
    body = f"<w:tbl><w:tr><w:tc>{total()}</w:tc></w:tr></w:tbl>"
    assert line_of(document_of(body), styles=style("table", "Own", content, "w:default='1'")) is True


@pytest.mark.deep
def test_many_styles_and_tab_stops_are_read_once() -> None:
    stops = "".join(f"<w:tab w:val='left' w:pos='{number}'/>" for number in range(60_000))
    based = "".join(
        style("paragraph", f"Style{number}", f"<w:basedOn w:val='Style{number - 1}'/>") for number in range(1, 30_000)
    )
    first = style("paragraph", "Style0", f"<w:pPr><w:tabs>{stops}</w:tabs></w:pPr>")
    assert line_of(document_of(total("<w:pStyle w:val='Style29999'/>")), styles=first + based) is True
