"""Finds the visible content of a PDF page other than its text: pictures, outlined letters, lines and annotations."""

import ctypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, Self

import pypdfium2
import pypdfium2.raw as pdfium
from pypdfium2 import PdfMatrix

from models.vision.text import Point, Quad, Ruling, TextLine, Word

_LEGIBLE_PIXELS = 1024
_LEGIBLE_SIDE = 8
"""A picture can contain text only if its sides have at least this many pixels, and its area at least _LEGIBLE_PIXELS.
Gradients, rules and bullets are smaller."""
_GLYPH_SEGMENTS = 8
"""Letters have at least this mean number of segments per contour. Frames and bars have five."""
GLYPH_POINTS = 4.0, 60.0
"""Range of letter heights in points. Smaller contours are bullets, larger ones are drawings."""
_RECTANGLE_SEGMENTS = {4, 5}
_MAX_SEGMENTS = 2000
"""At most this many segments of one path are examined."""
_MAX_OUTLINES = 1000
"""Outlines of one page are collected until there are at least this many. A map has a hundred thousand, but a few
suffice."""
_THIN = 3.0
"""A filled rectangle counts as a ruled line if its thickness is at most this, in points."""
_MAX_RULINGS = 10_000
"""Straight lines of one page are collected until there are at least this many. A dense form has 500."""
_MAX_DEPTH = 5
"""Nested forms are examined to at most this depth."""
_WRITTEN = {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP}
"""Kinds of annotations that show text."""
_UNSEEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
_MAX_CHARACTERS = 200_000
"""A string of the file has at most this many characters."""
_MAX_STRUCK = 1_000
_EMPTY = 2
"""Bytes of an empty UTF-16 string with its terminator."""


class Box(NamedTuple):
    """A rectangle in points of the page's own space, y growing upwards."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def around(cls, points: Iterable[Point]) -> Self:
        """Return the smallest box that holds all of `points`, of which there is at least one."""
        xs, ys = zip(*points, strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        return (
            (self.left, self.bottom),
            (self.right, self.bottom),
            (self.right, self.top),
            (self.left, self.top),
        )

    @property
    def centre(self) -> Point:
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    @property
    def area(self) -> float:
        return max(0.0, self.right - self.left) * max(0.0, self.top - self.bottom)

    def contains(self, point: Point) -> bool:
        return self.left <= point[0] <= self.right and self.bottom <= point[1] <= self.top

    def grown(self, margin: float) -> "Box":
        return Box(self.left - margin, self.bottom - margin, self.right + margin, self.top + margin)

    def clipped(self, other: "Box") -> "Box":
        return Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as displayed: cropped, rotated, and of `width` x `height` pixels."""

    box: Box
    """The displayed part of the page's space."""
    rotation: int
    """Rotation in degrees clockwise: 0, 90, 180 or 270."""
    width: int
    height: int

    @classmethod
    def of(cls, page: pypdfium2.PdfPage, width: int, height: int) -> Self:
        return cls(Box(*page.get_bbox()), page.get_rotation(), width, height)

    def pixel(self, x: float, y: float) -> Point:
        """Convert a point of the page's space to pixels of the picture."""
        left, bottom, right, top = self.box
        across, along = (right - left) or 1.0, (top - bottom) or 1.0
        match self.rotation:
            case 90:
                u, v = (y - bottom) / along, (x - left) / across
            case 180:
                u, v = (right - x) / across, (y - bottom) / along
            case 270:
                u, v = (top - y) / along, (right - x) / across
            case _:
                u, v = (x - left) / across, (top - y) / along
        return u * self.width, v * self.height


class Outline(NamedTuple):
    """A filled contour that may be a letter or a part of one."""

    box: Box
    """Place of the path with the contour."""
    segments: int
    """Number of the contour's segments, by which the shapes of letters differ."""


@dataclass(slots=True)
class PageObjects:
    """The objects of a page by kind, with boxes in the page's space."""

    pictures: list[Box] = field(default_factory=list)
    """Pictures with enough pixels to hold text."""
    outlines: list[Outline] = field(default_factory=list)
    """Filled contours that look like letters."""
    rulings: list[Ruling] = field(default_factory=list)
    """Straight strokes and thin bars."""
    has_drawings: bool = False
    """True if there is anything but text."""


def shown_on(page: pypdfium2.PdfPage) -> PageObjects:
    """Collect the objects of `page` and of the forms on it."""
    shown = PageObjects()
    for item, matrix in _leaves(page):
        kind = pdfium.FPDFPageObj_GetType(item)
        shown.has_drawings |= kind != pdfium.FPDF_PAGEOBJ_TEXT
        match kind:
            case pdfium.FPDF_PAGEOBJ_IMAGE:
                if _is_legible(item):
                    shown.pictures.append(_page_bounds(item, matrix))
            case pdfium.FPDF_PAGEOBJ_PATH:
                segments = pdfium.FPDFPath_CountSegments(item)
                is_filled, is_stroked = _fill_and_stroke(item)
                if len(shown.rulings) < _MAX_RULINGS:
                    shown.rulings += _path_rulings(item, matrix, min(segments, _MAX_SEGMENTS), is_stroked=is_stroked)
                if is_filled and segments >= _GLYPH_SEGMENTS and len(shown.outlines) < _MAX_OUTLINES:
                    shown.outlines += _letter_outlines(item, _page_bounds(item, matrix), min(segments, _MAX_SEGMENTS))
    return shown


def _leaves(page: pypdfium2.PdfPage) -> Iterator[tuple[object, PdfMatrix]]:
    """Yield the objects of `page` and of the forms on it, with the matrices of the forms around them."""
    for index in range(pdfium.FPDFPage_CountObjects(page)):
        yield from _iter_objects(pdfium.FPDFPage_GetObject(page, index), PdfMatrix(), 0)


def _iter_objects(item: object, matrix: PdfMatrix, depth: int) -> Iterator[tuple[object, PdfMatrix]]:
    """Yield the objects in drawing order, with the matrices of the forms around them."""
    if pdfium.FPDFPageObj_GetType(item) != pdfium.FPDF_PAGEOBJ_FORM or depth == _MAX_DEPTH:
        yield item, matrix
    else:
        inner = _inner_matrix(item, matrix)
        for index in range(pdfium.FPDFFormObj_CountObjects(item)):
            yield from _iter_objects(pdfium.FPDFFormObj_GetObject(item, index), inner, depth + 1)


def _is_legible(picture: object) -> bool:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    pdfium.FPDFImageObj_GetImagePixelSize(picture, width, height)
    return width.value * height.value >= _LEGIBLE_PIXELS and min(width.value, height.value) >= _LEGIBLE_SIDE


def _letter_outlines(path: object, box: Box, segments: int) -> list[Outline]:
    """Return the contours of `path`, which lies in `box`, if they may be letters."""
    starts = [
        index
        for index in range(segments)
        if pdfium.FPDFPathSegment_GetType(pdfium.FPDFPath_GetPathSegment(path, index)) == pdfium.FPDF_SEGMENT_MOVETO
    ]
    contours = len(starts)
    # A path may contain a letter, a word or a paragraph, so the area per contour shows the size of the letters.
    min_size, max_size = GLYPH_POINTS
    is_similar = max(box.right - box.left, box.top - box.bottom) >= min_size and box.area <= contours * max_size**2
    if not is_similar or segments < _GLYPH_SEGMENTS * contours:
        return []
    return [Outline(box, end - start) for start, end in pairwise([*starts, segments])]


def _fill_and_stroke(path: object) -> tuple[bool, bool]:
    """Return two flags: True if the path is filled, and True if it is stroked."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    return fill.value != pdfium.FPDF_FILLMODE_NONE, bool(stroke.value)


def _path_rulings(path: object, matrix: PdfMatrix, segments: int, *, is_stroked: bool) -> Iterator[Ruling]:
    """Yield the straight strokes of `path`, or the middle line of a filled path that is a thin bar."""
    inner = _inner_matrix(path, matrix)
    if not is_stroked:
        box = _page_bounds(path, matrix) if segments in _RECTANGLE_SEGMENTS else Box(0, 0, 0, 0)
        width, height = box.right - box.left, box.top - box.bottom
        x, y = box.centre
        if height <= _THIN < width:
            yield (box.left, y), (box.right, y)
        elif width <= _THIN < height:
            yield (x, box.bottom), (x, box.top)
        return
    start = last = (0.0, 0.0)
    for index in range(segments):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        point = inner.on_point(*_point_of(segment))
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            yield last, point
        if pdfium.FPDFPathSegment_GetClose(segment):
            yield point, start
        last = point


def _point_of(segment: object) -> Point:
    """Return the end of a path's segment."""
    x, y = ctypes.c_float(), ctypes.c_float()
    pdfium.FPDFPathSegment_GetPoint(segment, x, y)
    return x.value, y.value


def _page_bounds(item: object, matrix: PdfMatrix) -> Box:
    """Return the bounding box of an object in the page's space. `matrix` is that of the forms around it."""
    return Box(*matrix.on_rect(*_own_bounds(item)))


def _own_bounds(item: object) -> Box:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top)
    return Box(left.value, bottom.value, right.value, top.value)


def _inner_matrix(item: object, outer: PdfMatrix) -> PdfMatrix:
    """Return the matrix for the content of `item`: the item's own, followed by `outer`."""
    own = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(item, own)
    return PdfMatrix.from_raw(own).multiply(outer)


def drawn_annotations(page: pypdfium2.PdfPage) -> list[Box]:
    """Return the places of text that is not part of the page's content but drawn over it: of notes and stamps."""
    return [
        rectangle(one)
        for one in annotations(page)
        if pdfium.FPDFAnnot_GetSubtype(one) in _WRITTEN and not is_hidden(one)
    ]


def has_fields(page: pypdfium2.PdfPage) -> bool:
    return any(pdfium.FPDFAnnot_GetSubtype(one) == pdfium.FPDF_ANNOT_WIDGET for one in annotations(page))


def struck_out(page: pypdfium2.PdfPage) -> list[Box]:
    """Return the places of the text that annotations strike out, at most _MAX_STRUCK of them."""
    places: list[Box] = []
    for annotation in annotations(page):
        if pdfium.FPDFAnnot_GetSubtype(annotation) != pdfium.FPDF_ANNOT_STRIKEOUT:
            continue
        if is_hidden(annotation):
            continue
        quad = pdfium.FS_QUADPOINTSF()
        for index in range(min(pdfium.FPDFAnnot_CountAttachmentPoints(annotation), _MAX_STRUCK - len(places))):
            if pdfium.FPDFAnnot_GetAttachmentPoints(annotation, index, quad):
                corners = ((quad.x1, quad.y1), (quad.x2, quad.y2), (quad.x3, quad.y3), (quad.x4, quad.y4))
                places.append(Box.around(corners))
    return places


def annotations(page: pypdfium2.PdfPage) -> Iterator[object]:
    """Yield the page's annotations. Each is closed when the next one is requested."""
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        if annotation := pdfium.FPDFPage_GetAnnot(page, index):
            try:
                yield annotation
            finally:
                pdfium.FPDFPage_CloseAnnot(annotation)


def is_hidden(annotation: object) -> bool:
    return bool(pdfium.FPDFAnnot_GetFlags(annotation) & _UNSEEN)


def rectangle(annotation: object) -> Box:
    found = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, found)
    return Box(found.left, found.bottom, found.right, found.top)


def lines_in(box: Box, text: str, view: PageView) -> Iterator[TextLine]:
    """Yield the lines of a text in a box, which is divided evenly among them, and their words."""
    rows = [words for words in map(str.split, text.splitlines()) if words]
    height = (box.top - box.bottom) / max(1, len(rows))
    for row, texts in enumerate(rows):
        place = Box(box.left, box.top - (row + 1) * height, box.right, box.top - row * height)
        step = (box.right - box.left) / len(" ".join(texts))
        words, left = [], box.left
        for word in texts:
            words.append(Word(word, box_quad(place._replace(left=left, right=left + step * len(word)), view), 1.0))
            left += step * (len(word) + 1)
        yield TextLine(tuple(words), box_quad(place, view))


def box_quad(box: Box, view: PageView) -> Quad:
    a, b, c, d = (view.pixel(*corner) for corner in box.corners)
    return d, c, b, a


def string_of(read: Callable[..., int], *arguments: object, most: int = _MAX_CHARACTERS) -> str:
    """Return the string that a function of PDFium reads; "" if it has more than `most` characters."""
    size = read(*arguments, None, 0)
    if size // _EMPTY > most:
        return ""
    units = (ctypes.c_ushort * (size // _EMPTY))()
    read(*arguments, units, size)
    return bytes(units)[:-_EMPTY].decode("utf-16-le", errors="replace")
