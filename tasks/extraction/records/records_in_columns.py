"""Finds runs of records among the lines of a column.

Lines that begin records have something in common: a bullet, a number, a period, the same label, larger letters, or a
wider gap above. Each such sign cuts the column into records.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from tasks.extraction.cv_sections import is_section
from tasks.extraction.folding import folded_words
from tasks.extraction.line_pieces import PiecedLine
from tasks.extraction.passages import Passage
from tasks.extraction.records.runs import FAR, MAX_LINES_OF_RECORD, MAX_RECORDS, LineSign, Run, RunSign

MAX_LINES_ABOVE: Final = 2
"""Largest number of lines of a record above the line with its sign."""
WIDER: Final = 1.3
"""The gap above a paragraph is more than this many times the usual gap between lines."""
TALLER: Final = 1.15
"""A line in large letters is more than this many times as tall as a usual line."""
OUTDENTED: Final = 0.8
"""An outdented line begins more than this distance, in heights of the line, farther left than the line above it."""
MAX_GAP_OF_ROWS: Final = 1.6
"""Largest gap between records of one line each, in heights of a line."""
MAX_SHIFT_OF_ROWS: Final = 1.5
"""A record of one line begins less than this far left or right of the line above it, in heights of a line."""
MAX_HEADINGS: Final = 3
"""Largest number of lines above a run among which its heading is searched for."""
LONGEST_HEADING: Final = 9
"""Largest number of words of a heading."""
_WORD_AND_NUMBER: Final = re.compile(r"(?P<word>[^\W\d_]{2,20}\.?) ?(?:n[°o]\.? ?)?\d{1,3}\b")
_TELLING_KINDS: Final = (
    *("period", "date", "moment", "day", "time", "times", "score", "money", "decimal", "measure", "scheme"),
    *("code", "email", "phone", "number"),
)
"""Kinds of pieces that may mark the beginning of a record wherever in the line they are."""
_KINDS_OF_HEADINGS: Final = frozenset(("text", "number", "moment", "date", "day"))
_SIGNS_OF_HEADINGS: Final = frozenset(("gap", "line", "outdented", "tall"))
"""Names of the signs that headings share with the first lines of records."""


class LinesOfColumn:
    """The lines of a column, with the gaps between them."""

    def __init__(self, passage: Passage, lines: Sequence[PiecedLine], lines_before: Sequence[PiecedLine]) -> None:
        """`lines_before` are the lines of the column before this column."""
        self.passage = passage
        self.lines = lines
        self.lines_before = lines_before
        self.usual_height = median([line.height for line in lines]) if lines else 0
        gaps: list[float] = [line.top - above.bottom for above, line in pairwise(lines)]
        self.usual_gap = max(median(gaps), 0.3 * self.usual_height) if gaps else 0
        # A line that is printed far above the line before it begins another column of the page, and counts as a line
        # after a wide gap.
        gaps = [gap if gap > -FAR * self.usual_height else 2 * self.usual_gap for gap in gaps]
        self.gaps_above: Sequence[float] = [0, *gaps]
        """The gap above each line; 0 for the first one."""

    @cached_property
    def headings(self) -> Set[int]:
        """Indices of the lines that may be headings."""
        return {index for index in range(len(self.lines)) if self._is_heading(index)}

    def _is_heading(self, index: int) -> bool:
        """True if a line may be the heading of the lines below it."""
        line = self.lines[index]
        if not line.pieces or line.text.rstrip().endswith((".", ",", ";")) or line.text.count(" ") >= LONGEST_HEADING:
            return False
        if any(piece.kind not in _KINDS_OF_HEADINGS or piece.label for piece in line.pieces):
            return False
        if line.pieces[0].kind != "text":
            return False
        is_gap_unknown = index == 0 or self.usual_gap <= 0
        return (
            line.mark.startswith("#")
            or self.is_tall(line)
            or line.text.isupper()
            or is_gap_unknown
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


def runs_in_column(column: LinesOfColumn) -> Iterator[Run]:
    """Yield the runs of a column: for each sign, with and without lines above it, and with and without headings that
    end records."""
    seen: set[tuple[int, ...]] = set()
    for sign, indices in _lines_by_sign(column).items():
        if tuple(indices) in seen:
            continue
        seen.add(tuple(indices))
        cuts = _cuts(column, sign, indices)
        most_lines_above = 0 if sign.name in ("line", "gap") else MAX_LINES_ABOVE
        for lines_above in range(most_lines_above + 1):
            for headings in ((), cuts) if cuts else ((),):
                run_sign = RunSign(sign, lines_above, has_cuts=bool(headings))
                starts = [index - lines_above for index in indices if index >= lines_above]
                yield from _runs_from(column, starts, run_sign, headings)


def _lines_by_sign(column: LinesOfColumn) -> Mapping[LineSign, Sequence[int]]:
    """Return the indices of the lines with each sign."""
    lines_by_sign: dict[LineSign, list[int]] = defaultdict(list)
    for index, line in enumerate(column.lines):
        for sign in (*_signs_of_line(line), *_signs_of_layout(column, index)):
            lines_by_sign[sign].append(index)
    return lines_by_sign


def _signs_of_line(line: PiecedLine) -> Iterator[LineSign]:
    """Yield the signs that depend on the text of a line."""
    if line.mark:
        yield LineSign("mark", _kind_of_mark(line.mark))
    if not line.pieces:
        return
    first = line.pieces[0]
    if first.kind != "text":
        yield LineSign("first", first.kind)
    if first.label:
        yield LineSign("label", " ".join(folded_words(first.label)))
    kinds = {piece.kind for piece in line.pieces}
    for kind in _TELLING_KINDS:
        if kind in kinds:
            yield LineSign("has", kind)
    if found := _WORD_AND_NUMBER.match(line.text):
        yield LineSign("word", found["word"].casefold())
    if any(piece.sign == "gap" for piece in line.pieces):
        yield LineSign("parted")


def _kind_of_mark(mark: str) -> str:
    """Return `box` for a box to tick, `number` for a number or letter, and the mark itself for a bullet."""
    if "[" in mark:
        return "box"
    return "number" if any(map(str.isalnum, mark)) else mark


def _signs_of_layout(column: LinesOfColumn, index: int) -> Iterator[LineSign]:
    """Yield the signs that depend on the place and the letters of a line."""
    line = column.lines[index]
    if index == 0 or column.gaps_above[index] > WIDER * column.usual_gap:
        yield LineSign("gap")
    if column.is_tall(line) or line.mark.startswith("#"):
        yield LineSign("tall")
    yield LineSign("line")
    if line.pieces and index and line.left < column.lines[index - 1].left - OUTDENTED * line.height:
        yield LineSign("outdented")
    if line.text.isupper():
        yield LineSign("capitals")


def _cuts(column: LinesOfColumn, sign: LineSign, indices: Collection[int]) -> Collection[int]:
    """Return the headings that end records. With the signs `tall`, `mark` and `gap`, the headings with the most number
    signs (`###`) begin records and do not end them."""
    starts = set(indices)
    cuts = {index for index in column.headings if index not in starts or sign.name in _SIGNS_OF_HEADINGS}
    if sign.name in ("tall", "mark", "gap"):
        cuts -= column.deepest_headings
    return cuts


def _runs_from(column: LinesOfColumn, starts: Sequence[int], sign: RunSign, cuts: Collection[int]) -> Iterator[Run]:
    """Yield the runs of records that begin at the lines `starts`. Successive runs that headings separate are also
    yielded as one run. The lines `cuts` are headings that end records."""
    if sign.lines_above and any(after - before <= sign.lines_above for before, after in pairwise(starts)):
        return
    groups = _groups_of_starts(column, starts, sign, cuts)
    runs = [_run_from(column, group.starts, sign, cuts) for group in groups]
    yield from runs
    joined: list[Run] = []
    for run, group in zip(runs, groups, strict=True):
        if not group.is_after_heading:
            yield from _joined(joined)
            joined = []
        joined.append(run)
    yield from _joined(joined)


class _StartsOfRun(NamedTuple):
    """The lines at which the records of a run begin."""

    starts: list[int]
    is_after_heading: bool
    """True if a heading separates the run from the run before it."""


def _groups_of_starts(
    column: LinesOfColumn, starts: Sequence[int], sign: RunSign, cuts: Collection[int]
) -> Sequence[_StartsOfRun]:
    """Group the lines at which records begin: a heading or a wide gap separates two runs."""
    groups: list[_StartsOfRun] = []
    before = 0
    for start in starts:
        if start in cuts:
            continue
        is_after_heading = bool(groups) and any(before < cut <= start for cut in cuts)
        if not groups or is_after_heading or not _is_near(column, before, start, sign):
            groups.append(_StartsOfRun([], is_after_heading))
        before = start
        # Further records of a full run do not become another run, which could fill the list in its place.
        if len(groups[-1].starts) < MAX_RECORDS:
            groups[-1].starts.append(start)
    return groups


def _is_near(column: LinesOfColumn, before: int, start: int, sign: RunSign) -> bool:
    """True if a record that begins at the line `start` may be in one run with the record that begins at `before`."""
    line, gap = column.lines[start], column.gaps_above[start]
    if gap > FAR * max(line.height, column.usual_height) or start - before > MAX_LINES_OF_RECORD:
        return False
    if sign.line.name != "line":
        return True
    shift = abs(column.lines[start - 1].left - line.left)
    return gap <= MAX_GAP_OF_ROWS * line.height and shift < MAX_SHIFT_OF_ROWS * line.height


def _joined(runs: Sequence[Run]) -> Iterator[Run]:
    """Yield several runs as one run, with the heading above each record; nothing if there is only one run."""
    if len(runs) < 2:
        return
    records = [record for run in runs for record in run.records]
    sections = [run.above for run in runs for _ in run.records]
    yield replace(
        runs[0],
        records=records[:MAX_RECORDS],
        sections=sections[:MAX_RECORDS],
        headings=runs[0].headings[1:],
        above=None,
    )


def _run_from(column: LinesOfColumn, starts: Sequence[int], sign: RunSign, cuts: Collection[int]) -> Run:
    """Return the run of the records that begin at some lines. The last record ends at a heading, at a gap that is
    clearly wider than those within records, or when it is as long as the longest record before it."""
    first, last = starts[0], starts[-1]
    indices_within = set(range(first, last)).difference(starts)
    gaps_within = [column.gaps_above[index] for index in indices_within]
    gaps_between = [column.gaps_above[start] for start in starts[1:]]
    height = column.lines[first].height
    widest = max([*gaps_within, 0.9 * height])
    longest = max((after - before for before, after in pairwise(starts)), default=MAX_LINES_OF_RECORD)
    end = last + 1
    while (
        end < len(column.lines) and end - last < longest and end not in cuts and column.gaps_above[end] <= 1.2 * widest
    ):
        end += 1
    apart = 0.0
    if gaps_within and gaps_between:
        mean_within, mean_between = sum(gaps_within) / len(gaps_within), sum(gaps_between) / len(gaps_between)
        apart = (mean_between - mean_within) / height
    return Run(
        column.passage,
        records=[list(column.lines[start:end_of_record]) for start, end_of_record in pairwise([*starts, end])],
        sign=sign,
        apart=max(-1.0, min(1.0, apart)),
        headings=column.texts_above(first),
        above=column.lines[first - 1] if first else None,
    )
