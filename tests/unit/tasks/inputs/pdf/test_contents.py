"""PDF files whose content is not on their pages: portfolios, and forms of the XML Forms Architecture."""

import io

import pypdfium2
import pytest

from tasks.errors import InputTooLarge
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import PDF
from tasks.inputs.pages import Pages
from tasks.inputs.readers import READERS
from tasks.inputs.source import Blob
from tasks.markdown_text import plain_form
from tests.kit.papers.office_files import workbook
from tests.kit.papers.pdf_forms import form, widget
from tests.kit.papers.pdfs import pdf_of_pages, raw_pdf

WAIT = "BT /F1 12 Tf 20 160 Td (Please wait...) Tj ET"


def opened(data: bytes, limits: MediaLimits | None = None) -> Pages:
    pages = READERS[PDF](Blob(data, PDF, "a.pdf", "p"), limits or MediaLimits())
    pages.close()
    return pages


def with_files(data: bytes, files: dict[str, bytes]) -> bytes:
    """A PDF file with attached files."""
    document, buffer = pypdfium2.PdfDocument(data), io.BytesIO()
    for name, content in files.items():
        document.new_attachment(name).set_data(content)
    document.save(buffer)
    document.close()
    return buffer.getvalue()


def portfolio(files: dict[str, bytes]) -> bytes:
    return with_files(pdf_of_pages(1), files).replace(b"/Type/Catalog", b"/Type/Catalog/Collection<</View/D>>", 1)


def test_the_files_of_a_portfolio_are_read_as_those_of_an_e_mail() -> None:
    sheet = workbook(lambda book: book.active.append(["Lamp", 12]))
    eml = b"From: Ada <ada@a.example>\r\nSubject: inside\r\n\r\nThe body."
    pages = opened(
        portfolio({"a größe.csv": "größe;1\n".encode(), "b.xlsx": sheet, "c.pdf": pdf_of_pages(3), "d.eml": eml})
    )
    text = plain_form(pages.text or "")
    assert "Attachments: a größe.csv; b.xlsx; c.pdf; d.eml" in text
    assert "Attachment: a größe.csv\n\ngröße;1" in text
    assert "| Lamp | 12 |" in text
    assert "Subject: inside\n\nThe body." in text
    assert pages.total == 1 + 3
    assert pages.warnings == ()


def test_the_bytes_of_a_portfolio_are_bounded() -> None:
    with pytest.raises(InputTooLarge, match="is a portfolio of more than 1000 files or 1 MB"):
        opened(portfolio({"a.bin": b"x" * 3_000_000}), MediaLimits(office_bytes=1 << 20))


def test_files_that_a_document_only_has_with_it_are_not_read() -> None:
    pages = opened(with_files(pdf_of_pages(2), {"data.xml": b"<x/>"}))
    assert (pages.kind, pages.total, pages.text) == ("paged", 2, None)


TEMPLATE = """<template xmlns="http://www.xfa.org/schema/xfa-template/3.0/"><subform name="form1">
<field name="Name"><caption><value><text>First name:</text></value></caption><ui><textEdit/></ui></field>
<field name="Agree"><ui><checkButton/></ui><caption><value><text>I agree</text></value></caption>
<items><text>Y</text><text>N</text></items></field>
<field name="News"><ui><checkButton/></ui><caption><value><text>Newsletter</text></value></caption></field>
</subform></template>"""
DATA = """<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form1><Name>Ada
King</Name><Agree>Y</Agree><News>0</News><Total>12.50</Total><Empty/></form1></xfa:data></xfa:datasets>"""


def xfa(*packets: str, fields: str = "", page: str = WAIT) -> bytes:
    """A form with these packets, or with one for all of them, and places of fields on its page."""
    streams = [f"<< /Length {len(packet)} >>\nstream\n{packet}\nendstream" for packet in (page, *packets)]
    names = " ".join(f"({number}) {number} 0 R" for number in range(6, 6 + len(packets)))
    parts = f"[{names}]" if len(packets) > 1 else "6 0 R"
    return raw_pdf(
        f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] /XFA {parts} >> >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 5 0 R /Annots [{fields}] "
        "/Resources << /Font << /F1 4 0 R >> >> >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *streams,
    )


@pytest.mark.parametrize("packets", [(TEMPLATE, DATA), ("<xdp:xdp", DATA, TEMPLATE), (f"<xdp>{TEMPLATE}{DATA}</xdp>",)])
def test_the_data_of_an_xfa_form_are_read_with_their_captions(packets: tuple[str, ...]) -> None:
    pages = opened(xfa(*packets))
    assert plain_form(pages.text or "") == "First name: Ada King\n☒ I agree\n☐ Newsletter\nTotal: 12.50"
    assert len(pages.warnings) == 1
    assert pages.total == 0


def test_an_xfa_form_with_fields_on_its_pages_is_read_by_these() -> None:
    data = form(widget("/FT /Tx /V (Ada)"), settings="/XFA [(datasets) 5 0 R]")
    pages = opened(data.replace(b"null", b"<< /Length 0 >> stream\n\nendstream", 1))
    assert (pages.kind, pages.warnings) == ("paged", ())
