"""What a PDF page shows besides its text layer: which of it is left to OCR."""

import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from reportlab.pdfgen.canvas import Canvas

from tasks.inputs.pages import TextLayer
from tasks.layout.lines import in_reading_order
from tests.kit.papers.pages import FONTS, prose
from tests.unit.tasks.inputs.pdf.drawn import Draw, layer_of, photo, scanned, texts, words


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


@pytest.mark.parametrize("size", [(225, 60), (200, 120), (200, 30), (30, 200), (60, 12)])
def test_a_small_picture_that_may_hold_a_line_of_text_is_read(size: tuple[float, float]) -> None:
    assert not layer_of(words("Dear customer"), photo(72, 300, *size)).complete


@pytest.mark.parametrize("size", [(40, 40), (50, 20), (400, 6)])
def test_a_picture_that_is_too_small_for_text_is_not_read(size: tuple[float, float]) -> None:
    assert layer_of(words("Dear customer"), photo(72, 300, *size)).complete


def test_each_picture_needs_hidden_words_of_its_own() -> None:
    assert layer_of(*scanned(60, 520, 450, 250)).complete
    assert not layer_of(*scanned(60, 520, 450, 250), photo(60, 100, 450, 250)).complete


def test_what_a_scanner_read_is_left_to_ocr_if_that_reads_it_too() -> None:
    """What nobody sees may be anything."""
    text = "Total due 9999.00 EUR within 30 days"
    assert layer_of(*scanned(60, 520, 450, 250, text=text, font="Helvetica")) == TextLayer()


def test_letters_drawn_as_paths_are_to_be_read() -> None:
    layer = layer_of(words("Page 1 of 1"), outlines("Invoice total 4711.00 EUR"))
    assert texts(layer) == ["Page 1 of 1"]
    assert not layer.complete


def test_a_few_paths_are_no_text() -> None:
    assert layer_of(words("Page 1 of 1"), outlines("@&")).complete


def test_the_round_marks_of_a_chart_are_no_letters() -> None:
    def marks(canvas: Canvas) -> None:
        for number in range(40):
            canvas.circle(100 + 10 * number, 300 + 5 * number % 90, 3 + number % 4, fill=1)

    assert layer_of(words("Load by hour"), marks).complete


def test_ocr_adds_words_only_where_the_layer_may_lack_them() -> None:
    layer = layer_of(words("Dear customer"), photo(72, 300, 225, 60))
    assert layer.unread == (((144, 964), (594, 964), (594, 1084), (144, 1084)),)
    assert layer_of(words("Dear customer")).unread == ()
    assert layer_of().unread is None


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


def test_a_filled_field_over_a_page_is_text_of_the_page() -> None:
    layer = layer_of(words("Digital"), field_of("print"))
    assert texts(layer) == ["Ask Ada", "Digital"]
    assert layer.complete


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
