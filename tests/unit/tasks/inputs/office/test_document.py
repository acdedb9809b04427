"""Office files and HTML through the loader and the `ocr` task, in the processes where the server opens them."""

import base64
import io
import zipfile
from collections.abc import Mapping

import numpy as np
import PIL.Image
from docx.document import Document as WordDocument
from docx.shared import Inches

from models.vision.text import Image, PageReader, PageText, TextLine, Word
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.inputs.text.text_file import mark, with_pictures, without_marks
from tasks.ocr import OcrTask
from tests.conftest import each_case
from tests.kit.chats.requests import request_of
from tests.kit.papers.office_files import changed, document, picture

LIMITS = MediaLimits(pages=3)


def sent(data: bytes, filename: str | None = None) -> Source:
    return Source(Origin("p"), payload=base64.b64encode(data).decode(), filename=filename)


def illustrated(*widths: int) -> bytes:
    def fill(word: WordDocument) -> None:
        for width in widths:
            word.add_paragraph(f"above {width}")
            word.add_picture(picture(width, 30), width=Inches(1))
        word.add_paragraph("the end")

    return document(fill)


class Reader:
    """Reads the width of a picture, in two lines."""

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        width = image.shape[1]
        lines = []
        for top, text in ((2.0, f"{width}"), (17.0, "wide")):
            quad = ((2.0, top), (40.0, top), (40.0, top + 10), (2.0, top + 10))
            lines.append(TextLine((Word(text, quad, 0.9),), quad))
        return PageText(lines)


def reader() -> PageReader:
    return Reader()


async def test_the_bytes_tell_the_kind_without_a_name(loader: MediaLoader) -> None:
    async with await loader.open(sent(illustrated(60))) as file:
        assert (file.kind, file.total_pages, file.text) == ("text", 1, "above 60\n\nthe end")
        assert await file.size(1) == (60, 30)
        assert (await file.picture(1)).shape == (30, 60, 3)
        assert file.text_with({1: "read"}) == "above 60\n\nread\n\nthe end"


async def test_a_damaged_picture_is_mentioned_and_the_rest_is_read(loader: MediaLoader) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 60, 3), dtype=np.uint8)
    whole = io.BytesIO()
    PIL.Image.fromarray(noise).save(whole, "JPEG", quality=95)
    data = illustrated(60, 90)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first = min(name for name in archive.namelist() if name.startswith("word/media/"))
    cut = changed(data, {first: whole.getvalue()[: whole.tell() // 2]})
    result = (await OcrTask(reader, loader).run(request_of("ocr", "", (sent(cut),)))).data
    assert result["extracted_text"] == "above 60\n\n[picture not read: damaged]\n\nabove 90\n\n90\nwide\n\nthe end"
    assert [section["page"] for section in result["sections"]] == [2]


@each_case(
    ("marked", "readings", "text"),
    [
        (f"a\n\n{mark(1)}\n\nb", {1: "x\ny"}, "a\n\nx\ny\n\nb"),
        (f"a\n\n{mark(1)}\n\nb", {}, "a\n\nb"),
        (f"a{mark(1)}b", {1: "x"}, "a x b"),
        (f"a {mark(1)} b", {1: "x\ny"}, "a\n\nx\ny\n\n b"),
        (f"| a | {mark(1)} |", {1: "x\ny"}, "| a | x y |"),
        (f"| a {mark(1)} | b |", {}, "| a | b |"),
        (f"{mark(1)} and {mark(2)}", {1: "x", 2: "y"}, "x and y"),
        (f"a {mark(7)} b", {1: "x"}, "a b"),
    ],
)
def test_what_is_read_is_fitted_in(marked: str, readings: Mapping[int, str], text: str) -> None:
    assert with_pictures(*without_marks(marked), readings) == text
