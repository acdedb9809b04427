"""Text of Word documents in markup that is not usual."""

from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case
from tests.office_files import WORD, changed, document_of, opened

NAMES = f"""xmlns:w='{WORD}' xmlns:w14='http://schemas.microsoft.com/office/word/2010/wordml'
    xmlns:w15='http://schemas.microsoft.com/office/word/2012/wordml' xmlns:x='urn:unknown'
    xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'
    xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'"""
RUN = "<w:r><w:t>Total</w:t></w:r>"
USUAL = """<w:p w:rsidR='00A77427' w14:paraId='1'><w:pPr><w:keepNext/><w:pBdr><w:top w:val='single' w:sz='4'/></w:pBdr>
    <w:textAlignment w:val='auto'/><w:rPr><w:rFonts w:ascii='Symbol'/></w:rPr></w:pPr><w:proofErr w:type='spellStart'/>
    <w:bookmarkStart w:id='0' w:name='_GoBack'/><w:r w:rsidRPr='00A77427'><w:rPr><w:rFonts w:ascii='Arial'
    w:hAnsi='Arial'/><w:b/><w:noProof/><w:kern w:val='2'/><w:lang w:val='en-US'/><w14:ligatures w14:val='none'/>
    <w:rPrChange w:id='1'><w:rPr><w:effect w:val='shimmer'/></w:rPr></w:rPrChange></w:rPr>
    <w:t>Usual</w:t></w:r></w:p>"""


def unsure_lines(body: str, **parts: str) -> set[str]:
    """Return the lines that are unsure of a document with a usual line, others, and XML in its parts."""
    part = f"<w:document {NAMES}><w:body>{USUAL}{body}</w:body></w:document>"
    data = changed(document_of(""), {"word/document.xml": part.encode()})
    for name, content in parts.items():
        data = changed(data, {f"word/{name}.xml": f"<w:{name} {NAMES}>{content}</w:{name}>".encode()})
    lines = [line.strip("| ") for line in (opened(data).text or "").split("\n")]
    assert any("Total" in plain_form(line) for line in lines)
    return {plain_form(line) for line in lines if UNSURE in line}


def total(paragraph: str = "", run: str = "") -> str:
    return f"<w:p><w:pPr>{paragraph}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t>Total</w:t></w:r></w:p>"


@each_case(
    "run",
    [
        "<w:eastAsianLayout w:id='1' w:combine='1'/>",
        "<w:effect w:val='blinkBackground'/>",
        "<w:webHidden/>",
        "<w:fitText w:val='20'/>",
        "<w:rFonts w:ascii='Wingdings' w:hAnsi='Wingdings'/>",
        "<w:cs w:val='perhaps'/>",
        "<w:spacing w:val='20000'/>",
        "<w14:glow w14:rad='2000000'/>",
        "<w14:scene3d><w14:camera w14:prst='isometricTopUp'/></w14:scene3d>",
        "<x:melted/>",
    ],
)
def test_unusual_properties_of_a_run_make_it_unsure(run: str) -> None:
    assert unsure_lines(total(run=run)) == {"Total"}


@each_case(
    "content",
    [
        total("<w:textDirection w:val='tbRl'/>"),
        f"<w:p><w:bdo w:val='rtl'>{RUN}</w:bdo></w:p>",
        f"<w:sdt><w:sdtPr><w:comboBox/></w:sdtPr><w:sdtContent><w:p>{RUN}</w:p></w:sdtContent></w:sdt>",
        f"<w:sdt><w:sdtPr><w15:dataBinding/></w:sdtPr><w:sdtContent><w:p>{RUN}</w:p></w:sdtContent></w:sdt>",
        "<w:p><m:oMath><m:borderBox><m:borderBoxPr><m:strikeH m:val='1'/></m:borderBoxPr><m:e><m:r><m:t>Total</m:t>"
        "</m:r></m:e></m:borderBox></m:oMath></w:p>",
    ],
)
def test_the_paragraph_the_control_or_the_equation_with_unusual_markup_is_unsure(content: str) -> None:
    assert unsure_lines(content + "<w:p><w:r><w:t>Next</w:t></w:r></w:p>") == {"Total"}


@each_case(
    "cell",
    [
        "<w:hMerge w:val='restart'/>",
        "<w:tcFitText/>",
        "<w:textDirection w:val='btLr'/>",
        "<w:tcMar><w:right w:w='9000'/></w:tcMar>",
    ],
)
def test_a_table_with_unusual_cells_is_unsure(cell: str) -> None:
    table = f"<w:tbl><w:tr><w:tc><w:tcPr>{cell}</w:tcPr><w:p/></w:tc></w:tr><w:tr><w:tc>{total()}</w:tc></w:tr></w:tbl>"
    assert unsure_lines(table) == {"Total"}


def test_a_row_that_begins_behind_a_space_outside_the_page_is_unsure() -> None:
    for space, lines in (("20000", {"Total"}), ("200", set())):
        row = f"<w:trPr><w:gridBefore w:val='1'/><w:wBefore w:w='{space}' w:type='dxa'/></w:trPr>"
        cell = f"<w:tc><w:tcPr><w:tcW w:w='3000' w:type='dxa'/></w:tcPr>{total()}</w:tc>"
        grid = "<w:tblGrid><w:gridCol w:w='100'/><w:gridCol w:w='3000'/></w:tblGrid>"
        assert unsure_lines(f"<w:tbl>{grid}<w:tr>{row}{cell}</w:tr></w:tbl>") == lines


@each_case(
    "content",
    [
        total("<w15:collapsed/>"),
        total() + "<w:altChunk/>",
        total() + "<x:cover><w:p/></x:cover>",
        total() + "<w:sectPr><w:cols w:num='45'/></w:sectPr>",
        total() + "<w:sectPr><w:pgMar w:right='11000'/></w:sectPr>",
        total("<w:sectPr><w:textDirection w:val='tbRl'/></w:sectPr>"),
    ],
)
def test_markup_that_may_concern_other_text_makes_all_of_it_unsure(content: str) -> None:
    assert unsure_lines(content) == {"Usual", "Total"}


def style(content: str) -> str:
    return f"<w:style w:type='paragraph' w:styleId='Own'><w:name w:val='Own'/>{content}</w:style>"


def test_unusual_styles_and_lists_make_the_text_with_them_unsure() -> None:
    own = total("<w:pStyle w:val='Own'/>")
    assert unsure_lines(own, styles=style("<w:pPr><w:textDirection w:val='tbRl'/></w:pPr>")) == {"Total"}
    assert unsure_lines(own, styles=style("<w:pPr><w15:collapsed/></w:pPr>")) == {"Usual", "Total"}
    assert unsure_lines(own, styles=style("<w:rPr><w:kern w:val='2'/></w:rPr><w:qFormat/>")) == set()
    listed = total("<w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr>")
    for level, lines in {
        "<w:lvlText w:val='9'/>": {"* Total"},
        "<w:suff w:val='nothing'/><w:lvlText w:val='%1'/>": {"* Total"},
        "<w:suff w:val='nothing'/><w:lvlText w:val='%1.'/>": set(),
        "<w:lvlText w:val='o'/><w:rPr><w:rFonts w:ascii='Symbol'/></w:rPr>": set(),
        "<x:cover/>": {"Usual", "* Total"},
    }.items():
        levels = f"<w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'>{level}</w:lvl></w:abstractNum>"
        number = "<w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>"
        found = unsure_lines(listed, numbering=levels + number)
        assert {line.lstrip("*-1. ") for line in found} == {line.lstrip("* ") for line in lines}


def test_unusual_settings_make_all_text_unsure() -> None:
    compatibility = "<w:compat><w:compatSetting w:name='{}' w:uri='urn:w' w:val='15'/></w:compat>"
    assert unsure_lines(total(), settings=compatibility.format("compatibilityMode")) == set()
    assert unsure_lines(total(), settings=compatibility.format("foldText")) == {"Usual", "Total"}
    assert unsure_lines(total(), settings="<w:view w:val='outline'/>") == {"Usual", "Total"}


def test_alternatives_that_are_not_shown_are_not_judged() -> None:
    def alternative(choice: str, fallback: str) -> str:
        branches = f"<mc:Choice Requires='{choice}'><x:ink/></mc:Choice><mc:Fallback>{fallback}</mc:Fallback>"
        return f"<w:p>{RUN}<w:r><mc:AlternateContent>{branches}</mc:AlternateContent></w:r></w:p>"

    assert unsure_lines(alternative("x", "<w:lastRenderedPageBreak/>")) == set()
    assert unsure_lines(alternative("x", "<x:ink/>")) == {"Usual", "Total"}
    assert unsure_lines(alternative("w14", "")) == {"Usual", "Total"}
