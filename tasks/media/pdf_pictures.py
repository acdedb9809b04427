"""What a PDF page shows besides its text: pictures and annotations, in which more text may stand."""

import ctypes
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from tasks.media.pdf_geometry import Box

_CELLS = 200
"""Cells along the longer side of the page when areas are compared: 4 points on A4."""
_LEGIBLE_PIXELS = 1024
"""A picture of fewer pixels (a gradient, a rule, a bullet) holds no text."""
_MAX_DEPTH = 5
"""Forms within forms that are looked into."""
_WRITTEN = {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP}
_EMPTY = 2
"""Bytes of an empty string with its terminator, in UTF-16."""

Matrix = tuple[float, float, float, float, float, float]


def picture_boxes(page: pypdfium2.PdfPage) -> list[Box]:
    """Where `page` shows pictures that are large enough, in pixels, to hold text."""
    count = pdfium.FPDFPage_CountObjects(page)
    return [
        box
        for index in range(count)
        for box in _pictures(pdfium.FPDFPage_GetObject(page, index), (1.0, 0.0, 0.0, 1.0, 0.0, 0.0), 0)
    ]


def unread_share(page: Box, pictures: Sequence[Box], text: Sequence[Box]) -> float:
    """The share of `page` that `pictures` cover and `text` does not, 0 to 1."""
    if not pictures or not page.area:
        return 0.0
    cell = max(page.right - page.left, page.top - page.bottom) / _CELLS
    shape = math.ceil((page.top - page.bottom) / cell), math.ceil((page.right - page.left) / cell)
    covered = np.zeros(shape, dtype=bool)
    for boxes, value in ((pictures, True), (text, False)):
        for box in boxes:
            left, right = (max(0, round((x - page.left) / cell)) for x in (box.left, box.right))
            bottom, top = (max(0, round((y - page.bottom) / cell)) for y in (box.bottom, box.top))
            covered[bottom:top, left:right] = value
    return float(covered.mean())


def has_drawn_annotations(page: pypdfium2.PdfPage) -> bool:
    """Whether text is drawn over `page` that its content does not hold: a filled field, a note, a stamp."""
    return any(_is_written(page, index) for index in range(pdfium.FPDFPage_GetAnnotCount(page)))


def _pictures(shown: object, matrix: Matrix, depth: int) -> Iterator[Box]:
    kind = pdfium.FPDFPageObj_GetType(shown)
    if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
        width, height = ctypes.c_uint(), ctypes.c_uint()
        pdfium.FPDFImageObj_GetImagePixelSize(shown, width, height)
        if width.value * height.value >= _LEGIBLE_PIXELS:
            yield _bounds(shown, matrix)
    elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
        inner = _within(shown, matrix)
        for index in range(pdfium.FPDFFormObj_CountObjects(shown)):
            yield from _pictures(pdfium.FPDFFormObj_GetObject(shown, index), inner, depth + 1)


def _bounds(shown: object, matrix: Matrix) -> Box:
    """The upright rectangle round an object of a form, in the page's space."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium.FPDFPageObj_GetBounds(shown, left, bottom, right, top)
    a, b, c, d, e, f = matrix
    own = Box(left.value, bottom.value, right.value, top.value)
    return Box.around((a * x + c * y + e, b * x + d * y + f) for x, y in own.corners)


def _within(form: object, outer: Matrix) -> Matrix:
    """The matrix of what is inside `form`: its own, then `outer`."""
    own = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(form, own)
    a, b, c, d, e, f = outer
    return (
        own.a * a + own.b * c,
        own.a * b + own.b * d,
        own.c * a + own.d * c,
        own.c * b + own.d * d,
        own.e * a + own.f * c + e,
        own.e * b + own.f * d + f,
    )


def _is_written(page: pypdfium2.PdfPage, index: int) -> bool:
    annotation = pdfium.FPDFPage_GetAnnot(page, index)
    if not annotation:
        return False
    try:
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        if kind == pdfium.FPDF_ANNOT_WIDGET:
            return bool(pdfium.FPDFAnnot_GetStringValue(annotation, b"V", None, 0) > _EMPTY)
        return kind in _WRITTEN
    finally:
        pdfium.FPDFPage_CloseAnnot(annotation)
