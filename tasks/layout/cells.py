"""Defines tables, their cells and the words in the cells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.vision.text import Quad, TextLine, Word
from tasks.layout.rulings import turned


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word in a frame of reference in which the page's text runs to the right."""

    left: float
    top: float
    right: float
    bottom: float
    word: Word
    line: int
    """Index of the word's line on the page."""

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2


@dataclass(slots=True)
class Cell:
    row: int
    column: int
    row_span: int
    col_span: int
    quad: Quad
    """The whole area of the cell."""
    words: list[Word] = field(default_factory=list)
    pages_on: int = 0
    """Page of the cell, counted from the table's first page, which is 0."""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        """Mean confidence of the words; 1.0 for an empty cell."""
        return sum(word.confidence for word in self.words) / len(self.words) if self.words else 1.0


@dataclass(slots=True)
class Table:
    quad: Quad
    rows: int
    columns: int
    cells: list[Cell]
    """Cells by row and column. A spanning cell is listed at its first position."""
    lines: frozenset[int]
    """Indices of the lines of which the table consists."""
    leaders: Sequence[Word] = ()
    """Dot leaders between the cells."""
    edges: Sequence[float] = ()
    """Positions of the column edges along the text, from left to right."""
    continued: bool = False
    """True if the table continues a table of an earlier page, to which its cells were appended."""


def _place_word(word: Word, angle: float, line: int) -> PlacedWord:
    corners = turned(word.quad, -angle) if angle else word.quad
    xs, ys = sorted(x for x, _ in corners), sorted(y for _, y in corners)
    return PlacedWord((xs[0] + xs[1]) / 2, (ys[0] + ys[1]) / 2, (xs[2] + xs[3]) / 2, (ys[2] + ys[3]) / 2, word, line)


def placed_words(lines: Sequence[TextLine], angle: float) -> list[PlacedWord]:
    """Place the words of `lines`, which run at `angle`."""
    return [_place_word(word, angle, index) for index, line in enumerate(lines) for word in line.words]


@dataclass(slots=True)
class CellDraft:
    """A cell while its table is being built."""

    row: int
    column: int
    row_span: int = 1
    col_span: int = 1
    pieces: list[PlacedWord] = field(default_factory=list)


@dataclass(slots=True)
class TableDraft:
    """A table being built, in the text's frame of reference."""

    xs: Sequence[float]
    """Edges of the columns, one more than there are columns."""
    ys: Sequence[float]
    """Edges of the rows."""
    cells: list[CellDraft]
    leaders: Sequence[PlacedWord] = ()
    """Dot leaders between the cells."""

    def to_table(self, angle: float) -> Table:
        """Return the finished table of a page whose text runs at `angle`."""
        lines = frozenset(piece.line for place in self.cells for piece in place.pieces)
        cells: list[Cell] = []
        for place in sorted(self.cells, key=lambda place: (place.row, place.column)):
            ordered = [piece for line in levels_of(place.pieces) for piece in line]
            left, right = self.xs[place.column], self.xs[place.column + place.col_span]
            top, bottom = self.ys[place.row], self.ys[place.row + place.row_span]
            quad = quad_of(left, top, right, bottom, angle)
            words = [piece.word for piece in ordered]
            cells.append(Cell(place.row, place.column, place.row_span, place.col_span, quad, words))
        quad = quad_of(self.xs[0], self.ys[0], self.xs[-1], self.ys[-1], angle)
        rows, columns = len(self.ys) - 1, len(self.xs) - 1
        return Table(quad, rows, columns, cells, lines, [piece.word for piece in self.leaders], self.xs)


def quad_of(left: float, top: float, right: float, bottom: float, angle: float) -> Quad:
    a, b, c, d = turned([(left, top), (right, top), (right, bottom), (left, bottom)], angle)
    return a, b, c, d


def levels_of(pieces: Iterable[PlacedWord]) -> list[list[PlacedWord]]:
    """Group words at the same height into levels, from top to bottom. The words of a level run from left to right."""
    lines: list[list[PlacedWord]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.middle, piece.left)):
        if lines and piece.middle - lines[-1][0].middle < 0.5 * max(
            piece.bottom - piece.top, lines[-1][0].bottom - lines[-1][0].top
        ):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    for line in lines:
        line.sort(key=lambda piece: piece.left)
    return lines
