"""Which text of a PDF page is struck through."""

import io

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from reportlab.pdfgen.canvas import Canvas

from tasks.inputs.pages import TextLayer
from tests.unit.tasks.inputs.pdf.drawn import Draw, layer_in, layer_of, texts, words

TEXT = "Total 80.00 EUR"


def line(left: float, right: float, y: float, *, thick: float = 1) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.setLineWidth(thick)
        canvas.line(left, y, right, y)

    return draw


def bar(left: float, right: float, y: float) -> Draw:
    return lambda canvas: canvas.rect(left, y - 0.5, right - left, 1, stroke=0, fill=1)


@pytest.mark.parametrize(
    ("strike", "read"),
    [
        (line(101, 132, 704), "Total ~~80.00~~ EUR"),
        (bar(101, 132, 704), "Total ~~80.00~~ EUR"),
        (line(72, 160, 704), "~~Total 80.00 EUR~~"),
        (line(70, 130, 705), "~~Total 80.00~~ EUR"),
        (line(101, 132, 698), TEXT),
        (line(101, 132, 711), TEXT),
        (line(20, 500, 704), TEXT),
        (line(101, 110, 704), TEXT),
    ],
    ids=["one word", "bar", "whole line", "two words", "underlined", "above", "across the page", "one letter"],
)
def test_a_line_through_words_strikes_them_out(strike: Draw, read: str) -> None:
    assert texts(layer_of(words(TEXT), strike)) == [read]


def annotated(kind: int, corners: tuple[float, ...]) -> TextLayer:
    """The layer of a page with an annotation."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.setFont("Helvetica", 12)
    canvas.drawString(72, 700, TEXT)
    canvas.save()
    pdf = pypdfium2.PdfDocument(buffer.getvalue())
    page = pdf[0]
    annotation = pdfium.FPDFPage_CreateAnnot(page, kind)
    assert pdfium.FPDFAnnot_AppendAttachmentPoints(annotation, pdfium.FS_QUADPOINTSF(*corners))
    assert pdfium.FPDFAnnot_SetRect(annotation, pdfium.FS_RECTF(101, 712, 132, 698))
    pdfium.FPDFPage_CloseAnnot(annotation)
    page.close()
    noted = io.BytesIO()
    pdf.save(noted)
    pdf.close()
    return layer_in(noted.getvalue())


CORNERS = (101, 712, 132, 712, 101, 698, 132, 698)


def test_an_annotation_strikes_words_out() -> None:
    assert texts(annotated(pdfium.FPDF_ANNOT_STRIKEOUT, CORNERS)) == ["Total ~~80.00~~ EUR"]
