"""Office files and HTML through the loader and the `ocr` task, in the processes where the server opens them."""

import base64
import io
import zipfile
from collections.abc import AsyncIterator, Mapping

import numpy as np
import PIL.Image
import pytest
from docx.document import Document as WordDocument
from docx.shared import Inches
from pptx.presentation import Presentation
from reportlab.pdfgen.canvas import Canvas

from models.vision.text import Image, PageReader, PageText, TextLine, Word
from tasks.base import TaskRequest
from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Origin, Source
from tasks.inputs.text.text_file import mark, with_pictures, without_marks
from tasks.ocr import OcrTask
from tasks.ocr_result import OcrResult
from tests.conftest import each_case
from tests.office_files import changed, document, document_of, picture, slides, workbook


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(pages=3))
    yield loader
    await loader.close()


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


@pytest.mark.deep
@pytest.mark.parametrize(
    ("data", "filename", "text"),
    [
        (document_of("<w:p><w:r><w:t>größer 漢字</w:t></w:r></w:p>"), "a.docx", "größer 漢字"),
        (slides(lambda show: show.slides.add_slide(show.slide_layouts[6])), "a.pptx", "## Slide 1"),
        (workbook(lambda book: book.active.append(["a", 1])), "a.xlsx", "## Sheet\n\n| a | 1 |\n| --- | --- |"),
        (b"<h1>Title</h1><p>text", "a.html", "# Title\n\ntext"),
        (b"<!doctype html><p>text", "a.docx", "text"),
    ],
)
async def test_every_kind_is_a_text_with_structure(loader: MediaLoader, data: bytes, filename: str, text: str) -> None:
    async with await loader.open(sent(data, filename)) as file:
        assert (file.kind, file.text, file.total_pages) == ("text", text, 0)


async def test_the_bytes_tell_the_kind_without_a_name(loader: MediaLoader) -> None:
    async with await loader.open(sent(illustrated(60))) as file:
        assert (file.kind, file.total_pages, file.text) == ("text", 1, "above 60\n\nthe end")
        assert await file.size(1) == (60, 30)
        assert (await file.picture(1)).shape == (30, 60, 3)
        assert file.text_with({1: "read"}) == "above 60\n\nread\n\nthe end"


async def test_refusals_come_out_of_the_process_as_they_are(loader: MediaLoader) -> None:
    broken = illustrated(60)[:-200]
    with pytest.raises(InputError, match=r"'a\.docx' is damaged or incomplete: its archive cannot be read"):
        await loader.open(sent(broken, "a.docx"))


async def test_an_encrypted_file_is_called_so(loader: MediaLoader) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(100)
    with pytest.raises(InputError, match="is protected with a password") as caught:
        await loader.open(sent(data, "a.docx"))
    assert caught.value.code == "encrypted_document"


async def test_the_text_of_a_picture_stands_where_the_picture_does(loader: MediaLoader) -> None:
    result = (await OcrTask(reader, loader).run(TaskRequest("", (sent(illustrated(60, 90)),)))).data
    assert result["extracted_text"] == "above 60\n\n60\nwide\n\nabove 90\n\n90\nwide\n\nthe end"
    assert [(section["page"], section["width"]) for section in result["sections"]] == [(1, 60), (2, 90)]
    assert (result["total_pages"], result["width"], result["height"]) == (2, 60, 30)


async def test_a_damaged_picture_is_mentioned_and_the_rest_is_read(loader: MediaLoader) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 60, 3), dtype=np.uint8)
    whole = io.BytesIO()
    PIL.Image.fromarray(noise).save(whole, "JPEG", quality=95)
    data = illustrated(60, 90)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first = min(name for name in archive.namelist() if name.startswith("word/media/"))
    cut = changed(data, {first: whole.getvalue()[: whole.tell() // 2]})
    result = (await OcrTask(reader, loader).run(TaskRequest("", (sent(cut),)))).data
    assert result["extracted_text"] == "above 60\n\n[picture not read: damaged]\n\nabove 90\n\n90\nwide\n\nthe end"
    assert [section["page"] for section in result["sections"]] == [2]


async def test_a_text_without_pictures_is_as_any_text(loader: MediaLoader) -> None:
    source = sent(workbook(lambda book: book.active.append(["a", 1])))
    assert (await OcrTask(reader, loader).run(TaskRequest("page 3", (source,)))).data == {
        "extracted_text": "## Sheet\n\n| a | 1 |\n| --- | --- |",
        "sections": [],
        "width": None,
        "height": None,
    }


async def test_hints_count_pages_and_not_pictures(loader: MediaLoader) -> None:

    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(300, 200))
    for text in ("One", "Two"):
        canvas.drawString(40, 100, text)
        canvas.showPage()
    canvas.save()
    sources = (sent(illustrated(60)), sent(file.getvalue()))
    result = (await OcrTask(reader, loader).run(TaskRequest("page 2", sources))).data
    assert result["extracted_text"] == "above 60\n\n60\nwide\n\nthe end\n\nTwo"
    assert [section["page"] for section in result["sections"]] == [2, 3]
    assert result["total_pages"] == 3


async def test_too_many_pictures_are_refused(loader: MediaLoader) -> None:
    with pytest.raises(
        InputError, match="4 pages and pictures in documents would have to be read; the limit is 3"
    ) as caught:
        await OcrTask(reader, loader).run(TaskRequest("", (sent(illustrated(60, 61, 62, 63)),)))
    assert caught.value.code == "too_many_pages"


@each_case(
    ("marked", "readings", "text"),
    [
        (f"a\n\n{mark(1)}\n\nb", {1: "x\ny"}, "a\n\nx\ny\n\nb"),
        (f"a\n\n{mark(1)}\n\nb", {}, "a\n\nb"),
        (f"a {mark(1)} b", {1: "x"}, "a x b"),
        (f"a{mark(1)}b", {1: "x"}, "a x b"),
        (f"a {mark(1)} b", {1: "x\ny"}, "a\n\nx\ny\n\n b"),
        (f"| a | {mark(1)} |", {1: "x\ny"}, "| a | x y |"),
        (f"| a {mark(1)} | b |", {}, "| a | b |"),
        (f"{mark(1)} and {mark(2)}", {1: "x", 2: "y"}, "x and y"),
        (f"{mark(1)}\n\n{mark(1)}", {1: "x"}, "x\n\nx"),
        (f"a {mark(7)} b", {1: "x"}, "a b"),
    ],
)
def test_what_is_read_is_fitted_in(marked: str, readings: Mapping[int, str], text: str) -> None:
    assert with_pictures(*without_marks(marked), readings) == text


def test_a_picture_that_is_shown_very_often_is_written_out_a_million_characters_long() -> None:
    marked, readings = " ".join([mark(1)] * 50 + [mark(2)]), {1: "x" * 50_000, 2: "the other"}
    found = with_pictures(*without_marks(marked), readings)
    assert found.count("x") == 50_000 + 1_000_000
    assert found.endswith("the other")


def test_pictures_have_a_largest_number_of_places() -> None:
    text, places = without_marks(f"a{mark(1)} " * 10_001)
    assert text == "a " * 10_001
    assert len(places) == 10_000
    assert places[-1].offset == 2 * 10_000 - 1


def test_a_text_without_pictures_is_untouched() -> None:
    assert with_pictures("\n\n\n\na  \n", (), {}) == "\n\n\n\na  \n"


async def test_the_caller_is_warned_of_what_was_not_read(loader: MediaLoader) -> None:
    def fill(show: Presentation) -> None:
        show.slides.add_slide(show.slide_layouts[6]).shapes.add_picture(picture(40, 40), 0, 0)

    data = changed(slides(fill), {"ppt/media/image1.png": b"no picture"})
    result = await OcrTask(reader, loader).run(TaskRequest("", (sent(data, "a.pptx"),)))
    (warning,) = OcrResult.restored(result.kept()).warnings()
    assert warning == "'a.pptx': a picture was not read: PNG."
