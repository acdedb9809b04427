"""Text of a PDF page over which something opaque is drawn: a blackened name, a corrected price."""

import ctypes
from collections.abc import Sequence

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from tasks.inputs.pdf.shown import Shown, is_rectangle, point_of
from tasks.inputs.pdf.words import PdfWord

_COVERED = 0.8
"""Share of a word's box under which nothing of it can be read."""
_OPAQUE = 0.98
"""Share of a picture's pixels that are opaque where it hides what is below: its edges may be smoothed."""
_MAX_PICTURES = 20
"""Of one page that are drawn by themselves to see whether they are opaque. Further ones count as transparent."""


def uncovered(words: Sequence[PdfWord], shown: Shown, page: pypdfium2.PdfPage) -> list[PdfWord]:
    """The `words` of `page` that lie open."""
    if not words or not shown.covers:
        return list(words)
    left, bottom, right, top = np.array([word.box for word in words]).T
    area = (right - left) * (top - bottom)
    places = np.array([shown.texts.get(word.drawn_by, np.inf) for word in words])
    hidden = np.zeros(len(words), dtype=bool)
    pictures = 0
    for cover in shown.covers:
        width = np.minimum(right, cover.box.right) - np.maximum(left, cover.box.left)
        height = np.minimum(top, cover.box.top) - np.maximum(bottom, cover.box.bottom)
        over = (places < cover.place) & (width > 0) & (height > 0) & (width * height >= _COVERED * area)
        if not (over & ~hidden).any() or pdfium.FPDFPageObj_HasTransparency(cover.item):
            continue
        if pdfium.FPDFPageObj_GetType(cover.item) == pdfium.FPDF_PAGEOBJ_PATH:
            opaque = _is_plain_rectangle(cover.item)
        else:
            pictures += 1
            opaque = pictures <= _MAX_PICTURES and _is_opaque_picture(cover.item, page)
        if opaque:
            hidden |= over
    return [word for word, under in zip(words, hidden, strict=True) if not under]


def _is_plain_rectangle(path: object) -> bool:
    """Whether `path` is a rectangle filled with a plain colour."""
    segments = range(pdfium.FPDFPath_CountSegments(path))
    corners = [point_of(pdfium.FPDFPath_GetPathSegment(path, index)) for index in segments]
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    return is_rectangle(corners) and bool(pdfium.FPDFPageObj_GetFillColor(path, red, green, blue, alpha))


def _is_opaque_picture(picture: object, page: pypdfium2.PdfPage) -> bool:
    """Whether `picture` hides what is below: drawn by itself, it leaves hardly a pixel transparent."""
    raw = pdfium.FPDFImageObj_GetRenderedBitmap(page.pdf, page, picture)
    if not raw:
        return False
    try:
        if pdfium.FPDFBitmap_GetFormat(raw) != pdfium.FPDFBitmap_BGRA:
            return True
        shape = pdfium.FPDFBitmap_GetHeight(raw), pdfium.FPDFBitmap_GetStride(raw) // 4, 4
        buffer = ctypes.cast(pdfium.FPDFBitmap_GetBuffer(raw), ctypes.POINTER(ctypes.c_ubyte))
        alpha = np.ctypeslib.as_array(buffer, shape)[:, :, 3]
        return bool((alpha == 255).mean() >= _OPAQUE)
    finally:
        pdfium.FPDFBitmap_Destroy(raw)
