"""Who opens which type, and where."""

from collections.abc import Callable, Iterable

from tasks.inputs import media_types
from tasks.inputs.av.video import VideoFrames
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.pages import Pages

Reader = Callable[[Blob, MediaLimits], Pages]


# Decoders are loaded when the first file asks for them: the server's own process never loads PDFium, and no decode
# process loads Pillow for a PDF. A class whose module is light by itself needs no function here.


def _pdf(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.pdf.document import PdfPages

    return PdfPages(blob, limits)


def _picture(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.pictures.picture import PicturePages

    return PicturePages(blob, limits)


def _docx(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.office.document import OfficeFile
    from tasks.inputs.office.docx import docx_to_markdown

    return OfficeFile(blob, limits, docx_to_markdown)


def _pptx(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.office.document import OfficeFile
    from tasks.inputs.office.pptx import pptx_to_markdown

    return OfficeFile(blob, limits, pptx_to_markdown)


def _xlsx(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.office.document import OfficeFile
    from tasks.inputs.office.xlsx import xlsx_to_markdown

    return OfficeFile(blob, limits, xlsx_to_markdown)


def _html(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.text.html_file import HtmlFile

    return HtmlFile(blob, limits)


# In threads of this process: the decoders of plain pictures are fast, and fuzzed by every browser.
_IN_THREADS: Iterable[tuple[Reader, Iterable[str]]] = (
    (_picture, ("image/jpeg", "image/png", "image/webp", "image/bmp")),
)
# In processes of their own: decoders that may crash or hang on a hostile file. libtiff is among them for its record.
_IN_PROCESSES: Iterable[tuple[Reader, Iterable[str]]] = (
    (_pdf, (media_types.PDF,)),
    (_picture, ("image/tiff", "image/heic", "image/heif")),
    (VideoFrames, media_types.VIDEOS),
    (_docx, (media_types.DOCX,)),
    (_pptx, (media_types.PPTX,)),
    (_xlsx, (media_types.XLSX,)),
    (_html, (media_types.HTML,)),
)

IN_THREADS: dict[str, Reader] = {name: reader for reader, names in _IN_THREADS for name in names}
IN_PROCESSES: dict[str, Reader] = {name: reader for reader, names in _IN_PROCESSES for name in names}
