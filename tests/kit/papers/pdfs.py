"""PDF files, made for the tests."""

import io

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas


def pdf_of_pages(pages: int) -> bytes:
    """Return a file of `pages` pages, each with the words `This is page <number>` in its text layer."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(300, 200))
    for number in range(1, pages + 1):
        canvas.drawString(40, 100, f"This is page {number}")
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def encrypted_pdf() -> bytes:
    """Return a file whose page opens only with a password."""
    file = io.BytesIO()
    canvas = Canvas(file, encrypt=StandardEncryption("user password", "owner password"))
    canvas.drawString(40, 100, "secret")
    canvas.save()
    return file.getvalue()


def raw_pdf(*objects: str) -> bytes:
    """Return a file of these objects, which are numbered from 1. The first is the catalogue."""
    body, offsets = "%PDF-1.7\n", []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\n"
    return f"{body}{end}startxref\n{len(body)}\n%%EOF".encode()
