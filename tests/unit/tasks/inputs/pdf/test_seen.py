"""Which text of a PDF page is seen."""

import time

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from tests.conftest import each_case
from tests.unit.tasks.inputs.pdf.drawn import Draw, area, box, layer_of, photo, texts, words


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
        ([(72, 700, 0.5, 12)], False),
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


@each_case(
    ("colour", "seen"),
    [
        ((1, 1, 1), ["12"]),
        ((0.97, 0.97, 0.97), ["12"]),
        ((0.8, 0.8, 0.8), ["12999"]),
    ],
)
def test_the_part_of_a_word_that_is_seen_is_read(colour: tuple[float, ...], seen: list[str]) -> None:
    assert texts(layer_of(words("12"), painted(*colour), words("999", 85.5))) == seen


def test_what_is_left_of_a_word_under_a_box_is_read() -> None:
    assert texts(layer_of(words("9120"), painted(1, 1, 1), block(70, 690, 8.5, 30))) == ["120"]


def test_text_in_a_font_that_is_not_in_the_file_is_left_out_in_the_colour_of_a_box() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("HeiseiMin-W3", 12)
        canvas.drawString(72, 700, "請求書")

    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    assert texts(layer_of(words("seen", y=600), box(60, 690, 90, 30), draw)) == ["seen"]


@pytest.mark.parametrize(("width", "height"), [(0.001, 1), (1, 0.001)])
def test_a_page_with_text_squeezed_to_a_line_is_left_to_ocr(width: float, height: float) -> None:
    squeeze = squeezed(width, height)
    layer = layer_of(words("Total 120.00"), squeeze, words("Total 9120.00", 72, 650))
    assert (texts(layer), layer.complete) == ([], False)


@pytest.mark.parametrize("across", [0.0, 1.0])
def test_text_that_is_bent_to_a_line_is_left_out(across: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.transform(1, 0, across, 0, 72, 700)
        canvas.drawString(0, 0, "Secret")
        canvas.restoreState()

    assert texts(layer_of(words("seen", y=600), draw)) == ["seen"]


def unembedded(canvas: Canvas) -> None:
    """Text that cannot be drawn, because no font here has its signs."""
    canvas.setFont("HeiseiMin-W3", 12)
    canvas.drawString(72, 700, "請求書")


def clipping(canvas: Canvas) -> None:
    path = canvas.beginPath()
    path.rect(10, 10, 20, 20)
    canvas.clipPath(path, stroke=0, fill=0)


def in_layer(canvas: Canvas) -> None:
    canvas._code.append("/OC <</Type /OCG>> BDC")
    unembedded(canvas)
    canvas._code.append("EMC")


@pytest.mark.parametrize(
    ("steps", "is_read"),
    [
        ((unembedded, box(60, 500, 90, 30)), True),
        ((unembedded, box(60, 690, 90, 30, filled=0)), True),
        ((painted(0, 0, 1), block(60, 690, 90, 30), painted(0, 0, 0), unembedded), True),
        ((unembedded, painted(1, 1, 1), block(60, 690, 90, 30)), False),
        ((unembedded, photo(60, 690, 90, 30)), False),
        ((clipping, unembedded), False),
        ((in_layer,), False),
    ],
    ids=["box elsewhere", "frame", "ground", "covered", "under a photo", "clipped", "in a layer"],
)
def test_text_that_cannot_be_drawn_is_read_where_nothing_can_hide_it(steps: tuple[Draw, ...], is_read: bool) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    assert texts(layer_of(words("seen", y=600), *steps)) == ["seen"] + is_read * ["請求書"]
