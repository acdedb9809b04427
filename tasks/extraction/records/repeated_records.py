"""Finds records that repeat on a page: lines, blocks of lines, cards side by side, or the items of one sentence.

Several such records of one form are a run, and a page has many runs. `record_lists` decides which of them fills a list.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.folding import folded_words
from tasks.extraction.line_pieces import PiecedLine
from tasks.extraction.passages import Passage
from tasks.extraction.records.records_in_columns import MAX_HEADINGS, LinesOfColumn, runs_in_column
from tasks.extraction.records.records_in_sentences import runs_in_sentences
from tasks.extraction.records.records_side_by_side import bands, cards
from tasks.extraction.records.runs import MAX_LINES, MAX_RECORDS, Run, RunSign, cut_lines
from tasks.extraction.words_on_page import WordOnPage, rows_by_column, rows_of

MAX_RUNS: Final = 200
"""At most this many runs of a passage are compared with lists."""
STRIP_GAP: Final = 2.5
"""Strips are parts of a page that stand side by side. The gap between two strips is wider than this, in heights of a
line."""
MAX_STRIPS: Final = 3
"""Largest number of gaps that separate strips."""
FEWEST_ROWS_OF_CARDS: Final = 6
"""At least this many rows have a gap at the same place between two columns of cards."""
FULL_COLUMN: Final = 0.75
"""A gap separates columns of cards only if the number of rows that have it is at least this share of the number of rows
that have the most frequent gap."""
FEWEST_LABELS_OF_CARDS: Final = 2
"""Each column of cards has at least this many lines that begin with a label which all of these columns have."""
_SIGNS_ACROSS: Final = frozenset(("has", "first", "parted", "label", "mark", "word"))
"""Names of the signs by which records in several columns belong together: those that depend on the lines' texts."""


def runs_of(passage: Passage) -> Iterator[Run | None]:
    """Yield the first runs of records of a passage; None after each slice of work without a run."""
    count = 0
    for run in _all_runs(passage):
        yield run
        count += run is not None
        if count == MAX_RUNS:
            return


def _all_runs(passage: Passage) -> Iterator[Run | None]:
    columns: list[list[PiecedLine]] = []
    strips: list[list[PiecedLine]] = []
    lines_left = MAX_LINES
    cards_in_columns = yield from _cards_in_columns(passage)
    in_cards = {word.at for column in cards_in_columns for line in column.lines for word in line.words}
    for all_rows in rows_by_column(passage):
        rows = [row for row in all_rows if row[0].at not in in_cards] if in_cards else all_rows
        columns.append((yield from cut_lines(passage, rows[:lines_left])))
        for strip in _strips(rows[:lines_left]):
            strips.append((yield from cut_lines(passage, strip)))  # noqa: PERF401 - a comprehension cannot yield
        lines_left -= len(columns[-1])
    seen: set[tuple[tuple[int, ...], ...]] = set()
    in_columns: list[Run] = []
    for column in cards_in_columns:
        yield from _unseen(runs_in_column(column), seen)
    for run in _unseen(_runs_in_columns(passage, columns, strips), seen):
        if run is not None:
            in_columns.append(run)
        yield run
    yield from _unseen(_runs_across_columns(passage, columns, in_columns), seen)
    for lines in (*columns, *strips):
        yield from _unseen(runs_in_sentences(passage, lines), seen)


def _unseen(runs: Iterator[Run | None], seen: set[tuple[tuple[int, ...], ...]]) -> Iterator[Run | None]:
    """Yield the runs whose records are not those of an earlier run, and None in place of a run that repeats an earlier
    one. `seen` has the first words of the lines of each earlier run."""
    for run in runs:
        first_words = tuple(tuple(line.words[0].at for line in record) for record in run.records) if run else ()
        if run is None or first_words in seen:
            yield None
        else:
            seen.add(first_words)
            yield run


def _runs_in_columns(
    passage: Passage, columns: Sequence[Sequence[PiecedLine]], strips: Sequence[Sequence[PiecedLine]]
) -> Iterator[Run | None]:
    """Yield the runs in each column and in each strip. The heading of a column's first run may be at the end of the
    previous column."""
    for before, lines in zip([[], *columns], columns, strict=False):
        yield from runs_in_column(LinesOfColumn(passage, lines, before))
        yield None
    for lines in strips:
        yield from runs_in_column(LinesOfColumn(passage, lines, []))
        yield None


def _runs_across_columns(
    passage: Passage, columns: Sequence[Sequence[PiecedLine]], in_columns: Sequence[Run]
) -> Iterator[Run | None]:
    """Yield the runs whose records are in several columns. `in_columns` are the runs within a column or strip."""
    yield from cards(passage, columns)
    yield from bands(passage)
    yield from _united(in_columns)


def _strips(rows: Sequence[Sequence[WordOnPage]]) -> Iterator[list[list[WordOnPage]]]:
    """Yield the strips of a page: parts that stand side by side, with wide gaps between them at the same place in
    several rows."""
    edges = _left_edges_of_strips(rows)
    if not edges:
        return
    for left, right in pairwise([float("-inf"), *edges, float("inf")]):
        words_of_rows = ([word for word in row if left <= word.box[0] < right] for row in rows)
        strip = [words for words in words_of_rows if words]
        if len(strip) > 1:
            yield strip


def _cards_in_columns(passage: Passage) -> Slices[Sequence[LinesOfColumn]]:
    """Return the lines of cards in columns, the lines of the left column first; nothing if a page has no such cards. In
    the reading order of the page, the lines of a column are apart, because the order changes columns at each row of
    cards."""
    rows = rows_of(passage)[:MAX_LINES]
    groups = _groups_of_edges(rows)
    if not groups or len(groups[0]) < FEWEST_ROWS_OF_CARDS:
        return []
    gaps = [group for group in groups[:MAX_STRIPS] if len(group) >= FULL_COLUMN * len(groups[0])]
    indices = [
        index
        for index, row in enumerate(rows)
        if any(min(gap) - 2 <= word.box[0] <= max(gap) for gap in gaps for word in row[1:])
    ]
    part = rows[indices[0] : indices[-1] + 1]
    columns: list[list[PiecedLine]] = []
    for left, right in pairwise([float("-inf"), *sorted(min(gap) - 2 for gap in gaps), float("inf")]):
        words_of_rows = ([word for word in row if left <= word.box[0] < right] for row in part)
        columns.append((yield from cut_lines(passage, [words for words in words_of_rows if words])))
    if not _have_same_labels(columns):
        return []
    above = yield from cut_lines(passage, rows[max(0, indices[0] - MAX_HEADINGS) : indices[0]])
    return [LinesOfColumn(passage, [*chain.from_iterable(columns)], above)]


def _have_same_labels(columns: Sequence[Sequence[PiecedLine]]) -> bool:
    """True if the columns have cards of one form: several lines of each column begin with labels that all columns
    have."""
    labels = [
        [" ".join(folded_words(line.pieces[0].label)) for line in lines if line.pieces and line.pieces[0].label]
        for lines in columns
    ]
    common = set.intersection(*map(set, labels))
    return all(sum(label in common for label in own) >= FEWEST_LABELS_OF_CARDS for own in labels)


def _left_edges_of_strips(rows: Sequence[Sequence[WordOnPage]]) -> Sequence[float]:
    """Return the horizontal positions at which words of several rows begin after a wide gap."""
    return sorted(min(group) - 2 for group in _groups_of_edges(rows)[:MAX_STRIPS])


def _groups_of_edges(rows: Sequence[Sequence[WordOnPage]]) -> Sequence[Sequence[int]]:
    """Return the left edges of words after wide gaps, in groups of at least two edges at nearly the same place, the
    largest group first."""
    words = [
        word
        for row in rows
        for before, word in pairwise(row)
        if word.box[0] - before.box[2] > STRIP_GAP * before.height
    ]
    groups: list[list[int]] = []
    for left, height in sorted((word.box[0], word.height) for word in words):
        if groups and left - groups[-1][-1] <= height:
            groups[-1].append(left)
        else:
            groups.append([left])
    return sorted((group for group in groups if len(group) > 1), key=len, reverse=True)


def _united(runs: Sequence[Run]) -> Iterator[Run]:
    """Yield runs of one sign in several columns or strips as one run."""
    runs_by_sign: dict[RunSign, list[Run]] = defaultdict(list)
    for run in runs:
        if run.sign is not None and run.sign.line.name in _SIGNS_ACROSS and len(run.records) > 1:
            runs_by_sign[run.sign].append(run)
    for runs_of_sign in runs_by_sign.values():
        parts = sorted(_disjoint(runs_of_sign), key=lambda run: run.records[0][0].words[0].at)
        if len(parts) > 1:
            sections = [section for run in parts for section in run.sections or [run.above] * len(run.records)]
            records = [record for run in parts for record in run.records]
            yield replace(parts[0], records=records[:MAX_RECORDS], sections=sections[:MAX_RECORDS], above=None)


def _disjoint(runs: Sequence[Run]) -> Sequence[Run]:
    """Return runs without common words, chosen by their number of records, the largest first."""
    disjoint: list[Run] = []
    used: set[int] = set()
    for run in sorted(runs, key=lambda run: -len(run.records)):
        words = {word.at for record in run.records for line in record for word in line.words}
        if used.isdisjoint(words):
            disjoint.append(run)
            used |= words
    return disjoint
