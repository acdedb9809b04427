"""Word documents as Markdown."""

import socket

import pytest
from docx.document import Document as WordDocument
from docx.shared import Inches

from tests.kit.papers.office_files import changed, document, document_of, member, opened, picture, text_of


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_headings_and_paragraphs_keep_their_rank() -> None:
    def fill(word: WordDocument) -> None:
        word.add_heading("The title", 0)
        word.add_heading("First", 1)
        word.add_paragraph("Some words.")
        word.add_heading("Deeper", 3)

    assert text_of(document(fill)) == "# The title\n\n# First\n\nSome words.\n\n### Deeper"


def test_lists_are_nested_and_numbered() -> None:
    def fill(word: WordDocument) -> None:
        styles = ["List Bullet", "List Bullet 2", "List Bullet", "List Number", "List Number"]
        for text, style in zip("abcde", styles, strict=True):
            word.add_paragraph(text, style=style)

    assert text_of(document(fill)) == "- a\n  - b\n- c\n\n1. d\n2. e"


def test_a_merged_cell_has_its_text_in_the_first_place() -> None:
    def fill(word: WordDocument) -> None:
        table = word.add_table(3, 3)
        for row in range(3):
            for column in range(3):
                table.cell(row, column).text = f"{row}{column}"
        for row, column in ((0, 1), (2, 0)):
            table.cell(row, column).text = ""
        table.cell(0, 0).merge(table.cell(0, 1))
        table.cell(1, 0).merge(table.cell(2, 0))

    assert text_of(document(fill)).splitlines() == [
        "| 00 |  | 02 |",
        "| --- | --- | --- |",
        "| 10 | 11 | 12 |",
        "|  | 21 | 22 |",
    ]


def test_what_is_hidden_or_deleted_is_left_out() -> None:
    body = """<w:p><w:r><w:t>seen</w:t></w:r>
        <w:r><w:rPr><w:vanish/></w:rPr><w:t> unseen</w:t></w:r>
        <w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t> again</w:t></w:r>
        <w:del><w:r><w:delText> gone</w:delText></w:r></w:del>
        <w:ins><w:r><w:t> new</w:t></w:r></w:ins></w:p>"""
    assert text_of(document_of(body)) == "seen again new"


def test_a_text_box_follows_its_paragraph() -> None:
    body = f"""<w:p><w:r><w:t>Anchor</w:t></w:r><w:r><mc:AlternateContent><mc:Fallback>
        <w:pict><v:shape><v:textbox><w:txbxContent>{paragraph("In the box")}</w:txbxContent></v:textbox></v:shape>
        </w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"""
    assert text_of(document_of(body)) == "Anchor\n\nIn the box"


def test_an_equation_is_a_line_of_text() -> None:
    def run(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    body = f"""<w:p><w:r><w:t>So </w:t></w:r><m:oMathPara><m:oMath>{run("x=")}<m:f><m:num>{run("-b±")}
        <m:rad><m:deg/><m:e><m:sSup><m:e>{run("b")}</m:e><m:sup>{run("2")}</m:sup></m:sSup>{run("-4ac")}</m:e></m:rad>
        </m:num><m:den>{run("2a")}</m:den></m:f></m:oMath></m:oMathPara></w:p>
        <w:p><m:oMath><m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{run("i=1")}</m:sub><m:sup>{run("n")}
        </m:sup><m:e><m:sSub><m:e>{run("a")}</m:e><m:sub>{run("i")}</m:sub></m:sSub></m:e></m:nary></m:oMath></w:p>"""
    assert text_of(document_of(body)) == "So x=(-b±√(b^2-4ac))/2a\n\n∑_(i=1)^n a_i"


def test_a_footnote_is_numbered_and_stands_at_the_end() -> None:
    relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    data = document_of('<w:p><w:r><w:t>Claim</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>')
    rels = member(data, "word/_rels/document.xml.rels").replace(
        b"</Relationships>",
        f'<Relationship Id="n1" Type="{relationships}/footnotes" Target="footnotes.xml"/></Relationships>'.encode(),
    )
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    notes = f'<w:footnotes xmlns:w="{word}"><w:footnote w:id="2">{paragraph("The proof.")}</w:footnote></w:footnotes>'
    data = changed(data, {"word/_rels/document.xml.rels": rels, "word/footnotes.xml": notes.encode()})
    assert text_of(data) == "Claim[1]\n\n1. The proof."


def test_pictures_are_pages_and_the_text_knows_their_places() -> None:
    def fill(word: WordDocument) -> None:
        word.add_paragraph("above")
        word.add_picture(picture(60, 30), width=Inches(1))
        word.add_paragraph("between")
        word.add_picture(picture(90, 40, codec="JPEG"), width=Inches(1))
        word.add_picture(picture(60, 30), width=Inches(1))

    pages = opened(document(fill))
    assert (pages.kind, pages.total, pages.size(1), pages.size(2)) == ("text", 2, (60, 30), (90, 40))
    assert pages.picture(1).shape == (30, 60, 3)
    assert [place.number for place in pages.places] == [1, 2, 1]
    assert pages.text is not None
    assert [pages.text[: place.offset].rstrip()[-7:] for place in pages.places] == ["above", "between", "between"]


def test_a_picture_that_the_file_does_not_hold_is_mentioned() -> None:
    data = document(lambda word: word.add_picture(picture(), width=Inches(1)))
    rels = member(data, "word/_rels/document.xml.rels").replace(b"media/image1.png", b"media/image2.png")
    assert text_of(changed(data, {"word/_rels/document.xml.rels": rels})) == "[picture not read: missing]"


def test_a_linked_picture_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(word: WordDocument) -> None:
        word.add_paragraph("above")
        word.add_picture(picture(), width=Inches(1))

    touched: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: touched.append(where))
    monkeypatch.setattr(socket.socket, "connect", lambda _, where: touched.append(where))
    data = document(fill)
    body = member(data, "word/document.xml").replace(b"r:embed=", b"r:link=")
    rels = member(data, "word/_rels/document.xml.rels").replace(
        b'Target="media/image1.png"', b'Target="http://127.0.0.1:9/a.png" TargetMode="External"'
    )
    data = changed(data, {"word/document.xml": body, "word/_rels/document.xml.rels": rels})
    assert text_of(data) == "above\n\n[picture not read: not in the file]"
    assert touched == []
