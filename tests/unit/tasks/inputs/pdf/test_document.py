"""PDF pages: their sizes, pictures and text layers, in the pixels of the page as it is displayed."""

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import PIL.Image
import pypdfium2
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from models.vision.text import Quad
from tasks.errors import InputError
from tasks.inputs.limits import MediaLimits
from tasks.inputs.pages import TextLayer
from tasks.inputs.pdf.document import PdfPages
from tasks.inputs.source import Blob
from tests.kit.papers.pdfs import raw_pdf

Draw = Callable[[Canvas], object]
PARAGRAPH = ["The quick brown fox jumps", "over the lazy dog, 42 times."]


def pdf(*pages: Draw, size: tuple[float, float] = (400, 300), **options: object) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, **options)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def edited(data: bytes, edit: Callable[[pypdfium2.PdfPage], object]) -> bytes:
    buffer = io.BytesIO()
    document = pypdfium2.PdfDocument(data)
    edit(document[0])
    document.save(buffer)
    document.close()
    return buffer.getvalue()


def paragraph(canvas: Canvas) -> None:
    canvas.setFont("Helvetica", 12)
    for row, text in enumerate(PARAGRAPH):
        canvas.drawString(50, 250 - 20 * row, text)


def photo(width: int = 300, height: int = 200) -> ImageReader:
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return ImageReader(PIL.Image.fromarray(noise))


@pytest.fixture
def opened() -> Iterator[Callable[..., PdfPages]]:
    files: list[PdfPages] = []

    def open_pdf(data: bytes, limits: MediaLimits | None = None) -> PdfPages:
        files.append(PdfPages(Blob(data, "application/pdf", "a.pdf", "p"), limits or MediaLimits()))
        return files[-1]

    yield open_pdf
    for file in files:
        file.close()


Opened = Callable[..., PdfPages]


def texts(layer: TextLayer) -> list[str]:
    return sorted((line.text for line in layer.lines), key=lambda text: text)


def ink_share(picture: np.ndarray, quad: Quad) -> float:
    """The share of dark pixels in the upright rectangle round `quad`."""
    xs, ys = zip(*quad, strict=True)
    part = picture[math.floor(min(ys)) : math.ceil(max(ys)), math.floor(min(xs)) : math.ceil(max(xs))]
    return float((part.min(axis=2) < 128).mean())


def ink_outside(picture: np.ndarray, layer: TextLayer) -> int:
    """How many dark pixels no word's box covers."""
    rest = picture.copy()
    for line in layer.lines:
        for word in line.words:
            xs, ys = zip(*word.quad, strict=True)
            rest[math.floor(min(ys)) : math.ceil(max(ys)), math.floor(min(xs)) : math.ceil(max(xs))] = 255
    return int((rest.min(axis=2) < 128).sum())


def test_the_text_layer_has_the_words_where_the_ink_is(opened: Opened) -> None:
    pages = opened(pdf(paragraph))
    layer, picture = pages.text_layer(1), pages.picture(1)
    assert [line.text for line in layer.lines] == PARAGRAPH
    assert layer.complete
    assert ink_outside(picture, layer) == 0
    for line in layer.lines:
        for word in line.words:
            assert word.confidence == 1.0
            assert ink_share(picture, word.quad) > 0.15


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotated_pages_are_as_displayed(opened: Opened, rotation: int) -> None:
    data = edited(pdf(paragraph), lambda page: page.set_rotation(rotation))
    pages = opened(data)
    layer, picture = pages.text_layer(1), pages.picture(1)
    assert pages.size(1) == picture.shape[1::-1] == ((800, 600) if rotation in (0, 180) else (600, 800))
    assert ink_outside(picture, layer) == 0
    top_left, top_right, *_ = next(line.quad for line in layer.lines if line.text == PARAGRAPH[0])
    along = (round(top_right[0] - top_left[0]), round(top_right[1] - top_left[1]))
    assert {0: along[0] > 200, 90: along[1] > 200, 180: along[0] < -200, 270: along[1] < -200}[rotation]


def hidden(canvas: Canvas, rows: int) -> None:
    text = canvas.beginText(20, 280)
    text.setTextRenderMode(3)
    text.setFont("Helvetica", 12)
    for row in range(rows):
        text.textLine(f"hidden line {row} of what the scanner read in this page")
    canvas.drawText(text)


def test_a_hidden_line_over_a_scan_is_not_its_text(opened: Opened) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawImage(photo(), 0, 0, 400, 300)
        hidden(canvas, 1)

    assert opened(pdf(draw)).text_layer(1) == TextLayer((), complete=False)


def test_text_that_nobody_sees_is_dropped(opened: Opened) -> None:
    def draw(canvas: Canvas) -> None:
        paragraph(canvas)
        hidden(canvas, 15)

    layer = opened(pdf(draw)).text_layer(1)
    assert texts(layer) == sorted(PARAGRAPH)
    assert layer.complete


def cmap_of(codes: range, start: int) -> str:
    """A ToUnicode map that sends the first of `codes` to `start`, and the others behind it."""
    rows = "".join(f"<{code:02x}> <{start + code - codes[0]:04x}>\n" for code in codes)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{rows}endbfchar endcmap end end"
    )


def mapped(content: str, nonsense: range, start: int = 0xE000) -> bytes:
    """A page with `content` in a font for which the file says that `nonsense` is what begins at `start`, by default the
    private use area."""
    stream = cmap_of(nonsense, start)
    return raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    )


def test_a_text_layer_of_nonsense_is_not_believed(opened: Opened) -> None:
    layer = opened(mapped("BT /F 12 Tf 50 200 Td (HELLO WORLD) Tj ET", range(ord("A"), ord("Z") + 1))).text_layer(1)
    assert replace(layer, if_confirmed=None) == TextLayer((), complete=False)


LETTER = (
    "please send the next invoice to our main address within thirty days and quote that customer number "
    "on every payment or call us soon"
)


@pytest.mark.parametrize("start", [ord("D"), 0x0003])
def test_a_text_layer_of_exchanged_letters_holds_only_if_ocr_confirms_it(opened: Opened, start: int) -> None:
    codes = range(ord("a"), ord("z") + 1) if start > 32 else range(32, 127)
    layer = opened(mapped(f"BT /F 5 Tf 10 200 Td ({LETTER}) Tj ET", codes, start)).text_layer(1)
    assert layer.if_confirmed is not None
    assert replace(layer, if_confirmed=None) == TextLayer()


def test_characters_without_names_count_by_their_codes_if_ocr_confirms_them(opened: Opened) -> None:
    """The glyphs of a Type 3 font, as plotting programs embed them, without a map to Unicode."""
    content, glyph = "BT /F 12 Tf 50 200 Td (AB) Tj ET", "500 0 0 0 400 700 d1 50 0 300 700 re f"
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 500 700] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 65 "
        "/LastChar 66 /Widths [500 500] /Encoding << /Type /Encoding /Differences [65 /A /B] >> "
        "/CharProcs << /A 6 0 R /B 6 0 R >> >>",
        f"<< /Length {len(glyph)} >>\nstream\n{glyph}\nendstream",
    )
    layer = opened(data).text_layer(1)
    assert not layer.lines
    assert layer.if_confirmed is not None
    assert texts(layer.if_confirmed) == ["AB"]
    assert layer.if_confirmed.complete


def test_an_encrypted_file_asks_for_its_password_to_be_removed(opened: Opened) -> None:
    data = pdf(paragraph, encrypt=StandardEncryption("secret", "owner"))
    with pytest.raises(InputError, match=r"^'a.pdf' is encrypted") as caught:
        opened(data)
    assert caught.value.code == "encrypted_pdf"


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<</Root 1 0 R>>"])
def test_a_broken_file_is_the_clients_error(opened: Opened, data: bytes) -> None:
    with pytest.raises(InputError, match=r"^'a.pdf' "):
        opened(data)


def test_a_huge_page_is_refused_as_a_picture_but_read_as_text(opened: Opened) -> None:
    pages = opened(pdf(paragraph, size=(14400, 14400)))
    assert texts(pages.text_layer(1)) == sorted(PARAGRAPH)
    with pytest.raises(InputError) as caught:
        pages.picture(1)
    assert caught.value.code == "image_too_large"
    assert caught.value.message == (
        "'a.pdf' has 28800 x 28800 pixels (829.5 megapixels) at 144 DPI on page 1; the limit is 64 megapixels "
        "(OPENFAZE_MAX_IMAGE_MEGAPIXELS)."
    )
