"""Pages drawn for the tests, with known text whose places are known to the pixel.

>>> page = noisy(skewed(two_column_page(seed=3), 3))
>>> page.image, page.text, page.lines[0].words[0].quad

Everything is a pure function of its arguments: the same call draws the same page. A word's box spans the ink
of the word from left to right and the ink of its whole line from top to bottom, so that the words of a line
share one height.
"""

import io
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
Box = tuple[float, float, float, float]

_MATPLOTLIB = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
_REPORTLAB = Path(str(files("reportlab"))) / "fonts"

FONTS = {
    "sans": _MATPLOTLIB / "DejaVuSans.ttf",
    "sans-bold": _MATPLOTLIB / "DejaVuSans-Bold.ttf",
    "sans-italic": _MATPLOTLIB / "DejaVuSans-Oblique.ttf",
    "serif": _MATPLOTLIB / "DejaVuSerif.ttf",
    "serif-bold": _MATPLOTLIB / "DejaVuSerif-Bold.ttf",
    "mono": _MATPLOTLIB / "DejaVuSansMono.ttf",
    "times": _MATPLOTLIB / "STIXGeneral.ttf",
    "times-italic": _MATPLOTLIB / "STIXGeneralItalic.ttf",
    "vera": _REPORTLAB / "Vera.ttf",
}

_VOCABULARY = """
the of and to in that was for with his they this have from one had word but what some were when your said
there each which their time will about many then them write would like these long make thing see him two has
look more day could come did number sound most people over know water than call first side been now find
head stand own page should country found answer school grow study still learn plant cover food four between
state keep never last thought city tree cross farm hard start might story far sea draw left late run while
press close night real life few north open seem together next white children begin walk example ease paper
group always music those both mark often letter until mile river car feet care second book carry took
science eat room friend began idea fish mountain stop once base hear horse cut sure watch color face wood
main enough plain girl usual young ready above ever red list though feel talk bird soon body dog family
direct pose leave song measure door product black short numeral class wind question happen complete ship
area half rock order fire south problem piece told knew pass since top whole king space heard best hour
better true during hundred five remember step early hold west ground interest reach fast verb sing listen
six table travel less morning
""".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    quad: Quad
    """Top left, top right, bottom right and bottom left corner, in the direction of the text, in pixels of the page's
    image."""

    @property
    def box(self) -> Box:
        """Left, top, right and bottom of the upright rectangle around the quadrilateral."""
        return _bounds(self.quad)


@dataclass(frozen=True, slots=True)
class Line:
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def quad(self) -> Quad:
        first, last = self.words[0].quad, self.words[-1].quad
        return first[0], last[1], last[2], first[3]

    @property
    def box(self) -> Box:
        return _bounds(self.quad)


@dataclass(frozen=True, slots=True)
class Page:
    image: Image.Image
    """Image in RGB."""
    lines: tuple[Line, ...]
    """Lines in reading order."""

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def words(self) -> list[Word]:
        return [word for line in self.lines for word in line.words]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """Pixels as height × width × 3, in RGB."""
        return np.asarray(self.image)

    def encoded(self, form: str = "PNG", **options: object) -> bytes:
        """Return the image as a file of the Pillow format `form`."""
        buffer = io.BytesIO()
        self.image.save(buffer, form, **options)
        return buffer.getvalue()


def prose(seed: int, words: int) -> list[str]:
    """Return English-looking words with capitals, punctuation, dates and amounts."""
    rng = random.Random(seed)
    text: list[str] = []
    starts = True
    while len(text) < words:
        kind = rng.random()
        if kind < 0.04:
            word = f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/{rng.randint(1990, 2030)}"
        elif kind < 0.10:
            word = f"{rng.randint(1, 9999)}.{rng.randint(0, 99):02d}"
        else:
            word = rng.choice(_VOCABULARY)
            word = word.capitalize() if starts or rng.random() < 0.08 else word
        starts = rng.random() < 0.1
        text.append(word + ("." if starts else "," if rng.random() < 0.08 else ""))
    return text


def words_read(read: Iterable[str], truth: Iterable[str]) -> tuple[int, int]:
    """Return the number of words of `truth` that were read, with repetitions, and the number of all words of `truth`.

    Words are alphanumeric, and compared without regard to case.
    """
    wanted, found = (Counter(re.findall(r"[a-z0-9]+", " ".join(texts).casefold())) for texts in (truth, read))
    return (wanted & found).total(), wanted.total()


def blank_page(width: int = 600, height: int = 400, paper: str = "white") -> Page:
    return Page(Image.new("RGB", (width, height), paper), ())


FOREIGN_LINES = {
    "Cyrillic": (
        "Договор аренды квартиры",
        "Арендодатель: Иванов Пётр Сергеевич",
        "Сумма 45 000 рублей в месяц",
        "г. Москва, улица Ленина, дом 5",
    ),
    "Cyrillic capitals": ("ДОГОВОР АРЕНДЫ КВАРТИРЫ", "СУММА 45 000 РУБЛЕЙ", "МОСКВА, УЛИЦА ЛЕНИНА 5"),
    "Greek": (
        "Συμβόλαιο ενοικίασης διαμερίσματος",
        "Ιδιοκτήτης: Γεώργιος Παπαδόπουλος",
        "Ποσό 450 ευρώ τον μήνα",
        "Αθήνα, οδός Ερμού 12",
    ),
    "Georgian": ("ბინის ქირავნობის ხელშეკრულება", "მესაკუთრე გიორგი ბერიძე", "თბილისი რუსთაველის გამზირი"),
}
"""Lines of pages in scripts that only other recognisers read, in letters that the typeface `sans` has."""


def single_line(
    text: str,
    *,
    font: str = "sans",
    size: int = 32,
    margin: int = 20,
    ink: str = "black",
    paper: str = "white",
) -> Page:
    """Draw a picture just large enough for one line of `text`. `size` is the size of the font, in pixels."""
    typeface = typeface_of(font, size)
    width = math.ceil(typeface.getlength(text)) + 2 * margin
    canvas = Canvas(width, round(1.25 * size) + 2 * margin, paper)
    canvas.line(text.split(), margin, margin + size, typeface, ink)
    return canvas.page()


def foreign_page(script: str, *, size: int = 28) -> Page:
    """Draw the first lines of a lease in a script that the embedded recogniser does not know."""
    typeface = typeface_of("sans", size)
    lines = FOREIGN_LINES[script]
    canvas = Canvas(900, (2 * len(lines) + 2) * size)
    for number, text in enumerate(lines, 1):
        canvas.line(text.split(), 40, 2 * number * size, typeface, "black")
    return canvas.page()


def paragraph_page(
    *,
    font: str = "sans",
    size: int = 24,
    lines: int = 14,
    width: int = 1000,
    seed: int = 0,
    ink: str = "black",
    paper: str = "white",
    words: Sequence[str] = (),
) -> Page:
    """Draw one column of running text, `lines` lines high: `words` if given, else invented prose."""
    typeface = typeface_of(font, size)
    margin = max(20, 2 * size)
    pitch = round(1.6 * size)
    canvas = Canvas(width, 2 * margin + lines * pitch, paper)
    canvas.column(words or prose(seed, lines * width // size), margin, margin, width - 2 * margin, lines, typeface, ink)
    return canvas.page()


def two_column_page(
    *,
    font: str = "serif",
    size: int = 22,
    lines: int = 16,
    width: int = 1240,
    seed: int = 0,
    heading: str = "",
) -> Page:
    """Draw a heading over both columns (if given), then the left column, then the right column."""
    typeface = typeface_of(font, size)
    margin, gutter, pitch = 3 * size, 3 * size, round(1.6 * size)
    column = (width - 2 * margin - gutter) // 2
    top = margin + (3 * size if heading else 0)
    canvas = Canvas(width, top + lines * pitch + margin)
    if heading:
        canvas.line(heading.split(), margin, margin + size, typeface_of(font, round(1.6 * size)), "black")
    for index, left in enumerate((margin, margin + column + gutter)):
        text = prose(2 * seed + index, lines * column // size)
        canvas.column(text, left, top, column, lines, typeface, "black")
    return canvas.page()


def table_page(
    *, font: str = "sans", size: int = 24, rows: int = 8, columns: int = 4, seed: int = 0, rules: bool = True
) -> Page:
    """Draw a table with a header row. Every cell is a line of its own, row by row."""
    rng = random.Random(seed)
    typeface, bold = typeface_of(font, size), typeface_of("sans-bold", size)
    margin, cell, pitch = 2 * size, 9 * size, round(2.2 * size)
    canvas = Canvas(2 * margin + columns * cell, 2 * margin + (rows + 1) * pitch)
    for row in range(rows + 1):
        baseline = margin + row * pitch + round(1.45 * size)
        for column in range(columns):
            left = margin + column * cell + size // 2
            if row == 0:
                text = [rng.choice(_VOCABULARY).capitalize()]
            elif column == 0:
                text = [rng.choice(_VOCABULARY).capitalize(), rng.choice(_VOCABULARY)]
            else:
                text = [f"{rng.randint(10, 99999)}.{rng.randint(0, 99):02d}"]
            canvas.line(text, left, baseline, bold if row == 0 else typeface, "black")
    if rules:
        right, bottom = margin + columns * cell, margin + (rows + 1) * pitch
        for row in range(rows + 2):
            canvas.rule(margin, margin + row * pitch, right, margin + row * pitch)
        for column in range(columns + 1):
            canvas.rule(margin + column * cell, margin, margin + column * cell, bottom)
    return canvas.page()


def turned(page: Page, degrees: int) -> Page:
    """Return `page` turned clockwise by 90, 180 or 270 degrees. The words keep their order and run sideways."""
    width, height = page.image.size
    turns: dict[int, tuple[Image.Transpose, Callable[[Point], Point]]] = {
        90: (Image.Transpose.ROTATE_270, lambda p: (height - p[1], p[0])),
        180: (Image.Transpose.ROTATE_180, lambda p: (width - p[0], height - p[1])),
        270: (Image.Transpose.ROTATE_90, lambda p: (p[1], width - p[0])),
    }
    transpose, move = turns[degrees]
    return _moved(page, page.image.transpose(transpose), move)


def skewed(page: Page, degrees: float, paper: str = "white") -> Page:
    """Return `page` turned anticlockwise by a few `degrees`, on a canvas that grows to hold it."""
    width, height = page.image.size
    image = page.image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def move(point: Point) -> Point:
        x, y = point[0] - width / 2, point[1] - height / 2
        return cos * x + sin * y + image.width / 2, -sin * x + cos * y + image.height / 2

    return _moved(page, image, move)


def noisy(page: Page, seed: int = 0, *, noise: float = 12, blur: float = 0.6, jpeg_quality: int | None = 40) -> Page:
    """Return `page` as a poor scan: blurred (pixels), with Gaussian noise (grey levels), and compressed as JPEG."""
    blurred = page.image.filter(ImageFilter.GaussianBlur(blur))
    grain = np.random.default_rng(seed).normal(0, noise, (page.image.height, page.image.width, 1))
    pixels = np.clip(np.asarray(blurred, np.float64) + grain, 0, 255).round().astype(np.uint8)
    image = Image.fromarray(pixels)
    if jpeg_quality is not None:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=jpeg_quality)
        image = Image.open(buffer).convert("RGB")
    return Page(image, page.lines)


def pasted(canvas: Page, page: Page, left: int, top: int) -> Page:
    """Return `canvas` with `page` pasted at (`left`, `top`), its top left corner. The lines of `page` come last."""
    image = canvas.image.copy()
    image.paste(page.image, (left, top))
    placed = _moved(page, page.image, lambda point: (point[0] + left, point[1] + top))
    return Page(image, (*canvas.lines, *placed.lines))


def _moved(page: Page, image: Image.Image, move: Callable[[Point], Point]) -> Page:
    def moved(word: Word) -> Word:
        a, b, c, d = word.quad
        return Word(word.text, (move(a), move(b), move(c), move(d)))

    return Page(image, tuple(Line(tuple(map(moved, line.words))) for line in page.lines))


def _bounds(quad: Quad) -> Box:
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return min(xs), min(ys), max(xs), max(ys)


@cache
def typeface_of(font: str, size: int) -> ImageFont.FreeTypeFont:
    # With Pillow's own layout engine, the drawing does not depend on whether libraqm is installed.
    return ImageFont.truetype(FONTS[font], size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _ink(word: str, typeface: ImageFont.FreeTypeFont) -> tuple[int, int, int, int]:
    """Return the bounds of the visible pixels of `word`, from the start of its baseline. (Pillow's bounds include
    bearings.)"""
    size = round(typeface.size)
    mask = Image.new("L", (math.ceil(typeface.getlength(word)) + 2 * size, 3 * size))
    ImageDraw.Draw(mask).text((size, 2 * size), word, 255, typeface, anchor="ls")
    bounds = mask.point(lambda level: 255 * (level > 64)).getbbox()
    assert bounds is not None, f"{word!r} draws nothing"
    left, top, right, bottom = bounds
    return left - size, top - 2 * size, right - size, bottom - 2 * size


class Canvas:
    """Canvas that draws lines of words, and records their places."""

    def __init__(self, width: int, height: int, paper: str = "white") -> None:
        self._image = Image.new("RGB", (width, height), paper)
        self._draw = ImageDraw.Draw(self._image)
        self._lines: list[Line] = []

    def line(self, words: Sequence[str], left: int, baseline: int, typeface: ImageFont.FreeTypeFont, ink: str) -> None:
        x = float(left)
        boxes: list[tuple[int, int, int, int]] = []
        for word in words:
            at = (round(x), baseline)
            self._draw.text(at, word, ink, typeface, anchor="ls")
            left_edge, top_edge, right_edge, bottom_edge = _ink(word, typeface)
            boxes.append((at[0] + left_edge, baseline + top_edge, at[0] + right_edge, baseline + bottom_edge))
            x += typeface.getlength(word) + typeface.getlength(" ")
        top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
        quads = [((l, top), (r, top), (r, bottom), (l, bottom)) for l, _, r, _ in boxes]  # noqa: E741
        self._lines.append(Line(tuple(map(Word, words, quads))))

    def column(
        self,
        words: Sequence[str],
        left: int,
        top: int,
        width: int,
        lines: int,
        typeface: ImageFont.FreeTypeFont,
        ink: str,
    ) -> None:
        """Draw `words` in at most `lines` lines no wider than `width`. Words that do not fit are left out."""
        pitch = round(1.6 * typeface.size)
        row: list[str] = []
        drawn = 0
        for word in words:
            if row and typeface.getlength(" ".join([*row, word])) > width:
                self.line(row, left, top + drawn * pitch + round(typeface.size), typeface, ink)
                row, drawn = [], drawn + 1
                if drawn == lines:
                    return
            row.append(word)
        if row:
            self.line(row, left, top + drawn * pitch + round(typeface.size), typeface, ink)

    def rule(self, left: int, top: int, right: int, bottom: int) -> None:
        self._draw.line((left, top, right, bottom), "black", 2)

    def box(self, left: int, top: int, right: int, bottom: int, fill: str) -> None:
        self._draw.rectangle((left, top, right, bottom), fill, "black", 2)

    def page(self) -> Page:
        return Page(self._image, tuple(self._lines))
