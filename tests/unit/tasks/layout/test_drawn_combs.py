"""Combs of forms are found, and their characters are read without the walls between them."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from models.capability import EngineConfig
from models.vision.ocr.capability import PP_OCR_V6_SMALL
from models.vision.page_geometry import UPRIGHT, PageGeometry
from models.vision.text import Image, PageReader, TextLine, Word
from tasks.layout.drawn_combs import MAX_COMBS, CombSheet, combs_on
from tasks.layout.upright_grey import UprightGrey
from tasks.layout.upright_ink import UprightInk
from tests.entries import text_line
from tests.pages import typeface_of

HEIGHT = 32.0
SOME_LINES = [text_line("Text", 700, 5, HEIGHT)]


class Form:
    """A form drawn for a test, with lines as high as HEIGHT."""

    def __init__(self, width: int = 1200, height: int = 500) -> None:
        self.sheet = Pillow.new("L", (width, height), 250)
        self.draw = ImageDraw.Draw(self.sheet)

    def text(self, left: int, top: int, text: str, size: int = 26) -> None:
        self.draw.text((left, top), text, 20, typeface_of("vera", size))

    def comb(self, left: int, top: int, text: str, cells: int, *, pitch: int = 34, is_open: bool = False) -> None:
        high, right = 42, left + cells * pitch
        self.draw.line((left, top + high, right, top + high), 60, 2)
        if not is_open:
            self.draw.line((left, top, right, top), 60, 2)
        for at in range(cells + 1):
            self.draw.line((left + at * pitch, top, left + at * pitch, top + high), 60, 2)
        for at, character in enumerate(text):
            place = (left + at * pitch + pitch / 2, top + high / 2 + 1)
            self.draw.text(place, character, 20, typeface_of("vera", 26), anchor="mm")

    @property
    def picture(self) -> Image:
        return np.asarray(self.sheet.convert("RGB"))

    def page(self) -> UprightInk:
        return UprightInk.of_grey(UprightGrey(self.picture, UPRIGHT), SOME_LINES)


@pytest.fixture(scope="module")
async def reader() -> AsyncIterator[PageReader]:
    ocr = PP_OCR_V6_SMALL.build(EngineConfig())
    yield ocr.service
    for part in ocr.parts:
        await part.close()


async def texts_of(picture: Image, reader: PageReader) -> list[str]:
    """Return the texts of the picture's lines, with its combs read without their walls."""
    lines = await reader.read(picture)
    geometry = PageGeometry.of_lines(lines)
    sheet = CombSheet.of_page(UprightInk.of_grey(UprightGrey(picture, geometry), lines))
    assert sheet is not None
    return [line.text for line in sheet.applied(lines, await reader.read(sheet.picture))]


@pytest.mark.deep
@pytest.mark.parametrize("is_open", [False, True])
async def test_characters_in_cells_are_read_as_words(is_open: bool, reader: PageReader) -> None:
    form = Form()
    form.text(60, 40, "Surname and first names of the applicant")
    form.comb(60, 90, "WHITLOCK  GARETH JOHN", 24, is_open=is_open)
    form.text(60, 180, "Date of birth as it is in the passport")
    form.comb(60, 230, "23071984", 8, is_open=is_open)
    form.text(60, 320, "Postcode")
    form.comb(220, 310, "CF10 4QA", 9, is_open=is_open)
    read = await texts_of(form.picture, reader)
    assert {"WHITLOCK GARETH JOHN", "23071984", "CF10 4QA"} <= set(read)
    assert any(text.startswith("Surname and first") for text in read)
    assert any(text.startswith("Postcode") for text in read)


async def test_a_turned_form_is_read_and_its_words_lie_where_they_are_drawn(reader: PageReader) -> None:
    form = Form()
    form.text(60, 40, "Surname and first names of the applicant, in capitals")
    form.comb(60, 100, "BRIGHTWELL", 16)
    form.text(60, 200, "Please do not fill in anything below this line of text")
    turned = np.asarray(form.sheet.convert("RGB").rotate(-4, Pillow.Resampling.BICUBIC, expand=True, fillcolor="white"))
    lines = await reader.read(turned)
    page = UprightInk.of_grey(UprightGrey(turned, PageGeometry.of_lines(lines)), lines)
    sheet = CombSheet.of_page(page)
    assert sheet is not None
    [word] = [
        word
        for line in sheet.applied(lines, await reader.read(sheet.picture))
        for word in line.words
        if word.text == "BRIGHTWELL"
    ]
    (left, top), _, (right, bottom), _ = word.quad
    # The middle of ten cells, turned about the middle of the sheet.
    angle = np.radians(4)
    x, y = 60 + 5 * 34 - 600, 100 + 21 - 250
    expected = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    height, width = turned.shape[:2]
    assert (left + right) / 2 - width / 2 == pytest.approx(expected[0], abs=12)
    assert (top + bottom) / 2 - height / 2 == pytest.approx(expected[1], abs=12)


def test_tables_boxes_and_words_are_no_combs() -> None:
    form = Form()
    form.text(60, 20, "HILLTOP MILLILITRES ILLINI 1111 ||||")
    for row in range(4):
        for column in range(5):
            form.draw.rectangle((60 + 150 * column, 100 + 44 * row, 210 + 150 * column, 144 + 44 * row), outline=60)
    for at in range(5):
        form.draw.rectangle((60 + 90 * at, 330, 90 + 90 * at, 360), outline=60, width=2)
    assert combs_on(form.page()) == []
    assert CombSheet.of_page(form.page()) is None


def test_groups_of_cells_are_one_comb_and_its_groups_are_words() -> None:
    form = Form()
    for left, text in ((60, "17"), (138, "04"), (216, "2018")):
        form.comb(left, 100, text, len(text))
    [comb] = combs_on(form.page())
    assert len(comb.cells) == 8
    sheet = CombSheet.of_page(form.page())
    assert sheet is not None
    [line] = sheet.applied([], [TextLine((word_at("17042018", 48, 300),), word_at("17042018", 48, 300).quad)])
    assert line.text == "17 04 2018"


def word_at(text: str, left: float, right: float, top: float = 20) -> Word:
    return Word(text, ((left, top), (right, top), (right, top + 50), (left, top + 50)), 0.9)


@pytest.mark.parametrize(
    ("drawn", "read"),
    [("12345", "12345"), ("ABCD", "ABCD"), ("7391", "17 23 9 1 55")],
    ids=["a scale", "categories", "several characters a cell"],
)
def test_cells_that_are_no_word_stay_as_they_were_read(drawn: str, read: str) -> None:
    form = Form()
    form.comb(60, 100, drawn, len(drawn))
    sheet = CombSheet.of_page(form.page())
    assert sheet is not None
    lines = [text_line("as it was", 60, 105, HEIGHT)]
    some = [word_at(text, 40 + 60 * at, 90 + 60 * at) for at, text in enumerate(read.split())]
    assert sheet.applied(lines, [TextLine(tuple(some), some[0].quad)]) == lines


def test_a_character_that_was_not_read_leaves_the_others_in_their_words() -> None:
    form = Form()
    form.comb(60, 100, "RUE DES LYS", 14)
    sheet = CombSheet.of_page(form.page())
    assert sheet is not None
    places = sheet.characters[0]
    words = [
        word_at("RUE", places[0].left, places[2].right),
        word_at("DE", places[3].left, places[4].right),
        word_at("LYS", places[6].left, places[8].right),
    ]
    [line] = sheet.applied([], [TextLine(tuple(words), words[0].quad)])
    assert line.text == "RUE DE LYS"


def test_the_number_of_combs_that_are_read_is_bounded() -> None:
    form = Form(height=100 + 60 * (MAX_COMBS + 5))
    for at in range(MAX_COMBS + 5):
        form.comb(60, 50 + 60 * at, "AB", 5)
    # Large pages are scaled down.
    assert len(combs_on(form.page())) == MAX_COMBS


def test_a_pattern_of_cells_makes_no_endless_sheet() -> None:
    form = Form(width=8000, height=3000)
    for row in range(60):
        for group in range(2):
            form.comb(20 + 4000 * group, 10 + 49 * row, "T" * 90, 90)
    form.comb(20, 2955, "T" * 200, 200)
    sheet = CombSheet.of_page(form.page())
    assert sheet is not None
    assert sheet.picture.size <= 3 * 16_000_000
    assert max(len(comb.cells) for comb in sheet.combs) <= 100


def test_walls_that_are_not_level_make_no_comb() -> None:
    form = Form()
    for x in range(100, 900, 20):
        form.draw.line((x, 100 + x % 100, x, 142 + x % 100), 60, 2)
    assert combs_on(form.page()) == []
