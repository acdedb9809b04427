"""PDF files, made for the tests."""

import io

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas


def pdf_of_pages(pages: int) -> bytes:
    """`pages` pages, each with the words `This is page <number>` in its text layer."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(300, 200))
    for number in range(1, pages + 1):
        canvas.drawString(40, 100, f"This is page {number}")
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def encrypted_pdf() -> bytes:
    """A page that opens only with a password."""
    file = io.BytesIO()
    canvas = Canvas(file, encrypt=StandardEncryption("user password", "owner password"))
    canvas.drawString(40, 100, "secret")
    canvas.save()
    return file.getvalue()
