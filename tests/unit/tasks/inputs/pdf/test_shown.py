"""What a PDF page shows besides its text layer: which of it is left to OCR, and which text nobody sees."""

import io
import time
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from tasks.inputs.limits import MediaLimits
from tasks.inputs.pages import TextLayer
from tasks.inputs.pdf.document import PdfPages
from tasks.inputs.source import Blob
from tasks.layout.lines import in_reading_order
from tests.conftest import each_case
from tests.pages import FONTS, prose

Draw = Callable[[Canvas], object]


def layer_of(*steps: Draw, size: tuple[float, float] = (595, 842)) -> TextLayer:
    """The text layer of a page on which `steps` draw one after the other."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size)
    canvas.setFont("Helvetica", 12)
    for step in steps:
        step(canvas)
    canvas.save()
    pages = PdfPages(Blob(buffer.getvalue(), "application/pdf", "a.pdf", "p"), MediaLimits())
    try:
        return pages.text_layer(1)
    finally:
        pages.close()


def texts(layer: TextLayer) -> list[str]:
    return sorted(line.text for line in layer.lines)


def words(text: str, x: float = 72, y: float = 700) -> Draw:
    return lambda canvas: canvas.drawString(x, y, text)


def photo(x: float, y: float, width: float, height: float, *, alpha: int = 255) -> Draw:
    noise = np.random.default_rng(1).integers(0, 255, (60, 200, 4), dtype=np.uint8)
    noise[:, :, 3] = alpha
    picture = PIL.Image.fromarray(noise if alpha < 255 else noise[:, :, :3])
    return lambda canvas: canvas.drawImage(ImageReader(picture), x, y, width, height, mask="auto")


def hidden(text: str, x: float, y: float, mode: int = 3) -> Draw:
    def draw(canvas: Canvas) -> None:
        line = canvas.beginText(x, y)
        line.setFont("Helvetica", 12)
        line.setTextRenderMode(mode)
        line.textOut(text)
        line.setTextRenderMode(0)
        canvas.drawText(line)

    return draw


def scanned(x: float, y: float, width: float, height: float) -> list[Draw]:
    """A picture with what was read in it."""
    rows = range(int(y) + 6, int(y + height) - 12, 16)
    return [photo(x, y, width, height), *(hidden("what the scanner read in one line", x + 5, row) for row in rows)]


def outlines(text: str) -> Draw:
    """`text` in 24 points, drawn as paths."""

    def draw(canvas: Canvas) -> None:
        path = canvas.beginPath()
        for polygon in TextPath((72, 400), text, size=24, prop=FontProperties(fname=FONTS["sans"])).to_polygons():
            path.moveTo(*polygon[0])
            for point in polygon[1:]:
                path.lineTo(*point)
            path.close()
        canvas.drawPath(path, fill=1, stroke=0)

    return draw


def box(x: float, y: float, width: float, height: float, *, opacity: float = 1, filled: int = 1) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFillColorRGB(0, 0, 0, alpha=opacity)
        canvas.rect(x, y, width, height, fill=filled, stroke=1 - filled)
        canvas.restoreState()

    return draw


def area(*corners: tuple[float, float]) -> Draw:
    def draw(canvas: Canvas) -> None:
        path = canvas.beginPath()
        path.moveTo(*corners[0])
        for corner in corners[1:]:
            path.lineTo(*corner)
        canvas.drawPath(path, fill=1, stroke=0)

    return draw


@pytest.mark.parametrize("size", [(225, 60), (200, 120), (200, 30), (30, 200), (60, 12)])
def test_a_small_picture_that_may_hold_a_line_of_text_is_read(size: tuple[float, float]) -> None:
    assert not layer_of(words("Dear customer"), photo(72, 300, *size)).complete


@pytest.mark.parametrize("size", [(40, 40), (50, 20), (400, 6)])
def test_a_picture_that_is_too_small_for_text_is_not_read(size: tuple[float, float]) -> None:
    assert layer_of(words("Dear customer"), photo(72, 300, *size)).complete


def test_a_picture_behind_text_is_its_background() -> None:
    assert layer_of(photo(72, 690, 110, 30), words("A heading here")).complete


def test_words_in_the_corners_of_a_scan_are_not_its_text() -> None:
    layer = layer_of(photo(0, 0, 595, 842), hidden("DOC-ID", 40, 800), hidden("4711", 500, 30))
    assert layer == TextLayer((), complete=False)


def test_each_picture_needs_hidden_words_of_its_own() -> None:
    assert layer_of(*scanned(60, 520, 450, 250)).complete
    assert not layer_of(*scanned(60, 520, 450, 250), photo(60, 100, 450, 250)).complete


def test_a_scan_in_strips_is_one_picture() -> None:
    strips = [photo(60, 500 + 10 * row, 450, 10) for row in range(25)]
    assert layer_of(*strips, *scanned(60, 500, 450, 250)[1:]).complete


def test_what_a_scanner_read_is_left_out_where_the_page_is_read_anyway() -> None:
    layer = layer_of(*scanned(60, 520, 450, 250), photo(60, 100, 450, 250), words("Visible", y=50))
    assert texts(layer) == ["Visible"]


def test_letters_drawn_as_paths_are_to_be_read() -> None:
    layer = layer_of(words("Page 1 of 1"), outlines("Invoice total 4711.00 EUR"))
    assert texts(layer) == ["Page 1 of 1"]
    assert not layer.complete


def test_a_few_paths_are_no_text() -> None:
    assert layer_of(words("Page 1 of 1"), outlines("@&")).complete


def test_a_table_of_bars_is_no_text() -> None:
    bars = [box(72 + 20 * column, 100, 10, 5 + column) for column in range(20)]
    assert layer_of(words("Sales"), *bars).complete


def clipped(draw: Draw, *boxes: tuple[float, float, float, float], ellipse: bool = False) -> Draw:
    def drawn(canvas: Canvas) -> None:
        canvas.saveState()
        for x, y, width, height in boxes:
            path = canvas.beginPath()
            (path.ellipse if ellipse else path.rect)(x, y, width, height)
            canvas.clipPath(path, stroke=0, fill=0)
        canvas.setFont("Helvetica", 12)
        draw(canvas)
        canvas.restoreState()

    return drawn


@each_case(
    ("boxes", "ellipse"),
    [
        ([(0, 0, 1, 1)], False),
        ([(0, 0, 595, 842), (300, 300, 100, 100)], False),
        ([(0, 600, 200, 200), (300, 600, 200, 200)], False),
        ([(72, 700, 4, 12)], False),
        ([(0, 0, 20, 20)], True),
    ],
)
def test_a_word_that_is_clipped_away_is_left_out(boxes: list[tuple[float, ...]], ellipse: bool) -> None:
    layer = layer_of(words("seen", y=600), clipped(words("clipped"), *boxes, ellipse=ellipse))  # type: ignore[arg-type]
    assert texts(layer) == ["seen"]


@each_case(
    ("boxes", "ellipse"),
    [
        ([(0, 0, 595, 842)], False),
        ([(72, 690, 30, 30)], False),
        ([(0, 500, 400, 300)], True),
    ],
)
def test_a_word_within_its_clip_is_read(boxes: list[tuple[float, ...]], ellipse: bool) -> None:
    layer = layer_of(words("seen", y=600), clipped(words("inside"), *boxes, ellipse=ellipse))  # type: ignore[arg-type]
    assert texts(layer) == ["inside", "seen"]


def test_a_clip_within_a_form_is_placed_with_it() -> None:
    def form(canvas: Canvas) -> None:
        canvas.beginForm("stamp")
        clipped(words("inside", 10, 10), (0, 0, 100, 30))(canvas)
        clipped(words("outside", 10, 50), (0, 0, 100, 30))(canvas)
        canvas.endForm()
        canvas.saveState()
        canvas.translate(200, 400)
        canvas.doForm("stamp")
        canvas.restoreState()

    assert texts(layer_of(words("seen", y=600), form)) == ["inside", "seen"]


def test_a_clip_of_any_size_is_known() -> None:
    def drawn(canvas: Canvas) -> None:
        canvas.saveState()
        path = canvas.beginPath()
        path.moveTo(0, 0)
        for corner in range(60_000):
            path.lineTo(corner % 2, 1)
        canvas.clipPath(path, stroke=0, fill=0)
        canvas.setFont("Helvetica", 12)
        for row in range(3):
            canvas.drawString(72, 700 - 20 * row, f"text {row}")
        canvas.restoreState()

    assert texts(layer_of(words("seen", y=600), drawn)) == ["seen"]


def test_a_word_under_an_opaque_box_is_left_out() -> None:
    layer = layer_of(words("Secret name John Smith"), box(140, 695, 80, 16), words("in public", y=600))
    assert texts(layer) == ["Secret name", "in public"]
    assert layer.complete


@pytest.mark.parametrize(("width", "seen"), [(2.0, ["in public"]), (0.8, ["in public", "secret"])])
def test_a_word_under_many_narrow_boxes_is_left_out_if_they_hide_it_together(width: float, seen: list[str]) -> None:
    strips = [box(70 + 2 * index, 695, width, 16) for index in range(25)]
    assert texts(layer_of(words("secret"), *strips, words("in public", y=600))) == seen


def test_boxes_above_each_other_hide_a_word_together() -> None:
    halves = box(60, 694, 80, 7), box(60, 701, 80, 12)
    assert texts(layer_of(words("secret"), *halves, words("in public", y=600))) == ["in public"]


@pytest.mark.deep
def test_boxes_over_many_words_take_bounded_time() -> None:
    rows = [words("a " * 100, 20, 20 + 8 * row) for row in range(100)]
    strips = [box(10 + index / 20, 0, 0.05, 842) for index in range(5_000)]
    started = time.perf_counter()
    assert texts(layer_of(*rows, *strips))
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    "shape",
    [
        lambda canvas: canvas.circle(100, 704, 60, stroke=0, fill=1),
        lambda canvas: canvas.line(60, 704, 260, 704),
        area((0, 600), (300, 600), (100, 900)),
    ],
    ids=["circle", "line", "triangle"],
)
def test_a_word_under_any_shape_is_left_out(shape: Draw) -> None:
    thick = (painted(0.9, 0.9, 0.9), lambda canvas: canvas.setLineWidth(40))
    assert texts(layer_of(words("secret"), *thick, shape, painted(0, 0, 0), words("in public", y=500))) == ["in public"]


def test_a_box_inside_a_clip_covers_what_is_inside() -> None:
    def clip(canvas: Canvas) -> None:
        path = canvas.beginPath()
        path.rect(0, 650, 595, 192)
        canvas.clipPath(path, stroke=0)

    assert texts(layer_of(words("covered"), words("clear", y=600), clip, box(50, 580, 200, 200))) == ["clear"]


@pytest.mark.parametrize(
    "over",
    [
        box(50, 690, 200, 30, opacity=0.4),
        box(50, 690, 200, 30, filled=0),
        photo(50, 690, 55, 30, alpha=90),
        area((50, 690), (250, 690), (250, 700), (250, 720)),
    ],
    ids=["highlight", "frame", "watermark", "triangle"],
)
def test_what_lets_text_through_does_not_cover_it(over: Draw) -> None:
    assert texts(layer_of(words("legible"), over)) == ["legible"]


def test_text_over_a_box_is_not_covered() -> None:
    assert texts(layer_of(box(50, 690, 200, 30, opacity=0.4), words("in a button"))) == ["in a button"]


def test_new_text_over_covered_text_is_what_is_read() -> None:
    white = painted(1, 1, 1), block(60, 690, 200, 30), painted(0, 0, 0)
    assert texts(layer_of(words("Total 9120.00"), *white, words("Total 120.00"))) == ["Total 120.00"]


def test_text_that_is_hidden_below_other_text_is_left_out() -> None:
    layer = layer_of(painted(1, 1, 1), words("Total 9120.00"), painted(0, 0, 0), words("Total 120.00", x=74, y=702))
    assert texts(layer) == ["Total 120.00"]


@pytest.mark.parametrize("shift", [0, 0.3])
def test_text_that_is_drawn_twice_is_read(shift: float) -> None:
    assert "Total 120.00" in texts(layer_of(words("Total 120.00"), words("Total 120.00", x=72 + shift)))


def test_a_page_with_too_many_texts_in_one_place_is_to_be_read() -> None:
    layer = layer_of(*(words(f"Total {number}120.00") for number in range(1, 12)))
    assert (texts(layer), layer.complete) == ([], False)


@pytest.mark.parametrize(("colour", "seen"), [(0, ["請求書 120.00", "seen"]), (1, ["seen"])])
def test_text_in_a_font_that_is_not_in_the_file_is_believed_if_it_has_a_colour(colour: int, seen: list[str]) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(colour, colour, colour)
        canvas.setFont("HeiseiMin-W3", 12)
        canvas.drawString(72, 700, "請求書 120.00")

    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    assert texts(layer_of(words("seen", y=600), draw)) == sorted(seen)


def test_highlighted_text_is_read() -> None:
    def note(canvas: Canvas) -> None:
        canvas.highlightAnnotation("", Rect=(60, 690, 260, 720), QuadPoints=(60, 720, 260, 720, 60, 690, 260, 690))

    assert texts(layer_of(words("legible"), note)) == ["legible"]


@pytest.mark.parametrize("thin", ["1", "l", "-", "\u2013", ":", "....", "ll", "il|"])
@pytest.mark.parametrize("size", [3, 7, 12])
def test_narrow_and_flat_glyphs_are_read(thin: str, size: float) -> None:
    assert texts(layer_of(painted(0.6, 0.6, 0.6, size=size), words(thin))) == [thin]


def test_a_picture_over_text_is_what_is_read() -> None:
    layer = layer_of(words("OLD PRICE 100"), photo(70, 690, 300, 40), words("elsewhere", y=100))
    assert texts(layer) == ["elsewhere"]
    assert not layer.complete


def test_text_that_only_clips_is_not_seen() -> None:
    assert texts(layer_of(words("filled"), hidden("clip", 72, 600, mode=7))) == ["filled"]


def test_a_note_without_a_look_of_its_own_is_text() -> None:
    def note(canvas: Canvas) -> None:
        canvas.freeTextAnnotation("Wrong total!\nAsk Ada", DA="/Helv 18 Tf", Rect=(100, 500, 400, 560))

    layer = layer_of(words("Digital"), note)
    assert texts(layer) == ["Ask Ada", "Digital", "Wrong total!"]
    assert layer.complete
    first, second = sorted((line for line in layer.lines if line.text != "Digital"), key=lambda line: line.quad[0][1])
    assert first.text == "Wrong total!"
    assert first.quad[0] == pytest.approx((200, 564), abs=2)
    assert first.quad[2] == second.quad[1] == pytest.approx((800, 624), abs=2)
    assert [round(word.quad[0][0]) for word in first.words] == [200, 500]


HIDDEN, NO_VIEW = 2, 32
"""Flags of annotations (ISO 32000-1, 12.5.3)."""


def note_of(flags: int) -> Draw:
    return lambda canvas: canvas.freeTextAnnotation("Ask Ada", DA="/Helv 18 Tf", Rect=(100, 500, 400, 560), F=flags)


def field_of(flags: str) -> Draw:
    return lambda canvas: canvas.acroForm.textfield("Ask Ada", x=100, y=500, name="who", annotationFlags=flags)


@pytest.mark.parametrize("over", [note_of(HIDDEN), note_of(NO_VIEW), field_of("hidden"), field_of("noview print")])
def test_what_no_viewer_shows_over_a_page_is_not_to_be_read(over: Draw) -> None:
    layer = layer_of(words("Digital"), over)
    assert texts(layer) == ["Digital"]
    assert layer.complete


def test_a_filled_field_over_a_page_is_to_be_read() -> None:
    assert not layer_of(words("Digital"), field_of("print")).complete


def test_the_characters_of_a_page_s_notes_are_bounded() -> None:
    def notes(canvas: Canvas) -> None:
        for text in ("ab " * 50_000, "ab " * 20_000, "short"):
            canvas.freeTextAnnotation(text, DA="/Helv 18 Tf", Rect=(100, 500, 400, 560))

    counts = [len(line.words) for line in layer_of(words("Digital"), notes).lines]
    assert sorted(counts) == [1, 1, 50_000], "the second note does not fit beside the first one, and the third does"


def justified(canvas: Canvas, tag: str, x: float, width: float) -> None:
    """A column in which the spaces of each line fill it to `width`; the words of `tag` tell it from others."""
    canvas.setFont("Times-Roman", 10)
    line: list[str] = []
    y = 740.0
    for word in prose(40, 400):
        room = width - canvas.stringWidth(" ".join([*line, tag, word]))
        if room < 0:
            text = " ".join([*line, tag])
            row = canvas.beginText(x, y)
            row.setWordSpace((width - canvas.stringWidth(text)) / len(line))
            row.textOut(text)
            canvas.drawText(row)
            line, y = [], y - 12
        line.append(word)


@pytest.mark.parametrize("gutter", [9, 12, 16])
def test_justified_columns_are_read_one_after_the_other(gutter: float) -> None:
    width = (595 - 108 - gutter) / 2
    layer = layer_of(
        lambda canvas: justified(canvas, "LEFT", 54, width),
        lambda canvas: justified(canvas, "RIGHT", 54 + width + gutter, width),
    )
    sides = [line.words[-1].text for line in in_reading_order(layer.lines)]
    assert len(sides) > 60
    assert sides == sorted(sides)


def painted(*colour: float, alpha: float = 1.0, size: float = 12) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(*colour, alpha=alpha)
        canvas.setFont("Helvetica", size)

    return draw


def block(x: float, y: float, width: float, height: float) -> Draw:
    return lambda canvas: canvas.rect(x, y, width, height, stroke=0, fill=1)


def gradient(canvas: Canvas) -> None:
    """A block that is black at its left and hardly less at its right."""
    canvas.saveState()
    path = canvas.beginPath()
    path.rect(60, 640, 300, 30)
    canvas.clipPath(path, stroke=0, fill=0)
    canvas.linearGradient(60, 640, 360, 640, ((0, 0, 0), (0.05, 0.05, 0.05)))
    canvas.restoreState()


def squeezed(width: float, height: float) -> Draw:
    """Scale what follows about the place of the text of the tests."""
    return lambda canvas: canvas.transform(width, 0, 0, height, 72 * (1 - width), 650 * (1 - height))


@pytest.mark.parametrize(
    "steps",
    [
        (painted(1, 1, 1),),
        (painted(0.99, 1, 0.99),),
        (painted(0, 0, 0, alpha=0),),
        (painted(0, 0, 0, alpha=0.04),),
        (painted(0, 0, 0, size=1),),
        (painted(1, 1, 1), block(60, 640, 300, 30)),
        (painted(0.2, 0.2, 0.2), block(60, 500, 300, 30), painted(1, 1, 1)),
        (painted(0.95, 0.95, 0.95),),
        (painted(1, 1, 0.9),),
        (painted(0.2, 0.2, 0.2), block(60, 640, 300, 30)),
        (painted(0.2, 0.2, 0.2), block(60, 640, 300, 30), painted(0.21, 0.2, 0.22)),
        (gradient,),
        (squeezed(0.001, 1),),
        (squeezed(1, 0.001),),
    ],
    ids=[
        "white",
        "nearly white",
        "transparent",
        "faint",
        "tiny",
        "on a white block",
        "below a dark block",
        "hardly grey",
        "hardly yellow",
        "dark on dark",
        "nearly dark on dark",
        "on a gradient",
        "without width",
        "without height",
    ],
)
def test_text_that_is_not_seen_is_left_out(steps: tuple[Draw, ...]) -> None:
    layer = layer_of(words("Total 120.00"), *steps, words("Total 9120.00", 72, 650))
    assert texts(layer) == ["Total 120.00"]
    assert layer.complete


@pytest.mark.parametrize(
    "steps",
    [
        (painted(0.2, 0.2, 0.2), block(60, 640, 300, 30), painted(1, 1, 1)),
        (photo(60, 640, 300, 30), painted(1, 1, 1)),
        (painted(0.9, 0.9, 0.9),),
        (painted(0, 0, 0, alpha=0.3),),
        (painted(0, 0, 0, size=2),),
        (painted(1, 0, 0), block(60, 640, 300, 30), painted(0, 0.5, 0)),
        (painted(1, 1, 0),),
        (squeezed(0.3, 1),),
    ],
    ids=["white on dark", "white on a photo", "grey", "translucent", "small", "green on red", "yellow", "narrow"],
)
def test_text_that_can_be_seen_is_kept(steps: tuple[Draw, ...]) -> None:
    assert "Total 9120.00" in texts(layer_of(*steps, words("Total 9120.00", 72, 650)))
