"""Reads PDF files with PDFium.

PDFium is not thread-safe, even for different documents, so everything here runs under one lock per process. Handles are
closed explicitly, because the garbage collector might close them in any thread.
"""

import ctypes
import io
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pypdfium2
import pypdfium2.raw as pdfium

from models.vision.text import Image
from tasks.inputs.blame import is_fault_of_file, refusing
from tasks.inputs.limits import MediaLimits, megabytes
from tasks.inputs.pages import Pages, TextLayer
from tasks.inputs.pdf.drawing import SCALE, draw
from tasks.inputs.pdf.shown import has_fields
from tasks.inputs.pdf.text_layer import read_text_layer
from tasks.inputs.printed_codes import MAX_PIXELS, PrintedCode, find_codes
from tasks.inputs.source import Blob

_PDFIUM = threading.RLock()
_CODES_TIMES = 2
"""Largest enlargement of pages that are searched for codes. At 144 DPI, a bar of 0.2 mm is only one pixel wide, which
is too little."""
_FORM_PAGES = 10
"""A form is searched for fields on this many pages."""
_MAX_FILES = 1_000
_COLLECTION = b"/Collection"
"""Entry of the catalogue of a portfolio (ISO 32000-1, 12.3.5)."""
_LOCKED = {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}


class PdfPages(Pages):
    """The pages of one PDF file.

    The constructor raises InputError if the file needs a password (`encrypted_pdf`), is damaged or has no pages.
    """

    kind = "paged"

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits
        self._page: tuple[int, pypdfium2.PdfPage] | None = None
        with _PDFIUM:
            self._pdf = self._opened()
            try:
                self.total = len(self._pdf)
                if self._pdf.get_formtype():
                    self._pdf.init_forms()
                    # Viewers tint the fields that can be filled. OCR finds less text on tinted paper.
                    pdfium.FPDF_SetFormFieldHighlightAlpha(self._pdf.formenv, 0)
                if not self.total:
                    raise self._blob.error("has no pages.")
            except BaseException:
                self._pdf.close()
                raise

    def size(self, number: int) -> tuple[int, int]:
        with self._reading(number):
            return _pixel_size(self._pdf.get_page_size(number - 1))

    def text_layer(self, number: int) -> TextLayer:
        with self._reading(number):
            page = self._loaded(number)
            return read_text_layer(page, *_pixel_size(page.get_size()))

    def picture(self, number: int) -> Image:
        return self._drawn(number, 1)

    def codes(self, number: int) -> Sequence[PrintedCode]:
        width, height = self.size(number)
        times = max(1, min(_CODES_TIMES, math.isqrt(MAX_PIXELS // (width * height))))
        return find_codes(self._drawn(number, times), times)

    def _drawn(self, number: int, times: int) -> Image:
        """Return the page's picture, `times` times as wide and high as at 144 DPI."""
        with self._reading(number):
            page = self._loaded(number)
            width, height = _pixel_size(page.get_size())
            where = f" at 144 DPI on page {number}"
            self._blob.check_pixels(width, height, self._limits.image_pixels, where=where)
            return draw(page, width * times, height * times)

    def xfa_packets(self) -> list[bytes]:
        """Return the parts of an XFA form; nothing for a form whose fields are also on its pages."""
        with _PDFIUM:
            count = max(0, pdfium.FPDF_GetXFAPacketCount(self._pdf))
            if count and any(has_fields(self._loaded(number + 1)) for number in range(min(self.total, _FORM_PAGES))):
                return []
            return [_xfa_packet(self._pdf, index) for index in range(count)]

    def files_of_portfolio(self) -> list[tuple[str, bytes]]:
        """Return the names and the bytes of the files in a portfolio; nothing for other PDF files.

        Raises InputTooLarge for more than _MAX_FILES files, or more than `limits.office_bytes` bytes in all.
        """
        with _PDFIUM:
            files: list[tuple[str, bytes]] = []
            left = self._limits.office_bytes
            for index in range(self._pdf.count_attachments() if self._is_portfolio() else 0):
                attachment = self._pdf.get_attachment(index)
                data = bytes(attachment.get_data())
                left -= len(data)
                if left < 0 or index == _MAX_FILES:
                    most = f"{_MAX_FILES} files or {megabytes(self._limits.office_bytes)}"
                    raise self._blob.too_large(f"is a portfolio of more than {most}, the limit.")
                files.append((attachment.get_name(), data))
            return files

    def _is_portfolio(self) -> bool:
        if not self._pdf.count_attachments():
            return False
        # What PDFium writes has no compressed objects, among which the catalogue may be.
        copy = io.BytesIO()
        self._pdf.save(copy)
        return _COLLECTION in copy.getvalue()

    def close(self) -> None:
        with _PDFIUM:
            self._drop_page()
            self._pdf.close()

    def _opened(self) -> pypdfium2.PdfDocument:
        try:
            return pypdfium2.PdfDocument(self._blob.data)
        except pypdfium2.PdfiumError as error:
            if not is_fault_of_file(error):
                raise
            if error.err_code in _LOCKED:
                raise self._blob.error(
                    "is encrypted: remove its password and send it again.", code="encrypted_pdf"
                ) from error
            raise self._blob.error("is not a readable PDF: it is damaged or incomplete.") from error

    @contextmanager
    def _reading(self, number: int) -> Iterator[None]:
        """Hold PDFium's lock, and turn its errors into those of the page."""
        if not 1 <= number <= self.total:
            raise self._blob.error(f"has no page {number}; it has {self.total}.")
        damaged = self._blob.error(f"cannot be read at page {number}: it is damaged.")
        with _PDFIUM, refusing(damaged, (pypdfium2.PdfiumError,)):
            yield

    def _loaded(self, number: int) -> pypdfium2.PdfPage:
        """Return the parsed page. The last one is remembered, because its text and picture are requested in
        sequence."""
        if self._page and self._page[0] == number:
            return self._page[1]
        self._drop_page()
        self._page = (number, self._pdf[number - 1])
        return self._page[1]

    def _drop_page(self) -> None:
        if self._page:
            self._page[1].close()
            self._page = None


def _xfa_packet(document: pypdfium2.PdfDocument, index: int) -> bytes:
    size = ctypes.c_ulong()
    pdfium.FPDF_GetXFAPacketContent(document, index, None, 0, size)
    buffer = ctypes.create_string_buffer(size.value)
    pdfium.FPDF_GetXFAPacketContent(document, index, buffer, size.value, size)
    return buffer.raw


def _pixel_size(points: tuple[float, float]) -> tuple[int, int]:
    """Return the picture's size for a page of `points`, rounded up, at least one pixel."""
    width, height = points
    return max(1, math.ceil(width * SCALE)), max(1, math.ceil(height * SCALE))
