"""Finds tables on pages by their header: a line whose words name fields of a list.

The places of the header's words determine the columns, whatever else is printed beside or between the rows. This may be
lines that continue a cell, notes below an item, or words that were read as one. In contrast, `tasks/layout` finds
tables by their rulings and white space, without knowing which fields are wanted.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.likeness import LEAST_LIKENESS, SAME_NAME, likeness_by_words, likeness_of_label
from tasks.extraction.passages import Passage
from tasks.extraction.sum_rows import MAX_WORDS, SUMS, is_carried_forward, is_stage, is_sum_row
from tasks.extraction.table_readings import LONGEST_HEADER
from tasks.extraction.words_on_page import MAX_PLACED, WordOnPage, cell_of, rows_in_columns, segments_of_row, text_of
from tasks.notation.cells import looks_numeric, moment
from tasks.read_table import NO_CELL, ReadCell, ReadTable

LEAST_NAMED: Final = 0.4
"""A row is a header if at least two of its cells match fields of a list, or the only field. They must also be at least
this share of the cells, or of the list's fields if these are fewer."""
PIECE: Final = 0.5
"""A single word of a header counts as the name of a field if its likeness is at least this. A text is divided into
several cells only if all its words belong to names or are abbreviations."""
LONGEST_PHRASE: Final = 4
"""If several cells of a header were read as one text, each cell has at most this many words."""
MAX_HEADER_WORDS: Final = 60
"""A header has at most this many words."""
MAX_FIGURES: Final = 1
"""At most this many figures follow words in a header."""
MAX_OVERHANG: Final = 3.0
"""Words may begin to the left of the first column by at most this distance, in heights of a line."""
ENDING_DISTANCE: Final = 6.0
"""A table ends if the next row is farther away than this, in heights of a line."""
MAX_LINE_GAP: Final = 0.8
"""A line fills a cell that the row above or below it lacks if its distance from that row is at most this, as a multiple
of the usual gap between two rows."""
MAX_ROWS: Final = 1_000
MAX_COMPARED: Final = 20_000
"""At most this many pairs of a text in a row and a field are compared, at 0.05 ms a pair. Further texts do not count as
names of fields."""
MAX_LEADING: Final = 0.8
"""Lines of one text are at most this far from each other, in heights of a line."""
LEAST_DIFFERENCE: Final = 0.25
"""A line is nearer to one of its neighbours if the difference is at least this, in heights of the line."""
FEWEST_WITH_MORE: Final = 3
SHARE_WITH_MORE: Final = 0.8
"""A column whose cells may have a second line has a line below at least this many items, and at least this share of all
items. Joining the lines makes four fields of 227 papers wrong and none right, so they are only doubted."""
FULL_ROW: Final = 0.5
"""A row begins an item if it has at least two cells, and at least this share of the cells that a typical row has. Any
other row continues an item or is a note."""
MAX_LABEL_WORDS: Final = 6
"""The word for a sum is searched for in this many words at the beginning of a row."""
FEWEST_CELLS: Final = 3
"""A row with fewer cells than this is not full."""
FEWEST_FIGURES: Final = 2
"""An item below a sum has at least this many figures."""
OPEN_ENDS: Final = ("-", "–", ",", "&", "/", "(", "+")
"""Endings of a line that show that the next line continues it."""
TOTALS: Final = frozenset(word for (word, *rest), name in PHRASES.items() if name == "total" and not rest) | {
    "subtotal"
}
SHORTEST_HEADING: Final = 4
"""A line in capitals below a line that is not in capitals is the heading of a section if it has at least this many
characters. Abbreviations are shorter."""
_SIZE = re.compile(r"\d+[x×]\d")

Line = Sequence[WordOnPage]
PageTable = tuple[Passage, ReadTable]


@dataclass(slots=True, eq=False)
class _BodyRow:
    cells: dict[int, list[list[WordOnPage]]]
    """The lines of each cell, by column."""
    top: float
    bottom: float
    above: dict[int, list[list[WordOnPage]]] = field(default_factory=dict)
    """Lines near the row that fill its missing cells, by column."""

    def gap_to(self, other: "_BodyRow") -> float:
        return max(self.top - other.bottom, other.top - self.bottom)


def tables_on_pages(passages: Sequence[Passage], lists: Sequence[Sequence[WantedField]]) -> list[PageTable]:
    """Return the tables on pages whose header names fields of one of the lists."""
    headers = _HeaderFinder(lists)
    found: list[PageTable] = []
    for passage in passages:
        rows = rows_in_columns(passage) if len(passage.words) <= MAX_PLACED else []
        index = 0
        while index < len(rows):
            header = headers.at(passage, rows[index])
            index += 1
            if header:
                body = _body_below(passage, rows, index, header, headers)
                if body:
                    heading = text_of(passage, rows[index - 2]) if index > 1 else ""
                    found.append((passage, _table(passage, header, body, heading)))
                index += len(body)
    return found


class _HeaderFinder:
    """Finds the headers of the tables that may fill lists."""

    def __init__(self, lists: Sequence[Sequence[WantedField]]) -> None:
        self._lists = lists
        self._likeness: dict[str, list[float]] = {}
        self._most = MAX_COMPARED // max(1, sum(map(len, lists)))

    def at(self, passage: Passage, row: Line) -> list[Line]:
        """Return the cells of a header; none if the row is not a header."""
        if not _may_be_header(passage, row):
            return []
        cells = [cell for segment in segments_of_row(row) for cell in self._phrases(passage, segment)]
        texts = [text_of(passage, cell) for cell in cells]
        if len(cells) < 2 or any(len(text) > LONGEST_HEADER or text.endswith(":") for text in texts):
            return []
        if len(set(texts)) < len(texts):
            return []
        # Single letters are not counted, because the order of the columns shows what they abbreviate.
        spelt = sum(len(text) > 1 for text in texts)
        for number, own in enumerate(self._lists):
            # A list of one field has only the name of this field to tell its header from a line of text.
            least = LEAST_LIKENESS if len(own) > 1 else SAME_NAME
            named = sum(self._likeness_of(text)[number] >= least for text in texts)
            if named >= min(2, len(own)) and named >= LEAST_NAMED * min(len(own), spelt):
                return cells
        return []

    def _likeness_of(self, text: str) -> list[float]:
        """Return the likeness of a text with the most similar field of each list."""
        if text not in self._likeness:
            if len(self._likeness) > self._most:
                return [0.0] * len(self._lists)
            self._likeness[text] = [
                max((likeness_of_label(one.names, text) for one in own), default=0.0) for own in self._lists
            ]
        return self._likeness[text]

    def _likeness_by_words(self, text: str) -> float:
        """Return the likeness of a text, by its words, with the most similar field. Only the words of a header show
        where it is divided: by the model of labels, `kg` alone may mean the weight, too."""
        return max((likeness_by_words(one.names, text) for own in self._lists for one in own), default=0.0)

    def _phrases(self, passage: Passage, segment: Line) -> list[Line]:
        """Return the cells of a segment of a header: the whole segment, or several cells if it contains several known
        names."""
        texts = [passage.words[word.at] for word in segment]
        if len(segment) == 1 or tuple(fold(" ".join(texts))) in PHRASES:
            return [segment]
        cells: list[Line] = []
        is_known = True
        at = 0
        while at < len(segment):
            ends = range(min(len(segment), at + LONGEST_PHRASE), at, -1)
            end = next((end for end in ends if self._is_known(" ".join(texts[at:end]))), 0)
            if end:
                cells.append(segment[at:end])
            elif cells and not any(map(str.isalpha, texts[at])):
                cells[-1] = [*cells[-1], segment[at]]
            else:
                # The rows show whether an abbreviation is the header of a separate column.
                is_known = is_known and texts[at].endswith(".")
                cells.append([segment[at]])
            at = max(end, at + 1)
        return cells if is_known else [segment]

    def _is_known(self, text: str) -> bool:
        words = tuple(fold(text))
        least = PIECE if " " not in text else SAME_NAME
        return bool(words) and (words in PHRASES or self._likeness_by_words(text) >= least)


def _may_be_header(passage: Passage, row: Line) -> bool:
    """True if no cell of a row begins with a figure, and no word is a point in time. A figure may follow a word: `Last
    5`."""
    if not row or len(row) > MAX_HEADER_WORDS:
        return False
    segments = [[passage.words[word.at] for word in segment] for segment in segments_of_row(row)]
    # Pictures of spreadsheets have a number before each row.
    if len(segments[0]) > 1 or len(segments) > 1:
        segments[0] = segments[0][segments[0][0].isdigit() :]
    texts = [text for segment in segments for text in segment]
    alone = [*[segment[0] for segment in segments if segment], *(text for text in texts if moment(text))]
    are_few = sum(map(looks_numeric, texts)) <= MAX_FIGURES
    return bool(texts) and are_few and not any(looks_numeric(text) or moment(text) for text in alone)


def _body_below(
    passage: Passage, rows: Sequence[Line], start: int, header: Sequence[Line], headers: _HeaderFinder
) -> list[Line]:
    """Return the words of each row below a header, up to the first row that cannot belong to the header's columns. A
    sum ends the rows, unless there are further items below it."""
    height = median(word.height for cell in header for word in cell)
    left = header[0][0].box[0] - MAX_OVERHANG * height
    right = header[-1][-1].box[2] + height
    bottom = max(word.box[3] for cell in header for word in cell)
    found: list[Line] = []
    sections: list[int] = []
    for row in rows[start : start + MAX_ROWS]:
        own = _beside(row, left, right)
        is_far = min(word.box[1] for word in own or row) - bottom > ENDING_DISTANCE * height
        if not any(any(map(str.isalnum, passage.words[word.at])) for word in own):
            if found and is_far:
                break
            found.append([])
            continue
        if is_far or headers.at(passage, row):
            break
        bottom = max(word.box[3] for word in own)
        texts = [text_of(passage, segment) for segment in segments_of_row(own)]
        if not is_carried_forward(texts) and _is_sum(texts, len(header)):
            own = []
            if any(found):
                sections.append(len(found))
        found.append(own)
    found = _without_last_sections(passage, found, sections)
    while found and not found[-1]:
        found.pop()
    return found


def _without_last_sections(passage: Passage, rows: Sequence[Line], sections: Sequence[int]) -> list[Line]:
    """Return the rows up to the end of the last section with an item. `sections` are the indices of the sums above the
    second and all further sections. An item has words at its beginning, at least two figures, and as many cells as most
    rows above the first sum."""
    if not sections:
        return [*rows]
    counts = [len([*segments_of_row(row)]) for row in rows[: sections[0]] if row]
    typical = median([count for count in counts if count > 1] or [0])
    end = sections[0]
    for first, last in pairwise((*sections, len(rows))):
        texts = [[text_of(passage, segment) for segment in segments_of_row(row)] for row in rows[first:last] if row]
        if any(
            len(row) >= max(typical, FEWEST_CELLS)
            and any(map(str.isalpha, row[0]))
            and not is_stage(row)
            and sum(map(looks_numeric, row)) >= FEWEST_FIGURES
            for row in texts
        ):
            end = last
    return [*rows[:end]]


def _beside(row: Line, left: float, right: float) -> Line:
    """Return the words of a row between the edges of a table."""
    return [
        word
        for segment in segments_of_row(row)
        if segment[0].box[0] <= right and segment[-1].box[2] >= left
        for word in segment
        if word.middle >= left
    ]


def _is_sum(texts: Sequence[str], columns: int) -> bool:
    """True if a row is a sum: its label means a sum, or it has few texts and a word such as `total` among its first
    words."""
    label_words = fold(" ".join(texts))[:MAX_LABEL_WORDS]
    # A full row is a sum only if its label says nothing else, or has a word such as `total`: `Net curtain 1 20.00` is
    # an item.
    is_full = len(texts) >= max(columns, FEWEST_CELLS) and TOTALS.isdisjoint(label_words)
    if is_sum_row([*texts, *[""] * (0 if is_full else max(1, columns - len(texts)))]):
        return True
    is_poor = 2 * len(texts) <= columns + 1
    label = tuple(word for word in fold(texts[0]) if not word.isdigit())
    is_named = len(label) <= MAX_WORDS and not concepts_of(label).isdisjoint(SUMS)
    return is_poor and (is_named or any(word in TOTALS for word in label_words))


def _middle(cell: Line) -> float:
    return (cell[0].box[0] + cell[-1].box[2]) / 2


def _table(passage: Passage, header: Sequence[Line], body: Sequence[Line], heading: str) -> ReadTable:
    edges = _edges(header, body)
    rows = [_row_in_columns(words, edges) for words in body if words]
    # A sum leaves an empty row. Lines below it are rather the heading of the next section than a part of an item.
    below_sums = [not above for above, words in pairwise([[*header[0]], *body]) if words]
    limits = _limits(rows, len(header))
    typical = median([len(row.cells) for row in rows if len(row.cells) > 1] or [1])
    full = [row for row in rows if len(row.cells) > 1 and len(row.cells) >= FULL_ROW * typical]
    gaps = [other.top - one.bottom for one, other in pairwise(full)]
    reach = MAX_LINE_GAP * median(gaps) if gaps else float("inf")
    found: list[_BodyRow] = []
    waiting: list[_BodyRow] = []
    begins_section = False
    for row, is_below_sum in zip(rows, below_sums, strict=True):
        begins_section |= is_below_sum
        if row in full:
            last = found[-1] if found else None
            before = {} if begins_section else _lines_before(passage, waiting, last, row, limits)
            found += [*_assign_lines(passage, waiting, last, row, limits, reach, before), row]
            waiting, begins_section = [], False
        else:
            waiting.append(row)
    found += _assign_lines(passage, waiting, found[-1] if found else None, None, limits, reach, {})
    cells = [[_joined(passage, row, index, limits[index]) for index in range(len(header))] for row in found]
    names = [cell_of(passage, cell) for cell in header]
    more = frozenset(
        index for index in _columns_with_more(rows, full) if all(len(row.cells.get(index, ())) < 2 for row in full)
    )
    return ReadTable([names, *cells], heading, is_exact=False, header=1, with_more=more)


def _edges(header: Sequence[Line], body: Sequence[Sequence[WordOnPage]]) -> list[float]:
    """Return the horizontal position of the edge between each two neighbouring columns. The edge is in the middle of an
    interval between the middles of the two headers. The chosen interval is the one that the fewest words cross, and the
    widest of several such intervals. A word of a header counts as four words."""
    words = [word for row in body if row and len(list(segments_of_row(row))) > 1 for word in row]
    found: list[float] = []
    for left, right in pairwise(header):
        left_middle, right_middle = _middle(left), _middle(right)
        own = [*left, *right]
        inside = [word for word in (*own, *words) if word.box[2] > left_middle and word.box[0] < right_middle]
        starts, ends = sorted(word.box[0] for word in inside), sorted(word.box[2] for word in inside)
        sides = sorted({left_middle, right_middle, *(x for x in (*starts, *ends) if left_middle < x < right_middle)})
        strips = []
        for start, end in pairwise(sides):
            middle = (start + end) / 2
            crossed = bisect_left(starts, middle) - bisect_right(ends, middle)
            named = sum(word.box[0] < middle < word.box[2] for word in own)
            strips.append((-crossed - 3 * named, end - start, middle))
        found.append(max(strips)[2] if strips else (left_middle + right_middle) / 2)
    return found


def _row_in_columns(row: Sequence[WordOnPage], edges: Sequence[float]) -> _BodyRow:
    cells: dict[int, list[list[WordOnPage]]] = {}
    segments = [*segments_of_row(row)]
    for number, segment in enumerate(segments):
        columns = [sum(word.middle > edge for edge in edges) for word in segment]
        if len(segments) == len(edges) + 1:
            # As many texts as columns are one in each, wherever the header's words stand above them.
            columns = [number] * len(segment)
        elif len(set(columns)) > 1 and len(segments) == 1:
            # A line that crosses columns is a note, or belongs to the column in which it begins.
            columns = [columns[0]] * len(segment)
        for word, column in zip(segment, columns, strict=True):
            cells.setdefault(column, [[]])[0].append(word)
    return _BodyRow(cells, min(word.box[1] for word in row), max(word.box[3] for word in row))


def _limits(rows: Sequence[_BodyRow], columns: int) -> list[float]:
    """Return, for each column, the position of the right end of the line that reaches farthest."""
    return [
        max((row.cells[index][0][-1].box[2] for row in rows if index in row.cells), default=0.0)
        for index in range(columns)
    ]


def _assign_lines(
    passage: Passage,
    waiting: Sequence[_BodyRow],
    above: _BodyRow | None,
    below: _BodyRow | None,
    limits: Sequence[float],
    reach: float,
    before: Mapping[int, Sequence[Line]],
) -> list[_BodyRow]:
    """Assign each line between two items to the item whose cell it begins or continues. Return the lines that are
    notes. The lines in `before` begin cells of the item below, by column.

    A line begins the cell of an item only within `reach` of the item's row.
    """
    notes: list[_BodyRow] = []
    for row in waiting:
        rest = {}
        for index, [line] in row.cells.items():
            if any(line is one for one in before.get(index, ())):
                continue
            lacking = [one for one in (above, below) if one is not None and index not in one.cells]
            nearest = min(lacking, key=row.gap_to, default=None)
            if nearest is not None and row.gap_to(nearest) <= reach:
                nearest.above.setdefault(index, []).append(line)
            elif (
                above is not None
                and index in above.cells
                and not notes
                and _goes_on(passage, above.cells[index][-1], line, limits[index])
            ):
                above.cells[index].append(line)
            else:
                rest[index] = [line]
        if rest:
            notes.append(_BodyRow(rest, row.top, row.bottom))
    for index, lines in before.items():
        assert below is not None, "lines begin the cells of the item below"
        below.cells[index][:0] = [[*line] for line in lines]
    return notes


def _columns_with_more(rows: Sequence[_BodyRow], full: Sequence[_BodyRow]) -> frozenset[int]:
    """Return the columns in which nearly every item has a line below it, with nothing beside it. Such a line may be the
    rest of the cell, as in a bank statement, or a note."""
    below = Counter(
        next(iter(other.cells))
        for one, other in pairwise(rows)
        if one in full and other not in full and len(other.cells) == 1
    )
    least = max(FEWEST_WITH_MORE, SHARE_WITH_MORE * len(full))
    return frozenset(index for index, count in below.items() if count >= least)


def _lines_before(
    passage: Passage,
    waiting: Sequence[_BodyRow],
    above: _BodyRow | None,
    below: _BodyRow,
    limits: Sequence[float],
) -> dict[int, list[Line]]:
    """Return the lines between two items that begin cells of the item below, by column: its figures stand beside the
    middle or the last line of a text. The lines are as near to each other as lines of one text, farther from the item
    above, and full, so that the first word below each had no room at its end."""
    found: dict[int, list[Line]] = {}
    for index in below.cells:
        lines = [line for row in waiting if len(row.cells) == 1 for line in row.cells.get(index, ())]
        text = below.cells[index][0]
        own: list[Line] = []
        for at in range(len(lines) - 1, -1, -1):
            line = lines[at]
            over = (
                lines[at - 1] if at else above.cells[index][-1] if above is not None and index in above.cells else None
            )
            gap = _gap(line, text)
            has_room = _has_room(line, text, limits[index])
            if gap > MAX_LEADING * line[0].height or has_room or _has_figures(passage, line, text):
                break
            own.insert(0, line)
            if over is None or _gap(over, line) > gap + LEAST_DIFFERENCE * line[0].height:
                found[index] = own
                if over is not None:
                    break
            text = line
    return found


def _gap(line: Line, below: Line) -> float:
    return min(word.box[1] for word in below) - max(word.box[3] for word in line)


def _has_room(line: Line, below: Line, limit: float) -> bool:
    """True if the first word of the line below had room at the end of a line."""
    first = below[0].box
    return line[-1].box[2] + first[2] - first[0] + line[-1].height / 4 <= limit


def _has_figures(passage: Passage, line: Line, below: Line) -> bool:
    """True if one of two lines is a figure, or the lower one has a label, so that neither continues the other."""
    texts = text_of(passage, line), text_of(passage, below)
    return any(map(looks_numeric, texts)) or any(word.endswith(":") for word in texts[1].split())


def _goes_on(passage: Passage, line: Sequence[WordOnPage], below: Sequence[WordOnPage], limit: float) -> bool:
    """True if the line `below` continues `line`: the first word of `below` had no room at the end of `line`, and
    `below` does not look like a beginning."""
    line_text, next_text = text_of(passage, line), text_of(passage, below)
    if _has_room(line, below, limit) or _has_figures(passage, line, below):
        return False
    if next_text.isupper() and not line_text.isupper() and len(next_text) >= SHORTEST_HEADING:
        return False
    return (
        next_text[0].islower()
        or _SIZE.match(next_text) is not None
        or line_text.endswith(OPEN_ENDS)
        or line[-1].box[2] < limit
    )


def _joined(passage: Passage, row: _BodyRow, column: int, limit: float) -> ReadCell:
    lines = row.cells.get(column) or row.above.get(column, [])
    if not lines:
        return NO_CELL
    if column not in row.cells:
        # Only the first of several lines names the item, together with the lines that continue it.
        count = next(
            (n for n, (one, other) in enumerate(pairwise(lines), 1) if not _goes_on(passage, one, other, limit)),
            len(lines),
        )
        lines = lines[:count]
    cell = cell_of(passage, [word for line in lines for word in line])
    return cell._replace(lines=[text_of(passage, line) for line in lines]) if len(lines) > 1 else cell
