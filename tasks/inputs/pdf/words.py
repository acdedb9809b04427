"""Extracts the words of a PDF page from PDFium's characters."""

import ctypes
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import pypdfium2
import pypdfium2.raw as pdfium

from models.normal_forms import normalized
from tasks.inputs.pdf.shown import Box

_HYPHEN_AT_LINE_END = 2
"""PDFium's code for a hyphen after which the word continues in the next line."""
_SOFT_HYPHEN = "\u00ad"
_WORD_GAP = 1.0
"""A gap of more than this many em separates words even if PDFium reports no space there."""
_LINE_JUMP = 0.5
"""A glyph that is more than this many em above or below a word belongs to another word."""
_RAISED = 0.1
"""A figure whose baseline is more than this many em above or below that of the figure before it is not a part of its
number. Raised figures are 0.3 em higher, lowered ones 0.15 em lower."""
_SAME_DIRECTION = 0.9994
"""Cosine of 2 degrees. Glyphs whose directions differ by more than this angle belong to different words."""
_ALIGNED = 0.01
"""Sine of an angle. Text that deviates less from an axis counts as aligned with it, and PDFium's own boxes are used."""

_FILLED = {pdfium.FPDF_TEXTRENDERMODE_FILL, pdfium.FPDF_TEXTRENDERMODE_FILL_CLIP}
_NOT_DRAWN = {pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP}
_LEAST_ALPHA = 13
"""Text of less opacity than this, of 255, is not seen: of less than 5 %."""
_MAX_CHARACTERS = 200_000
"""A page with more characters than this gives no words, because each character takes several calls of PDFium. A dense
newspaper page has 50,000."""

Direction = tuple[float, float]
"""Unit vector of the text's direction in the page's space."""


@dataclass(slots=True)
class PdfWord:
    """A run of glyphs without white space.

    Extents are measured along the text's direction (u) and across it (v, towards its upper side), so that rotated text
    has a tight, rotated box.
    """

    direction: Direction
    em: float
    """Font size in points as drawn."""
    baseline: float
    """Position v of the first glyph's origin."""
    visible: bool
    """False for text that can be searched and copied but not seen: it is not drawn (text rendering modes 3 and 7) or
    transparent."""
    glyphs: list[str] = field(default_factory=list)
    """The characters as drawn, "" for those that are not known."""
    u: tuple[float, float] = math.inf, -math.inf
    v: tuple[float, float] = math.inf, -math.inf
    unmapped: int = 0
    """Number of glyphs without a known character."""
    is_struck: bool = False
    """True if the word is struck through."""

    @property
    def text(self) -> str:
        text = "".join(self.glyphs)
        if text.endswith(_SOFT_HYPHEN):
            text = text[:-1] + "-"
        return normalized("NFC", text.replace(_SOFT_HYPHEN, ""))

    def point(self, u: float, v: float) -> tuple[float, float]:
        """Return the point of the page's space at `u` along and `v` across the text."""
        dx, dy = self.direction
        return u * dx - v * dy, u * dy + v * dx

    @property
    def box(self) -> Box:
        """The word's bounding box in the page's space."""
        return Box.around(self.point(u, v) for u in self.u for v in self.v)


def read_words(page: pypdfium2.PdfPage, *, by_code: bool = False) -> list[PdfWord]:
    """Return the words of `page` in the order of its content; none if the page has too many characters. With `by_code`,
    glyphs of which the file does not say what they are count as the characters of their codes, as many programs mean
    it."""
    text = page.get_textpage()
    try:
        count = text.count_chars()
        return list(_group_words(_Characters(text.raw, by_code=by_code), count)) if count <= _MAX_CHARACTERS else []
    finally:
        text.close()


def _group_words(characters: "_Characters", count: int) -> Iterator[PdfWord]:
    word: PdfWord | None = None
    last: tuple[float, float] = (0.0, 0.0)
    for index in range(count):
        glyph = characters.glyph(index)
        if glyph == " ":
            if word:
                yield word
            word = None
            continue
        direction = characters.direction(index)
        u, v = characters.extents(index, direction)
        is_raised = word is not None and characters.is_raised(index, glyph, word)
        if word is None or is_raised or _begins_word(word, last, direction, u, v):
            if word:
                yield word
            word = characters.begin(index, direction, v[1] - v[0])
        word.glyphs.append(glyph)
        word.unmapped += not glyph
        word.u = min(word.u[0], u[0]), max(word.u[1], u[1])
        word.v = min(word.v[0], v[0]), max(word.v[1], v[1])
        last = u
    if word:
        yield word


def _begins_word(
    word: PdfWord,
    last: tuple[float, float],
    direction: Direction,
    u: tuple[float, float],
    v: tuple[float, float],
) -> bool:
    """True if a glyph at `u`, `v` begins another word. `last` is the place of the previous glyph."""
    if direction != word.direction:
        (dx, dy), (word_dx, word_dy) = direction, word.direction
        if dx * word_dx + dy * word_dy < _SAME_DIRECTION:
            return True
    # A gap on either side counts, because the glyphs of right-to-left text follow each other to the left.
    aside = max(u[0] - last[1], last[0] - u[1])
    above = max(v[0] - word.v[1], word.v[0] - v[1])
    return aside > _WORD_GAP * word.em or above > _LINE_JUMP * word.em


class _Characters:
    """Characters of a PDFium text page. The C variables for results are kept in the object, because making them for
    each of thousands of calls would take longer than the calls."""

    def __init__(self, raw: object, *, by_code: bool) -> None:
        self._raw = raw
        self._by_code = by_code
        self._left, self._right, self._bottom, self._top = (ctypes.c_double() for _ in range(4))
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._matrix = pdfium.FS_MATRIX()
        self._colour = tuple(ctypes.c_uint() for _ in range(4))

    def glyph(self, index: int) -> str:
        """Return the text of a character: " " for white space, "" for a character that shows nothing or that the file
        does not define."""
        code = pdfium.FPDFText_GetUnicode(self._raw, index)
        if code == _HYPHEN_AT_LINE_END:
            return "-"
        if not self._by_code and pdfium.FPDFText_HasUnicodeMapError(self._raw, index) == 1:
            return ""
        return _text_of_code(code)

    def direction(self, index: int) -> Direction:
        pdfium.FPDFText_GetMatrix(self._raw, index, self._matrix)
        a, b = self._matrix.a, self._matrix.b
        length = math.hypot(a, b)
        return (a / length, b / length) if b and length else (1.0 if a >= 0 else -1.0, 0.0)

    def extents(self, index: int, direction: Direction) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the extents of the glyph's ink along and across `direction`."""
        pdfium.FPDFText_GetCharBox(self._raw, index, self._left, self._right, self._bottom, self._top)
        left, right, bottom, top = self._left.value, self._right.value, self._bottom.value, self._top.value
        dx, dy = direction
        if abs(dy) < _ALIGNED:
            return ((left, right), (bottom, top)) if dx > 0 else ((-right, -left), (-top, -bottom))
        if abs(dx) < _ALIGNED:
            return ((bottom, top), (-right, -left)) if dy > 0 else ((-top, -bottom), (left, right))
        # The box encloses the rotated glyph and has the same centre. Along the text, the centre is in the middle of the
        # glyph's advance, so the width is twice the distance from the origin to the centre. The height is calculated
        # from the width and the box.
        start, _ = self.origin(index, direction)
        x, y = (left + right) / 2, (bottom + top) / 2
        u, v = x * dx + y * dy, y * dx - x * dy
        width = 2 * abs(u - start)
        if abs(dx) > abs(dy):
            height = (top - bottom - width * abs(dy)) / abs(dx)
        else:
            height = (right - left - width * abs(dx)) / abs(dy)
        return (u - width / 2, u + width / 2), (v - max(height, 0) / 2, v + max(height, 0) / 2)

    def is_raised(self, index: int, glyph: str, word: PdfWord) -> bool:
        """True if a figure stands higher or lower than the figure before it, as a mark of a footnote does, or cents."""
        if not (glyph.isdecimal() and word.glyphs[-1].isdecimal()):
            return False
        return abs(self.origin(index, word.direction)[1] - word.baseline) > _RAISED * word.em

    def origin(self, index: int, direction: Direction) -> tuple[float, float]:
        """Return the glyph's origin on the baseline, along and across `direction`."""
        pdfium.FPDFText_GetCharOrigin(self._raw, index, self._x, self._y)
        (x, y), (dx, dy) = (self._x.value, self._y.value), direction
        return x * dx + y * dy, y * dx - x * dy

    def begin(self, index: int, direction: Direction, height: float) -> PdfWord:
        """Return a new word without glyphs that begins at glyph `index` of this `height`."""
        scale = math.hypot(self._matrix.c, self._matrix.d)
        drawn = pdfium.FPDFText_GetTextObject(self._raw, index)
        mode = pdfium.FPDFTextObj_GetTextRenderMode(drawn) if drawn else pdfium.FPDF_TEXTRENDERMODE_FILL
        em = pdfium.FPDFText_GetFontSize(self._raw, index) * scale or height
        is_filled = mode in _FILLED and pdfium.FPDFText_GetFillColor(self._raw, index, *self._colour)
        alpha = self._colour[3].value if is_filled else 255
        return PdfWord(
            direction,
            em=em,
            baseline=self.origin(index, direction)[1],
            visible=mode not in _NOT_DRAWN and alpha >= _LEAST_ALPHA,
        )


@lru_cache(maxsize=4096)
def _text_of_code(code: int) -> str:
    """Return the text of a code point: white space as " ", ligatures decomposed, "" for a code without a character."""
    if 0xFB00 <= code <= 0xFB06:
        return normalized("NFKC", chr(code))
    character = chr(code) if code <= 0x10FFFF else "\ufffd"
    if character.isspace() or code in {0x200B, 0xFEFF}:
        return " "
    # Private, unassigned, surrogate and control characters show nothing. Format characters are kept, because they shape
    # others.
    category = unicodedata.category(character)
    if character == "\ufffd" or category in {"Co", "Cn", "Cs", "Cc"}:
        return ""
    return character
