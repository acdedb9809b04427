"""Opens the bytes of a source as pages, in a decode process or, if the file is light, in a thread of the server.

A decode process imports this module. It therefore imports nothing that fetches sources.
"""

from collections.abc import Callable
from typing import Protocol

from tasks.inputs import media_types
from tasks.inputs.av.video import VideoFrames
from tasks.inputs.limits import MediaLimits
from tasks.inputs.pages import Pages
from tasks.inputs.source import Blob

Reader = Callable[[Blob, MediaLimits], Pages]


class LightReader(Protocol):
    """Opens a light file for a thread of the server. While keys compete (`is_contested`), fewer files count as light.
    Raises Heavy."""

    def __call__(self, blob: Blob, limits: MediaLimits, *, is_contested: bool) -> Pages: ...


# Decoders are imported when the first file needs them. The server's process therefore never loads PDFium, and no decode
# process loads Pillow for a PDF. Classes in light modules need no function here.
_PLAIN = "image/jpeg", "image/png", "image/webp", "image/bmp"


def _open_pdf(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.pdf.contents import open_pdf

    return open_pdf(blob, limits, _opener_of_attached)


def _open_picture(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.picture import PicturePages

    return PicturePages(blob, limits)


class Heavy(Exception):
    """Raised for a picture that is too heavy for a thread. Such a picture is opened in a process, because only a
    process can be ended while it decodes."""


def _open_light_picture(blob: Blob, limits: MediaLimits, *, is_contested: bool) -> Pages:
    """Open a picture for decoding in a thread. Raises Heavy."""
    from tasks.inputs.picture import LIGHT_AMONG_KEYS, LIGHT_BYTES, LIGHT_PIXELS, PicturePages

    if len(blob.data) > LIGHT_BYTES:  # even looking through it may take long
        raise Heavy
    pages = PicturePages(blob, limits)
    if not pages.is_light(LIGHT_AMONG_KEYS if is_contested else LIGHT_PIXELS):
        raise Heavy
    return pages


def _open_office(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.office.document import OfficeFile

    match blob.media_type:
        case media_types.DOCX:
            from tasks.inputs.office.docx import docx_to_markdown

            return OfficeFile(blob, limits, docx_to_markdown)
        case media_types.PPTX:
            from tasks.inputs.office.pptx import pptx_to_markdown

            return OfficeFile(blob, limits, pptx_to_markdown)
        case _:
            from tasks.inputs.office.xlsx import xlsx_to_markdown

            return OfficeFile(blob, limits, xlsx_to_markdown)


def _open_html(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.html_file import HtmlFile

    return HtmlFile(blob, limits)


def _opener_of_attached(media_type: str) -> Reader | None:
    """Return the reader of files attached to an e-mail, or None for a type that is not read there, such as videos."""
    return None if media_type in media_types.VIDEOS else IN_PROCESSES.get(media_type)


def _open_mail(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.mail_file import MailFile

    return MailFile(blob, limits, _opener_of_attached)


IN_THREADS: dict[str, LightReader] = dict.fromkeys(_PLAIN, _open_light_picture)
"""Readers that run in threads of this process, for light files. The decoders of plain pictures are fast, and the makers
of browsers fuzz them."""
IN_PROCESSES: dict[str, Reader] = {
    media_types.PDF: _open_pdf,
    **dict.fromkeys((*_PLAIN, "image/tiff", "image/heic", "image/heif"), _open_picture),
    **dict.fromkeys(media_types.VIDEOS, VideoFrames),
    **dict.fromkeys((media_types.DOCX, media_types.PPTX, media_types.XLSX), _open_office),
    media_types.HTML: _open_html,
    **dict.fromkeys((media_types.EMAIL, media_types.MAILBOX, media_types.MSG), _open_mail),
}
"""Readers that run in decode processes, because they may crash or hang on a hostile file. TIFF files are never read in
threads, because libtiff has a record of such faults."""
