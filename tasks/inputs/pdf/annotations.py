"""What is drawn over a PDF page and not in its content: filled fields, stamps, and typed notes."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import pypdfium2
import pypdfium2.raw as pdfium

from models.vision.text import Quad, TextLine, Word
from tasks.inputs.pdf.geometry import Box, PageView

_WRITTEN = {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP}
_UNSEEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
_EMPTY = 2
"""Bytes of an empty string with its terminator, in UTF-16."""


def has_drawn_annotations(page: pypdfium2.PdfPage) -> bool:
    """Whether text is drawn over `page` that its content does not hold: a filled field, a note, a stamp."""
    return any(_is_drawn(annotation) for annotation in _annotations(page))


def typed_notes(page: pypdfium2.PdfPage, view: PageView) -> list[TextLine]:
    """The notes that viewers show with a look of their own, because the file has none: PDFium does not draw them.

    A note's rectangle is divided among its lines, and a line's width among its characters.
    """
    return [line for note in _annotations(page) if _is_undrawn_note(note) for line in _lines(note, view)]


@contextmanager
def _opened(page: pypdfium2.PdfPage, index: int) -> Iterator[object]:
    annotation = pdfium.FPDFPage_GetAnnot(page, index)
    try:
        yield annotation
    finally:
        if annotation:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _annotations(page: pypdfium2.PdfPage) -> Iterator[object]:
    """Each is closed when the next one is asked for."""
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        with _opened(page, index) as annotation:
            if annotation:
                yield annotation


def _is_drawn(annotation: object) -> bool:
    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    if kind == pdfium.FPDF_ANNOT_WIDGET:
        return bool(pdfium.FPDFAnnot_GetStringValue(annotation, b"V", None, 0) > _EMPTY)
    return kind in _WRITTEN and not _is_undrawn_note(annotation)


def _is_undrawn_note(annotation: object) -> bool:
    return bool(
        pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_FREETEXT
        and not pdfium.FPDFAnnot_GetFlags(annotation) & _UNSEEN
        and pdfium.FPDFAnnot_GetAP(annotation, pdfium.FPDF_ANNOT_APPEARANCEMODE_NORMAL, None, 0) <= _EMPTY
    )


def _lines(note: object, view: PageView) -> Iterator[TextLine]:
    rectangle = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(note, rectangle)
    box = Box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    if not view.box.contains(box.centre):
        return
    texts = [text for text in map(str.split, _contents(note).splitlines()) if text]
    height = (box.top - box.bottom) / max(1, len(texts))
    for row, text in enumerate(texts):
        yield _line(text, Box(box.left, box.top - (row + 1) * height, box.right, box.top - row * height), view)


def _line(text: list[str], box: Box, view: PageView) -> TextLine:
    step = (box.right - box.left) / len(" ".join(text))
    words, left = [], box.left
    for word in text:
        right = left + step * len(word)
        words.append(Word(word, _quad(Box(left, box.bottom, right, box.top), view), 1.0))
        left = right + step
    return TextLine(tuple(words), _quad(box, view))


def _quad(box: Box, view: PageView) -> Quad:
    a, b, c, d = (view.pixel(*corner) for corner in box.corners)
    return d, c, b, a


def _contents(note: object) -> str:
    size = pdfium.FPDFAnnot_GetStringValue(note, b"Contents", None, 0)
    units = (ctypes.c_ushort * (size // 2))()
    pdfium.FPDFAnnot_GetStringValue(note, b"Contents", units, size)
    return bytes(units)[:-_EMPTY].decode("utf-16-le", errors="replace")
