"""Finds drawn combs, which are rows of equal cells for one character each, and reads them without their walls.

OCR takes the walls between cells for letters (`B|O|U` is read as `BIOIU`) and separates the characters. Therefore, the
characters are placed side by side on a separate sheet, as in running text, and read again. Each character is then
assigned to its cell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Image, TextLine, Word
from tasks.layout.components import components_of
from tasks.layout.lines import line_of
from tasks.layout.upright_ink import UprightInk

MAX_COMBS = 60
"""At most this many combs of a page are read, beginning at the top. A dense form has forty."""
_FEWEST_CELLS = 4
"""A comb has at least this many cells, in all its groups together."""
_MAX_CELLS = 100
"""A comb has at most this many cells. A longer row is a pattern."""
_MAX_PIXELS = 16_000_000
"""The sheet has at most this many pixels. The combs of a dense form take half of them."""
_WALL_HEIGHT = 0.75, 3.5
"""A wall has at least the first and at most the second height, in line heights."""
_MAX_WALLS = 4_000
"""At most this many upright strokes are compared, beginning on the left."""
_END_DIFFERENCE = 0.2
"""The upper ends of two neighbouring walls differ by at most this share of a wall's height, and so do their lower
ends."""
_CELL_WIDTH = 0.45, 2.2
"""A cell has at least the first and at most the second width, as a share of its height."""
_WIDTH_DIFFERENCE = 0.15
"""The width of a cell differs from that of its comb's usual cell by at most this share of the usual width."""
_GROUP_GAP = 0.45
"""The gap between two groups of cells (day, month and year) is at most this share of a cell's width."""
_EDGE_SHARE = 0.8
"""At least this share of the lower edge is drawn. The upper edge of a comb may be open."""
_EDGE_INK = 0.5
"""A row of pixels is an upper or lower edge of the cells if at least this share of it is ink."""
_RIM = 0.08
"""Width of the margin that is left out inside a cell's walls, as a share of the cell's height."""
_PAPER_BRIGHTNESS = 0.9
"""A pixel becomes white on the sheet if it has at least this brightness, as a share of the paper's brightness."""
_CHARACTER_SIZE = 0.2
"""A character has at least this width or height, as a share of its cell's height."""
_ROW_HEIGHT = 96
"""Height in pixels of a comb's row on the sheet."""
_CELL_HEIGHT = 64
"""Height of a cell on the sheet, in pixels. A character has two thirds of this height."""
_CHARACTER_GAP, _WORD_GAP = 7, 34
"""Gaps on the sheet, in pixels: the first between neighbouring characters, the second between words. Words are
separated by empty cells or by the gaps between groups of cells."""
_ORDERED_SERIES = "ABCDEFGHIJ", "0123456789"
"""Series that are printed in combs: the categories of a licence, and the steps of a scale. No word is read from a comb
whose text is a part of one of these series."""


@dataclass(frozen=True, slots=True)
class _CombCell:
    left: float
    right: float
    begins_group: bool


@dataclass(frozen=True, slots=True)
class DrawnComb:
    """A comb in pixels of a page's ink."""

    top: float
    bottom: float
    cells: Sequence[_CombCell]


def combs_on(page: UprightInk) -> list[DrawnComb]:
    """Return the combs of a page from top to bottom."""
    combs = (comb for chain in _chains(_walls(page)) for comb in _combs_of(chain))
    found = [comb for comb in combs if _has_lower_edge(page.ink, comb)]
    return sorted(found, key=lambda comb: (comb.top, comb.cells[0].left))[:MAX_COMBS]


def _walls(page: UprightInk) -> NDArray[np.float64]:
    """Return the position, upper end and lower end of the straight upright strokes, from left to right."""
    import cv2

    least, max_height = _WALL_HEIGHT[0] * page.line_height, _WALL_HEIGHT[1] * page.line_height
    # A wall that is not quite upright is in pieces, one in each column of pixels.
    columns = cv2.morphologyEx(page.ink, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    columns = cv2.morphologyEx(columns, cv2.MORPH_OPEN, np.ones((max(5, int(0.8 * least)), 1), np.uint8))
    columns = cv2.morphologyEx(columns, cv2.MORPH_CLOSE, np.ones((3, 2), np.uint8))
    boxes, centres = components_of(columns)
    height, top = boxes[:, cv2.CC_STAT_HEIGHT], boxes[:, cv2.CC_STAT_TOP]
    is_wall = (height >= least) & (height <= max_height) & (boxes[:, cv2.CC_STAT_WIDTH] <= np.maximum(3, 0.25 * height))
    found = np.stack([centres[:, 0], top, top + height], axis=1)[is_wall].astype(np.float64)
    return np.asarray(found[np.argsort(found[:, 0], kind="stable")][:_MAX_WALLS])


def _chains(walls: NDArray[np.float64]) -> Iterator[list[tuple[float, float, float]]]:
    """Yield chains of walls: walls side by side whose upper ends are level, and whose lower ends are, too."""
    rest = walls
    while len(rest) > _FEWEST_CELLS:
        chain = [0]
        while True:
            x, top, bottom = rest[chain[-1]]
            side = bottom - top
            begin, end = chain[-1] + 1, int(np.searchsorted(rest[:, 0], x + _CELL_WIDTH[1] * side, side="right"))
            differences = np.abs(rest[begin:end, 1:] - (top, bottom))
            level = np.flatnonzero((differences <= _END_DIFFERENCE * side).all(axis=1))
            if not len(level):
                break
            chain.append(begin + int(level[0]))
        if len(chain) > _FEWEST_CELLS:
            yield [(float(x), float(top), float(bottom)) for x, top, bottom in rest[chain]]
        rest = np.delete(rest, chain, axis=0)


def _combs_of(chain: Sequence[tuple[float, float, float]]) -> Iterator[DrawnComb]:
    """Yield the runs of cells of equal width in a chain of walls."""
    side = median(bottom - top for _, top, bottom in chain)
    steps = [after[0] - before[0] for before, after in pairwise(chain)]
    cells = [step for step in steps if _CELL_WIDTH[0] * side <= step <= _CELL_WIDTH[1] * side]
    if not cells:
        return
    pitch = median(cells)
    found: list[_CombCell] = []
    walls: list[tuple[float, float, float]] = []
    begins_group = False
    for (before, after), step in zip(pairwise(chain), steps, strict=True):
        if abs(step - pitch) <= _WIDTH_DIFFERENCE * pitch:
            found.append(_CombCell(before[0], after[0], begins_group))
            walls += [before, after]
            begins_group = False
        elif step <= _GROUP_GAP * pitch and found and not begins_group:
            begins_group = True
        else:
            yield from _comb(found, walls)
            found, walls, begins_group = [], [], False
    yield from _comb(found, walls)


def _comb(cells: Sequence[_CombCell], walls: Sequence[tuple[float, float, float]]) -> Iterator[DrawnComb]:
    if _FEWEST_CELLS <= len(cells) <= _MAX_CELLS:
        yield DrawnComb(median(top for _, top, _ in walls), median(bottom for _, _, bottom in walls), tuple(cells))


def _has_lower_edge(ink: NDArray[np.uint8], comb: DrawnComb) -> bool:
    reach = max(2, round(0.12 * (comb.bottom - comb.top)))
    level = round(comb.bottom)
    below = ink[max(0, level - reach) : level + reach + 1, round(comb.cells[0].left) : round(comb.cells[-1].right) + 1]
    return bool(below.size and (below > 0).any(axis=0).mean() >= _EDGE_SHARE)


@dataclass(frozen=True, slots=True)
class _Character:
    cell: int
    """Index of the character's cell in the comb."""
    left: int
    right: int
    """Place on the sheet in pixels."""


@dataclass(frozen=True, slots=True)
class CombSheet:
    """The characters of a page's combs, placed side by side, with one comb per row."""

    page: UprightInk
    picture: Image
    combs: Sequence[DrawnComb]
    characters: Sequence[Sequence[_Character]]
    """Characters of each comb, from left to right."""

    @classmethod
    def of_page(cls, page: UprightInk) -> "CombSheet | None":
        """Return a sheet of the combs that contain characters, or None if there are no such combs."""
        rows = [(comb, row) for comb in combs_on(page) if (row := _row_of(page, comb))]
        if not rows:
            return None
        width = max(row[-1][1].right for _, row in rows) + _ROW_HEIGHT
        rows = rows[: _MAX_PIXELS // (_ROW_HEIGHT * width)]
        sheet = np.full((_ROW_HEIGHT * len(rows), width), 255, np.uint8)
        for index, (_, row) in enumerate(rows):
            top = _ROW_HEIGHT * index + (_ROW_HEIGHT - _CELL_HEIGHT) // 2
            for picture, place in row:
                sheet[top : top + _CELL_HEIGHT, place.left : place.right] = picture
        characters = [[place for _, place in row] for _, row in rows]
        return cls(page, np.stack([sheet] * 3, axis=2), [comb for comb, _ in rows], characters)

    def applied(self, lines: Sequence[TextLine], read: Sequence[TextLine]) -> list[TextLine]:
        """Return `lines` of the page, corrected by the lines that OCR `read` on this sheet. The words of `lines` within
        a comb are replaced if the sheet gives a text for the comb."""
        words_by_comb: dict[int, list[Word]] = {}
        for word in sorted((word for line in read for word in line.words), key=lambda word: word.quad[0][0]):
            row = int((word.quad[0][1] + word.quad[2][1]) / 2 // _ROW_HEIGHT)
            if 0 <= row < len(self.combs):
                words_by_comb.setdefault(row, []).append(word)
        found = {
            row: words for row, words_of_comb in words_by_comb.items() if (words := self._words(row, words_of_comb))
        }
        outside = self._outside([self.combs[row] for row in found], lines)
        return [*outside, *(line_of(words) for words in found.values())]

    def _words(self, row: int, read: Sequence[Word]) -> list[Word]:
        """Return the words of a comb at their cells; none if more characters were read than cells are filled, or if the
        text is a part of an ordered series."""
        comb, characters = self.combs[row], self.characters[row]
        text = "".join(word.text for word in read)
        if not text or len(text) > len(characters) or any(text in order for order in _ORDERED_SERIES):
            return []
        runs = list(_runs(comb, characters))
        if len(text) == len(characters):
            letters = iter(text)
            texts = ["".join(next(letters) for _ in run) for run in runs]
        else:
            texts = [_read_between(run[0].left, run[-1].right, read) for run in runs]
        places = self.page.source_quads(
            [(comb.cells[run[0].cell].left, comb.top, comb.cells[run[-1].cell].right, comb.bottom) for run in runs]
        )
        sureness = min(word.confidence for word in read)
        return [Word(text, quad, sureness) for text, quad in zip(texts, places, strict=True) if text]

    def _outside(self, combs: Sequence[DrawnComb], lines: Sequence[TextLine]) -> Iterator[TextLine]:
        """Yield the lines without the words inside the combs."""
        if not combs:
            yield from lines
            return
        edges = np.array([(one.cells[0].left, one.top, one.cells[-1].right, one.bottom) for one in combs])
        for line, upright in zip(lines, self.page.geometry.upright_lines(lines), strict=True):
            middles = self.page.pixels([word.quad for word in upright.words]).mean(axis=1)[:, None]
            is_inside = ((middles > edges[:, :2]) & (middles < edges[:, 2:])).all(axis=2).any(axis=1)
            rest = [word for word, inside in zip(line.words, is_inside.tolist(), strict=True) if not inside]
            if len(rest) == len(line.words):
                yield line
            elif rest:
                yield line_of(rest)


def _row_of(page: UprightInk, comb: DrawnComb) -> list[tuple[NDArray[np.uint8], _Character]]:
    """Return the picture of each character of a comb, and its place on the sheet."""
    import cv2

    comb_height = comb.bottom - comb.top
    rim = max(2, round(_RIM * comb_height))
    top, bottom = _inside(page.ink, comb, rim)
    if bottom - top < rim:
        return []
    scale = _CELL_HEIGHT / (bottom - top)
    found: list[tuple[NDArray[np.uint8], _Character]] = []
    x, previous_index = _ROW_HEIGHT // 2, -1
    for index, cell in enumerate(comb.cells):
        left, right = round(cell.left) + rim, round(cell.right) - rim
        ink = page.ink[top:bottom, left:right] > 0
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        if not len(rows) or max(np.ptp(rows), np.ptp(columns)) + 1 < _CHARACTER_SIZE * comb_height:
            continue
        if found:
            x += _WORD_GAP if previous_index < index - 1 or cell.begins_group else _CHARACTER_GAP
        part = page.grey[top:bottom, left + columns[0] : left + columns[-1] + 1].astype(np.float32)
        paper = max(1.0, float(np.percentile(page.grey[top:bottom, left:right], 90)))
        size = max(1, round(part.shape[1] * scale)), _CELL_HEIGHT
        bright = (part * (255 / (_PAPER_BRIGHTNESS * paper))).clip(0, 255)
        clean = np.asarray(cv2.resize(bright, size, interpolation=cv2.INTER_CUBIC))
        found.append((clean.clip(0, 255).astype(np.uint8), _Character(index, x, x + size[0])))
        x, previous_index = x + size[0], index
    return found


def _inside(ink: NDArray[np.uint8], comb: DrawnComb, rim: int) -> tuple[int, int]:
    """Return the first row of pixels between a comb's upper and lower edge, and the row after the last one."""
    top, bottom = round(comb.top), round(comb.bottom)
    across = (ink[top:bottom, round(comb.cells[0].left) : round(comb.cells[-1].right)] > 0).mean(axis=1)
    drawn = np.flatnonzero(across >= _EDGE_INK)
    upper, lower = drawn[drawn < len(across) / 3], drawn[drawn > len(across) * 2 / 3]
    first = int(upper[-1]) + 1 if len(upper) else 0
    end_of_comb = int(lower[0]) if len(lower) else len(across)
    return top + first + rim // 2 + 1, top + end_of_comb - rim // 2 - 1


def _runs(comb: DrawnComb, characters: Sequence[_Character]) -> Iterator[list[_Character]]:
    """Yield the characters of each word: those in neighbouring cells of one group."""
    groups = np.cumsum([cell.begins_group for cell in comb.cells]).tolist()
    for _, run in groupby(enumerate(characters), key=lambda one: (one[1].cell - one[0], groups[one[1].cell])):
        yield [character for _, character in run]


def _read_between(left: float, right: float, read: Sequence[Word]) -> str:
    """Return the text that was read between two places of the sheet. The characters of a word are taken to be evenly
    spaced."""
    found = []
    for word in read:
        start, end = word.quad[0][0], word.quad[1][0]
        for index, character in enumerate(word.text):
            if left <= start + (index + 0.5) * (end - start) / len(word.text) <= right:
                found.append(character)
    return "".join(found)
