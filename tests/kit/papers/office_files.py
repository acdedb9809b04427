"""Office files for tests, made by the usual libraries, and damaged by hand."""

import functools
import io
import zipfile
from collections.abc import Callable, Mapping

import docx
import openpyxl
import PIL.Image
import pptx
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from openpyxl import Workbook
from pptx.presentation import Presentation

from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import sniff
from tasks.inputs.pages import Pages
from tasks.inputs.readers import READERS
from tasks.inputs.source import Blob
from tasks.markdown_text import plain_form

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


@functools.cache
def _empty_document() -> bytes:
    """Return the library's empty document without its hundred table styles, which take half a second to parse again."""
    file, word = io.BytesIO(), docx.Document()
    for style in [*word.styles]:
        if style.type == WD_STYLE_TYPE.TABLE and style.name not in ("Normal Table", "Table Grid"):
            style.delete()
    word.save(file)
    return file.getvalue()


def document(fill: Callable[[WordDocument], object]) -> bytes:
    """Return a docx file that `fill` has written."""
    file, word = io.BytesIO(), docx.Document(io.BytesIO(_empty_document()))
    fill(word)
    word.save(file)
    return file.getvalue()


def document_of(body: str) -> bytes:
    """Return a docx file with this XML in its body. The prefixes w, m, mc, v and r are declared."""
    names = {
        "w": WORD,
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "v": "urn:schemas-microsoft-com:vml",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    }
    declared = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in names.items())

    def fill(word: WordDocument) -> None:
        for element in parse_xml(f"<w:body {declared}>{body}</w:body>"):
            word.element.body.insert(len(word.element.body) - 1, element)

    return document(fill)


def slides(fill: Callable[[Presentation], object]) -> bytes:
    """Return a pptx file that `fill` has written."""
    file, presentation = io.BytesIO(), pptx.Presentation()
    fill(presentation)
    presentation.save(file)
    return file.getvalue()


def workbook(fill: Callable[[Workbook], object]) -> bytes:
    """Return an xlsx file that `fill` has written."""
    file, book = io.BytesIO(), openpyxl.Workbook()
    fill(book)
    book.save(file)
    return file.getvalue()


def picture(width: int = 60, height: int = 30, *, codec: str = "PNG") -> io.BytesIO:
    file = io.BytesIO()
    PIL.Image.new("RGB", (width, height), "red").save(file, codec)
    file.seek(0)
    return file


def changed(data: bytes, members: Mapping[str, bytes]) -> bytes:
    """Return the archive `data` with these members replaced or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {**dict.fromkeys(old.namelist()), **members}:
            new.writestr(name, members[name] if name in members else old.read(name))
    return file.getvalue()


def member(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def opened(data: bytes, limits: MediaLimits | None = None) -> Pages:
    """Return `data`, opened as by the server, but in this process."""
    media_type = sniff(data)
    assert media_type is not None
    return READERS[media_type](Blob(data, media_type, "file", "p"), limits or MediaLimits())


def text_of(data: bytes, limits: MediaLimits | None = None) -> str:
    text = opened(data, limits).text
    assert text is not None
    return plain_form(text)
