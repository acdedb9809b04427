"""Finds records that repeat on a page: lines, blocks of lines, cards side by side, or the items of one sentence.

Lines that begin records have something in common: a bullet, a number, a period, the same label, larger letters, or a
wider gap above. Each such sign cuts a column of the page into a run of records. `record_lists` decides which of the
runs fills a list.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import Final

from tasks.extraction.cv_sections import is_section
from tasks.extraction.folding import fold
from tasks.extraction.line_pieces import PiecedLine, cut_line
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import WordOnPage, rows_by_column, rows_of, segments_of_row

MAX_LINES: Final = 1_500
"""Largest number of lines of a passage in which records are searched for."""
MAX_RUNS: Final = 140
"""Largest number of runs of a passage."""
STRIP_GAP: Final = 2.5
"""Least gap between parts of a page that stand side by side (strips), in heights of a line."""
MAX_STRIPS: Final = 3
MAX_RECORDS: Final = 200
MAX_LINES_OF_RECORD: Final = 14
MAX_ABOVE: Final = 2
"""Largest number of lines of a record above the line with its sign."""
FAR: Final = 5.0
"""Gap, in heights of a line, that ends a run."""
WIDER: Final = 1.3
"""Least ratio of the gap above a paragraph to the usual gap between lines."""
TALLER: Final = 1.15
MAX_HEADINGS: Final = 3
"""Largest number of lines above a run among which its heading is searched for."""
LONGEST_HEADING: Final = 9
"""Largest number of words of a heading."""
_WORD_AND_NUMBER: Final = re.compile(r"(?P<word>[^\W\d_]{2,20}\.?) ?(?:n[°o]\.? ?)?\d{1,3}\b")
_ITEM: Final = re.compile(
    r";\s|(?<=\s)\(?\d{1,2}\)\s|,\s(?![^()]*\))|\s(?:and|und|et|y|e|en|i|och|sowie|oraz)\s(?![^()]*\))"
)
_TELLING: Final = (
    "period",
    "date",
    "moment",
    "day",
    "time",
    "times",
    "score",
    "money",
    "decimal",
    "measure",
    "scheme",
    "code",
    "email",
    "phone",
    "number",
)


@dataclass(slots=True)
class Run:
    """Records of one form below or beside each other."""

    passage: Passage
    records: list[list[PiecedLine]]
    heading: str = ""
    sign: tuple[object, ...] = ()
    """Property common to the lines by which the records were found."""
    apart: float = 0.0
    """Logarithm of the gaps above records as a share of the gaps within them, from -1 to 1."""
    headings: Sequence[str] = field(default_factory=list)
    sections: Sequence[PiecedLine | None] = field(default_factory=list)
    """The heading above each record; empty if no heading stands between records."""
    above: PiecedLine | None = None
    """The line above the first record."""

    @property
    def lines(self) -> int:
        return sum(map(len, self.records))


def runs_of(passage: Passage) -> Iterator[Run | None]:
    """Yield the runs of records of a passage; None after each slice of work without one."""
    columns: list[list[PiecedLine]] = []
    strips: list[list[PiecedLine]] = []
    left = MAX_LINES
    for rows in rows_by_column(passage):
        columns.append((yield from _cut_lines(passage, rows[:left])))
        for strip in _strips(rows[:left]):
            strips.append((yield from _cut_lines(passage, strip)))  # noqa: PERF401 - a comprehension cannot yield
        left -= len(columns[-1])
    seen: set[tuple[tuple[int, ...], ...]] = set()
    found: list[Run] = []

    def every_run() -> Iterator[Run | None]:
        for number, lines in enumerate([*columns, *strips]):
            before = columns[number - 1] if 0 < number < len(columns) else []
            yield from _runs_in_column(passage, lines, before)
            yield None
        in_columns = [*found]
        yield from _cards(passage, columns)
        yield from _bands(passage)
        yield from _across(in_columns)
        for lines in (*columns, *strips):
            yield from _in_sentences(passage, lines)

    for run in every_run():
        key = tuple(tuple(line.words[0].at for line in record) for record in run.records) if run is not None else ()
        if run is None or key in seen:
            yield None
            continue
        seen.add(key)
        found.append(run)
        yield run
        if len(found) == MAX_RUNS:
            return


def _cut_lines(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Generator[None, None, list[PiecedLine]]:
    """Cut rows into pieces, with a slice of work for each."""
    lines = []
    for row in rows:
        lines.append(cut_line(passage, row))
        yield
    return lines


def _strips(rows: Sequence[Sequence[WordOnPage]]) -> Iterator[list[list[WordOnPage]]]:
    """Yield the strips of a page, the parts that stand side by side: wide gaps at one place separate several rows."""
    starts: list[tuple[int, int]] = []
    for row in rows:
        for before, word in pairwise(row):
            if word.box[0] - before.box[2] > STRIP_GAP * before.height:
                starts.append((word.box[0], word.height))
    starts.sort()
    edges: list[list[int]] = []
    for start, height in starts:
        if edges and start - edges[-1][-1] <= height:
            edges[-1].append(start)
        else:
            edges.append([start])
    common = sorted((edge for edge in edges if len(edge) > 1), key=len, reverse=True)[:MAX_STRIPS]
    lefts = sorted(min(edge) - 2 for edge in common)
    if not lefts:
        return
    for first, last in pairwise([float("-inf"), *lefts, float("inf")]):
        strip = [own for row in rows if (own := [word for word in row if first <= word.box[0] < last])]
        if len(strip) > 1:
            yield strip


def _runs_in_column(passage: Passage, lines: Sequence[PiecedLine], before: Sequence[PiecedLine]) -> Iterator[Run]:
    signs: dict[tuple[object, ...], list[int]] = defaultdict(list)
    heights = [line.height for line in lines]
    usual = median(heights) if heights else 0
    gaps = [other.top - one.bottom for one, other in pairwise(lines)]
    pitch = max(median(gaps), 0.3 * usual) if gaps else 0
    for at, line in enumerate(lines):
        for sign in _signs_of(line):
            signs[sign].append(at)
        if at == 0 or gaps[at - 1] > WIDER * pitch:
            signs["gap",].append(at)
        if line.height > TALLER * usual or line.mark.startswith("#"):
            signs["tall",].append(at)
        signs["line",].append(at)
        if line.pieces and at and line.left < lines[at - 1].left - 0.8 * line.height:
            signs["outdented",].append(at)
        if line.text.isupper():
            signs["loud",].append(at)
    levels = [len(line.mark) for line in lines if line.mark.startswith("#")]
    headings = {
        at
        for at, line in enumerate(lines)
        if _is_heading(line, usual, gaps[at - 1] / pitch if at and pitch > 0 else 9.0)
    }
    seen = set()
    for sign, ats in signs.items():
        if len(ats) < 1 or len(ats) > len(lines) or tuple(ats) in seen:
            continue
        seen.add(tuple(ats))
        starts = set(ats)
        cuts = {at for at in headings if at not in starts or sign[0] in ("gap", "line", "outdented", "tall")}
        if levels and sign[0] in ("tall", "mark", "gap"):
            deepest = max(levels)
            cuts = {at for at in cuts if len(lines[at].mark) < deepest or not lines[at].mark.startswith("#")}
        for above in range(1 if sign[0] in ("line", "gap") else MAX_ABOVE + 1):
            for own in ((), cuts) if cuts else ((),):
                for run in _runs_at(passage, lines, ats, above, before, is_of_lines=sign[0] == "line", cuts=own):
                    run.sign = (*sign, above, bool(own))
                    yield run


def _is_heading(line: PiecedLine, usual: float, gap: float) -> bool:
    """True if a line may be the heading of what is below it."""
    if not line.pieces or line.text.rstrip().endswith((".", ",", ";")) or line.text.count(" ") >= LONGEST_HEADING:
        return False
    if (
        any(piece.kind not in ("text", "number", "moment", "date", "day") or piece.label for piece in line.pieces)
        or line.pieces[0].kind != "text"
    ):
        return False
    return (
        line.mark.startswith("#")
        or line.height > TALLER * usual
        or line.text.isupper()
        or gap > 2 * WIDER
        or is_section(line.text)
    )


def _signs_of(line: PiecedLine) -> Iterator[tuple[object, ...]]:
    if line.mark:
        yield "mark", "box" if "[" in line.mark else line.mark if not any(map(str.isalnum, line.mark)) else "number"
    if not line.pieces:
        return
    first = line.pieces[0]
    if first.kind != "text":
        yield "first", first.kind
    if first.label:
        yield "label", *fold(first.label)
    for kind in _TELLING:
        if any(piece.kind == kind for piece in line.pieces):
            yield "has", kind
    if found := _WORD_AND_NUMBER.match(line.text):
        yield "word", found["word"].casefold()
    if sum(piece.sign == "gap" for piece in line.pieces):
        yield ("parted",)


def _runs_at(
    passage: Passage,
    lines: Sequence[PiecedLine],
    ats: Sequence[int],
    above: int,
    before: Sequence[PiecedLine],
    *,
    is_of_lines: bool,
    cuts: Collection[int] = (),
) -> Iterator[Run]:
    """Yield the runs of records that begin `above` lines above the lines `ats`."""
    starts = [at - above for at in ats if at >= above]
    if above and any(other - one <= above for one, other in pairwise(starts)):
        return
    groups: list[list[int]] = [[]]
    is_cut: list[bool] = [False]
    last = 0
    for at in (at for at in starts if at not in cuts):
        group = groups[-1]
        is_near = bool(group) and (
            lines[at].top - lines[at - 1].bottom <= FAR * lines[at].height and at - last <= MAX_LINES_OF_RECORD
        )
        if is_of_lines and is_near:
            one, other = lines[at - 1], lines[at]
            is_near = other.top - one.bottom <= 1.6 * other.height and abs(one.left - other.left) < 1.5 * other.height
        has_cut = bool(group) and any(last < cut <= at for cut in cuts)
        last = at
        if group and (has_cut or not is_near):
            groups.append([])
            is_cut.append(has_cut)
        # Further records of a full run do not become another run, which could fill the list in its place.
        if len(groups[-1]) < MAX_RECORDS:
            groups[-1].append(at)
    runs = [_run_from(passage, lines, group, before, cuts) for group in groups if group]
    yield from runs
    same_runs: list[Run] = []
    for run, cut in zip(runs, is_cut, strict=False):
        if not cut:
            yield from _joined(same_runs)
            same_runs = []
        same_runs.append(run)
    yield from _joined(same_runs)


def _joined(runs: Sequence[Run]) -> Iterator[Run]:
    """Yield runs that are separated only by headings as one run, with the heading above each record."""
    if len(runs) < 2:
        return
    records = [record for run in runs for record in run.records]
    sections = [run.above for run in runs for _ in run.records][:MAX_RECORDS]
    first = runs[0]
    yield replace(
        first, records=records[:MAX_RECORDS], sections=sections, headings=first.headings[1:], heading="", above=None
    )


def _run_from(
    passage: Passage,
    lines: Sequence[PiecedLine],
    starts: Sequence[int],
    before: Sequence[PiecedLine],
    cuts: Collection[int],
) -> Run:
    sizes = [other - one for one, other in pairwise(starts)]
    inner = [
        lines[at].top - lines[at - 1].bottom
        for start, size in zip(starts, sizes, strict=False)
        for at in range(start + 1, start + size)
    ]
    outer = [lines[start].top - lines[start - 1].bottom for start in starts[1:]]
    widest = max([*inner, *(0.9 * lines[start].height for start in starts[:1])])
    longest = max(sizes, default=MAX_LINES_OF_RECORD if len(starts) == 1 else 1)
    end = starts[-1] + 1
    while (
        end < len(lines)
        and end - starts[-1] < longest
        and end not in cuts
        and lines[end].top - lines[end - 1].bottom <= 1.2 * widest
    ):
        end += 1
    bounds = [*starts, end]
    records = [list(lines[one:other]) for one, other in pairwise(bounds)]
    apart = 0.0
    if inner and outer:
        height = lines[starts[0]].height
        apart = (sum(outer) / len(outer) - sum(inner) / len(inner)) / height
    headings = [line.text.replace("\t", " ") for line in reversed(lines[max(0, starts[0] - MAX_HEADINGS) : starts[0]])]
    if starts[0] < MAX_HEADINGS:
        headings += [line.text.replace("\t", " ") for line in reversed(before[-MAX_HEADINGS + starts[0] :])]
    headings = [text for text in headings if len(text.split()) <= LONGEST_HEADING]
    return Run(
        passage,
        records,
        headings[0] if headings else "",
        apart=max(-1.0, min(1.0, apart)),
        headings=headings,
        above=lines[starts[0] - 1] if starts[0] else None,
    )


def _across(runs: Sequence[Run]) -> Iterator[Run]:
    """Yield runs of one sign in several columns or parts of a page as one run."""
    groups: dict[tuple[object, ...], list[Run]] = defaultdict(list)
    for run in runs:
        if len(run.records) > 1 and run.sign[0] in ("has", "first", "parted", "label", "mark", "word"):
            groups[run.sign].append(run)
    for group in groups.values():
        # The largest first: a run may be a part of another one.
        kept: list[Run] = []
        used: set[int] = set()
        for run in sorted(group, key=lambda one: -len(one.records)):
            words = {word.at for record in run.records for line in record for word in line.words}
            if used.isdisjoint(words):
                kept.append(run)
                used |= words
        if len(kept) > 1:
            kept.sort(key=lambda one: one.records[0][0].words[0].at)
            sections = [section for run in kept for section in run.sections or [run.above] * len(run.records)]
            records = [record for run in kept for record in run.records]
            yield replace(kept[0], records=records[:MAX_RECORDS], sections=sections[:MAX_RECORDS], above=None)


def _cards(passage: Passage, columns: Sequence[Sequence[PiecedLine]]) -> Iterator[Run]:
    """Yield the columns of a page that stand side by side and begin at the same height, each a record."""
    group: list[Sequence[PiecedLine]] = []
    for lines in [*columns, []]:
        is_beside = (
            bool(group)
            and bool(lines)
            and (abs(lines[0].top - group[0][0].top) < 2 * lines[0].height and len(lines) <= MAX_LINES_OF_RECORD)
        )
        if group and not is_beside:
            if len(group) > 1:
                yield Run(passage, [list(one) for one in group])
            group = []
        if lines and len(lines) <= MAX_LINES_OF_RECORD:
            group.append(lines)


def _bands(passage: Passage) -> Iterator[Run | None]:
    """Yield runs of records that stand side by side, so that the pieces of successive rows are below each other. None
    after each slice of work without a run."""
    rows = rows_of(passage)[:MAX_LINES]
    band: list[list[list[WordOnPage]]] = []
    for row in [*rows, []]:
        yield None
        pieces = [list(one) for one in segments_of_row(row)] if row else []
        if band:
            lefts = [piece[0].box[0] for piece in band[0]]
            middles = [(piece[0].box[0] + piece[-1].box[2]) / 2 for piece in band[0]]
            own: list[list[WordOnPage]] = [[] for _ in lefts]
            count = 0
            for piece in pieces:
                near = piece[0].height
                place = next(
                    (
                        at
                        for at, (left, middle) in enumerate(zip(lefts, middles, strict=True))
                        if abs(piece[0].box[0] - left) < near
                        or abs((piece[0].box[0] + piece[-1].box[2]) / 2 - middle) < near
                    ),
                    None,
                )
                if place is not None and not own[place]:
                    own[place] = piece
                    count += 1
            bottom = max(word.box[3] for one in band[-1] for word in one)
            if pieces and 2 * count > len(lefts) and pieces[0][0].box[1] - bottom <= FAR * pieces[0][0].height:
                band.append(own)
                continue
            if len(band) > 1:
                records = []
                for at in range(len(lefts)):
                    own_lines = [line[at] for line in band if line[at]]
                    records.append((yield from _cut_lines(passage, own_lines)))
                yield Run(passage, records)
            band = []
        if len(pieces) > 1:
            band = [pieces]


def _in_sentences(passage: Passage, lines: Sequence[PiecedLine]) -> Iterator[Run | None]:
    """Yield runs of the items of a paragraph, which separators such as commas divide, with or without a label in front.
    None after each slice of work without a run."""
    usual = median([other.top - one.bottom for one, other in pairwise(lines)] or [0])
    paragraphs: list[list[PiecedLine]] = []
    for at, line in enumerate(lines):
        is_near = bool(paragraphs) and line.top - lines[at - 1].bottom <= max(1.2 * usual, 0.3 * line.height)
        if is_near and not line.mark:
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
    for paragraph in paragraphs:
        yield None
        whole = [word for line in paragraph for word in line.words]
        if len(whole) > 300:
            continue
        text = " ".join(passage.words[word.at] for word in whole)
        begin = 0
        label = ""
        if found := re.match(r"[^:]{2,40}: ", text):
            label, begin = found[0][:-2], found.end()
        for form in (r";\s", r"(?:^|(?<=\s))\(?\d{1,2}\)\s", _ITEM.pattern, r"(?<=[.!?])\s(?=[^\W\d_a-z])"):
            cuts = [
                (begin, begin),
                *((one.start(), one.end()) for one in re.finditer(form, text) if one.start() >= begin),
                (len(text), len(text)),
            ]
            if len(cuts) < 4:
                continue
            records = []
            for (_, start), (end, _) in pairwise(cuts):
                words = whole[text[:start].count(" ") : text[:end].rstrip().count(" ") + 1]
                if words and text[start:end].strip():
                    records.append([_flat(passage, words)])
                    yield None
            if len(records) > 1:
                yield Run(passage, records[:MAX_RECORDS], label, headings=[label] if label else [])


def _flat(passage: Passage, words: Sequence[WordOnPage]) -> PiecedLine:
    """Return a part of a paragraph as a line of its own, without the gaps of its lines."""
    left, top = words[0].box[:2]
    placed = []
    for word in words:
        size = word.box[2] - word.box[0]
        placed.append(WordOnPage(word.at, (left, top, left + size, top + word.height)))
        left += size
    return cut_line(passage, placed)
