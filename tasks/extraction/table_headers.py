"""Finds the headers of tables on pages: the lines whose words name fields of a list.

A header is one line, or several close ones: `Unit` above `price`, `Ordered` and `Delivered` below `Quantity`, a short
cell in the middle of a tall one beside it.
"""

import re
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from models.fair_executor import Slices
from tasks.extraction.concepts import PHRASES
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.table_lists import LEAST_LIKENESS, LONGEST_HEADER, SAME_NAME, TALLEST_HEADER
from tasks.extraction.words_on_page import WordOnPage, cell_of, segments_of_row, text_of
from tasks.notation.cells import looks_numeric, moment
from tasks.read_table import NO_CELL, ReadCell

LEAST_NAMED = 0.4
"""A row is a header if at least two of its cells match fields of a list. They must also be at least this share of the
cells, or of the list's fields if these are fewer."""
PIECE = 0.5
"""A single word of a header counts as the name of a field if its weight is at least this. A text is divided into
several cells only if all its words belong to names or are abbreviations."""
LONGEST_PHRASE = 4
"""If several cells of a header were read as one text, each cell has at most this many words."""
MAX_HEADER_WORDS = 60
"""A header has at most this many words, because their places are compared with each other."""
MAX_FIGURES = 1
"""At most this many figures follow words in a line of a header."""
MAX_LINES = 6
"""At most this many lines above a line of a header, and this many below it, may belong to the same header. Lines side
by side, but at different heights, count separately."""
LINE_GAP, LEAST_GAP = 1.0, 0.25
"""The largest gap between two lines of one header, and the least gap above or below a header, in heights of a line."""
LEAST_GAP_RATIO = 1.25
"""The gap above or below a header is at least this many times as wide as the widest gap between the header's lines."""
LEAST_OVERLAP = 0.3
"""Two texts are in one column if they overlap horizontally by more than this share of the narrower text's width."""

_HYPHEN = re.compile(r"(?<=\w\w)- (?=[^\W\d_])")

Likeness = Callable[[str], Sequence[float]]
"""Function that returns how well the text of a header matches the best field of each list."""


class HeaderCell(NamedTuple):
    lines: list[list[WordOnPage]]
    edges: tuple[float, float] | None = None
    """Left and right edge of a column without a header, whose cell has no lines; otherwise None."""

    @property
    def words(self) -> list[WordOnPage]:
        return [word for line in self.lines for word in line]

    @property
    def left(self) -> float:
        return self.edges[0] if self.edges else min(line[0].box[0] for line in self.lines)

    @property
    def right(self) -> float:
        return self.edges[1] if self.edges else max(line[-1].box[2] for line in self.lines)

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    def texts(self, passage: Passage) -> list[ReadCell]:
        """Return the lines of the cell, at most TALLEST_HEADER; if there are more, the first ones are joined. A line
        that begins with a bracket is joined with the line above it, and so is the rest of a hyphenated word."""
        found: list[list[WordOnPage]] = []
        for line in self.lines:
            if found and (text_of(passage, line).startswith("(") or _is_hyphenated(passage, found[-1])):
                found[-1] = [*found[-1], *line]
            else:
                found.append(line)
        if not found:
            return [NO_CELL]
        spare = max(0, len(found) - TALLEST_HEADER)
        joined = [[word for line in found[: spare + 1] for word in line], *found[spare + 1 :]]
        cells = [cell_of(passage, line) for line in joined]
        return [cell._replace(text=_HYPHEN.sub("", cell.text)) for cell in cells]


class Header(NamedTuple):
    cells: list[HeaderCell]
    top: int
    end: int
    """Index of the header's first row, and of the first row below it."""
    repeats: int = 1
    """Number of tables with the same header that are side by side."""


def rows_of_header(passage: Passage, cells: Sequence[HeaderCell]) -> list[list[ReadCell]]:
    """Return the rows of a header, with the last line of each cell in the last row."""
    columns = [cell.texts(passage) for cell in cells]
    height = max(map(len, columns))
    padded = [[NO_CELL] * (height - len(column)) + column for column in columns]
    return [list(row) for row in zip(*padded, strict=True)]


class HeaderFinder:
    """Finds headers among the rows of a page. `sizes` are the numbers of fields of each list."""

    def __init__(
        self, passage: Passage, rows: Sequence[Sequence[WordOnPage]], sizes: Sequence[int], likeness: Likeness
    ) -> None:
        self._passage, self._rows, self._sizes, self._likeness = passage, rows, sizes, likeness

    def at(self, row: int, start: int = 0) -> Slices[Header | None]:
        """Return the header that a row is part of, without rows before `start`; None if the row is not part of a
        header."""
        if not self._may_be_line(row):
            return None
        cells: list[HeaderCell] = []
        for segment in segments_of_row(self._rows[row]):
            cells += [HeaderCell([cell]) for cell in (yield from self._phrases(segment))]
        named = yield from self._named(cells)
        alone = Header(cells, row, row + 1, _repeats(self._passage, cells)) if named else None
        if not named and not any(self._is_named(cell) for cell in cells):
            return None
        top, end = self._extent(row, start)
        if sum(map(len, self._rows[top:end])) > MAX_HEADER_WORDS:
            return alone
        lines = [cells if other == row else self._segments(other) for other in range(top, end)]
        merged = _columns(lines)
        named_of_merged = yield from self._named(merged)
        if named_of_merged > named or (named and named_of_merged == named and len(merged) > len(cells)):
            return Header(merged, top, end, _repeats(self._passage, merged))
        return alone

    def _is_named(self, cell: HeaderCell) -> bool:
        return any(max(self._likeness(text)) >= LEAST_LIKENESS for text in self._forms(cell))

    def _segments(self, index: int) -> list[HeaderCell]:
        return [HeaderCell([segment]) for segment in segments_of_row(self._rows[index])]

    def _may_be_line(self, index: int) -> bool:
        """True if a row may be a line of a header: no cell begins with a figure, and no word is a point in time. A
        figure may follow a word: `Last 5`."""
        row = self._rows[index]
        if not row or len(row) > MAX_HEADER_WORDS:
            return False
        segments = [[self._passage.words[word.at] for word in segment] for segment in segments_of_row(row)]
        # Pictures of spreadsheets have a number before each row.
        if len(segments[0]) > 1 or len(segments) > 1:
            segments[0] = segments[0][segments[0][0].isdigit() :]
        texts = [text for segment in segments for text in segment]
        alone = [*[segment[0] for segment in segments if segment], *(text for text in texts if moment(text))]
        are_few = sum(map(looks_numeric, texts)) <= MAX_FIGURES
        return bool(texts) and are_few and not any(looks_numeric(text) or moment(text) for text in alone)

    def _extent(self, index: int, start: int) -> tuple[int, int]:
        """Return the range of rows around a row that may be lines of one header: its first row, and the row after its
        last one. The gaps above and below the range are wider than the gaps within it."""
        height = median(word.height for word in self._rows[index])
        ends = []
        for step in (-1, 1):
            end, edge, widest = index, self._edge(index, step), 0.0
            for other in range(index, index + step * (MAX_LINES + 1), step):
                edge = max(edge, self._edge(other, step))
                beyond = other + step
                is_inside = start <= beyond < len(self._rows)
                gap = -self._edge(beyond, -step) - edge if is_inside else float("inf")
                if gap >= max(LEAST_GAP * height, LEAST_GAP_RATIO * widest):
                    end = other
                widest = max(widest, gap)
                if gap > LINE_GAP * height or not self._may_be_line(beyond):
                    break
            ends.append(end)
        return ends[0], ends[1] + 1

    def _edge(self, index: int, step: int) -> int:
        """Return the lower edge of a row with step 1, and its upper edge times −1 with step −1."""
        return max(word.box[3] if step > 0 else -word.box[1] for word in self._rows[index])

    def _named(self, cells: Sequence[HeaderCell]) -> Slices[int]:
        """Return how many of the cells name fields of the list that they match best; 0 if they are not a header."""
        cell_texts = [text_of(self._passage, cell.words) for cell in cells]
        if len(cells) < 2 or any(len(text) > LONGEST_HEADER or text.endswith(":") for text in cell_texts):
            return 0
        if len(set(cell_texts)) < len(cell_texts) and _repeats(self._passage, cells) == 1:
            return 0
        found: list[list[float]] = []
        for cell in cells:
            yield
            found.append([max(likely) for likely in zip(*map(self._likeness, self._forms(cell)), strict=True)])
        best = 0
        # Single letters are not counted, because the order of the columns shows what they abbreviate.
        spelt = sum(len(text) > 1 for text in cell_texts)
        for index, size in enumerate(self._sizes):
            named = sum(one[index] >= LEAST_LIKENESS for one in found)
            if named >= 2 and named >= LEAST_NAMED * min(size, spelt):
                best = max(best, named)
        return best

    def _forms(self, cell: HeaderCell) -> list[str]:
        texts = [line.text for line in cell.texts(self._passage)]
        return [*dict.fromkeys([" ".join(texts), *texts])]

    def _phrases(self, segment: Sequence[WordOnPage]) -> Slices[list[list[WordOnPage]]]:
        """Return the cells of a segment of a header: the whole segment, or several cells if it contains several known
        names."""
        texts = [self._passage.words[word.at] for word in segment]
        if len(segment) == 1 or tuple(fold(" ".join(texts))) in PHRASES:
            return [list(segment)]
        cells: list[list[WordOnPage]] = []
        is_known = True
        at = 0
        while at < len(segment):
            yield
            ends = range(min(len(segment), at + LONGEST_PHRASE), at, -1)
            end = next((end for end in ends if self._is_known(" ".join(texts[at:end]))), 0)
            if end:
                cells.append(list(segment[at:end]))
            elif cells and not any(map(str.isalpha, texts[at])):
                cells[-1].append(segment[at])
            else:
                # The rows show whether an abbreviation is the header of a separate column.
                is_known = is_known and texts[at].endswith(".")
                cells.append([segment[at]])
            at = max(end, at + 1)
        return cells if is_known else [list(segment)]

    def _is_known(self, text: str) -> bool:
        words = tuple(fold(text))
        least = PIECE if " " not in text else SAME_NAME
        return bool(words) and (words in PHRASES or max(self._likeness(text)) >= least)


def _columns(lines: Sequence[Sequence[HeaderCell]]) -> list[HeaderCell]:
    """Return the cells of a header of several lines, from left to right. A text above several columns is a heading of
    these columns and not a part of a cell."""
    pieces = [(number, piece) for number, line in enumerate(lines) for piece in line]
    found: list[list[tuple[int, HeaderCell]]] = []
    for number, piece in sorted(pieces, key=lambda one: one[1].right - one[1].left):
        over = [column for column in found if any(_is_below(piece, other) for _, other in column)]
        if not over:
            found.append([(number, piece)])
        elif len(over) == 1:
            over[0].append((number, piece))
    height = median(word.height for _, piece in pieces for word in piece.words)
    ordered = [_lowest([piece for _, piece in sorted(column, key=_place)], height) for column in found]
    cells = [HeaderCell([line for piece in column for line in piece.lines]) for column in ordered]
    return sorted(cells, key=lambda cell: cell.left)


def _lowest(pieces: Sequence[HeaderCell], height: float) -> Sequence[HeaderCell]:
    """Return the lines of a column's header below the lowest wide gap. The lines above the gap are headings of several
    columns."""
    for index in range(len(pieces) - 1, 0, -1):
        above, below = pieces[index - 1].words, pieces[index].words
        gap = min(word.box[1] for word in below) - max(word.box[3] for word in above)
        if gap > LINE_GAP * height:
            return pieces[index:]
    return pieces


def _place(one: tuple[int, HeaderCell]) -> tuple[int, float]:
    return one[0], one[1].left


def _is_below(first: HeaderCell, second: HeaderCell) -> bool:
    common = min(first.right, second.right) - max(first.left, second.left)
    return common > LEAST_OVERLAP * min(first.right - first.left, second.right - second.left)


def _repeats(passage: Passage, cells: Sequence[HeaderCell]) -> int:
    """Return how many times a header repeats the same sequence of texts; 1 if it has no such sequence."""
    cell_words = [tuple(fold(text_of(passage, cell.words))) for cell in cells]
    for times in range(len(cell_words) // 2, 1, -1):
        if len(cell_words) % times == 0 and cell_words == cell_words[: len(cell_words) // times] * times:
            return times
    return 1


def _is_hyphenated(passage: Passage, line: Sequence[WordOnPage]) -> bool:
    return len(passage.words[line[-1].at]) > 2 and passage.words[line[-1].at].endswith("-")
