"""Text of Word documents that a reader does not see."""

import pytest
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.shared import Pt, RGBColor

from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case
from tests.office_files import WORD, changed, document, document_of, member, opened, text_of

WHITE = "<w:color w:val='FFFFFF'/>"
W14 = "http://schemas.microsoft.com/office/word/2010/wordml"
DRAWING = """xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
    xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"
    xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape\""""


def run(properties: str, text: str = " unseen") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def paragraph(properties: str, around: str = "", text: str = " unseen") -> str:
    """Return a paragraph of a visible run and a run with properties."""
    return f"<w:p><w:pPr>{around}</w:pPr><w:r><w:t>The text</w:t></w:r>{run(properties, text)}</w:p>"


def shade(fill: str, pattern: str = "clear", ink: str = "auto") -> str:
    return f"<w:shd w:val='{pattern}' w:color='{ink}' w:fill='{fill}'/>"


@each_case(
    "properties",
    [
        "<w:specVanish/>",
        "<w:sz w:val='2'/>",
        "<w:sz w:val='3'/>",
        "<w:sz w:val='2pt'/>",
        "<w:cs/><w:szCs w:val='2'/>",
        "<w:w w:val='1'/>",
        "<w:spacing w:val='-400'/>",
        "<w:position w:val='3000'/>",
        WHITE,
        "<w:color w:val='F8F8F8'/>",
        f"<w:color w:val='fefefe'/>{shade('FFFFFF')}",
        "<w:color w:val='auto' w:themeColor='background1'/>",
        "<w:color w:val='000000' w:themeColor='light1'/>",
        "<w:color w:val='000000' w:themeColor='text1' w:themeTint='00'/>",
        f"<w:color w:val='202020'/>{shade('202020')}",
        f"<w:color w:val='202020'/>{shade('FFFFFF', 'solid', '202020')}",
        f"<w:color w:val='808080'/>{shade('FFFFFF', 'pct50', '000000')}",
        "<w:color w:val='FFFF00'/><w:highlight w:val='yellow'/>",
        f"<w14:textFill xmlns:w14='{W14}'><w14:noFill/></w14:textFill>",
        f"""<w14:textFill xmlns:w14='{W14}'><w14:solidFill><w14:srgbClr w14:val='000000'><w14:alpha w14:val='99000'/>
            </w14:srgbClr></w14:solidFill></w14:textFill>""",
    ],
)
def test_text_that_is_hidden_tiny_or_in_the_colour_of_its_ground_is_left_out(properties: str) -> None:
    assert text_of(document_of(paragraph(properties))) == "The text"


@each_case(
    ("properties", "around"),
    [
        ("<w:sz w:val='8'/>", ""),
        ("<w:w w:val='66'/><w:spacing w:val='-20'/><w:position w:val='12'/>", ""),
        ("<w:color w:val='FF0000'/>", ""),
        ("<w:color w:val='FFFF00'/>", ""),
        ("<w:color w:val='F2F2F2'/>", ""),
        (f"{WHITE}<w:highlight w:val='black'/>", ""),
        (f"{WHITE}<w:emboss/>", ""),
        (WHITE, shade("1F3864")),
        (shade("000000"), ""),
        ("<w:color w:val='auto'/>", shade("000000")),
        ("<w:color w:val='FFFFFF' w:themeColor='text1'/>", ""),
        (f"{WHITE}<w14:textFill xmlns:w14='{W14}'><w14:gradFill/></w14:textFill>", ""),
    ],
)
def test_small_coloured_and_backed_text_is_read(properties: str, around: str) -> None:
    assert text_of(document_of(paragraph(properties, around, " seen"))) == "The text seen"


@pytest.mark.parametrize(
    "around",
    [
        shade("1F3864"),
        "<w:ind w:left='-30000'/>",
        "<w:ind w:left='30000'/>",
        "<w:ind w:right='-30000'/><w:jc w:val='right'/>",
        "<w:framePr w:x='-20000' w:y='1' w:hAnchor='page' w:vAnchor='page'/>",
        "<w:framePr w:x='1' w:y='40000' w:hAnchor='page' w:vAnchor='page'/>",
        "<w:spacing w:line='20' w:lineRule='exact'/>",
    ],
)
def test_paragraphs_in_their_own_colour_outside_the_page_or_flat_are_left_out(around: str) -> None:
    blue = run("<w:color w:val='1F3864'/>")
    body = f"<w:p><w:r><w:t>seen</w:t></w:r></w:p><w:p><w:pPr>{around}</w:pPr>{blue}</w:p>"
    assert text_of(document_of(body)) == "seen"


@pytest.mark.parametrize(
    "around",
    [
        "<w:ind w:left='-720' w:hanging='360'/>",
        "<w:ind w:left='5000'/><w:jc w:val='right'/>",
        "<w:framePr w:w='2000' w:x='900' w:y='900' w:hAnchor='page' w:vAnchor='page'/>",
        "<w:spacing w:line='240' w:lineRule='exact'/>",
        "<w:spacing w:line='20'/>",
    ],
)
def test_indents_frames_and_lines_of_usual_sizes_are_read(around: str) -> None:
    assert text_of(document_of(paragraph("", around, " seen"))) == "The text seen"


def cell(properties: str, content: str) -> str:
    return f"<w:tbl><w:tr><w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc></w:tr></w:tbl>"


def test_text_in_the_colour_of_its_cell_is_left_out() -> None:
    white, dark = paragraph(WHITE, "", " white"), paragraph("<w:color w:val='000001'/>", "", " dark")
    assert text_of(document_of(cell("", white + dark))) == "The text\n\nThe text dark"
    assert text_of(document_of(cell(shade("000000"), white + dark))) == "The text white\n\nThe text"


def test_white_text_is_read_where_the_style_of_a_table_may_put_a_colour_behind_it() -> None:
    def fill(word: WordDocument) -> None:
        styles = word.styles.element
        for name, properties in (("Dark", f"<w:tcPr>{shade('1F3864')}</w:tcPr>"), ("Lines", "")):
            styles.append(
                parse_xml(
                    f'<w:style xmlns:w="{WORD}" w:type="table" w:styleId="{name}"><w:name w:val="{name}"/>'
                    f'<w:tblStylePr w:type="firstRow">{properties}</w:tblStylePr></w:style>'
                )
            )
            table = word.add_table(1, 1)
            table._tbl.tblPr.get_or_add_tblStyle().set(f"{{{WORD}}}val", name)
            white = table.cell(0, 0).paragraphs[0].add_run(name)
            white.font.color.rgb = RGBColor(255, 255, 255)
        word.add_paragraph("The end")

    text = text_of(document(fill))
    assert "Dark" in text
    assert "Lines" not in text


def test_white_text_is_read_where_something_lies_behind_it() -> None:
    white = paragraph(WHITE, "", " white")
    behind = f'<w:p><w:r><w:drawing><wp:anchor {DRAWING} behindDoc="1"/></w:drawing></w:r></w:p>'
    beside = f'<w:p><w:r><w:drawing><wp:anchor {DRAWING} behindDoc="0"/></w:drawing></w:r></w:p>'
    assert "white" in text_of(document_of(white + behind))
    assert "white" not in text_of(document_of(white + beside))


def test_the_colour_of_the_page_counts_where_it_is_shown() -> None:
    data = document_of(paragraph(WHITE, "", " white") + paragraph("<w:color w:val='000080'/>", "", " blue"))
    body = member(data, "word/document.xml").replace(b"<w:body>", b'<w:background w:color="000080"/><w:body>')
    hidden = changed(data, {"word/document.xml": body})
    assert text_of(hidden) == "The text\n\nThe text blue"
    settings = member(data, "word/settings.xml")
    at = settings.index(b"<w:", settings.index(b"<w:settings") + 1)
    settings = settings[:at] + b"<w:displayBackgroundShape/>" + settings[at:]
    assert text_of(changed(hidden, {"word/settings.xml": settings})) == "The text white\n\nThe text"


def boxed(place: str = "", fill: str = "<a:noFill/>", shown: str = "In the box", old: str = "In the box") -> bytes:
    """Return a document with a text box at a place, which has another text for old programs."""
    text = f"<w:txbxContent><w:p>{run(WHITE if 'FFFFFF' in fill else '', shown)}</w:p></w:txbxContent>"
    choice = f"""<w:drawing {DRAWING}><wp:anchor>{place}<wp:extent cx="2000000" cy="500000"/><a:graphic><a:graphicData>
        <wps:wsp><wps:spPr>{fill}</wps:spPr><wps:txbx>{text}</wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData></a:graphic>
        </wp:anchor></w:drawing>"""
    fallback = f"<w:pict><v:shape><v:textbox>{text.replace(shown, old)}</v:textbox></v:shape></w:pict>"
    return document_of(
        f"""<w:p><w:r><w:t>Anchor</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires="wps">{choice}</mc:Choice>
        <mc:Fallback>{fallback}</mc:Fallback></mc:AlternateContent></w:r></w:p>"""
    )


def position(left: int, top: int) -> str:
    return (
        f'<wp:positionH relativeFrom="page"><wp:posOffset>{left}</wp:posOffset></wp:positionH>'
        f'<wp:positionV relativeFrom="page"><wp:posOffset>{top}</wp:posOffset></wp:positionV>'
    )


def test_text_boxes_are_read_where_they_are_on_the_page_and_have_another_colour_than_their_text() -> None:
    assert text_of(boxed()) == text_of(boxed(position(100, 100))) == "Anchor\n\nIn the box"
    for left, top in ((-9_000_000, 0), (20_000_000, 0), (0, 90_000_000)):
        assert text_of(boxed(position(left, top))) == "Anchor"
    white = '<a:solidFill><a:srgbClr val="FFFFFF"/></a:solidFill>'
    assert text_of(boxed(fill=white)) == "Anchor"


def test_the_text_of_a_box_is_that_which_word_shows() -> None:
    assert text_of(boxed(shown="This", old="Another")) == "Anchor\n\nThis"


def test_a_box_of_old_programs_is_judged_by_its_own_place() -> None:
    box = f"<v:textbox><w:txbxContent><w:p>{run('', 'In the box')}</w:p></w:txbxContent></v:textbox>"
    for style, is_seen in (
        ("position:absolute;margin-left:10pt;width:200pt;height:20pt", True),
        ("position:absolute;margin-left:-2000pt;width:200pt;height:20pt", False),
        ("width:200pt;height:1pt", False),
        ("width:200pt;height:20pt;visibility:hidden", False),
    ):
        shape = f"<w:pict><v:shape style='{style}'>{box}</v:shape></w:pict>"
        body = f"<w:p><w:r><w:t>Anchor</w:t></w:r><w:r>{shape}</w:r></w:p>"
        assert ("In the box" in text_of(document_of(body))) is is_seen


def test_sizes_and_colours_come_from_styles_too() -> None:
    def fill(word: WordDocument) -> None:
        word.styles.add_style("White", WD_STYLE_TYPE.CHARACTER).font.color.rgb = RGBColor(255, 255, 255)
        word.styles.add_style("Tiny", WD_STYLE_TYPE.PARAGRAPH).font.size = Pt(1)
        line = word.add_paragraph("Total: 90.00")
        line.add_run(" 91.00", style="White")
        line.add_run(" 92.00", style="White").font.color.rgb = RGBColor(0, 0, 0)
        word.add_paragraph("93.00", style="Tiny").add_run(" 94.00").font.size = Pt(9)

    assert text_of(document(fill)) == "Total: 90.00 92.00\n\n94.00"


def unsure_lines(data: bytes) -> list[str]:
    """Return the lines of which a reader perhaps sees nothing."""
    lines = (opened(data).text or "").splitlines()
    return [plain_form(line) for line in lines if UNSURE in line]


def test_white_text_is_unsure_where_its_ground_is_not_known() -> None:
    behind = f'<w:p><w:r><w:drawing><wp:anchor {DRAWING} behindDoc="1"/></w:drawing></w:r></w:p>'
    white = paragraph(WHITE, "", " white") + paragraph("", "", " black")
    assert unsure_lines(document_of(white + behind)) == ["The text white"]
    shaded = paragraph(WHITE, shade("1F3864"), " white").replace("<w:r><w:t>The text</w:t></w:r>", "")
    assert unsure_lines(document_of(shaded + behind)) == []


def table(cells: str, row: str = "", properties: str = "", columns: tuple[int, ...] = (3000, 3000)) -> str:
    grid = "".join(f"<w:gridCol w:w='{width}'/>" for width in columns)
    return (
        f"<w:tbl><w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
        f"<w:tr><w:trPr>{row}</w:trPr>{cells}</w:tr></w:tbl>"
    )


def table_cell(text: str, width: int = 3000, properties: str = "") -> str:
    lines = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in text.split("|"))
    return f"<w:tc><w:tcPr><w:tcW w:w='{width}' w:type='dxa'/>{properties}</w:tcPr>{lines}</w:tc>"


@pytest.mark.parametrize(
    ("text", "height", "seen", "unsure"),
    [
        ("one", 240, ["one"], []),
        ("one|two", 700, ["one", "two"], []),
        ("one|two", 560, ["one", "two"], ["two"]),
        ("one|||two", 280, ["one"], []),
        ("one " * 40, 280, [("one " * 40).strip()], [("one " * 40).strip()]),
    ],
)
def test_text_below_a_row_of_exact_height_is_left_out_or_unsure(
    text: str, height: int, seen: list[str], unsure: list[str]
) -> None:
    data = document_of(table(table_cell(text), f"<w:trHeight w:val='{height}' w:hRule='exact'/>"))
    assert text_of(data).split("\n\n") == seen
    assert unsure_lines(data) == unsure


def test_text_below_a_box_of_fixed_height_is_left_out() -> None:
    lines = "".join(f"<w:p>{run('', str(number))}</w:p>" for number in range(9))
    data = boxed(shown="In the box", old="In the box")
    body = member(data, "word/document.xml").decode()
    for fit, last in (("", "0"), ("<wps:bodyPr><a:spAutoFit/></wps:bodyPr>", "8")):
        longer = body.replace("<wps:bodyPr/>", fit or "<wps:bodyPr/>")
        longer = longer.replace("</w:txbxContent>", f"{lines}</w:txbxContent>")
        assert text_of(changed(data, {"word/document.xml": longer.encode()})).split("\n\n")[-1] == last


def test_cells_beside_the_page_are_left_out_if_programs_agree_on_the_columns() -> None:
    cells = table_cell("seen", 20_000) + table_cell("beside")
    fixed = document_of(table(cells, "", "<w:tblLayout w:type='fixed'/>", (20_000, 3000)))
    assert text_of(fixed).splitlines()[0] == "| seen |  |"
    fitted = document_of(table(cells, "", "", (20_000, 3000)))
    assert unsure_lines(fitted) == ["| seen | beside |"]
    assert unsure_lines(document_of(table(table_cell("seen") + table_cell("beside")))) == []


@each_case(
    ("properties", "is_unsure"),
    [
        ("<w:tblpPr w:horzAnchor='page' w:tblpX='10000'/>", True),
        ("<w:tblpPr w:horzAnchor='page' w:tblpX='2000'/>", False),
        ("<w:tblpPr w:horzAnchor='page' w:tblpX='-1000'/>", True),
        ("<w:tblpPr w:vertAnchor='page' w:tblpX='2000' w:tblpY='-200'/>", True),
        ("<w:tblpPr w:vertAnchor='page' w:tblpX='-1000' w:tblpXSpec='center'/>", False),
        ("<w:tblInd w:w='-3000' w:type='dxa'/>", True),
        ("<w:tblInd w:w='-115' w:type='dxa'/>", False),
    ],
)
def test_cells_of_tables_that_are_in_part_beside_the_page_are_unsure(properties: str, is_unsure: bool) -> None:
    body = table(table_cell("one") + table_cell("two"), "", properties)
    assert bool(unsure_lines(document_of(body))) is is_unsure


def test_deleted_cells_and_rows_with_an_indent_beside_the_page_are_unsure() -> None:
    assert unsure_lines(document_of(table(table_cell("text", 3000, "<w:cellDel w:id='1' w:author='a'/>")))) == ["text"]
    moved = "<w:tblPrEx><w:tblInd w:w='-31000' w:type='dxa'/></w:tblPrEx>"
    body = table(table_cell("text")).replace("<w:trPr>", f"{moved}<w:trPr>")
    assert unsure_lines(document_of(body)) == ["text"]


def test_text_in_cells_that_are_all_margin_is_unsure() -> None:
    margin = "<w:left w:w='{}' w:type='dxa'/>"
    wide = f"<w:tcMar>{margin.format(31_000)}</w:tcMar>"
    assert unsure_lines(document_of(table(table_cell("text", 3000, wide)))) == ["text"]
    assert unsure_lines(document_of(table(table_cell("text", 3000, wide.replace("31000", "100"))))) == []
    all_cells = f"<w:tblCellMar>{margin.format(31_000)}</w:tblCellMar>"
    assert unsure_lines(document_of(table(table_cell("text"), "", all_cells))) == ["text"]


def test_text_is_unsure_in_tables_whose_style_hides_a_part() -> None:
    shaded = f"<w:tcPr>{shade('1F3864')}</w:tcPr>"
    for properties, is_unsure in (
        ("<w:rPr><w:vanish/></w:rPr>", True),
        (f"<w:rPr>{WHITE}</w:rPr>", True),
        (f"<w:rPr>{WHITE}</w:rPr>{shaded}", False),
        (f"{shaded}</w:tblStylePr><w:tblStylePr w:type='neCell'><w:rPr>{WHITE}</w:rPr>", False),
        (f"{shaded}</w:tblStylePr><w:tblStylePr w:type='seCell'><w:rPr>{WHITE}</w:rPr>", True),
        ("<w:rPr><w:b/></w:rPr>", False),
    ):
        data = document_of(table(table_cell("text"), "", "<w:tblStyle w:val='Own'/>"))
        style = (
            "<w:style w:type='table' w:styleId='Own'><w:name w:val='Own'/>"
            f"<w:tblStylePr w:type='firstRow'>{properties}</w:tblStylePr></w:style></w:styles>"
        )
        styles = member(data, "word/styles.xml").replace(b"</w:styles>", style.encode())
        assert (unsure_lines(changed(data, {"word/styles.xml": styles})) == ["text"]) is is_unsure


def test_a_wide_section_does_not_make_others_wide() -> None:
    beside = f"<w:p><w:pPr><w:ind w:left='13000' w:right='-9000'/></w:pPr>{run('', 'far')}</w:p>"
    narrow, wide = (f"<w:sectPr><w:pgSz w:w='{width}' w:h='16838'/></w:sectPr>" for width in (11_906, 31_000))
    body = f"{beside}<w:p><w:pPr>{{}}</w:pPr>{run('', 'between')}</w:p>{beside}<w:p><w:pPr>{{}}</w:pPr></w:p>"
    assert text_of(document_of(body.format(narrow, wide))) == "between\n\nfar"
    assert text_of(document_of(body.format(wide, narrow))) == "far\n\nbetween"
    change = f"<w:sectPrChange w:id='1' w:author='a'>{wide}</w:sectPrChange></w:sectPr>"
    former = narrow.replace("</w:sectPr>", change)
    assert text_of(document_of(body.format(former, narrow))) == "between"


def test_text_behind_a_gutter_that_is_wider_than_the_page_is_left_out() -> None:
    body = f"<w:p>{run('', 'between')}</w:p><w:p><w:pPr>{{}}</w:pPr></w:p>"
    for gutter, is_seen in ((300, True), (31_000, False)):
        margins = f"<w:pgMar w:left='1440' w:right='1440' w:gutter='{gutter}'/>"
        section = f"<w:sectPr><w:pgSz w:w='11906' w:h='16838'/>{margins}</w:sectPr>"
        assert ("between" in text_of(document_of(body.format(section)))) is is_seen
