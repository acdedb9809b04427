"""Opens the bytes of a source as pages, in a worker process.

A worker process imports this module. It therefore imports nothing that fetches sources.
"""

from collections.abc import Callable

from tasks.inputs import media_types
from tasks.inputs.av.video import VideoFrames
from tasks.inputs.limits import MediaLimits
from tasks.inputs.pages import Pages
from tasks.inputs.source import Blob

Reader = Callable[[Blob, MediaLimits], Pages]


# Decoders are imported when the first file needs them. The server's process therefore never loads PDFium, and no worker
# process loads Pillow for a PDF. Classes in light modules need no function here.
_PLAIN = "image/jpeg", "image/png", "image/webp", "image/bmp"


def _open_pdf(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.pdf.contents import open_pdf

    return open_pdf(blob, limits, _opener_of_attached)


def _open_picture(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.picture import PicturePages

    return PicturePages(blob, limits)


def _open_office(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.office.document import OfficeFile

    return OfficeFile(blob, limits)


def _open_html(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.html_file import HtmlFile

    return HtmlFile(blob, limits)


def _opener_of_attached(media_type: str) -> Reader | None:
    """Return the reader of files attached to an e-mail, or None for a type that is not read there, such as videos."""
    return None if media_type in media_types.VIDEOS else READERS.get(media_type)


def _open_mail(blob: Blob, limits: MediaLimits) -> Pages:
    from tasks.inputs.mail_file import MailFile

    return MailFile(blob, limits, _opener_of_attached)


READERS: dict[str, Reader] = {
    media_types.PDF: _open_pdf,
    **dict.fromkeys((*_PLAIN, "image/tiff", "image/heic", "image/heif"), _open_picture),
    **dict.fromkeys(media_types.VIDEOS, VideoFrames),
    **dict.fromkeys((media_types.DOCX, media_types.PPTX, media_types.XLSX), _open_office),
    media_types.HTML: _open_html,
    **dict.fromkeys((media_types.EMAIL, media_types.MAILBOX, media_types.MSG), _open_mail),
}
"""Readers by media type. They run in worker processes, because they may crash or hang on a hostile file."""
