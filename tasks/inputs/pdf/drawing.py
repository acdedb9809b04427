"""Draws a PDF page with PDFium."""

import ctypes

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from models.vision.text import Image

_FLAGS = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
"""Rendering flags: with annotations, and RGB instead of BGR."""
_WHITE = (255, 255, 255, 255)
SCALE = 2.0
"""Pixels per point: 144 DPI, the resolution in which the HTTP contract gives a page's boxes."""


def draw(page: pypdfium2.PdfPage, width: int, height: int) -> Image:
    """Draw the page with its form fields on white, in `width` x `height` pixels."""
    picture = np.empty((height, width, 3), np.uint8)
    memory = (ctypes.c_ubyte * picture.nbytes).from_buffer(picture.data.cast("B"))
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR, rev_byteorder=True, buffer=memory)
    try:
        bitmap.fill_rect(_WHITE, 0, 0, width, height)
        place = (0, 0, width, height, 0, _FLAGS)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, *place)
        if page.formenv:
            pdfium.FPDF_FFLDraw(page.formenv, bitmap, page, *place)
        return picture
    finally:
        bitmap.close()
