"""The `ocr` task on real files. How well an engine reads is measured elsewhere."""

import base64
import io
from dataclasses import dataclass, replace

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from models.base import EngineOverloaded, EngineUnavailable
from models.capability import EngineConfig
from models.vision.ocr.capability import PP_OCR_V6_SMALL
from models.vision.text import Image, PageReader, PageText, TextLine, Word
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Blob, Origin, Source
from tasks.ocr import OcrTask
from tasks.wording.page_range import OcrOptions
from tests.kit.chats.requests import request_of
from tests.kit.papers import pages
from tests.kit.papers.printed_codes import code_drawn, png_of, sheet_of

LIMITS = MediaLimits(pages=5)


def source(data: bytes, media_type: str, param: str = "messages[0].content[0].file.file_data") -> Source:
    return Source(Origin(param), payload=f"data:{media_type};base64,{base64.b64encode(data).decode()}")


def pdf(*texts: str, size: tuple[float, float] = (300, 200)) -> Source:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size)
    for page in texts:
        for number, text in enumerate(filter(None, page.split("\n"))):
            canvas.drawString(40, size[1] - 50 - 20 * number, text)
        canvas.showPage()
    canvas.save()
    return source(buffer.getvalue(), "application/pdf")


def picture(*widths: int) -> Source:
    """A picture whose frames are blank and as wide as asked, so that they can be told apart."""
    frames = [Pillow.new("RGB", (width, 50), "white") for width in widths]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    return source(buffer.getvalue(), "image/tiff")


def no_reader() -> PageReader:
    raise EngineUnavailable("ocr", "Install one.")


@dataclass
class Reader:
    """Says how wide a picture is."""

    full: bool = False

    def check_room(self) -> None:
        if self.full:
            raise EngineOverloaded("test", 1, 2)

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        quad = ((5.0, 5.0), (45.0, 5.0), (45.0, 25.0), (5.0, 25.0))
        return PageText([TextLine((Word(f"{image.shape[1]}px", quad, 0.9),), quad)])


async def test_the_text_layer_of_a_pdf_is_read_without_an_engine(loader: MediaLoader) -> None:
    request = request_of("ocr", "", (pdf("Hello there", "Second page\nwith two lines"),))
    result = (await OcrTask(no_reader, loader).run(request)).data
    assert result["extracted_text"] == "Hello there\n\nSecond page\nwith two lines"
    assert (result["total_pages"], result["width"], result["height"]) == (2, 600, 400)
    first, second = result["sections"]
    assert (first["page"], second["page"]) == (1, 2)
    assert (second["width"], second["height"]) == (600, 400)
    (line,) = first["lines"]
    assert line["average_confidence"] == 1
    assert line["bounds"]["top_left"]["x"] == pytest.approx(80, abs=3)
    assert line["bounds"]["bottom_left"]["y"] == pytest.approx(100, abs=8)


async def test_only_the_pages_that_are_asked_for_are_read(loader: MediaLoader) -> None:
    request = request_of("ocr", "Read pages 2 and 4", (pdf("One", "Two", "Three", "Four"),))
    result = (await OcrTask(no_reader, loader).run(request)).data
    assert [section["page"] for section in result["sections"]] == [2, 4]
    assert result["extracted_text"] == "Two\n\nFour"
    assert result["total_pages"] == 4


async def test_too_many_pages_are_refused_before_any_is_read(loader: MediaLoader) -> None:
    request = request_of("ocr", "", (pdf(*"abcdefg"),))
    with pytest.raises(InputError, match=r"7 pages .* limit is 5 .*OPENFAZE_MAX_PAGES") as raised:
        await OcrTask(no_reader, loader).run(request)
    assert raised.value.code == "too_many_pages"
    assert raised.value.param == "messages[0].content[0].file.file_data"


async def test_pages_that_have_too_many_words_together_are_refused_before_all_are_read() -> None:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(words=25, pages_at_once=1))
    done: list[int] = []

    def note(_task: str, pages: int, _all: int) -> None:
        done.append(pages)

    ten = "\n".join(["five words in a line"] * 2)
    task = OcrTask(no_reader, loader)
    try:
        whole = await task.run(request_of("ocr", "pages 1-2", (pdf(*[ten] * 9),)))
        with pytest.raises(InputTooLarge) as raised:
            await task.run(request_of("ocr", "", (pdf(ten), pdf(*[ten] * 8)), progress=note))
    finally:
        await loader.close()
    assert len(whole.data["sections"]) == 2
    assert done == [1, 2]
    assert "30 on the 3 pages of the request that were read so far; the limit is 25 words" in raised.value.message
    assert (raised.value.code, raised.value.param) == ("file_too_large", "messages[0].content[0].file.file_data")


async def test_the_pages_of_several_sources_are_numbered_through(loader: MediaLoader) -> None:
    sources = (pdf("One", "Two"), source(b"some notes", "text/plain"), pdf("Three"))
    result = (await OcrTask(no_reader, loader).run(request_of("ocr", "", sources))).data
    assert result["extracted_text"] == "One\n\nTwo\n\nsome notes\n\nThree"
    assert [section["page"] for section in result["sections"]] == [1, 2, 3]
    assert result["total_pages"] == 3


async def test_a_picture_that_comes_alone_has_no_page_and_no_hints(loader: MediaLoader) -> None:
    result = (await OcrTask(Reader, loader).run(request_of("ocr", "page 3 of the book", (picture(100),)))).data
    assert result["extracted_text"] == "100px"
    assert list(result["sections"][0]) == ["text", "lines"]
    assert (result["width"], result["height"]) == (100, 50)
    assert "total_pages" not in result


async def test_rulings_of_a_picture_are_looked_for_where_tables_are_shown(loader: MediaLoader) -> None:
    sheet = Pillow.new("RGB", (400, 200), "white")
    draw = ImageDraw.Draw(sheet)
    for at in (20, 80, 140):
        draw.line((20, at, 380, at), "black", 2)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    asked = request_of("ocr", "", (source(buffer.getvalue(), "image/png", "messages[0].content[0].image_url.url"),))
    task = OcrTask(Reader, loader)
    assert not (await task.run(asked)).layouts[0].rulings
    for options in (OcrOptions(tables=True), OcrOptions(markdown=True), OcrOptions(is_for_llm=True)):
        assert len((await task.run(replace(asked, options=options))).layouts[0].rulings) == 3


async def test_codes_are_looked_for_where_fields_are_read(loader: MediaLoader) -> None:
    sheet = png_of(sheet_of((code_drawn("4006381333931", "EAN13"), 40, 50)))
    asked = request_of("ocr", "", (source(sheet, "image/png", "messages[0].content[0].image_url.url"),))
    task = OcrTask(Reader, loader)
    assert not list((await task.run(asked)).codes())
    plain, read = [
        await task.run(replace(asked, options=options))
        for options in (OcrOptions(tables=True), OcrOptions(is_for_llm=True))
    ]
    assert not list(plain.codes())
    assert [(code.kind, code.text) for code in read.codes()] == [("EAN-13", "4006381333931")]
    assert read.data == (await task.run(asked)).data


async def test_frames_are_pages(loader: MediaLoader) -> None:
    result = (await OcrTask(Reader, loader).run(request_of("ocr", "pages 2-3", (picture(100, 200, 300),)))).data
    assert result["extracted_text"] == "200px\n\n300px"
    assert [section["width"] for section in result["sections"]] == [200, 300]


async def test_an_overloaded_engine_refuses_a_picture_before_anything_of_it_is_decoded(
    loader: MediaLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Source] = []

    async def noted(source: Source) -> Blob:
        loaded.append(source)
        return await MediaLoader.load(loader, source)

    monkeypatch.setattr(loader, "load", noted)
    reader, request = Reader(), request_of("ocr", "", (picture(100, 200, 300),))
    await OcrTask(lambda: reader, loader).run(request)
    assert len(loaded) == 1
    reader.full = True
    with pytest.raises(EngineOverloaded):
        await OcrTask(lambda: reader, loader).run(request)
    assert len(loaded) == 1


@pytest.mark.deep
async def test_a_page_that_is_part_text_and_part_picture_is_read_whole(loader: MediaLoader) -> None:
    scan = pages.paragraph_page(lines=3, width=900, seed=4)
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(500, 400))
    canvas.drawString(40, 350, "Typed above the scan, with an odd w0rd in it")
    canvas.drawImage(ImageReader(scan.image), 25, 100, 450, 450 * scan.image.height / scan.image.width)
    canvas.showPage()
    canvas.save()
    ocr = PP_OCR_V6_SMALL.build(EngineConfig())
    try:
        request = request_of("ocr", "", (source(buffer.getvalue(), "application/pdf"),))
        result = (await OcrTask(lambda: ocr.service, loader).run(request)).data
    finally:
        for part in ocr.parts:
            await part.close()
    assert result["extracted_text"] == f"Typed above the scan, with an odd w0rd in it\n{scan.text}"
    confidences = [line["average_confidence"] for line in result["sections"][0]["lines"]]
    assert confidences[0] == 1
    assert all(0.8 < confidence <= 1 for confidence in confidences[1:])
