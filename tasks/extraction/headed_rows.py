"""Finds tables on pages by their header: a line whose words name fields of a list.

The places of the header's words determine the columns, whatever else is printed beside or between the rows. This may be
lines that continue a cell, notes below an item, or words that were read as one. In contrast, `tasks/layout` finds
tables by their rulings and white space, without knowing which fields are wanted.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from models.fair_executor import Slices
from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.object_lists import MAX_WORDS, SUMS
from tasks.extraction.passages import Passage
from tasks.extraction.table_headers import Header, HeaderCell, HeaderFinder, rows_of_header
from tasks.extraction.table_lists import LEAST_LIKENESS, is_carried_forward, is_plain_text, is_total, likeness_by_words
from tasks.extraction.words_on_page import (
    GAP,
    MAX_PLACED,
    WordOnPage,
    cell_of,
    rows_in_columns,
    segments_of_row,
    text_of,
)
from tasks.layout.table_ends import PlacedRow, end_of_rows
from tasks.notation.cells import looks_numeric
from tasks.notation.dates import parse_day
from tasks.read_table import NO_CELL, ReadCell, ReadTable

MAX_OVERHANG = 3.0
"""Words may begin to the left of the first column by at most this distance, in heights of a line."""
ENDING_DISTANCE = 6.0
"""A table ends if the next row is farther away than this, in heights of a line."""
MAX_LINE_GAP = 0.8
"""A line fills a cell that the row above or below it lacks if its distance from that row is at most this, as a multiple
of the usual gap between two rows."""
MAX_ROWS = 1_000
MAX_ROWS_AT_LEFT = 30
"""At most this many rows below a header show where its first column begins."""
MAX_COMPARED = 20_000
"""At most this many pairs of a text in a row and a field are compared, at 0.05 ms a pair. Further texts do not count as
names of fields."""
COUNTED_SHARE = 0.8
"""If at least this share of the texts in a column begin with a count, the counts belong to the column before it."""
_COUNTED = re.compile(r"(?P<count>\d{1,4}) ?(?:[x×] )?(?P<text>[^\W\d_].+)", re.IGNORECASE)
_SIZE = re.compile(r"\d+[x×]\d")
FULL_ROW = 0.5
"""A row begins an item if it has at least two cells, and at least this share of the cells that a typical row has. Any
other row continues an item or is a note."""


PageTable = tuple[Passage, ReadTable]
MAX_LABEL_WORDS = 6
"""The word for a sum is searched for in this many words at the beginning of a row."""
OPEN_ENDS = ("-", "–", ",", "&", "/", "(", "+")
"""Endings of a line that show that the next line continues it."""
TOTALS = frozenset(word for (word, *rest), name in PHRASES.items() if name == "total" and not rest) | {"subtotal"}
SHORTEST_HEADING = 4
"""A line in capitals below a line that is not in capitals is the heading of a section if it has at least this many
characters. Abbreviations are shorter."""
FEWEST_CELLS = 3
"""A row continues a table below a sum or a sentence only if it has at least this many cells."""
LEAST_WITH_NAMES = 0.7
"""A column without a header names the rows if at least this share of the rows below the header begin in it."""
LEAST_SENTENCE, LEAST_CROSSED = 5, 3
"""A text below a table is a sentence if it has at least LEAST_SENTENCE words and covers the middles of at least
LEAST_CROSSED columns."""


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


def tables_on_pages(passages: Sequence[Passage], lists: Sequence[Sequence[WantedField]]) -> Slices[list[PageTable]]:
    """Return the tables on pages whose header names fields of one of the lists."""
    likeness_by_text: dict[str, list[float]] = {}

    def likeness(text: str) -> list[float]:
        if text not in likeness_by_text and len(likeness_by_text) * fields > MAX_COMPARED:
            return [0.0] * len(lists)
        if text not in likeness_by_text:
            likeness_by_text[text] = [
                max((likeness_by_words(one.names, text) for one in own), default=0.0) for own in lists
            ]
        return likeness_by_text[text]

    sizes = [len(own) for own in lists]
    fields = sum(sizes)
    found: list[PageTable] = []
    left = MAX_COMPARED
    for passage in passages:
        yield
        if len(passage.words) > MAX_PLACED:
            continue
        rows = rows_in_columns(passage)
        finder = HeaderFinder(passage, rows, sizes, likeness)
        index, last = 0, 0
        while index < len(rows):
            yield
            header = yield from finder.at(index, last)
            if header is None:
                index += 1
                continue
            header = _with_days_below(passage, rows, header)
            left -= len(header.cells) * fields
            lacks_name = left >= 0 and header.repeats == 1 and (yield from _lacks_name(passage, header, lists))
            if lacks_name and (names := _names_at_left(passage, rows, header)) is not None:
                header = header._replace(cells=[names, *header.cells])
            body = yield from _body_below(passage, rows, header, finder)
            if body:
                heading = text_of(passage, rows[header.top - 1]) if header.top else ""
                found.append((passage, (yield from _tables_beside(passage, header, body, heading))))
            index = last = header.end + len(body)
    return found


def _with_days_below(passage: Passage, rows: Sequence[Sequence[WordOnPage]], header: Header) -> Header:
    """Return a header with the days in the row below it as the last lines of its cells, if this row has nothing else
    and fewer days than the header has cells: the day of the previous results below `Previous`."""
    segments = list(segments_of_row(rows[header.end])) if header.end < len(rows) else []
    if not segments or 2 * len(segments) > len(header.cells):
        return header
    cells = list(header.cells)
    for segment in segments:
        own = [
            index
            for index, cell in enumerate(cells)
            if cell.left < segment[-1].box[2] and segment[0].box[0] < cell.right
        ]
        if len(own) != 1 or parse_day(text_of(passage, segment)) is None:
            return header
        cells[own[0]] = HeaderCell([*cells[own[0]].lines, list(segment)])
    return header._replace(cells=cells, end=header.end + 1)


def _lacks_name(passage: Passage, header: Header, lists: Sequence[Sequence[WantedField]]) -> Slices[bool]:
    """True if a header names several fields of a list, but not all of the list's texts."""
    texts = [text_of(passage, cell.words) for cell in header.cells]
    for own in lists:
        yield
        named = [max(likeness_by_words(one.names, text) for text in texts) >= LEAST_LIKENESS for one in own]
        lacks_text = any(is_plain_text(one) and not is_named for one, is_named in zip(own, named, strict=True))
        if lacks_text and sum(named) > 1:
            return True
    return False


def _names_at_left(passage: Passage, rows: Sequence[Sequence[WordOnPage]], header: Header) -> HeaderCell | None:
    """Return the column to the left of a header that names the rows, although no header is above it; None if there is
    none. Most of the rows below the header that have figures begin with a name there."""
    edge = header.cells[0].left
    full, names = 0, []
    for row in rows[header.end : header.end + MAX_ROWS_AT_LEFT]:
        segments = list(segments_of_row(row))
        inside = [segment for segment in segments if segment[0].box[0] >= edge - segment[0].height]
        if len(inside) < FEWEST_CELLS - 1:
            continue
        full += 1
        at_left = [segment for segment in segments if segment[-1].box[2] < edge]
        if len(at_left) == 1 and 1 + len(inside) == len(segments) and _is_name(passage, at_left[0]):
            names.append(at_left[0])
    if len(names) < FEWEST_CELLS - 1 or len(names) < LEAST_WITH_NAMES * full:
        return None
    return HeaderCell([], (min(name[0].box[0] for name in names), max(name[-1].box[2] for name in names)))


def _is_name(passage: Passage, segment: Sequence[WordOnPage]) -> bool:
    text = text_of(passage, segment)
    return any(map(str.isalpha, text)) and not text.endswith(":") and len(segment) <= LEAST_SENTENCE


def _body_below(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], header: Header, finder: HeaderFinder
) -> Slices[list[list[WordOnPage]]]:
    """Return the words of each row below a header, up to the first row that cannot belong to the header's columns."""
    cells = header.cells
    height = median(word.height for cell in cells for word in cell.words)
    left = _left_of(rows[header.end : header.end + MAX_ROWS_AT_LEFT], cells) - MAX_OVERHANG * height
    right = cells[-1].right
    bottom = max(word.box[3] for cell in cells for word in cell.words)
    middles = [cell.middle for cell in cells]
    found: list[list[WordOnPage]] = []
    for position, row in enumerate(rows[header.end : header.end + MAX_ROWS], header.end):
        yield
        own = _beside(row, left, right + height)
        if not any(any(map(str.isalnum, passage.words[word.at])) for word in own):
            if not found or min(word.box[1] for word in row) - bottom <= ENDING_DISTANCE * height:
                found.append([])
                continue
            break
        if min(word.box[1] for word in own) - bottom > ENDING_DISTANCE * height:
            break
        if (yield from finder.at(position, header.end)):
            break
        bottom = max(word.box[3] for word in own)
        segments = list(segments_of_row(own))
        texts = [text_of(passage, segment) for segment in segments]
        is_sum = not is_carried_forward(texts) and _is_sum(texts, len(cells))
        if is_sum or any(_crosses(segment, middles) for segment in segments):
            below = [_beside(other, left, right + height) for other in rows[position + 1 : position + 3]]
            if any(found) and not _goes_on_below(passage, found, below, len(cells), is_sum=is_sum):
                break
            found.append([])
        else:
            found.append(own)
    while found and not found[-1]:
        found.pop()
    return found


def _beside(row: Sequence[WordOnPage], left: float, right: float) -> list[WordOnPage]:
    """Return the words of a row between the edges of a table."""
    return [
        word
        for segment in segments_of_row(row)
        if segment[0].box[0] <= right and segment[-1].box[2] >= left
        for word in segment
        if word.middle >= left
    ]


def _goes_on_below(
    passage: Passage,
    above: Sequence[Sequence[WordOnPage]],
    below: Sequence[Sequence[WordOnPage]],
    columns: int,
    *,
    is_sum: bool,
) -> bool:
    """True if a table continues below a sum or a sentence. Below a sum, it continues only if the table begins with the
    heading of a section and another heading follows."""
    rows = [list(segments_of_row(row)) if row else [] for row in (next(filter(None, above)), *below)]
    if is_sum:
        begins, *rows = rows
        if not (len(rows) == 2 and len(begins) == len(rows[0]) == 1 and not _is_note(passage, rows[0][0])):
            return False
    row = rows[1] if len(rows) > 1 else []
    texts = [text_of(passage, segment) for segment in row]
    return len(row) >= max(FEWEST_CELLS, FULL_ROW * columns) and not _is_sum(texts, columns)


def _is_note(passage: Passage, segment: Sequence[WordOnPage]) -> bool:
    return len(segment) >= LEAST_SENTENCE or text_of(passage, segment).endswith((".", ":"))


def _left_of(rows: Sequence[Sequence[WordOnPage]], cells: Sequence[HeaderCell]) -> float:
    """Return the left edge of the first column, whose header may be in the middle above longer texts."""
    first, second, *_ = cells
    found = first.left
    for row in rows:
        segments = list(segments_of_row(row))
        for segment in segments if len(segments) > 1 else ():
            if first.left <= segment[-1].box[2] <= second.left and segment[0].box[0] <= first.right:
                found = min(found, segment[0].box[0])
    return found


def _is_sum(texts: Sequence[str], columns: int) -> bool:
    """True if a row is a sum: its label means a sum, or it has few texts and a word such as `total` among its first
    words."""
    label_words = fold(" ".join(texts))[:MAX_LABEL_WORDS]
    # A full row is a sum only if its label says nothing else, or has a word such as `total`: `Net curtain 1 20.00` is
    # an item.
    is_full = len(texts) >= max(columns, FEWEST_CELLS) and TOTALS.isdisjoint(label_words)
    if is_total([*texts, *[""] * (0 if is_full else max(1, columns - len(texts)))]):
        return True
    is_poor = 2 * len(texts) <= columns + 1
    label = tuple(word for word in fold(texts[0]) if not word.isdigit())
    is_named = len(label) <= MAX_WORDS and not concepts_of(label).isdisjoint(SUMS)
    return is_poor and (is_named or any(word in TOTALS for word in label_words))


def _crosses(segment: Sequence[WordOnPage], middles: Sequence[float]) -> bool:
    """True if a text extends over several columns, as a sentence does."""
    covered = sum(segment[0].box[0] < middle < segment[-1].box[2] for middle in middles)
    return len(segment) >= LEAST_SENTENCE and covered >= LEAST_CROSSED


def _tables_beside(
    passage: Passage, header: Header, body: Sequence[Sequence[WordOnPage]], heading: str
) -> Slices[ReadTable]:
    """Return the table below a header. Tables side by side with the same header are one table."""
    width = len(header.cells) // header.repeats
    edges = yield from _edges(header.cells, body)
    sides = [float("-inf"), *(edges[index - 1] for index in range(width, len(header.cells), width)), float("inf")]
    found = []
    for side, (left, right) in enumerate(pairwise(sides)):
        yield
        rows_of_side = [[word for word in row if left < word.middle <= right] for row in body]
        found.append((yield from _table(passage, header.cells[width * side : width * (side + 1)], rows_of_side)))
    names, *_ = found[0]
    rows = [row for _, own, _ in found for row in own if len(row) == len(names[0])]
    is_ended = any(own for *_, own in found)
    height = len(names) if len(names) > 1 else 0
    return ReadTable([*names, *rows], heading, is_exact=False, header=height, is_ended=is_ended)


def _table(
    passage: Passage, header: Sequence[HeaderCell], body: Sequence[Sequence[WordOnPage]]
) -> Slices[tuple[list[list[ReadCell]], list[list[ReadCell]], bool]]:
    """Return the rows of a header, the rows of the table below it, and whether the table ends above further lines."""
    edges = yield from _edges(header, body)
    rows = []
    for words in filter(None, body):
        yield
        rows.append(_row_in_columns(words, edges))
    end = yield from end_of_rows([_placed(passage, row) for row in rows])
    is_ended = end < len(rows)
    rows = rows[:end]
    limits = _limits(rows, len(header))
    typical = median([len(row.cells) for row in rows if len(row.cells) > 1] or [1])
    full = [row for row in rows if len(row.cells) > 1 and len(row.cells) >= FULL_ROW * typical]
    are_full = {id(row) for row in full}
    gaps = [other.top - one.bottom for one, other in pairwise(full)]
    reach = MAX_LINE_GAP * median(gaps) if gaps else float("inf")
    found: list[_BodyRow] = []
    waiting: list[_BodyRow] = []
    headings: Sequence[int] = ()
    for row in rows:
        if id(row) in are_full:
            shared = _assign_lines(passage, waiting, found[-1] if found else None, row, limits, reach, headings)
            headings = headings if found else [index for note in shared for index in note.cells]
            found += [*shared, row]
            waiting = []
        else:
            waiting.append(row)
    found += _assign_lines(passage, waiting, found[-1] if found else None, None, limits, reach, headings)
    cells = []
    for row in found:
        yield
        cells.append([_joined(passage, row, index, limits[index]) for index in range(len(header))])
    if (index := _find_wrong_split(header, cells)) is not None:
        joined = HeaderCell([[*header[index].words, *header[index + 1].words]])
        return (yield from _table(passage, [*header[:index], joined, *header[index + 2 :]], body))
    for left in [index for index, cell in enumerate(header) if cell.words and _names_count(passage, cell.words)]:
        parted = [[*row[: left + 1], NO_CELL, *row[left + 1 :]] for row in cells]
        words = header[left].words
        if len(words) > 1 and _names_count(passage, words[:1]) and _separate_counts(parted, left):
            # The names of a narrow column and of the next one were read as one text, and so were their cells.
            header = [*header[:left], HeaderCell([words[:1]]), HeaderCell([words[1:]]), *header[left + 1 :]]
            cells = parted
            break
        if left + 1 < len(header):
            _separate_counts(cells, left)
    return rows_of_header(passage, header), cells, is_ended


def _names_count(passage: Passage, words: Sequence[WordOnPage]) -> bool:
    return "quantity" in concepts_of(tuple(fold(text_of(passage, words))))


def _separate_counts(rows: Sequence[list[ReadCell]], column: int) -> bool:
    """Separate counts from the texts that begin with them, because OCR reads `2 Soup` and `2Soup` as one text. Return
    True if there were such texts.

    The count is put into `column`, and the text into the next column. A row with cells in both columns stays as it
    is."""
    lone = [row for row in rows if bool(row[column].text) != bool(row[column + 1].text)]
    wholes = [row[column] if row[column].text else row[column + 1] for row in lone]
    counted = [_COUNTED.fullmatch(whole.text) for whole in wholes]
    if not lone or sum(map(bool, counted)) < COUNTED_SHARE * len(lone):
        return False
    for row, whole, found in zip(lone, wholes, counted, strict=True):
        texts = (found["count"], found["text"]) if found else ("", whole.text)
        row[column : column + 2] = (whole._replace(text=text, source=whole.text) if text else NO_CELL for text in texts)
    return True


def _find_wrong_split(header: Sequence[HeaderCell], rows: Sequence[Sequence[ReadCell]]) -> int | None:
    """Return the index of the first of two columns whose header was split by mistake; None if there are no such
    columns. The split is a mistake if the gap in the header is narrow, and fewer than half of the rows have cells in
    both columns."""
    for index, (left, right) in enumerate(pairwise(header)):
        gap = right.left - left.right
        is_split = len(left.lines) == len(right.lines) == 1 and gap <= GAP * left.words[-1].height
        filled_in_both = sum(bool(row[index].text and row[index + 1].text) for row in rows)
        if is_split and len(header) > 2 and 2 * filled_in_both < len(rows):
            return index
    return None


def _edges(header: Sequence[HeaderCell], body: Sequence[Sequence[WordOnPage]]) -> Slices[list[float]]:
    """Return the horizontal position of the edge between each two neighbouring columns. The edge is in the middle of an
    interval between the middles of the two headers. The chosen interval is the one that the fewest words cross, and the
    widest of several such intervals. A word of a header counts as four words."""
    words = [word for row in body if row and len(list(segments_of_row(row))) > 1 for word in row]
    found: list[float] = []
    for left, right in pairwise(header):
        yield
        left_middle, right_middle = left.middle, right.middle
        own = [*left.words, *right.words]
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
    for segment in segments_of_row(row):
        columns = [sum(word.middle > edge for edge in edges) for word in segment]
        if len(set(columns)) > 1 and len(list(segments_of_row(row))) == 1:
            # A line that crosses columns is a note, or belongs to the column in which it begins.
            columns = [columns[0]] * len(segment)
        for word, column in zip(segment, columns, strict=True):
            cells.setdefault(column, [[]])[0].append(word)
    return _BodyRow(cells, min(word.box[1] for word in row), max(word.box[3] for word in row))


def _placed(passage: Passage, row: _BodyRow) -> PlacedRow:
    texts = {column: text_of(passage, line) for column, [line] in row.cells.items()}
    height = next(iter(row.cells.values()))[0][0].height
    spans = {column: (line[0].box[0], line[-1].box[2]) for column, [line] in row.cells.items()}
    return PlacedRow(row.top, row.bottom, height, texts, spans)


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
    headings: Sequence[int],
) -> list[_BodyRow]:
    """Assign each line between two items to the item whose cell it begins or continues. Return the lines that are
    notes.

    A line begins the cell of an item only within `reach` of the item's row. `headings` are the columns in which a
    heading precedes the first item. In these columns, a line that begins with a capital is a heading, too.
    """
    notes: list[_BodyRow] = []
    for row in waiting:
        rest = {}
        for index, [line] in row.cells.items():
            lacking = [one for one in (above, below) if one is not None and index not in one.cells]
            nearest = min(lacking, key=row.gap_to, default=None)
            if nearest is not None and row.gap_to(nearest) <= reach:
                nearest.above.setdefault(index, []).append(line)
            elif (
                above is not None
                and index in above.cells
                and not notes
                and not (index in headings and text_of(passage, line)[0].isupper())
                and _goes_on(passage, above.cells[index][-1], line, limits[index])
            ):
                above.cells[index].append(line)
            else:
                rest[index] = [line]
        if rest:
            notes.append(_BodyRow(rest, row.top, row.bottom))
    return notes


def _goes_on(passage: Passage, line: Sequence[WordOnPage], below: Sequence[WordOnPage], limit: float) -> bool:
    """True if the line `below` continues `line`: the first word of `below` had no room at the end of `line`, and
    `below` does not look like a beginning."""
    line_text, next_text = text_of(passage, line), text_of(passage, below)
    first = below[0].box
    if line[-1].box[2] + first[2] - first[0] + line[-1].height / 4 <= limit:
        return False
    if looks_numeric(line_text) or looks_numeric(next_text) or any(word.endswith(":") for word in next_text.split()):
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
    return cell_of(passage, [word for line in lines for word in line])
