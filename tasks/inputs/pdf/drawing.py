"""Drawing a PDF page, and giving up on one that takes too long."""

import ctypes
import time

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from models.vision.text import Image

_FLAGS = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
"""With annotations; RGB instead of BGR."""
_WHITE = (255, 255, 255, 255)


def draw(page: pypdfium2.PdfPage, width: int, height: int, *, seconds: float) -> Image | None:
    """The page and its form fields on white, `width` x `height` pixels; None when it takes longer than `seconds`.

    PDFium asks between the objects of a page whether to pause, so that one object of any complexity is drawn to
    its end.
    """
    deadline = time.monotonic() + seconds
    pause = pdfium.IFSDK_PAUSE(version=1)
    pause.NeedToPauseNow = type(pause.NeedToPauseNow)(lambda _: time.monotonic() > deadline)
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
