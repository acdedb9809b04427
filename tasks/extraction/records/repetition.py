"""Finds what repeats on a page: rows of a list, blocks that begin alike, cards side by side, items of a sentence.

A page is read as streams of lines: its columns, and the columns of each part in which texts stand side by side, one
column after another. Lines that begin records have a sign in common, such as a bullet, a period, the same label or a
wider gap above, and each sign cuts a stream into records. Records of one form are a run. A page has many runs, and
`record_lists` decides which of them fill lists.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from tasks.extraction.folding import folded_words
from tasks.extraction.passages import Passage
from tasks.extraction.records.pieces import Piece, PiecedLine, cut_line
from tasks.extraction.section_headings import is_section
from tasks.extraction.words_on_page import WordOnPage, rows_by_column, rows_of, segments_of_row

MAX_RECORDS: Final = 200
"""Largest number of records of a run. Further records are left out."""
MAX_LINES: Final = 1_500
"""Largest number of lines of a passage in which records are searched for."""
MAX_RUNS: Final = 400
"""At most this many runs of a passage are compared with lists."""
MAX_LINES_OF_RECORD: Final = 14
MAX_LINES_ABOVE: Final = 2
"""Largest number of lines of a record above the line with its sign."""
FAR: Final = 5.0
"""Largest gap above a record of a run, in heights of a line. A wider gap ends the run."""
REGULAR: Final = 1.5
"""A gap above a record that is wider than FAR does not end the run if it is at most REGULAR times the usual one."""
WIDER, TALLER = 1.3, 1.15
"""The gap above a paragraph is more than WIDER times the usual gap between lines, and a line in large letters is more
than TALLER times as tall as a usual line."""
MAX_GAP_OF_ROWS, MAX_SHIFT_OF_ROWS = 1.6, 1.5
"""A record of one line has a gap of at most MAX_GAP_OF_ROWS above it, and begins less than MAX_SHIFT_OF_ROWS left or
right of the line above it, in heights of a line."""
MAX_HEADINGS, LONGEST_HEADING = 3, 9
"""The heading of a run is searched for in at most MAX_HEADINGS lines above it. It has at most LONGEST_HEADING words."""
COLUMN_GAP: Final = 2.5
"""The gap between two texts side by side is wider than this, in heights of a line."""
MAX_EDGES: Final = 3
"""At most this many gaps separate the columns of a part."""
SAME_TOP: Final = 2
"""The tops of cards in one row are less than this distance apart, in heights of a line."""
MAX_WORDS_OF_SENTENCES, MAX_CHARS_OF_SENTENCES = 300, 6_000
"""Items are searched for in paragraphs with at most this many words and characters."""
_TELLING_KINDS: Final = frozenset(("period", "date", "moment", "day", "time", "money", "decimal", "measure")) | {
    "code",
    "email",
    "phone",
    "number",
}
"""Kinds of pieces that may mark the beginning of a record wherever in the line they are."""
_KINDS_OF_HEADINGS: Final = frozenset(("text", "number", "moment", "date", "day"))
_SIGNS_OF_HEADINGS: Final = frozenset(("gap", "line", "tall"))
"""Names of the signs that headings share with the first lines of records."""
_LABEL: Final = re.compile(r"([^:]{2,40}): ")
_SEPARATORS: Final = (
    re.compile(r";\s"),
    re.compile(r"(?:^|(?<=\s))\(?\d{1,2}\)\s"),
    re.compile(
        r";\s|(?<=\s)\(?\d{1,2}\)\s|,\s(?![^()]{0,200}\))|\s(?:and|und|et|y|e|en|i|och|sowie|oraz)\s(?![^()]{0,200}\))"
    ),
    re.compile(r"(?<=[.!?])\s(?=[^\W\d_a-z])"),
)
"""Patterns of separators of items in a paragraph, which are tried one by one: semicolons; numbers; semicolons, numbers,
commas and conjunctions together; and the ends of sentences. A separator in brackets does not count."""
FEWEST_SEPARATORS: Final = 2

Row = Sequence[WordOnPage]
Record = list[PiecedLine]


class Sign(NamedTuple):
    """A property that the lines at the beginning of records have in common, such as a bullet."""

    name: str
    value: str = ""
    """Text or kind of piece that the lines have in common; empty if the name says it all."""


@dataclass(slots=True)
class Run:
    """Records of the same form that stand below or beside each other."""

    passage: Passage
    records: Sequence[Record]
    apart: float = 0.0
    """Mean gap above records minus the mean gap within records, in heights of a line, from -1 to 1."""
    headings: Sequence[str] = field(default_factory=list)
    """Texts above the run that may be its headings, the nearest one first."""
    sections: Sequence[PiecedLine | None] = field(default_factory=list)
    """The heading above each record; empty if no heading stands between records."""
    above: PiecedLine | None = None
    """The line above the first record."""


def runs_of(passage: Passage) -> Iterator[Run]:
    """Yield the runs of records of a passage, at most MAX_RUNS, each once."""
    seen: set[tuple[tuple[int, int], ...]] = set()
    for run in _all_runs(passage):
        places = tuple((record[0].words[0].at, len(record)) for record in run.records)
        if places not in seen:
            seen.add(places)
            yield run
        if len(seen) == MAX_RUNS:
            return


def _all_runs(passage: Passage) -> Iterator[Run]:
    cut: dict[tuple[int, ...], PiecedLine] = {}

    def lines_of(rows: Sequence[Row]) -> list[PiecedLine]:
        lines = []
        for row in rows[:MAX_LINES]:
            key = tuple([word.at for word in row])
            if key not in cut:
                cut[key] = cut_line(passage, row)
            lines.append(cut[key])
        return lines

    columns = [lines_of(rows) for rows in rows_by_column(passage)]
    for before, lines in zip([[], *columns], columns, strict=False):
        yield from _runs_in(LineStream(passage, lines, lines_before=before))
    if len(columns) > 1:
        yield from _runs_in(LineStream.of_columns(passage, columns))
    for part in _parts_side_by_side(passage):
        lines_by_column = [lines_of(rows) for rows in part.columns]
        for lines in lines_by_column if part.are_separate else ():
            yield from _runs_in(LineStream(passage, lines))
        if not part.are_separate:
            yield from _runs_in(LineStream.of_columns(passage, lines_by_column, lines_of(part.rows_above)))
    for lines in columns:
        yield from _runs_in_sentences(passage, lines)


class PartOfPage(NamedTuple):
    """A part of a page in which texts stand side by side in columns."""

    columns: Sequence[Sequence[Row]]
    rows_above: Sequence[Row]
    """The last rows above the part."""
    are_separate: bool
    """True if each column may have records of its own."""


def _parts_side_by_side(passage: Passage) -> Iterator[PartOfPage]:
    rows = rows_of(passage)[:MAX_LINES]
    all_rows = [rows, *(own for own in rows_by_column(passage) if own != rows)]
    for own in all_rows:
        edges = _edges(own)
        for chosen in dict.fromkeys((tuple(edges[:MAX_EDGES]), tuple(edges[:1]))):
            if chosen:
                yield from _parts_between(own, sorted(chosen))
    band: list[Sequence[Row]] = []
    start = 0
    for index, row in enumerate(rows):
        segments = [*segments_of_row(row)]
        aligned = _aligned(segments, band) if band else None
        if aligned is not None:
            band.append(aligned)
            continue
        if len(band) > 1:
            yield _part_of_band(band, rows[max(0, start - MAX_HEADINGS) : start])
        band, start = ([segments], index) if len(segments) > 1 else ([], index)
    if len(band) > 1:
        yield _part_of_band(band, rows[max(0, start - MAX_HEADINGS) : start])


def _edges(rows: Sequence[Row]) -> list[float]:
    """Return the places at which words of several rows begin after a wide gap, the most frequent first."""
    lefts = [
        (word.box[0], word.height)
        for row in rows
        for before, word in pairwise(row)
        if word.box[0] - before.box[2] > COLUMN_GAP * before.height
    ]
    groups: list[list[int]] = []
    for left, height in sorted(lefts):
        if groups and left - groups[-1][-1] <= height:
            groups[-1].append(left)
        else:
            groups.append([left])
    groups.sort(key=len, reverse=True)
    return [min(group) - 2 for group in groups if len(group) > 1]


def _parts_between(rows: Sequence[Row], edges: Sequence[float]) -> Iterator[PartOfPage]:
    """Yield the rows divided at edges: all of them, because each column may have records of its own, all of them as the
    columns of one part, and those from the first row with texts at both sides of an edge, which may begin with cards
    side by side."""
    crossing = [
        index
        for index, row in enumerate(rows)
        if any(
            before.box[0] < edge <= word.box[0] and word.box[0] - before.box[2] > COLUMN_GAP * before.height
            for before, word in pairwise(row)
            for edge in edges
        )
    ]
    for first, are_separate in ((0, True), (0, False), *([(crossing[0], False)] if crossing[0] else [])):
        columns = []
        for left, right in pairwise([float("-inf"), *edges, float("inf")]):
            words_of_rows = ([word for word in row if left <= word.box[0] < right] for row in rows[first:])
            columns.append([words for words in words_of_rows if words])
        yield PartOfPage([own for own in columns if own], rows[max(0, first - MAX_HEADINGS) : first], are_separate)


def _aligned(segments: Sequence[Row], band: Sequence[Sequence[Row]]) -> Sequence[Row] | None:
    """Return the segments of a row by the columns of a band, empty where a column has none. Return None if the row does
    not continue the band, because it is far below or because at least half of the columns have none."""
    bottom = max(word.box[3] for segment in band[-1] for word in segment)
    if segments[0][0].box[1] - bottom > FAR * segments[0][0].height:
        return None
    aligned: list[Row] = [()] * len(band[0])
    for segment in segments:
        column = next((index for index, top in enumerate(band[0]) if _is_below(segment, top)), None)
        if column is not None and not aligned[column]:
            aligned[column] = segment
    return aligned if 2 * sum(map(bool, aligned)) > len(aligned) else None


def _is_below(segment: Row, top: Row) -> bool:
    """True if a segment has nearly the left edge or the middle of the segment at the top of a column."""
    near = segment[0].height
    middles = [(one[0].box[0] + one[-1].box[2]) / 2 for one in (segment, top)]
    return abs(segment[0].box[0] - top[0].box[0]) < near or abs(middles[0] - middles[1]) < near


def _part_of_band(band: Sequence[Sequence[Row]], rows_above: Sequence[Row]) -> PartOfPage:
    columns = [[segment for segment in column if segment] for column in zip(*band, strict=True)]
    return PartOfPage(columns, rows_above, are_separate=False)


class LineStream:
    """Lines that are searched for records, in order."""

    def __init__(
        self,
        passage: Passage,
        lines: Sequence[PiecedLine],
        tops: Set[int] = frozenset(),
        lines_before: Sequence[PiecedLine] = (),
    ) -> None:
        """`tops` are the indices of the lines at the top of columns, if the stream has several columns. `lines_before`
        are lines before the stream, whose last ones may be headings."""
        self.passage = passage
        self.lines = lines
        self.tops = tops
        self.lines_before = lines_before
        self.usual_height = median([line.height for line in lines]) if lines else 0
        gaps: list[float] = [line.top - above.bottom for above, line in pairwise(lines)]
        self.usual_gap = max(median(gaps), 0.3 * self.usual_height) if gaps else 0
        # A line that is printed far above the line before it begins another column of the page, and counts as a line
        # after a wide gap.
        gaps = [gap if gap > -FAR * self.usual_height else 2 * self.usual_gap for gap in gaps]
        self.gaps_above: Sequence[float] = [0, *gaps]
        """The gap above each line; 0 for the first one."""

    @classmethod
    def of_columns(
        cls, passage: Passage, columns: Sequence[Sequence[PiecedLine]], lines_before: Sequence[PiecedLine] = ()
    ) -> "LineStream":
        """Return the stream of the lines of several columns, one column after another."""
        lines: list[PiecedLine] = []
        tops = set()
        for column in columns:
            tops.add(len(lines))
            lines += column
        return cls(passage, lines[:MAX_LINES], tops, lines_before)

    @cached_property
    def headings(self) -> Set[int]:
        """Indices of the lines that may be headings of the lines below them."""
        return {index for index in range(len(self.lines)) if self._is_heading(index)}

    def _is_heading(self, index: int) -> bool:
        line = self.lines[index]
        if not line.pieces or line.text.rstrip().endswith((".", ",", ";")) or line.text.count(" ") >= LONGEST_HEADING:
            return False
        if line.pieces[0].kind != "text":
            return False
        if any(piece.kind not in _KINDS_OF_HEADINGS or piece.label for piece in line.pieces):
            return False
        return (
            line.mark.startswith("#")
            or self.is_tall(line)
            or line.text.isupper()
            or index == 0
            or self.usual_gap <= 0
            or self.gaps_above[index] / self.usual_gap > 2 * WIDER
            or is_section(line.text)
        )

    @cached_property
    def deepest_headings(self) -> Set[int]:
        """Indices of the headings with the most number signs (`###`)."""
        levels = {index: len(line.mark) for index, line in enumerate(self.lines) if line.mark.startswith("#")}
        deepest = max(levels.values(), default=0)
        return {index for index, level in levels.items() if level == deepest}

    def is_tall(self, line: PiecedLine) -> bool:
        return line.height > TALLER * self.usual_height

    def texts_above(self, index: int) -> Sequence[str]:
        """Return the texts above a line that may be headings, the nearest one first."""
        lines = [*self.lines_before[-MAX_HEADINGS:], *self.lines[max(0, index - MAX_HEADINGS) : index]][-MAX_HEADINGS:]
        texts = [line.text.replace("\t", " ") for line in reversed(lines)]
        return [text for text in texts if len(text.split()) <= LONGEST_HEADING]


def _runs_in(stream: LineStream) -> Iterator[Run]:
    """Yield the runs of a stream: for each sign, with and without lines above it, and with and without headings that
    end records."""
    seen: set[tuple[int, ...]] = set()
    for sign, indices in _lines_by_sign(stream).items():
        if tuple(indices) in seen:
            continue
        seen.add(tuple(indices))
        cuts = _cuts(stream, sign, indices)
        most_lines_above = 0 if sign.name in ("line", "gap", "top") else MAX_LINES_ABOVE
        for lines_above in range(most_lines_above + 1):
            starts = [index - lines_above for index in indices if index >= lines_above]
            if lines_above and any(after - before <= lines_above for before, after in pairwise(starts)):
                break
            for headings in ((), cuts) if cuts else ((),):
                yield from _runs_from(stream, starts, sign, headings)


def _lines_by_sign(stream: LineStream) -> Mapping[Sign, Sequence[int]]:
    """Return the indices of the lines with each sign."""
    lines_by_sign: dict[Sign, list[int]] = defaultdict(list)
    for index in range(len(stream.lines)):
        for sign in _signs(stream, index):
            lines_by_sign[sign].append(index)
    if len(stream.tops) > 1:
        lines_by_sign[Sign("top")] = sorted(stream.tops)
    return lines_by_sign


def _signs(stream: LineStream, index: int) -> Iterator[Sign]:
    """Yield the signs of a line: those of its text, and those of its place and its letters."""
    line = stream.lines[index]
    if line.mark:
        yield Sign("mark", _kind_of_mark(line.mark))
    if line.pieces:
        first = line.pieces[0]
        if first.kind != "text":
            yield Sign("first", first.kind)
        if first.label:
            yield Sign("label", " ".join(folded_words(first.label)))
        for kind in {piece.kind for piece in line.pieces} & _TELLING_KINDS:
            yield Sign("has", kind)
    if index == 0 or stream.gaps_above[index] > WIDER * stream.usual_gap:
        yield Sign("gap")
    if stream.is_tall(line) or line.mark.startswith("#"):
        yield Sign("tall")
    if line.text.isupper():
        yield Sign("capitals")
    yield Sign("line")


def _kind_of_mark(mark: str) -> str:
    """Return `box` for a box to tick, `number` for a number or letter, and the mark itself for a bullet."""
    if "[" in mark:
        return "box"
    return "number" if any(map(str.isalnum, mark)) else mark


def _cuts(stream: LineStream, sign: Sign, indices: Collection[int]) -> Set[int]:
    """Return the headings that end records. With the signs `tall`, `mark` and `gap`, the headings with the most number
    signs (`###`) begin records and do not end them."""
    starts = set(indices)
    cuts = {index for index in stream.headings if index not in starts or sign.name in _SIGNS_OF_HEADINGS}
    return cuts - stream.deepest_headings if sign.name in ("tall", "mark", "gap") else cuts


def _runs_from(stream: LineStream, starts: Sequence[int], sign: Sign, cuts: Collection[int]) -> Iterator[Run]:
    """Yield the runs of records that begin at the lines `starts`. A heading in `cuts` or a wide gap separates two runs.
    Successive runs that headings separate are also yielded as one run."""
    groups: list[list[int]] = []
    sections: list[list[Run]] = []
    before = 0
    is_after_heading = []
    # The gaps between cards with pictures are wide, but all about the same.
    gaps = [stream.gaps_above[start] for start in starts[1:]]
    widest = max(FAR * stream.usual_height, REGULAR * median(gaps)) if gaps and sign.name != "line" else 0
    for start in starts:
        if start in cuts:
            continue
        is_cut = bool(groups) and any(index in cuts for index in range(before + 1, start + 1))
        if not groups or is_cut or not _is_near(stream, before, start, sign, widest):
            groups.append([])
            is_after_heading.append(is_cut)
        before = start
        # Further records of a full run do not become another run, which could fill the list in its place.
        if len(groups[-1]) < MAX_RECORDS:
            groups[-1].append(start)
    for group, is_cut in zip(groups, is_after_heading, strict=True):
        run = _run_from(stream, group, cuts)
        yield run
        if not is_cut:
            sections.append([])
        sections[-1].append(run)
    for runs in sections:
        if len(runs) > 1:
            records = [record for run in runs for record in run.records][:MAX_RECORDS]
            lines = [run.above for run in runs for _ in run.records][:MAX_RECORDS]
            yield replace(runs[0], records=records, sections=lines, headings=runs[0].headings[1:], above=None)


def _is_near(stream: LineStream, before: int, start: int, sign: Sign, widest: float) -> bool:
    """True if a record that begins at the line `start` may be in one run with the record that begins at `before`. The
    gap above it is at most `widest`."""
    line, gap = stream.lines[start], stream.gaps_above[start]
    if start in stream.tops:
        return sign.name != "line"
    if gap > max(FAR * line.height, widest) or start - before > MAX_LINES_OF_RECORD:
        return False
    if sign.name != "line":
        return True
    shift = abs(stream.lines[start - 1].left - line.left)
    return gap <= MAX_GAP_OF_ROWS * line.height and shift < MAX_SHIFT_OF_ROWS * line.height


def _run_from(stream: LineStream, starts: Sequence[int], cuts: Collection[int]) -> Run:
    """Return the run of the records that begin at some lines. The last record of the run and of each column ends at a
    heading, at a gap that is clearly wider than those within records, or when it is as long as the longest record
    before it."""
    first, last = starts[0], starts[-1]
    gaps_within = [
        stream.gaps_above[index]
        for one, other in pairwise(starts)
        for index in range(one + 1, other)
        if index not in stream.tops
    ]
    gaps_between = [stream.gaps_above[start] for start in starts[1:]]
    height = stream.lines[first].height
    widest = max([*gaps_within, 0.9 * height])
    longest = max((after - before for before, after in pairwise(starts)), default=MAX_LINES_OF_RECORD)
    end = last + 1
    while (
        end < len(stream.lines)
        and end - last < longest
        and end not in cuts
        and end not in stream.tops
        and stream.gaps_above[end] <= 1.2 * widest
    ):
        end += 1
    apart = 0.0
    if gaps_within and gaps_between:
        apart = (sum(gaps_between) / len(gaps_between) - sum(gaps_within) / len(gaps_within)) / height
    ends = [
        next((index for index in range(start + 1, until) if index in stream.tops), until)
        for start, until in pairwise([*starts, end])
    ]
    records = [list(stream.lines[start:until]) for start, until in zip(starts, ends, strict=True)]
    return Run(
        stream.passage,
        _in_rows(records) if stream.tops else records,
        apart=max(-1.0, min(1.0, apart)),
        headings=stream.texts_above(first),
        above=stream.lines[first - 1] if first else None,
    )


def _in_rows(records: Sequence[Record]) -> Sequence[Record]:
    """Return records of several columns row by row, if all rows except the last one have the same number of records."""
    rows: list[list[Record]] = []
    for record in sorted(records, key=lambda record: record[0].top):
        if rows and record[0].top - rows[-1][0][0].top < SAME_TOP * record[0].height:
            rows[-1].append(record)
        else:
            rows.append([record])
    if any(len(row) != len(rows[0]) for row in rows[:-1]) or len(rows[-1]) > len(rows[0]) == 1:
        return records
    return [record for row in rows for record in sorted(row, key=lambda record: record[0].left)]


def _runs_in_sentences(passage: Passage, lines: Sequence[PiecedLine]) -> Iterator[Run]:
    """Yield the runs of items of each paragraph, whose label is the run's heading."""
    for paragraph in _paragraphs(lines):
        words = [word for line in paragraph for word in line.words]
        if len(words) > MAX_WORDS_OF_SENTENCES:
            continue
        text = " ".join([passage.words[word.at] for word in words])
        if len(text) > MAX_CHARS_OF_SENTENCES:
            continue
        label = _LABEL.match(text)
        for separator in _SEPARATORS:
            records: list[Record] = []
            for start, end in _items(text, label.end() if label else 0, separator):
                words_of_item = words[text[:start].count(" ") : text[:end].rstrip().count(" ") + 1]
                if words_of_item and text[start:end].strip():
                    records.append([_line_of_item(passage, words_of_item)])
            if len(records) > 1:
                records[0] = _without_introduction(passage, records)
                yield Run(passage, records[:MAX_RECORDS], headings=[label[1]] if label else [])


def _without_introduction(passage: Passage, records: Sequence[Record]) -> Record:
    """Return the first item of a sentence without the words before it: `please send` of `please send 3 lamps at 20 EUR,
    2 desks at 90 EUR`. The other items show the kind of piece with which an item begins."""
    [line], *others = records
    kinds = Counter(pieces[0].kind for [other] in others if (pieces := other.pieces))
    kind, count = max(kinds.items(), key=lambda one: one[1], default=("text", 0))
    at = next((index for index, piece in enumerate(line.pieces) if piece.kind == kind), 0)
    if kind == "text" or at == 0 or 2 * count <= len(others):
        return [line]
    return [cut_line(passage, [word for word in line.words if word.at >= line.pieces[at].words[0]])]


def _paragraphs(lines: Sequence[PiecedLine]) -> Sequence[Sequence[PiecedLine]]:
    """Return the lines of each paragraph. A paragraph begins with a mark, or after a gap that is wider than usual."""
    gaps = [line.top - above.bottom for above, line in pairwise(lines)]
    usual_gap = median([gap for above, gap in zip(lines, gaps, strict=False) if gap < above.height] or [0])
    paragraphs: list[list[PiecedLine]] = []
    for line in lines:
        above = paragraphs[-1][-1] if paragraphs else None
        is_near = above is not None and line.top - above.bottom <= max(1.2 * usual_gap, 0.3 * line.height)
        if is_near and not line.mark:
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
    return paragraphs


def _items(text: str, start: int, separator: re.Pattern[str]) -> Sequence[tuple[int, int]]:
    """Return the spans of the items in a text, beginning at `start`; none if there are too few separators."""
    separators = [found.span() for found in separator.finditer(text) if found.start() >= start]
    if len(separators) < FEWEST_SEPARATORS:
        return []
    starts = [start, *(end for _, end in separators)]
    ends = [*(begin for begin, _ in separators), len(text)]
    return [*zip(starts, ends, strict=True)]


def _line_of_item(passage: Passage, words: Row) -> PiecedLine:
    """Return an item as a separate line, without gaps between its words."""
    left, top = words[0].box[:2]
    placed = []
    for word in words:
        width = word.box[2] - word.box[0]
        placed.append(WordOnPage(word.at, (left, top, left + width, top + word.height)))
        left += width
    return cut_line(passage, placed)


@dataclass(frozen=True, slots=True)
class RecordOutline:
    """The pieces that the records of a run have in common, counted by kind, label and number in the record."""

    counts: Mapping[tuple[str, str, int], int]
    """Number of records that have each piece."""
    regularity: float
    """Mean share of the records that have a piece, weighted by this share: 1 if all records have the same pieces."""


def outline_of(run: Run) -> RecordOutline:
    """Return the outline of a run, which takes less time than its columns."""
    counts: Counter[tuple[str, str, int]] = Counter()
    for record in run.records:
        numbers: Counter[tuple[str, str]] = Counter()
        for line in record:
            for piece in line.pieces:
                key = _kind_and_label(piece)
                numbers[key] += 1
                counts[(*key, numbers[key])] += 1
    total = sum(counts.values())
    return RecordOutline(counts, sum(count * count for count in counts.values()) / max(1, total) / len(run.records))


def _kind_and_label(piece: Piece) -> tuple[str, str]:
    return piece.kind, " ".join(folded_words(piece.label)) if piece.label else ""
