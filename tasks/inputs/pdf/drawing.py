"""Draws a PDF page with PDFium."""

import ctypes
import time

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from models.vision.text import Image

_FLAGS = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
"""Rendering flags: with annotations, and RGB instead of BGR."""
_WHITE = (255, 255, 255, 255)
SCALE = 2.0
"""Pixels per point: 144 DPI, the resolution in which the HTTP contract gives a page's boxes."""


def draw(page: pypdfium2.PdfPage, width: int, height: int, *, deadline: float) -> Image | None:
    """Draw the page with its form fields on white, in `width` x `height` pixels. Return None if it is not finished by
    `deadline` (time.thread_time).

    PDFium can only pause between the objects of a page, so an object is always drawn to its end.
    """
    pause = pdfium.IFSDK_PAUSE(version=1)
    pause.NeedToPauseNow = type(pause.NeedToPauseNow)(lambda _: time.thread_time() > deadline)
    picture = np.empty((height, width, 3), np.uint8)
    memory = (ctypes.c_ubyte * picture.nbytes).from_buffer(picture.data.cast("B"))
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR, rev_byteorder=True, buffer=memory)
    try:
        bitmap.fill_rect(_WHITE, 0, 0, width, height)
        place = (0, 0, width, height, 0, _FLAGS)
        status = pdfium.FPDF_RenderPageBitmap_Start(bitmap, page, *place, ctypes.byref(pause))
        pdfium.FPDF_RenderPage_Close(page)
        if status == pdfium.FPDF_RENDER_TOBECONTINUED:
            return None
        if status != pdfium.FPDF_RENDER_DONE:
            raise pypdfium2.PdfiumError("the page cannot be drawn")
        if page.formenv:
            pdfium.FPDF_FFLDraw(page.formenv, bitmap, page, *place)
        return picture
    finally:
        bitmap.close()
